//! No answer to a window holds a token.

use luminous_testkit::scripted_api::{FAMILY, Say};
use luminous_wire::{SignInIntent, Stage};
use serde_json::json;
use tauri::async_runtime::block_on;

use crate::desk::{Desk, OUR_PAGE, call};

#[test]
fn u3_no_command_answers_with_a_token() {
    let desk = Desk::new();
    let access_token = block_on(async {
        desk.session.start().await;
        desk.session.begin_sign_in(SignInIntent::SignIn, None).await.expect("a sign-in begins");
        let link = desk.session.sign_in_link().expect("a link").parse().expect("an address");
        let redirect = desk.provider.authorize(&link);
        desk.session.redirect(redirect.as_bytes()).await.expect("signed in");
        desk.session.access_token().await.expect("an access token")
    });
    let signed_in = matches!(desk.session.snapshots().borrow().stage, Stage::SignedIn { .. });
    assert!(signed_in, "nobody is signed in, so nothing would be proven");
    let stored = desk.store.all_values();
    assert!(!stored.is_empty(), "the keyring is empty, so nothing would be proven");

    // A family server that sends the token back wherever it can.
    for place in ["members", "notes"] {
        let echo = json!({ place: [], "token": access_token.expose() });
        desk.api.script(&format!("/api/families/{FAMILY}/{place}"), [Say::Json(echo)]);
    }
    let window = desk.window("main");
    for (command, arguments) in [
        ("session_snapshot", json!({})),
        ("load_settings", json!({})),
        ("load_family", json!({})),
        ("list_members", json!({})),
        ("list_notes", json!({})),
        ("post_note", json!({ "request": { "text": "Hello" } })),
        ("export_my_data", json!({})),
        ("cancel_step_up", json!({})),
        ("sign_in_link", json!({})),
        ("open_browser_again", json!({})),
        ("retry_storage", json!({})),
        ("begin_sign_in", json!({ "intent": "switch_account" })),
        ("sign_in_link", json!({})),
        ("cancel_sign_in", json!({})),
        ("sign_out", json!({ "scope": "here" })),
    ] {
        let answer = format!("{:?}", call(&window, OUR_PAGE, command, arguments));
        assert!(!answer.contains(access_token.expose()), "{command} answers the access token");
        for value in &stored {
            let value = String::from_utf8_lossy(value);
            assert!(!answer.contains(value.as_ref()), "{command} answers what the keyring holds");
        }
    }
}
