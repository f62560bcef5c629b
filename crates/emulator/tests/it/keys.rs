//! Keys: published without `alg`, rolled over on command.

use luminous_emulator::{KeysLie, Times};
use serde_json::json;

use crate::client::{World, keys_path, part, signature_holds, text};

#[tokio::test]
async fn the_keys_have_b2cs_members() {
    let world = World::start().await;
    let keys = world.json(&keys_path()).await;
    let key = &keys["keys"][0];
    let mut members: Vec<&str> = key.as_object().unwrap().keys().map(String::as_str).collect();
    members.sort_unstable();
    assert_eq!(members, ["e", "kid", "kty", "n", "nbf", "use"]);
    assert_eq!((&key["kty"], &key["use"]), (&json!("RSA"), &json!("sig")));
}

#[tokio::test]
async fn k3_a_new_key_is_published_before_it_signs_and_the_old_one_stays_until_retired() {
    let world = World::with_ana(|_| {}).await;
    let control = world.emulator.control();
    let old_kid = control.current_kid();
    let old = world.tokens().await;

    control.publish_next_key().unwrap();
    assert_eq!(world.json(&keys_path()).await["keys"].as_array().unwrap().len(), 2);
    assert_eq!(control.current_kid(), old_kid);

    control.promote_next_key().unwrap();
    let new = world.tokens().await;
    assert_ne!(part(text(&new, "id_token"), 0)["kid"], old_kid);
    let both = world.json(&keys_path()).await;
    assert!(signature_holds(text(&old, "id_token"), &both));
    assert!(signature_holds(text(&new, "id_token"), &both));

    control.retire_old_keys().unwrap();
    let one = world.json(&keys_path()).await;
    assert!(!signature_holds(text(&old, "id_token"), &one));
    assert!(signature_holds(text(&new, "id_token"), &one));
}

#[tokio::test]
async fn k2_the_key_set_can_be_empty_or_anything_else() {
    let world = World::start().await;
    let control = world.emulator.control();
    control.keys(KeysLie::Empty, Times::Next(1));
    let strange = json!({ "keys": [{ "kty": "oct", "k": "AA" }] });
    control.keys(KeysLie::Document(strange.clone()), Times::Next(1));
    assert_eq!(world.json(&keys_path()).await, json!({ "keys": [] }));
    assert_eq!(world.json(&keys_path()).await, strange);
    assert_eq!(world.json(&keys_path()).await, control.jwks());
}
