//! A display at the door of the API: what it may see, and which tokens and proofs are none.

use std::time::Duration;

use luminous_domain::Role;
use luminous_oidc::jose::SigningKey;
use luminous_store::NewNote;
use reqwest::Method;
use serde_json::{Value, json};

use super::{family, home};
use crate::display::{Display, part};
use crate::rig::{Answer, Rig};

const REFUSED: &str = "401 token.invalid";

#[tokio::test]
async fn a_display_sees_names_and_notes_and_nothing_else() {
    let (rig, ana, display) = home().await;
    rig.pass(Duration::from_secs(1));
    rig.member(&ana, "ben", Role::Teen).await;
    let (_, act) = rig.arrive(&ana).await;
    let note = NewNote {
        id: luminous_domain::NoteId::from_uuid(uuid::Uuid::from_u128(1)),
        family: ana.family(),
        text: "Milk".to_owned(),
        author: ana.place().member,
        lifetime: None,
    };
    rig.store.post_note(&note, &act).await.unwrap();
    let seen = display.get(&rig, &family(&ana)).await.json();
    assert_eq!(seen["name"], ana.place().family.name);
    let members = display.get(&rig, &format!("{}/members", family(&ana))).await;
    assert!(!members.text.contains("example.test"), "{}", members.text);
    let members = members.json();
    for (member, name) in members["members"].as_array().unwrap().iter().zip(["ana", "ben"]) {
        assert_eq!(member["name"], name);
        assert_eq!((&member["email"], &member["last_seen_at_ms"]), (&Value::Null, &Value::Null));
        assert_eq!(member["is_me"], false);
    }
    let notes = display.get(&rig, &format!("{}/notes", family(&ana))).await.json();
    assert_eq!(
        (&notes["notes"][0]["text"], &notes["notes"][0]["removable"]),
        (&json!("Milk"), &json!(false))
    );

    for path in ["devices", "invites", "audit"] {
        let answer = display.get(&rig, &format!("{}/{path}", family(&ana))).await;
        assert_eq!(answer.outcome(), "401 token.missing", "{path} is for people");
    }
    for path in ["/api/me", "/api/me/export", "/api/me/sessions"] {
        assert_eq!(display.get(&rig, path).await.outcome(), "401 token.missing", "{path}");
    }
    for (method, path) in [
        (Method::POST, format!("{}/notes", family(&ana))),
        (Method::PATCH, family(&ana)),
        (Method::DELETE, family(&ana)),
    ] {
        let request = display.ask(&rig, method, &path).json(&json!({ "text": "x", "name": "x" }));
        assert_eq!(Answer::of(request).await.outcome(), "401 token.missing", "{path}");
    }
}

#[tokio::test]
async fn t18_a_display_stays_in_its_own_family() {
    let (rig, ana, display) = home().await;
    let eve = rig.owner("eve").await;
    for path in ["", "/members", "/notes"] {
        let theirs = display.get(&rig, &format!("{}{path}", family(&eve))).await;
        assert_eq!(theirs.outcome(), "403 authz.family_mismatch", "{path}");
        let nobodys = display.get(&rig, &format!("/api/families/nonsense{path}")).await;
        assert_eq!(nobodys.outcome(), "403 authz.family_mismatch", "{path}");
        let own = display.get(&rig, &format!("{}{path}", family(&ana))).await;
        assert_eq!(own.outcome(), "200", "{path}");
    }
}

#[tokio::test]
async fn a_displays_token_is_no_bearer_token_and_a_persons_is_no_displays() {
    let (rig, ana, display) = home().await;
    let as_bearer = rig.get(&family(&ana), display.token("access_token")).await;
    assert_eq!(as_bearer.outcome(), REFUSED);
    let with_proof = display
        .ask(&rig, Method::GET, &family(&ana))
        .header("authorization", format!("Bearer {}", display.token("access_token")));
    assert_eq!(Answer::of(with_proof).await.outcome(), "401 token.malformed", "two credentials");
    let persons = display.ask_with(&rig, Method::GET, &family(&ana), &rig.token(&ana));
    assert_eq!(Answer::of(persons).await.outcome(), REFUSED);
}

