//! What the tokens of wall displays are worth, and until when.

use super::Bench;
use super::displays::{DAY, IDLE, display, refused, thumbprint};
use super::expect::{count, last_line, line};
use super::people::{HOUR, MS, hash};
use crate::audit::Network;
use crate::devices::{Device, DeviceState};
use crate::error::Refusal;

pub async fn a_display_ends_without_renewal_to_the_millisecond(bench: &Bench) {
    let home = bench.home("ada").await;
    let mut grant = bench.linked(&home, &home.owner, "wall", "0").await;
    let end = grant.device.expires_at;
    // Heard of once in a month, so that it is never silent for too long.
    for n in 0..2 {
        bench.time.advance(30 * DAY).await;
        grant = bench.refresh("wall", &n.to_string(), &(n + 1).to_string()).await.unwrap();
        bench.use_token(&grant).await;
    }
    assert_eq!((grant.device.expires_at, grant.refresh_expires_at), (end, end));
    bench.time.advance(30 * DAY - MS).await;
    assert_eq!(bench.time.now().await, end);
    assert!(bench.is_let_in(&grant).await);
    assert!(bench.store.refresh_record(&hash("2")).await.unwrap().is_some());
    bench.tick().await;
    let standing = bench.stands(&grant).await;
    assert_eq!((standing.device.state, standing.is_token_live), (DeviceState::Expired, false));
    assert_eq!(bench.refresh("wall", "2", "x").await, refused(Refusal::DeviceExpired));
    assert_eq!(bench.store.refresh_record(&hash("2")).await.unwrap(), None);
    let listed = bench.device(&home, grant.device.id).await.unwrap();
    assert_eq!(listed.state, DeviceState::Expired);
    // Reuse is told also then.
    assert_eq!(bench.refresh("wall", "1", "x").await, refused(Refusal::TokenReused));
}

pub async fn a_display_that_is_silent_ends_to_the_millisecond(bench: &Bench) {
    let home = bench.home("ada").await;
    let silent = bench.linked(&home, &home.owner, "silent", "silent").await;
    let since = silent.issued_at;
    assert_eq!(silent.refresh_expires_at, since + IDLE);
    bench.time.advance(IDLE - MS).await;
    assert_eq!(bench.time.now().await, since + IDLE);
    assert!(bench.is_let_in(&silent).await);
    let heard = bench.refresh("silent", "silent", "lost").await.unwrap();
    assert_eq!(heard.refresh_expires_at, silent.device.expires_at.min(since + 2 * IDLE));
    // The answer was lost: the old one is good for as long as the new one.
    bench.time.advance(IDLE - MS).await;
    let heard = bench.refresh("silent", "silent", "last").await.unwrap();
    assert!(bench.is_let_in(&heard).await);

    let other = bench.linked(&home, &home.owner, "other", "other").await;
    bench.time.advance(IDLE).await;
    assert_eq!(bench.stands(&other).await.device.state, DeviceState::Expired);
    assert!(!bench.is_let_in(&other).await);
    assert_eq!(bench.refresh("other", "other", "x").await, refused(Refusal::DeviceExpired));
}

pub async fn a_token_is_used_once_and_using_it_again_changes_nothing(bench: &Bench) {
    let home = bench.home("ada").await;
    let first = bench.linked(&home, &home.owner, "wall", "one").await;
    assert!(!bench.stands(&first).await.is_token_used);
    bench.time.advance(HOUR).await;
    bench.use_token(&first).await;
    let standing = bench.stands(&first).await;
    assert!(standing.is_token_used && standing.is_token_live);
    assert_eq!(standing.device.last_seen_at, Some(bench.time.now().await));
    bench.use_token(&first).await;
    assert_eq!(bench.stands(&first).await, standing);
    bench.time.advance(HOUR).await;
    bench.use_token(&first).await;
    let last_seen_at = Some(bench.time.now().await);
    assert_eq!(bench.stands(&first).await.device, Device { last_seen_at, ..standing.device });
    // Another display's token, and one that never was.
    let other = bench.linked(&home, &home.owner, "hall", "two").await;
    let child = bench.refresh("hall", "two", "child").await.unwrap();
    for token in [child.token, bench.token_id().await] {
        bench.store.confirm_token(first.device.id, token).await.unwrap();
    }
    assert!(!bench.stands(&child).await.is_token_used);
    assert!(bench.is_let_in(&other).await && bench.is_let_in(&first).await);
    let nobody = bench.device_id().await;
    bench.store.confirm_token(nobody, child.token).await.unwrap();
    bench.store.device_seen(nobody).await.unwrap();
    assert_eq!(bench.store.device_standing(nobody, child.token).await.unwrap(), None);
    let never = bench.store.device_standing(first.device.id, bench.token_id().await).await;
    assert!(!never.unwrap().unwrap().is_token_live);
}

