//! Sign-ins of browsers.

use std::sync::Arc;
use std::time::Duration;

use super::Bench;
use super::expect::{count, last_line, line};
use super::people::{HOUR, MS, all_at_once, hash};
use crate::web_sessions::NewPendingSignIn;

fn pending(state: &str) -> NewPendingSignIn {
    NewPendingSignIn {
        state: hash(state),
        browser: hash("browser"),
        nonce: format!("nonce of {state}"),
        verifier: "verifier".to_owned(),
        issuer: "https://issuer.test/".to_owned(),
        return_to: "/link?x=1".to_owned(),
        lifetime: HOUR,
    }
}

pub async fn a_pending_sign_in_is_taken_once_by_its_browser(bench: &Bench) {
    let store = &bench.store;
    store.begin_pending(&pending("one")).await.unwrap();
    store.begin_pending(&pending("two")).await.unwrap();
    let browser = hash("browser");
    assert!(store.take_pending(&hash("one"), &hash("another")).await.unwrap().is_none());
    assert!(store.take_pending(&hash("three"), &browser).await.unwrap().is_none());
    let taken = store.take_pending(&hash("one"), &browser).await.unwrap().unwrap();
    assert_eq!((taken.nonce.as_str(), taken.verifier.as_str()), ("nonce of one", "verifier"));
    assert_eq!(taken.issuer, "https://issuer.test/");
    assert_eq!(taken.return_to, "/link?x=1");
    assert!(store.take_pending(&hash("one"), &browser).await.unwrap().is_none());
    assert!(store.take_pending(&hash("two"), &browser).await.unwrap().is_some());
}

pub async fn of_a_hundred_takers_one_has_it(bench: &Bench) {
    bench.store.begin_pending(&pending("state")).await.unwrap();
    let taken = all_at_once(100, |_| {
        let store = Arc::clone(&bench.store);
        async move { store.take_pending(&hash("state"), &hash("browser")).await.unwrap().is_some() }
    })
    .await;
    assert_eq!(taken.into_iter().filter(|taken| *taken).count(), 1);
}

pub async fn a_pending_sign_in_ends_to_the_millisecond(bench: &Bench) {
    let (store, browser) = (&bench.store, hash("browser"));
    store.begin_pending(&pending("in time")).await.unwrap();
    store.begin_pending(&pending("late")).await.unwrap();
    bench.time.advance(HOUR).await;
    assert!(store.take_pending(&hash("in time"), &browser).await.unwrap().is_some());
    bench.time.advance(MS).await;
    assert!(store.take_pending(&hash("late"), &browser).await.unwrap().is_none());
}

pub async fn a_session_resumes_while_it_lasts(bench: &Bench) {
    let home = bench.home("ada").await;
    let mut new = bench.new_session(&home.owner, "cookie").await;
    new.is_email_unverified = true;
    let opened = bench.store.open_session(&new, None, &home.owner.act()).await.unwrap();
    let now = bench.time.now().await;
    assert_eq!((opened.id, opened.account), (new.id, new.account));
    assert_eq!((opened.user_agent.as_str(), opened.auth_time), ("Browser of ada", Some(now)));
    assert!(opened.is_email_unverified);
    assert_eq!((opened.created_at, opened.last_seen_at), (now, now));
    assert_eq!(opened.expires_at, now + 12 * HOUR);
    let last = last_line(bench, &home, &home.owner.actor()).await;
    assert_eq!(last, line("session.opened", Some(new.id.to_string()), None, None));

    let owner = bench.store.resume_session(&hash("cookie")).await.unwrap().unwrap();
    assert_eq!(owner.session, opened);
    assert_eq!(owner.standing, bench.standing(&home.owner).await);
    assert_eq!(bench.store.resume_session(&hash("other")).await.unwrap(), None);
}

pub async fn a_session_ends_without_use(bench: &Bench) {
    let ada = bench.person("ada").await;
    bench.session(&ada, "cookie").await;
    for _ in 0..3 {
        bench.time.advance(HOUR / 2).await;
        assert!(bench.store.resume_session(&hash("cookie")).await.unwrap().is_some());
    }
    bench.time.advance(HOUR / 2 + MS).await;
    assert_eq!(bench.store.resume_session(&hash("cookie")).await.unwrap(), None);
    assert_eq!(bench.store.sessions(ada.account.id).await.unwrap(), []);
}

