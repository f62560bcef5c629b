//! Invitations: a code, used once, for a while.

use std::time::Duration;

use luminous_domain::Role;
use serde_json::json;

use crate::home::Home;

const ACCEPT: &str = "/api/invites/accept";
const PREVIEW: &str = "/api/invites/preview";

#[tokio::test]
async fn an_invitation_is_looked_at_and_accepted_once_however_it_is_typed() {
    let home = Home::start().await;
    let olga = home.person("Olga");
    let family = home.family(&olga, "Lum").await;
    let invites = format!("/api/families/{family}/invites");
    let made = home.with(&olga).post(&invites, json!({ "role": "adult", "hours": 24 })).await;
    assert_eq!(made.status, 201, "{made:?}");
    let made = made.json();
    let code = made["code"].as_str().unwrap();
    let typed = json!({ "code": code.to_lowercase().replace(' ', "-") });
    let until = home.now_ms() + 24 * 3_600_000;
    let offer = json!({
        "family_name": "Lum", "invited_by": "Olga", "role": "adult", "expires_at_ms": until,
    });
    let ben = home.person("Ben");
    for _ in 0..2 {
        assert_eq!(home.with(&ben).post(PREVIEW, typed.clone()).await.json(), offer);
    }
    let joined = home.with(&ben).post(ACCEPT, typed.clone()).await;
    assert_eq!(joined.json()["membership"]["role"], "adult", "{joined:?}");
    assert_eq!(joined.json(), home.with(&ben).get("/api/me").await.json());

    let late = home.person("Late");
    for path in [PREVIEW, ACCEPT] {
        let used = home.with(&late).post(path, typed.clone()).await;
        assert_eq!(used.outcome(), "404 invite.invalid", "{path}");
    }
    let open = home.with(&olga).get(&invites).await.json();
    assert_eq!(open["invites"], json!([]));
}

#[tokio::test]
async fn the_code_is_behind_the_hash_of_the_link_and_nowhere_in_the_database() {
    let home = Home::start().await;
    let olga = home.person("Olga");
    let family = home.family(&olga, "Lum").await;
    let invites = format!("/api/families/{family}/invites");
    let made = home.with(&olga).post(&invites, json!({ "role": "teen" })).await.json();
    let code = made["code"].as_str().unwrap().replace(' ', "");
    let link = made["link"].as_str().unwrap();
    assert!(link.ends_with(&format!("/join#{code}")), "{link}");
    let listed = home.with(&olga).get(&invites).await;
    assert_eq!(listed.json()["invites"], json!([made["invite"]]));
    assert!(!listed.text.contains(&code));
    let stored = database(&home);
    assert!(
        contains(&stored, family.to_string().as_bytes())
            || contains(&stored, family.as_uuid().as_bytes())
    );
    assert!(!contains(&stored, code.as_bytes()), "the code is in the database");
}

