//! Notes to the wall.

use std::time::Duration;

use serde_json::json;

use crate::home::Home;

#[tokio::test]
async fn a_note_stands_until_its_author_or_an_adult_takes_it_down() {
    let home = Home::start().await;
    let (family, _, others) = home.full_house().await;
    let notes = format!("/api/families/{family}/notes");
    let (adult, teen, child) = (&others[1].1, &others[2].1, &others[3].1);
    let posted = home.with(teen).post(&notes, json!({ "text": " Milk\r\nBread " })).await;
    assert_eq!(posted.status, 201, "{posted:?}");
    let note = posted.json();
    assert_eq!((&note["text"], &note["author_name"]), (&json!("Milk\nBread"), &json!("the teen")));
    assert_eq!(note["removable"], true);
    let path = posted.header("location").to_owned();

    let seen = home.with(child).get(&notes).await.json();
    assert_eq!(seen["notes"][0]["removable"], false);
    assert_eq!(home.with(child).delete(&path).await.outcome(), "403 authz.role_missing");
    assert_eq!(home.with(adult).get(&notes).await.json()["notes"][0]["removable"], true);
    assert_eq!(home.with(adult).delete(&path).await.status, 204);
    assert_eq!(home.with(teen).delete(&path).await.outcome(), "404 resource.not_found");

    let again = home.with(teen).post(&notes, json!({ "text": "Eggs" })).await;
    assert_eq!(home.with(teen).delete(again.header("location")).await.status, 204);
    assert_eq!(home.with(child).get(&notes).await.json()["notes"], json!([]));
}

#[tokio::test]
async fn a_note_comes_down_by_itself() {
    let home = Home::start().await;
    let olga = home.person("Olga");
    let family = home.family(&olga, "Lum").await;
    let notes = format!("/api/families/{family}/notes");
    let posted = home.with(&olga).post(&notes, json!({ "text": "Dinner", "hours": 2 })).await;
    assert_eq!(posted.json()["expires_at_ms"], home.now_ms() + 2 * 3_600_000);
    home.rig.pass(Duration::from_secs(2 * 3600 + 1));
    assert_eq!(home.with(&olga).get(&notes).await.json()["notes"], json!([]));
}

#[tokio::test]
async fn a_note_that_cannot_be_shown_is_refused() {
    let home = Home::start().await;
    let olga = home.person("Olga");
    let family = home.family(&olga, "Lum").await;
    let notes = format!("/api/families/{family}/notes");
    for body in [
        json!({ "text": "" }),
        json!({ "text": "\n" }),
        json!({ "text": "x".repeat(281) }),
        json!({ "text": "a\u{1b}[2J" }),
        json!({ "text": "a\u{0}" }),
        json!({ "text": "a\u{2066}b" }),
        json!({ "text": "Milk", "hours": 0 }),
        json!({ "text": "Milk", "hours": 721 }),
        json!({ "text": "Milk", "hours": 1.5 }),
        json!(["Milk"]),
    ] {
        let refused = home.with(&olga).post(&notes, body.clone()).await;
        assert_eq!(refused.outcome(), "400 input.invalid", "{body}");
    }
    // U4's payloads are text like any other; whoever shows them shows text.
    let text = "<script>alert(1)</script>";
    let posted = home.with(&olga).post(&notes, json!({ "text": text })).await;
    assert_eq!(posted.json()["text"], text);
}

#[tokio::test]
async fn a_repeated_request_posts_one_note_and_the_wall_is_full_at_fifty() {
    let home = Home::start().await;
    let olga = home.person("Olga");
    let family = home.family(&olga, "Lum").await;
    let notes = format!("/api/families/{family}/notes");
    let key = "7d444840-9dc0-11d1-b245-5ffdce74fad2";
    let body = json!({ "text": "Milk" });
    let first = home.with(&olga).once(key).post(&notes, body.clone()).await;
    for n in 1..50 {
        let posted = home.with(&olga).post(&notes, json!({ "text": format!("{n}") })).await;
        assert_eq!(posted.status, 201, "{n}");
    }
    let full = home.with(&olga).post(&notes, body.clone()).await;
    assert_eq!(full.outcome(), "409 limit.reached");
    let again = home.with(&olga).once(key).post(&notes, body).await;
    assert_eq!((again.outcome(), again.json()), ("201".into(), first.json()));
}

#[tokio::test]
async fn the_notes_of_who_left_stay_under_their_name() {
    let home = Home::start().await;
    let (family, owner, others) = home.full_house().await;
    let notes = format!("/api/families/{family}/notes");
    let teen = &others[2].1;
    home.with(teen).post(&notes, json!({ "text": "Bye" })).await;
    let left = home.with(teen).post(&format!("/api/families/{family}/leave"), json!({})).await;
    assert_eq!(left.status, 204);
    let note = &home.with(&owner).get(&notes).await.json()["notes"][0];
    assert_eq!(note["author"], json!(null));
    assert_eq!(note["author_name"], "the teen");
}
