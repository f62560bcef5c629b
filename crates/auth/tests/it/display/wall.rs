//! The wall: live, by polling, and from the file.

use luminous_testkit::DisplayRig;
use luminous_testkit::between::Weather;
use luminous_wire::{Connection, KioskStage};

use super::{HOUR, MINUTE, SECOND, is_code, is_online, is_wall, linked, notes, polling};

#[tokio::test(start_paused = true)]
async fn a_note_is_on_the_wall_within_five_seconds() {
    let mut rig = DisplayRig::start().await;
    let owner = rig.server.owner("ana").await;
    rig.link(&owner, "Kitchen").await;
    rig.server.note(&owner, "Milk").await;
    // Polling alone would take a minute: it comes by the hub.
    rig.until_in_time(5 * SECOND, |shown| notes(shown) == ["Milk"]).await;
    rig.server.note(&owner, "Bread").await;
    rig.until_in_time(5 * SECOND, |shown| notes(shown) == ["Bread", "Milk"]).await;
}

#[tokio::test(start_paused = true)]
async fn with_the_hub_blocked_a_note_is_on_the_wall_within_a_minute() {
    let (mut rig, owner) = polling().await;
    rig.link(&owner, "Kitchen").await;
    rig.server.note(&owner, "Milk").await;
    rig.until_in_time(MINUTE, |shown| notes(shown) == ["Milk"]).await;
}

#[tokio::test(start_paused = true)]
async fn p4_what_happened_while_it_was_away_is_on_the_wall_after_the_start() {
    let mut rig = DisplayRig::start().await;
    let owner = rig.server.owner("ana").await;
    rig.link(&owner, "Kitchen").await;
    rig.reopen().await;
    for number in 0..5 {
        rig.server.note(&owner, &format!("note {number}")).await;
    }
    rig.display.start();
    rig.until_in_time(MINUTE, |shown| notes(shown).len() == 5).await;
    rig.server.note(&owner, "live").await;
    rig.until_in_time(MINUTE, |shown| notes(shown)[0] == "live").await;
}

#[tokio::test(start_paused = true)]
async fn a_start_without_network_shows_the_last_wall_at_once_and_recovers() {
    let mut rig = DisplayRig::start().await;
    let owner = rig.server.owner("ana").await;
    rig.link(&owner, "Kitchen").await;
    rig.server.note(&owner, "Milk").await;
    rig.until_in_time(MINUTE, |shown| notes(shown) == ["Milk"]).await;
    rig.settle().await;
    rig.between.set(Weather::Down);
    rig.reopen().await;
    assert_eq!(notes(&rig.shown()), ["Milk"], "before anything was asked");
    assert_eq!(rig.shown().connection, Connection::Checking);
    rig.display.start();
    rig.until(|shown| matches!(shown.connection, Connection::Offline { .. })).await;
    assert!(is_wall(&rig.shown()));
    rig.between.set(Weather::Fair);
    rig.until_in_time(10 * MINUTE, is_online).await;
    assert!(is_wall(&rig.shown()));
}

#[tokio::test(start_paused = true)]
async fn f12_nothing_but_the_servers_own_word_takes_the_wall_down() {
    let mut rig = DisplayRig::start().await;
    let owner = rig.server.owner("ana").await;
    rig.link(&owner, "Kitchen").await;
    let grant = r#"{"error":"invalid_grant","reason":"revoked"}"#;
    let storms = [
        Weather::Down,
        Weather::Imposter(200, "text/html", "<h1>Hotel</h1>"),
        Weather::Imposter(302, "text/html", ""),
        Weather::Imposter(400, "application/json", grant),
        Weather::Imposter(401, "text/html", "<h1>Proxy</h1>"),
        Weather::Imposter(403, "text/html", "<h1>Proxy</h1>"),
        Weather::Imposter(404, "text/html", ""),
        Weather::Imposter(429, "text/plain", "slow"),
        Weather::Imposter(500, "text/html", ""),
        Weather::Imposter(502, "text/html", "<h1>nginx</h1>"),
        Weather::Imposter(503, "application/json", grant),
    ];
    for storm in storms {
        rig.between.set(storm.clone());
        for _ in 0..8 {
            rig.pass(5 * MINUTE).await;
            assert!(is_wall(&rig.shown()), "{storm:?}: {:?}", rig.shown());
        }
        assert!(
            matches!(rig.shown().connection, Connection::Offline { .. }),
            "{storm:?}: {:?}",
            rig.shown().connection
        );
        rig.between.set(Weather::Fair);
        rig.until_in_time(10 * MINUTE, is_online).await;
    }
}

#[tokio::test(start_paused = true)]
async fn u3_no_secret_is_in_a_snapshot_or_in_the_folder() {
    let mut rig = DisplayRig::start().await;
    let snapshots = rig.display.snapshots();
    let (collect, mut collected) = tokio::sync::mpsc::unbounded_channel();
    let mut follow = snapshots.clone();
    tokio::spawn(async move {
        loop {
            let shown = serde_json::to_string(&*follow.borrow_and_update()).unwrap();
            if collect.send(shown).is_err() || follow.changed().await.is_err() {
                return;
            }
        }
    });
    let owner = rig.server.owner("ana").await;
    rig.link(&owner, "Kitchen").await;
    rig.pass(HOUR).await;
    rig.settle().await;

    let mut secrets = Vec::new();
    for answer in rig.between.answers() {
        let Ok(answer) = serde_json::from_slice::<serde_json::Value>(&answer) else { continue };
        for name in
            ["device_code", "verification_uri_complete", "access_token", "refresh_token", "ticket"]
        {
            secrets.extend(answer[name].as_str().map(str::to_owned));
        }
    }
    assert!(secrets.len() >= 5, "there was something to look for: {}", secrets.len());
    let mut places = Vec::new();
    while let Ok(shown) = collected.try_recv() {
        places.push(shown);
    }
    assert!(places.iter().any(|shown| shown.contains("\"wall\"")));
    for file in std::fs::read_dir(rig.folder()).unwrap() {
        places.push(std::fs::read_to_string(file.unwrap().path()).unwrap());
    }
    for place in places {
        for secret in &secrets {
            assert!(!place.contains(secret.as_str()), "a secret is in {place}");
        }
    }
    let KioskStage::Wall { .. } = rig.stage() else { panic!() };
}

#[tokio::test(start_paused = true)]
async fn a_folder_that_another_program_holds_is_told_after_ten_seconds_and_taken_when_it_is_free() {
    let mut rig = DisplayRig::before_start().await;
    let path = rig.folder().join("display.lock");
    let other = std::fs::File::create(path).unwrap();
    other.lock().unwrap();
    rig.display.start();
    let shown = rig.until_in_time(12 * SECOND, |shown| shown.problem.is_some()).await;
    assert_eq!(shown.problem.unwrap().code, luminous_wire::ErrorCode::StoreUnavailable);
    drop(other);
    let shown = rig.until_in_time(5 * SECOND, is_code).await;
    assert_eq!(shown.problem, None);
}

#[cfg(unix)]
#[tokio::test(start_paused = true)]
async fn what_is_kept_on_disk_is_its_owners_only() {
    use std::os::unix::fs::PermissionsExt as _;

    let (rig, _) = linked().await;
    for name in ["display.json", "wall.json"] {
        let mode = std::fs::metadata(rig.folder().join(name)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{name}");
    }
}
