//! Which window may call what.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::desk::{Desk, OUR_PAGE, call, was_forbidden};

/// The commands that `build.rs` declares to the access control list.
const DECLARED: &[&str] = include!("../../src-tauri/commands.in");

/// The id of something that is nowhere.
const ID: &str = "0199b0a0-0000-7000-8000-000000000001";

/// For each command the windows that may call it, and arguments it understands.
fn table() -> BTreeMap<&'static str, (&'static [&'static str], Value)> {
    let main = ["main"].as_slice();
    let kiosk = ["kiosk"].as_slice();
    let both = ["main", "kiosk"].as_slice();
    let name = json!({ "request": { "name": "The Lights" } });
    let code = json!({ "request": { "code": "K7M3Q XW92H" } });
    let settings = json!({ "settings": { "language": "de", "theme": "dark" } });
    let link = json!({ "request": { "challenge": ID } });
    let number = json!({ "request": { "challenge": ID, "number": "47", "name": "Kitchen" } });
    let change = json!({ "deviceId": ID, "request": { "name": "Kitchen" } });
    let device = json!({ "deviceId": ID });
    let of_main = [
        ("accept_invite", code.clone()),
        ("add_child", name.clone()),
        ("begin_sign_in", json!({ "intent": "sign_in", "hint": null })),
        ("cancel_sign_in", json!({})),
        ("cancel_step_up", json!({})),
        ("change_device", change),
        ("change_member", json!({ "id": ID, "request": { "role": "adult" } })),
        ("confirm_link", number),
        ("connect", json!({ "request": { "address": "http://nowhere" } })),
        ("create_family", name.clone()),
        ("create_invite", json!({ "request": { "role": "adult" } })),
        ("decline_link", link),
        ("delete_family", name.clone()),
        ("disconnect", json!({})),
        ("export_my_data", json!({})),
        ("leave_family", json!({})),
        ("list_devices", json!({})),
        ("list_invites", json!({})),
        ("list_members", json!({})),
        ("list_notes", json!({})),
        ("load_family", json!({})),
        ("look_up_link", json!({ "request": { "user_code": "K7M 3QX" } })),
        ("open_browser_again", json!({})),
        ("post_note", json!({ "request": { "text": "Hello" } })),
        ("preview_invite", code),
        ("remove_member", json!({ "id": ID, "child": false })),
        ("remove_note", json!({ "id": ID })),
        ("rename_child", json!({ "id": ID, "name": "Bo" })),
        ("rename_family", name),
        ("renew_device", device.clone()),
        ("retry_storage", json!({})),
        ("revoke_device", device.clone()),
        ("save_settings", settings),
        ("session_snapshot", json!({})),
        ("sign_in_link", json!({})),
        ("sign_out", json!({ "scope": "here" })),
        ("sign_out_everywhere", json!({})),
        ("undo_link", device),
        ("use_memory_only", json!({})),
        ("watch_family", json!({ "channel": "__CHANNEL__:1" })),
        ("watch_session", json!({ "channel": "__CHANNEL__:1" })),
        ("withdraw_invite", json!({ "id": ID })),
    ];
    let of_kiosk = [
        ("kiosk_snapshot", json!({})),
        ("retry_kiosk_storage", json!({})),
        ("show_code", json!({})),
        ("watch_kiosk", json!({ "channel": "__CHANNEL__:1" })),
    ];
    let of_both =
        [("load_settings", json!({})), ("screen_drawn", json!({ "screen": "signed_in" }))];
    let by = |windows| move |(command, arguments)| (command, (windows, arguments));
    let of_main = of_main.into_iter().map(by(main));
    of_main.chain(of_kiosk.map(by(kiosk))).chain(of_both.map(by(both))).collect()
}

#[test]
fn u1_every_declared_command_has_its_line_in_the_table() {
    let table: Vec<&str> = table().into_keys().collect();
    assert_eq!(table, DECLARED, "a command was added or taken without saying who may call it");
}

#[test]
fn u1_each_window_may_call_its_own_commands_and_no_others() {
    let desk = Desk::new();
    for label in ["main", "kiosk", "admin", "other"] {
        let window = desk.window(label);
        for (command, (windows, arguments)) in table() {
            let answer = call(&window, OUR_PAGE, command, arguments);
            assert_eq!(
                was_forbidden(&answer),
                !windows.contains(&label),
                "{label} calling {command}: {answer:?}"
            );
        }
    }
}

