//! Notes.

use std::sync::Arc;

use luminous_domain::{NoteId, OsEntropy, Permission, Role};

use super::Bench;
use super::expect::{count, last_line, line};
use super::people::{HOUR, Home, MS, Person, all_at_once};
use crate::error::{Failure, Refusal};
use crate::members::MemberState;
use crate::notes::NewNote;

fn refused<T>(refusal: Refusal) -> Result<T, Failure> {
    Err(Failure::Refused(refusal))
}

async fn remove(bench: &Bench, home: &Home, id: NoteId, by: &Person) -> Result<(), Failure> {
    bench.store.remove_note(home.family, id, by.member, &by.act()).await
}

async fn texts(bench: &Bench, home: &Home) -> Vec<String> {
    bench.store.notes(home.family).await.unwrap().into_iter().map(|note| note.text).collect()
}

pub async fn notes_come_back_the_newest_first(bench: &Bench) {
    let home = bench.home("ada").await;
    let first = bench.note(&home, &home.owner, "first", None).await.unwrap();
    assert_eq!((first.family, first.text.as_str()), (home.family, "first"));
    assert_eq!((first.author, first.author_name.as_str()), (Some(home.owner.member), "ada"));
    assert_eq!((first.posted_at, first.expires_at), (bench.time.now().await, None));
    let last = last_line(bench, &home, &home.owner.actor()).await;
    assert_eq!(last, line("note.posted", Some(first.id.to_string()), None, None));
    bench.tick().await;
    let second = bench.note(&home, &home.owner, "second", Some(HOUR)).await.unwrap();
    assert_eq!(second.expires_at, Some(bench.time.now().await + HOUR));
    assert_eq!(bench.store.notes(home.family).await.unwrap(), [second, first]);
}

pub async fn a_note_comes_down_at_its_end_to_the_millisecond(bench: &Bench) {
    let home = bench.home("ada").await;
    let note = bench.note(&home, &home.owner, "short", Some(HOUR)).await.unwrap();
    bench.time.advance(HOUR).await;
    assert_eq!(texts(bench, &home).await, ["short"]);
    bench.time.advance(MS).await;
    assert!(texts(bench, &home).await.is_empty());
    let answer = remove(bench, &home, note.id, &home.owner).await;
    assert_eq!(answer, refused(Refusal::NotFound));
}

pub async fn fifty_stand_at_most(bench: &Bench) {
    let (home, other) = (bench.home("ada").await, bench.home("eve").await);
    for n in 0..50 {
        bench.note(&home, &home.owner, &format!("note {n}"), Some(HOUR)).await.unwrap();
    }
    let lines = count(bench, &home).await;
    let more = bench.note(&home, &home.owner, "more", None).await;
    assert_eq!(more, refused(Refusal::TooMany));
    assert_eq!(count(bench, &home).await, lines);
    bench.note(&other, &other.owner, "elsewhere", None).await.unwrap();
    bench.time.advance(HOUR + MS).await;
    bench.note(&home, &home.owner, "after they came down", None).await.unwrap();
}

pub async fn of_many_at_once_fifty_stand(bench: &Bench) {
    let home = bench.home("ada").await;
    let now = bench.time.now().await;
    let answers = all_at_once(100, |n| {
        let (store, by, family) = (Arc::clone(&bench.store), home.owner.clone(), home.family);
        let id = NoteId::new(now, &OsEntropy).unwrap();
        async move {
            let text = format!("note {n}");
            let new = NewNote { id, family, text, author: by.member, lifetime: None };
            store.post_note(&new, &by.act()).await
        }
    })
    .await;
    assert_eq!(answers.iter().filter(|answer| answer.is_ok()).count(), 50);
    assert_eq!(texts(bench, &home).await.len(), 50);
}