#[tokio::test]
async fn v22_the_credential_is_one_token_and_one_proof_in_the_headers() {
    let (rig, ana, display) = home().await;
    let (path, token) = (family(&ana), display.token("access_token"));
    let proof = || display.proof(&rig, &Method::GET, &path, Some(token));
    for (header, expected) in [
        (format!("dpop {token}"), "401 token.malformed"),
        (format!("DPOP {token}"), "401 token.malformed"),
        (format!("DPoP {token} {token}"), "401 token.malformed"),
        (format!("DPoP  {token}"), "401 token.malformed"),
        ("DPoP ".to_owned(), "401 token.malformed"),
        ("DPoP".to_owned(), "401 token.malformed"),
        ("DPoP a.b.c".to_owned(), "401 token.malformed"),
        (format!("Basic {token}"), "401 token.missing"),
    ] {
        let request = rig.request(Method::GET, &path).header("authorization", &header);
        let answer = Answer::of(request.header("dpop", proof())).await;
        assert_eq!(answer.outcome(), expected, "{header:?}");
    }
    let bare = rig.request(Method::GET, &path).header("authorization", format!("DPoP {token}"));
    let answer = Answer::of(bare).await;
    assert_eq!(answer.outcome(), "401 token.proof_invalid");
    assert_eq!(
        answer.header("www-authenticate"),
        "DPoP realm=\"luminous\", error=\"invalid_dpop_proof\", algs=\"ES256\""
    );
}

#[tokio::test]
async fn a_proof_is_for_one_request_of_this_token_and_counts_once() {
    let (rig, ana, display) = home().await;
    let (path, token) = (family(&ana), display.token("access_token"));
    let ask = |proof: String| {
        let request = rig.request(Method::GET, &path);
        Answer::of(request.header("authorization", format!("DPoP {token}")).header("dpop", proof))
    };
    let refused = "401 token.proof_invalid";
    for proof in [
        display.proof(&rig, &Method::POST, &path, Some(token)),
        display.proof(&rig, &Method::GET, &format!("{path}/notes"), Some(token)),
        display.proof(&rig, &Method::GET, &path, None),
        display.proof(&rig, &Method::GET, &path, Some("another")),
        Display::new().proof(&rig, &Method::GET, &path, Some(token)),
    ] {
        assert_eq!(ask(proof).await.outcome(), refused);
    }
    let once = display.proof(&rig, &Method::GET, &path, Some(token));
    assert_eq!(ask(once.clone()).await.outcome(), "200");
    assert_eq!(ask(once.clone()).await.outcome(), refused);
    rig.pass(Duration::from_secs(59));
    assert_eq!(ask(once).await.outcome(), refused);
    let old = display.proof(&rig, &Method::GET, &path, Some(token));
    rig.pass(Duration::from_secs(61));
    assert_eq!(ask(old).await.outcome(), refused);
}

#[tokio::test]
async fn v18_a_token_is_good_for_half_an_hour_and_a_minute() {
    let (rig, ana, display) = home().await;
    rig.pass(Duration::from_secs(1800 + 59));
    assert_eq!(display.get(&rig, &family(&ana)).await.outcome(), "200");
    rig.pass(Duration::from_secs(2));
    let answer = display.get(&rig, &family(&ana)).await;
    assert_eq!(answer.outcome(), REFUSED);
    assert_eq!(
        answer.header("www-authenticate"),
        "DPoP realm=\"luminous\", error=\"invalid_token\", algs=\"ES256\""
    );
}

/// The display's token, with header and claims changed, signed with the server's own key.
fn forged(display: &Display, header: &Value, claims: &Value, key: &SigningKey) -> String {
    let token = display.token("access_token");
    let change = |mut whole: Value, by: &Value| {
        for (name, value) in by.as_object().unwrap() {
            whole[name] = value.clone();
        }
        whole
    };
    key.sign(&change(part(token, 0), header), &change(part(token, 1), claims)).unwrap()
}