pub async fn a_session_ends_in_any_case(bench: &Bench) {
    let ada = bench.person("ada").await;
    bench.session(&ada, "cookie").await;
    for _ in 0..24 {
        bench.time.advance(HOUR / 2).await;
        assert!(bench.store.resume_session(&hash("cookie")).await.unwrap().is_some());
    }
    bench.time.advance(MS).await;
    assert_eq!(bench.store.resume_session(&hash("cookie")).await.unwrap(), None);
}

pub async fn use_is_noted_to_the_minute(bench: &Bench) {
    let ada = bench.person("ada").await;
    let opened = bench.session(&ada, "cookie").await;
    let minute = Duration::from_secs(60);
    let resume = async || {
        let owner = bench.store.resume_session(&hash("cookie")).await.unwrap().unwrap();
        let listed = bench.store.sessions(ada.account.id).await.unwrap().remove(0);
        assert_eq!(listed, owner.session);
        owner.session.last_seen_at
    };
    bench.time.advance(minute - MS).await;
    assert_eq!(resume().await, opened.last_seen_at);
    bench.time.advance(MS).await;
    assert_eq!(resume().await, bench.time.now().await);
}

pub async fn a_new_session_ends_the_one_it_replaces(bench: &Bench) {
    let (ada, ben) = (bench.person("ada").await, bench.person("ben").await);
    bench.session(&ada, "old").await;
    bench.session(&ada, "other").await;
    let new = bench.new_session(&ben, "new").await;
    bench.store.open_session(&new, Some(&hash("old")), &ben.act()).await.unwrap();
    assert_eq!(bench.store.resume_session(&hash("old")).await.unwrap(), None);
    assert!(bench.store.resume_session(&hash("other")).await.unwrap().is_some());
    let owner = bench.store.resume_session(&hash("new")).await.unwrap().unwrap();
    assert_eq!(owner.standing.account.id, ben.account.id);
    // Replacing what is not there is opening.
    let more = bench.new_session(&ben, "more").await;
    bench.store.open_session(&more, Some(&hash("nothing")), &ben.act()).await.unwrap();
    assert!(bench.store.resume_session(&hash("more")).await.unwrap().is_some());
}

pub async fn sessions_are_listed_the_latest_first_and_only_ones_own(bench: &Bench) {
    let (ada, ben) = (bench.person("ada").await, bench.person("ben").await);
    let first = bench.session(&ada, "first").await;
    bench.tick().await;
    let second = bench.session(&ada, "second").await;
    bench.session(&ben, "ben's").await;
    assert_eq!(bench.store.sessions(ada.account.id).await.unwrap(), [second, first]);
}

pub async fn ending_is_scoped_to_the_account(bench: &Bench) {
    let home = bench.home("ada").await;
    let ben = bench.person("ben").await;
    let opened = bench.session(&home.owner, "cookie").await;
    let lines = count(bench, &home).await;
    assert!(!bench.store.end_session(ben.account.id, opened.id, &ben.act()).await.unwrap());
    assert!(bench.store.resume_session(&hash("cookie")).await.unwrap().is_some());
    assert_eq!(count(bench, &home).await, lines);

    bench.tick().await;
    let (account, act) = (home.owner.account.id, home.owner.act());
    assert!(bench.store.end_session(account, opened.id, &act).await.unwrap());
    let last = last_line(bench, &home, &home.owner.actor()).await;
    assert_eq!(last, line("session.ended", Some(opened.id.to_string()), None, None));
    assert_eq!(bench.store.resume_session(&hash("cookie")).await.unwrap(), None);
    assert!(!bench.store.end_session(account, opened.id, &act).await.unwrap());
}

pub async fn a_long_user_agent_is_cut(bench: &Bench) {
    let ada = bench.person("ada").await;
    let mut new = bench.new_session(&ada, "cookie").await;
    new.user_agent = "ä".repeat(300);
    let opened = bench.store.open_session(&new, None, &ada.act()).await.unwrap();
    assert_eq!(opened.user_agent, "ä".repeat(200));
    assert_eq!(bench.store.sessions(ada.account.id).await.unwrap(), [opened]);
}