#[test]
fn r16_no_window_hears_or_sends_events_or_reads_the_deep_link() {
    let desk = Desk::new();
    let windows = ["main", "kiosk"].map(|label| desk.window(label));
    for (command, arguments) in [
        ("plugin:event|emit", json!({ "event": "deep-link://new-url", "payload": ["x"] })),
        ("plugin:event|emit_to", json!({ "target": { "kind": "Any" }, "event": "x" })),
        ("plugin:event|listen", json!({ "event": "x", "target": { "kind": "Any" }, "handler": 1 })),
        ("plugin:deep-link|get_current", json!({})),
        ("plugin:window|create", json!({ "options": { "label": "x" } })),
        ("plugin:webview|create_webview_window", json!({ "options": { "label": "x" } })),
        ("plugin:path|resolve_directory", json!({ "directory": 1 })),
        ("plugin:app|version", json!({})),
    ] {
        for window in &windows {
            let answer = call(window, OUR_PAGE, command, arguments.clone());
            assert!(was_forbidden(&answer), "{command}: {answer:?}");
        }
    }
}

#[test]
fn u2_a_display_that_was_taken_over_can_do_nothing_for_a_person() {
    let desk = Desk::new();
    let window = desk.window("kiosk");
    for (command, (windows, arguments)) in table() {
        if !windows.contains(&"kiosk") {
            let answer = call(&window, OUR_PAGE, command, arguments);
            assert!(was_forbidden(&answer), "{command}: {answer:?}");
        }
    }
    assert!(desk.api.requests().is_empty(), "the family server was asked");
}

#[test]
fn u1_the_kiosk_is_told_where_it_stands_and_what_it_may_ask_for() {
    let desk = Desk::new();
    let window = desk.window("kiosk");
    let snapshot = call(&window, OUR_PAGE, "kiosk_snapshot", json!({})).expect("a snapshot");
    assert_eq!(snapshot["stage"]["kind"], "unconfigured");
    for command in ["show_code", "retry_kiosk_storage", "load_settings"] {
        let answer = call(&window, OUR_PAGE, command, json!({}));
        assert!(answer.is_ok(), "{command}: {answer:?}");
    }
}

#[test]
fn u5_u6_a_page_from_elsewhere_may_call_nothing_not_even_from_our_window() {
    let desk = Desk::new();
    let windows = ["main", "kiosk"].map(|label| desk.window(label));
    for origin in [
        "https://evil.example",
        "http://app.evil.example",
        "http://tauri.localhost.evil.example",
        "https://tauri.localhost.evil.example",
        "http://localhost:18455",
        "data:text/html,x",
        "file:///tmp/x.html",
    ] {
        for (command, (_, arguments)) in table() {
            for window in &windows {
                let answer = call(window, origin, command, arguments.clone());
                assert!(was_forbidden(&answer), "{origin} calling {command}: {answer:?}");
            }
        }
    }
}

#[test]
fn a_command_that_is_given_nonsense_says_so_and_changes_nothing() {
    let desk = Desk::new();
    let window = desk.window("main");
    let before = call(&window, OUR_PAGE, "session_snapshot", json!({})).expect("a snapshot");
    for (command, nonsense) in [
        ("begin_sign_in", json!({ "intent": "steal" })),
        ("begin_sign_in", json!({})),
        ("save_settings", json!({ "settings": { "language": "xx", "theme": "dark" } })),
        ("save_settings", json!({ "settings": { "language": "de", "theme": "dark", "more": 1 } })),
        ("sign_out", json!({ "scope": 7 })),
        ("begin_sign_in", json!({ "intent": "sign_in", "hint": "evil.example" })),
        ("connect", json!({ "request": { "address": "javascript:alert(1)" } })),
        ("connect", json!({ "request": { "address": "x", "client_id": "x" } })),
        ("change_member", json!({ "id": "../../me", "request": { "role": "owner" } })),
        ("change_member", json!({ "id": ID, "request": { "role": "display!" } })),
        ("remove_note", json!({ "id": 7 })),
        ("look_up_link", json!({ "request": { "user_code": 7 } })),
        ("confirm_link", json!({ "request": { "challenge": ID, "number": "47" } })),
        ("decline_link", json!({ "request": { "challenge": "../../me" } })),
        ("change_device", json!({ "deviceId": ID, "request": { "role": "owner" } })),
        ("revoke_device", json!({ "deviceId": "../me" })),
        ("create_family", json!({ "request": { "name": "x", "owner": "me" } })),
        ("screen_drawn", json!({ "screen": { "deep": ["nonsense"] } })),
    ] {
        let answer = call(&window, OUR_PAGE, command, nonsense.clone());
        assert!(answer.is_err(), "{command} took {nonsense}");
        assert!(!was_forbidden(&answer), "{command} was not even asked: {answer:?}");
    }
    let after = call(&window, OUR_PAGE, "session_snapshot", json!({})).expect("a snapshot");
    assert_eq!(before["stage"], after["stage"]);
}