/// The server's own signing key.
fn signing_key(rig: &Rig) -> SigningKey {
    use base64::Engine as _;
    let file = rig.folder.path().join("signing-keys.json");
    let file: Value = serde_json::from_slice(&std::fs::read(file).unwrap()).unwrap();
    let pkcs8 = file["keys"][0]["pkcs8"].as_str().unwrap();
    let pkcs8 = base64::engine::general_purpose::STANDARD.decode(pkcs8).unwrap();
    SigningKey::from_pkcs8(&pkcs8).unwrap()
}

#[tokio::test]
async fn v1_v9_v10_v12_a_token_that_is_not_to_the_letter_ours_is_refused() {
    let (rig, ana, display) = home().await;
    let (ours, rogue) = (signing_key(&rig), SigningKey::generate().unwrap());
    let none = json!({});
    let good = forged(&display, &none, &none, &ours);
    let ask = async |token: &str| {
        Answer::of(display.ask_with(&rig, Method::GET, &family(&ana), token)).await.outcome()
    };
    assert_eq!(ask(&good).await, "200");
    for (header, claims, key) in [
        (&none, &none, &rogue),
        (&json!({ "kid": "another" }), &none, &ours),
        (&json!({ "kid": null }), &none, &ours),
        (&json!({ "typ": "JWT" }), &none, &ours),
        (&json!({ "typ": "dpop+jwt" }), &none, &ours),
        (&json!({ "alg": "none" }), &none, &ours),
        (&json!({ "alg": "HS256" }), &none, &ours),
        (&json!({ "jwk": rogue.public_jwk() }), &none, &rogue),
        (&none, &json!({ "iss": "https://evil.example" }), &ours),
        (&none, &json!({ "aud": "https://evil.example" }), &ours),
        (&none, &json!({ "client_id": "another" }), &ours),
        (&none, &json!({ "scope": "display admin" }), &ours),
        (&none, &json!({ "role": "owner" }), &ours),
        (&none, &json!({ "exp": 1 }), &ours),
        (&none, &json!({ "sub": "nonsense" }), &ours),
    ] {
        let token = forged(&display, header, claims, key);
        let outcome = ask(&token).await;
        assert!(
            [REFUSED, "401 token.malformed"].contains(&&*outcome),
            "{outcome}: {header} {claims}"
        );
    }
    // Not even our own signature makes a token of another display, key or family.
    let id = "019353a0-0000-7000-8000-000000000000";
    for (claims, expected) in [
        (json!({ "jti": id }), REFUSED),
        (json!({ "sub": id }), "401 device.revoked"),
        (json!({ "family_id": id }), "401 device.revoked"),
        (json!({ "cnf": { "jkt": "AAAA" } }), REFUSED),
    ] {
        let token = forged(&display, &none, &claims, &ours);
        assert_eq!(ask(&token).await, expected, "{claims}");
    }
}

#[tokio::test]
async fn a_display_may_make_so_many_requests() {
    let rig = Rig::with(|config, _| config.limits.per_account_per_minute = 5).await;
    let ana = rig.owner("ana").await;
    let display = Display::linked(&rig, &ana).await;
    let other = Display::linked(&rig, &ana).await;
    for _ in 0..5 {
        assert_eq!(display.get(&rig, &family(&ana)).await.outcome(), "200");
    }
    assert_eq!(display.get(&rig, &family(&ana)).await.outcome(), "429 request.rate_limited");
    assert_eq!(other.get(&rig, &family(&ana)).await.outcome(), "200");
}

#[tokio::test]
async fn a_display_is_noted_as_heard_of_at_most_each_five_minutes() {
    let (rig, ana, display) = home().await;
    let seen = async || rig.store.devices(ana.family()).await.unwrap()[0].last_seen_at.unwrap();
    assert_eq!(display.get(&rig, &family(&ana)).await.outcome(), "200");
    let first = seen().await;
    rig.pass(Duration::from_secs(299));
    assert_eq!(display.get(&rig, &family(&ana)).await.outcome(), "200");
    assert_eq!(seen().await, first);
    rig.pass(Duration::from_secs(2));
    assert_eq!(display.get(&rig, &family(&ana)).await.outcome(), "200");
    // It is written down beside the answer; the server waits for that when it ends.
    rig.store.ping().await.unwrap();
    for _ in 0..1000 {
        if seen().await > first {
            return;
        }
        tokio::task::yield_now().await;
    }
    panic!("it was not written down");
}