pub async fn introspection_knows_live_tokens_alone(bench: &Bench) {
    let home = bench.home("ada").await;
    let parent = bench.linked(&home, &home.owner, "wall", "parent").await;
    let record = bench.store.refresh_record(&hash("parent")).await.unwrap().unwrap();
    assert_eq!((record.device, record.token), (parent.device.clone(), parent.token));
    assert_eq!((record.key, record.issued_at), (thumbprint("wall"), parent.issued_at));
    assert_eq!(record.expires_at, parent.refresh_expires_at);
    let child = bench.refresh("wall", "parent", "child").await.unwrap();
    assert!(bench.store.refresh_record(&hash("parent")).await.unwrap().is_some());
    bench.use_token(&child).await;
    assert_eq!(bench.store.refresh_record(&hash("parent")).await.unwrap(), None);
    assert_eq!(bench.store.refresh_record(&hash("never given")).await.unwrap(), None);
    assert!(bench.store.refresh_record(&hash("child")).await.unwrap().is_some());
    bench.revoke(&home, &child.device, &home.owner).await.unwrap();
    assert_eq!(bench.store.refresh_record(&hash("child")).await.unwrap(), None);
}

pub async fn t22_a_display_that_gives_its_tokens_back_is_revoked(bench: &Bench) {
    let home = bench.home("ada").await;
    bench.linked(&home, &home.owner, "wall", "parent").await;
    let child = bench.refresh("wall", "parent", "child").await.unwrap();
    bench.use_token(&child).await;
    bench.tick().await;
    let key = thumbprint("wall");
    // Any that was not forgotten, also a spent one.
    let give_back =
        async |word| bench.store.give_back_token(&hash(word), &key, Network::Private).await;
    give_back("parent").await.unwrap();
    bench.assert_ended(&home, &child).await;
    let id = child.device.id;
    let signed_out = line("device.signed_out", Some(id.to_string()), Some("Kitchen"), None);
    assert_eq!(last_line(bench, &home, &display(id, "Kitchen")).await, signed_out);
    let lines = count(bench, &home).await;
    for word in ["parent", "child", "never given"] {
        give_back(word).await.unwrap();
    }
    assert_eq!(count(bench, &home).await, lines);
}

pub async fn tokens_are_forgotten_a_week_after_their_displays_time_was_over(bench: &Bench) {
    let home = bench.home("ada").await;
    let silent = bench.linked(&home, &home.owner, "silent", "silent").await;
    let revoked = bench.linked(&home, &home.owner, "revoked", "revoked").await;
    bench.revoke(&home, &revoked.device, &home.owner).await.unwrap();
    // The second came a millisecond later, and one more went by.
    bench.time.advance(IDLE + 7 * DAY - 2 * MS).await;
    // Wishes and events.
    bench.store.sweep().await.unwrap();
    for (ended, answers) in [
        (0, [Refusal::DeviceExpired, Refusal::DeviceRevoked]),
        (1, [Refusal::TokenUnknown, Refusal::DeviceRevoked]),
        (1, [Refusal::TokenUnknown, Refusal::TokenUnknown]),
    ] {
        assert_eq!(bench.store.sweep().await.unwrap() > 0, ended == 1);
        let [first, second] = answers;
        assert_eq!(bench.refresh("silent", "silent", "x").await, refused(first));
        assert_eq!(bench.refresh("revoked", "revoked", "x").await, refused(second));
        bench.tick().await;
    }
    assert_eq!(bench.stands(&silent).await.device.state, DeviceState::Expired);
    assert_eq!(bench.stands(&revoked).await.device.state, DeviceState::Revoked);
    let again = bench.linked(&home, &home.owner, "revoked", "again").await;
    assert_eq!(again.device.id, revoked.device.id, "the place stays");
}