#[tokio::test]
async fn of_a_hundred_who_try_one_code_at_once_one_joins() {
    let home = Home::start().await;
    let olga = home.person("Olga");
    let family = home.family(&olga, "Lum").await;
    let code = json!({ "code": home.invite(&olga, family, Role::Adult).await });
    let racers: Vec<_> = (0..100).map(|n| home.person(&format!("Racer {n}"))).collect();
    let race = racers
        .iter()
        .map(|racer| async { home.with(racer).post(ACCEPT, code.clone()).await.outcome() });
    let verdicts = futures_util::future::join_all(race).await;
    let won = verdicts.iter().filter(|verdict| *verdict == "200").count();
    let lost = verdicts.iter().filter(|verdict| *verdict == "404 invite.invalid").count();
    assert_eq!((won, lost), (1, 99), "{verdicts:?}");
    let members = home.with(&olga).get(&format!("/api/families/{family}/members")).await.json();
    assert_eq!(members["members"].as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn an_invitation_ends_by_itself_and_by_being_withdrawn() {
    let home = Home::start().await;
    let olga = home.person("Olga");
    let family = home.family(&olga, "Lum").await;
    let ben = home.person("Ben");
    let invites = format!("/api/families/{family}/invites");
    let made = home.with(&olga).post(&invites, json!({ "role": "teen" })).await;
    let withdrawn = made.header("location").to_owned();
    assert_eq!(home.with(&olga).delete(&withdrawn).await.status, 204);
    assert_eq!(home.with(&olga).delete(&withdrawn).await.outcome(), "404 resource.not_found");
    let typed = json!({ "code": made.json()["code"] });
    assert_eq!(home.with(&ben).post(ACCEPT, typed).await.outcome(), "404 invite.invalid");

    let typed = json!({ "code": home.invite(&olga, family, Role::Teen).await });
    home.rig.pass(Duration::from_secs(72 * 3600 + 1));
    assert_eq!(home.with(&ben).post(ACCEPT, typed).await.outcome(), "404 invite.invalid");
    assert_eq!(home.with(&olga).get(&invites).await.json()["invites"], json!([]));
}

#[tokio::test]
async fn ten_wrong_codes_lock_an_account_out_and_the_right_one_with_it() {
    let home = Home::start().await;
    let olga = home.person("Olga");
    let family = home.family(&olga, "Lum").await;
    let right = json!({ "code": home.invite(&olga, family, Role::Adult).await });
    let eve = home.person("Eve");
    // What cannot be a code is no guess.
    for _ in 0..12 {
        let refused = home.with(&eve).post(ACCEPT, json!({ "code": "too short" })).await;
        assert_eq!(refused.outcome(), "400 invite.code_format");
    }
    for n in 0..10 {
        let path = if n % 2 == 0 { ACCEPT } else { PREVIEW };
        let wrong = home.with(&eve).post(path, json!({ "code": format!("000000000{n}") })).await;
        assert_eq!(wrong.outcome(), "404 invite.invalid", "{n}");
    }
    for path in [ACCEPT, PREVIEW] {
        let locked = home.with(&eve).post(path, right.clone()).await;
        assert_eq!(locked.outcome(), "429 invite.rate_limited");
        let wait: u64 = locked.header("retry-after").parse().unwrap();
        assert!((1..=600).contains(&wait), "{wait}");
    }
    // Somebody else is not locked out, and Eve is not for ever.
    let offer = home.with(&home.person("Ben")).post(PREVIEW, right.clone()).await;
    assert_eq!(offer.status, 200);
    home.rig.pass(Duration::from_secs(601));
    assert_eq!(home.with(&eve).post(ACCEPT, right).await.status, 200);
}

#[tokio::test]
async fn u9_inviting_somebody_who_will_rule_needs_a_second_factor_too() {
    let home = Home::start().await;
    let (family, owner, others) = home.full_house().await;
    let invites = format!("/api/families/{family}/invites");
    for role in ["owner", "admin"] {
        let refused = home.with(&owner).post(&invites, json!({ "role": role })).await;
        assert_eq!(refused.outcome(), "401 session.step_up_required", "{role}");
        let made = home.proved(&owner).post(&invites, json!({ "role": role })).await;
        assert_eq!(made.status, 201, "{role}");
    }
    let admin = &others[0].1;
    let crown = home.proved(admin).post(&invites, json!({ "role": "owner" })).await;
    assert_eq!(crown.outcome(), "403 authz.role_missing");
    for body in [
        json!({ "role": "display" }),
        json!({ "role": "teen", "hours": 0 }),
        json!({ "role": "teen", "hours": 337 }),
        json!({ "role": "teen", "hours": -1 }),
        json!({ "hours": 3 }),
    ] {
        let refused = home.proved(&owner).post(&invites, body.clone()).await;
        assert_eq!(refused.outcome(), "400 input.invalid", "{body}");
    }
}

#[tokio::test]
async fn an_invitation_counts_only_while_its_maker_may_still_make_it() {
    let home = Home::start().await;
    let (family, owner, others) = home.full_house().await;
    let (_, admin, member) = &others[0];
    let code = json!({ "code": home.invite(admin, family, Role::Admin).await });
    let path = format!("/api/families/{family}/members/{member}");
    assert_eq!(home.proved(&owner).patch(&path, json!({ "role": "adult" })).await.status, 200);
    let joined = home.with(&home.person("Ben")).post(ACCEPT, code).await;
    assert_eq!(joined.outcome(), "404 invite.invalid");
}

#[tokio::test]
async fn who_is_in_a_family_uses_no_invitation_up() {
    let home = Home::start().await;
    let olga = home.person("Olga");
    let family = home.family(&olga, "Lum").await;
    let code = json!({ "code": home.invite(&olga, family, Role::Adult).await });
    let refused = home.with(&olga).post(ACCEPT, code.clone()).await;
    assert_eq!(refused.outcome(), "409 family.already_member");
    assert_eq!(home.with(&home.person("Ben")).post(ACCEPT, code).await.status, 200);
}

#[tokio::test]
async fn a_repeated_request_shows_the_same_code_again() {
    let home = Home::start().await;
    let olga = home.person("Olga");
    let family = home.family(&olga, "Lum").await;
    let invites = format!("/api/families/{family}/invites");
    let key = "7d444840-9dc0-11d1-b245-5ffdce74fad2";
    let make = async || home.with(&olga).once(key).post(&invites, json!({ "role": "teen" })).await;
    let (first, again) = (make().await, make().await);
    assert_eq!((first.outcome(), again.outcome()), ("201".into(), "201".into()));
    assert_eq!(first.json(), again.json());
    assert_eq!(home.with(&olga).get(&invites).await.json()["invites"].as_array().unwrap().len(), 1);
    let joined =
        home.with(&home.person("Ben")).post(ACCEPT, json!({ "code": again.json()["code"] })).await;
    assert_eq!(joined.status, 200, "{joined:?}");
}

#[tokio::test]
async fn a_family_has_twenty_open_invitations_at_most() {
    let home = Home::start().await;
    let olga = home.person("Olga");
    let family = home.family(&olga, "Lum").await;
    let invites = format!("/api/families/{family}/invites");
    for n in 0..20 {
        let made = home.with(&olga).post(&invites, json!({ "role": "teen" })).await;
        assert_eq!(made.status, 201, "{n}");
    }
    let refused = home.with(&olga).post(&invites, json!({ "role": "teen" })).await;
    assert_eq!(refused.outcome(), "409 limit.reached");
}

#[tokio::test]
async fn of_a_hundred_guesses_at_once_ten_are_looked_at() {
    let home = Home::start().await;
    let eve = home.person("Eve");
    assert_eq!(home.with(&eve).get("/api/me").await.status, 200);
    let home = &home;
    let eve = &eve;
    let guesses = (0..100).map(|n| async move {
        let path = if n % 2 == 0 { ACCEPT } else { PREVIEW };
        let code = format!("00000000{n:02}");
        home.with(eve).post(path, json!({ "code": code })).await.outcome()
    });
    let verdicts = futures_util::future::join_all(guesses).await;
    let of = |code: &str| verdicts.iter().filter(|verdict| *verdict == code).count();
    assert_eq!((of("404 invite.invalid"), of("429 invite.rate_limited")), (10, 90), "{verdicts:?}");
}

#[tokio::test]
async fn a_right_code_is_no_guess_however_often_it_is_looked_at() {
    let home = Home::start().await;
    let olga = home.person("Olga");
    let family = home.family(&olga, "Lum").await;
    let code = json!({ "code": home.invite(&olga, family, Role::Adult).await });
    let ben = home.person("Ben");
    for _ in 0..15 {
        assert_eq!(home.with(&ben).post(PREVIEW, code.clone()).await.status, 200);
        let refused = home.with(&olga).post(ACCEPT, code.clone()).await;
        assert_eq!(refused.outcome(), "409 family.already_member");
    }
    assert_eq!(home.with(&ben).post(ACCEPT, code).await.status, 200);
}

#[tokio::test]
async fn what_is_used_withdrawn_or_over_does_not_come_back_by_repeating_the_request() {
    let home = Home::start().await;
    let olga = home.person("Olga");
    let family = home.family(&olga, "Lum").await;
    let invites = format!("/api/families/{family}/invites");
    let (home, olga, invites) = (&home, &olga, &invites);
    let key = |n: u8| format!("7d444840-9dc0-11d1-b245-5ffdce74fa{n:02x}");
    let make = |n| async move {
        home.with(olga).once(&key(n)).post(invites, json!({ "role": "teen" })).await
    };
    let used = make(1).await.json();
    let joined = home.with(&home.person("Ben")).post(ACCEPT, json!({ "code": used["code"] })).await;
    assert_eq!(joined.status, 200);
    let withdrawn = make(2).await.header("location").to_owned();
    assert_eq!(home.with(olga).delete(&withdrawn).await.status, 204);
    make(3).await;
    home.rig.pass(Duration::from_secs(72 * 3600 + 1));
    for n in 1..=3 {
        assert_eq!(make(n).await.outcome(), "409 request.repeated", "{n}");
    }
    home.rig.store.sweep().await.unwrap();
    assert_eq!(make(3).await.outcome(), "409 request.repeated", "swept");
    assert_eq!(home.with(olga).get(invites).await.json()["invites"], json!([]));
}

#[tokio::test]
async fn another_request_under_the_same_key_is_another_request() {
    let home = Home::start().await;
    let olga = home.person("Olga");
    let family = home.family(&olga, "Lum").await;
    let invites = format!("/api/families/{family}/invites");
    let key = "7d444840-9dc0-11d1-b245-5ffdce74fad2";
    let teen = home.with(&olga).once(key).post(&invites, json!({ "role": "teen" })).await.json();
    let adult = home.with(&olga).once(key).post(&invites, json!({ "role": "adult" })).await.json();
    assert_eq!(
        (&teen["invite"]["role"], &adult["invite"]["role"]),
        (&json!("teen"), &json!("adult"))
    );
    assert_ne!(teen["code"], adult["code"]);
    // Nor does a key aim at what somebody else made with it, or oneself elsewhere.
    let otto = home.person("Otto");
    let other = home.family(&otto, "Otto's").await;
    let elsewhere = format!("/api/families/{other}/invites");
    let made = home.with(&otto).once(key).post(&elsewhere, json!({ "role": "teen" })).await.json();
    assert_ne!(made["code"], teen["code"]);
}

/// Every byte of the database, its log included.
fn database(home: &Home) -> Vec<u8> {
    let files = std::fs::read_dir(home.rig.folder.path()).unwrap().map(|file| file.unwrap().path());
    let of_database = files.filter(|path| path.to_string_lossy().contains("sqlite"));
    of_database.flat_map(|path| std::fs::read(path).unwrap()).collect()
}

fn contains(bytes: &[u8], needle: &[u8]) -> bool {
    bytes.windows(needle.len()).any(|window| window == needle)
}