pub async fn only_an_active_member_posts(bench: &Bench) {
    let (home, other) = (bench.home("ada").await, bench.home("eve").await);
    let ben = bench.join(&home, Role::Adult, "ben").await;
    let lines = count(bench, &home).await;
    let foreign = bench.note(&home, &other.owner, "from outside", None).await;
    assert_eq!(foreign, refused(Refusal::NotFound));
    assert_eq!(count(bench, &home).await, lines);
    bench.set_state(&home, ben.member, MemberState::Deactivated, &home.owner).await.unwrap();
    assert_eq!(bench.note(&home, &ben, "x", None).await, refused(Refusal::NotFound));
    bench.store.leave_family(home.family, ben.member, &ben.act()).await.unwrap();
    assert_eq!(bench.note(&home, &ben, "x", None).await, refused(Refusal::NotFound));
    assert!(texts(bench, &home).await.is_empty());
}

pub async fn the_author_or_a_moderator_takes_it_down(bench: &Bench) {
    let home = bench.home("ada").await;
    for role in [Role::Owner, Role::Admin, Role::Adult, Role::Teen, Role::Child, Role::Caregiver] {
        let who = bench.join(&home, role, role.as_str()).await;
        let own = bench.note(&home, &who, "own", None).await.unwrap();
        remove(bench, &home, own.id, &who).await.unwrap();
        let last = last_line(bench, &home, &who.actor()).await;
        assert_eq!(last.0, "note.posted".replace("posted", "removed"));
        assert_eq!(last.1, Some(own.id.to_string()));

        let hers = bench.note(&home, &home.owner, "hers", None).await.unwrap();
        let answer = remove(bench, &home, hers.id, &who).await;
        if role.may(Permission::NotesModerate) {
            answer.unwrap();
        } else {
            assert_eq!(answer, refused(Refusal::RoleMissing), "{role}");
            remove(bench, &home, hers.id, &home.owner).await.unwrap();
        }
        let own = bench.note(&home, &who, "before", None).await.unwrap();
        if role != Role::Owner {
            bench
                .set_state(&home, who.member, MemberState::Deactivated, &home.owner)
                .await
                .unwrap();
            let answer = remove(bench, &home, own.id, &who).await;
            assert_eq!(answer, refused(Refusal::RoleMissing), "{role}, switched off");
        }
        bench.tick().await;
    }
}

pub async fn notes_are_scoped_to_the_family(bench: &Bench) {
    let (here, there) = (bench.home("ada").await, bench.home("eve").await);
    let note = bench.note(&here, &here.owner, "ours", None).await.unwrap();
    assert!(texts(bench, &there).await.is_empty());
    let answer = remove(bench, &there, note.id, &there.owner).await;
    assert_eq!(answer, refused(Refusal::NotFound));
    let answer = remove(bench, &here, note.id, &there.owner).await;
    assert_eq!(answer, refused(Refusal::RoleMissing));
    assert_eq!(texts(bench, &here).await, ["ours"]);
}

pub async fn a_note_that_was_taken_down_stays_down(bench: &Bench) {
    let home = bench.home("ada").await;
    let (id, author, act) = (note_id(bench).await, home.owner.member, home.owner.act());
    let (family, text) = (home.family, "hello".to_owned());
    let new = NewNote { id, family, text, author, lifetime: Some(HOUR) };
    bench.store.post_note(&new, &act).await.unwrap();
    assert_eq!(bench.store.post_note(&new, &act).await, refused(Refusal::Repeated));
    remove(bench, &home, id, &home.owner).await.unwrap();
    assert_eq!(bench.store.post_note(&new, &act).await, refused(Refusal::Repeated));

    let over = NewNote { id: note_id(bench).await, ..new };
    bench.store.post_note(&over, &act).await.unwrap();
    bench.time.advance(HOUR + MS).await;
    assert_eq!(bench.store.post_note(&over, &act).await, refused(Refusal::Repeated));
}

async fn note_id(bench: &Bench) -> NoteId {
    NoteId::new(bench.time.now().await, &OsEntropy).unwrap()
}
