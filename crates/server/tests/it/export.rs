//! One's own data, as a file.

use serde_json::json;

use crate::home::Home;

#[tokio::test]
async fn a_person_gets_what_is_kept_about_them_and_nothing_of_others() {
    let home = Home::start().await;
    let (family, owner, others) = home.full_house().await;
    let teen = &others[2].1;
    let notes = format!("/api/families/{family}/notes");
    home.with(teen).post(&notes, json!({ "text": "from the teen" })).await;
    home.with(&owner).post(&notes, json!({ "text": "from the owner" })).await;
    let file = home.with(teen).get("/api/me/export").await;
    assert_eq!(file.status, 200, "{file:?}");
    assert_eq!(file.header("content-disposition"), "attachment; filename=\"luminous-export.json\"");
    let export = file.json();
    assert_eq!(export["me"], home.with(teen).get("/api/me").await.json());
    assert_eq!(export["notes"].as_array().unwrap().len(), 1);
    assert_eq!(export["notes"][0]["text"], "from the teen");
    assert_eq!(export["exported_at_ms"], home.now_ms());
    let account = &export["me"]["account"]["id"];
    let audit = export["audit"].as_array().unwrap();
    assert!(!audit.is_empty());
    assert!(audit.iter().all(|line| line["actor"]["id"] == *account), "{audit:?}");
    for foreign in ["from the owner", "Olga", &owner.user.email, &others[0].1.user.email] {
        assert!(!file.text.contains(foreign), "{foreign}");
    }
}

#[tokio::test]
async fn a_person_outside_any_family_gets_theirs_too() {
    let home = Home::start().await;
    let ana = home.person("Ana");
    let export = home.with(&ana).get("/api/me/export").await.json();
    assert_eq!(export["me"]["membership"], json!(null));
    assert_eq!(export["audit"][0]["action"], "account.created");
}
