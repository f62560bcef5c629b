//! Who a token is about: the mapping of claims.

use luminous_oidc::{ClaimNames, Identity, ProviderConfig, Transport};
use serde_json::{Value, json};

use crate::fake::{CLIENT, GUID, ISSUER, PERSON, POLICY, World, config};
use crate::signer::PUBLISHED;

async fn identity(world: &World, changes: Value) -> Identity {
    let token = PUBLISHED.sign(&world.id_claims(&changes));
    world.id(&token).await.expect("an identity")
}

#[tokio::test]
async fn every_claim_finds_its_place() {
    let world = World::new();
    let identity = identity(
        &world,
        json!({
            "roles": ["Parent", "Cook"], "extension_role": "adult",
            "extension_family_id": "fam-1", "idp": "google.com", "amr": ["pwd", "mfa"],
        }),
    )
    .await;
    assert_eq!(identity.person.tenant.as_str(), GUID);
    assert_eq!(identity.person.object.as_str(), PERSON);
    assert_eq!(identity.issuer, ISSUER);
    assert_eq!(identity.subject, PERSON);
    assert_eq!(identity.name.as_deref(), Some("Ana Lindqvist"));
    assert_eq!(identity.email.as_deref(), Some("ana@example.test"));
    assert_eq!(identity.roles, ["Parent", "Cook"]);
    assert_eq!(identity.role.as_deref(), Some("adult"));
    assert_eq!(identity.family_id.as_deref(), Some("fam-1"));
    assert_eq!(identity.policy.as_deref(), Some(POLICY));
    assert_eq!(identity.identity_provider.as_deref(), Some("google.com"));
    assert_eq!(identity.amr, ["pwd", "mfa"]);
    assert_eq!(identity.issued_at.as_second(), world.now());
    assert_eq!(identity.auth_time.map(|at| at.as_second()), Some(world.now()));
    assert_eq!(identity.expires_at.as_second(), world.now() + 3600);
}

#[tokio::test]
async fn what_only_describes_may_be_missing_or_strange() {
    let world = World::new();
    let strange = json!({
        "name": 7, "emails": [], "email": ["x"], "roles": { "a": 1 }, "role": false,
        "family_id": ["a"], "idp": "LocalAccount", "amr": 1, "auth_time": null,
    });
    let identity = identity(&world, strange).await;
    assert_eq!((identity.name, identity.email), (None, None));
    assert_eq!((identity.role, identity.family_id), (None, None));
    assert_eq!(identity.identity_provider, None);
    assert!(identity.roles.is_empty() && identity.amr.is_empty());
    assert_eq!(identity.auth_time, None);
}

#[tokio::test]
async fn the_first_of_several_addresses_counts_before_the_single_one() {
    let world = World::new();
    let both = json!({ "emails": ["first@example.test", "second@example.test"], "email": "b@c.d" });
    assert_eq!(identity(&world, both).await.email.as_deref(), Some("first@example.test"));
    let single = json!({ "emails": null, "email": "custom@example.test" });
    assert_eq!(identity(&world, single).await.email.as_deref(), Some("custom@example.test"));
}

#[tokio::test]
async fn the_names_of_custom_claims_can_be_configured() {
    let mut config = config();
    config.claim_names = ClaimNames {
        roles: vec!["app_roles".to_owned()],
        role: vec!["extension_Rank".to_owned()],
        family_id: vec!["extension_House".to_owned()],
    };
    let world = World::with(config);
    let claims = json!({ "app_roles": "One", "extension_Rank": "teen", "extension_House": "h-1" });
    let identity = identity(&world, claims).await;
    assert_eq!(identity.roles, ["One"]);
    assert_eq!(identity.role.as_deref(), Some("teen"));
    assert_eq!(identity.family_id.as_deref(), Some("h-1"));
}

#[tokio::test]
async fn a_person_is_the_object_id_else_the_subject_and_never_the_sentence_of_old_policies() {
    let world = World::new();
    let sentence = "Not supported currently. Use oid claim.";
    let by_oid = identity(&world, json!({ "sub": sentence })).await;
    assert_eq!(by_oid.person.object.as_str(), PERSON);
    let by_sub = identity(&world, json!({ "oid": null, "sub": "s-1" })).await;
    assert_eq!(by_sub.person.object.as_str(), "s-1");
    let nobody = json!({ "oid": null, "sub": sentence });
    assert_eq!(world.id_code(nobody).await, "token.claim_invalid");
    for changes in [json!({ "sub": null }), json!({ "sub": "" }), json!({ "oid": 7 })] {
        assert_eq!(world.id_code(changes).await, "token.claim_invalid");
    }
}

#[tokio::test]
async fn a_plain_issuers_people_are_keyed_on_issuer_and_subject_whatever_their_oid() {
    let issuer = "https://login.example/realm";
    let config = ProviderConfig::from_address(issuer, CLIENT, Transport::HttpsOnly);
    let world = World::with(config.expect("a configuration"));
    world.lie(&json!({
        "issuer": issuer,
        "authorization_endpoint": "https://login.example/a",
        "token_endpoint": "https://login.example/t",
        "end_session_endpoint": null,
        "jwks_uri": "https://login.example/k",
    }));
    let claims = json!({ "iss": issuer, "sub": "s-1", "oid": "victim", "tfp": null, "acr": "1" });
    let identity = identity(&world, claims).await;
    assert_eq!(identity.person.tenant.as_str(), issuer);
    assert_eq!(identity.person.object.as_str(), "s-1");
    assert_eq!(identity.policy, None);
}

#[tokio::test]
async fn a_person_keeps_their_key_when_the_tenant_is_served_as_external_id() {
    let address = "https://luminousdemo.ciamlogin.com/";
    let config = ProviderConfig::from_address(address, CLIENT, Transport::HttpsOnly);
    let external = World::with(config.expect("a configuration"));
    let issuer = format!("https://{GUID}.ciamlogin.com/{GUID}/v2.0");
    let base = format!("https://luminousdemo.ciamlogin.com/{GUID}");
    external.lie(&json!({
        "issuer": issuer,
        "authorization_endpoint": format!("{base}/oauth2/v2.0/authorize"),
        "token_endpoint": format!("{base}/oauth2/v2.0/token"),
        "end_session_endpoint": format!("{base}/oauth2/v2.0/logout"),
        "jwks_uri": format!("{base}/discovery/v2.0/keys"),
    }));
    let claims =
        json!({ "iss": issuer, "sub": "pairwise", "tid": GUID, "tfp": null, "ver": "2.0" });
    let after = identity(&external, claims).await;
    let before = identity(&World::new(), json!({})).await;
    assert_eq!(after.person, before.person);
    assert_ne!(after.issuer, before.issuer);
}

#[tokio::test]
async fn nothing_printed_shows_a_token() {
    let world = World::new();
    let token = PUBLISHED.sign(&world.id_claims(&json!({ "iss": "https://evil.example/" })));
    let error = world.id(&token).await.expect_err("another issuer");
    let shown = format!("{error} {error:?}");
    assert!(token.split('.').all(|part| !shown.contains(part)) && !shown.contains("evil"));
}

#[tokio::test]
async fn v19_family_claims_that_are_no_text_are_told_from_absent_ones() {
    let world = World::new();
    for (changes, unusable) in [
        (json!({}), false),
        (json!({ "role": "child", "family_id": "fam-1" }), false),
        (json!({ "role": null, "extension_family_id": "" }), false),
        (json!({ "role": ["owner"] }), true),
        (json!({ "extension_role": 7 }), true),
        (json!({ "family_id": { "id": "fam-1" } }), true),
        (json!({ "role": "child", "extension_role": ["owner"] }), true),
    ] {
        let identity = identity(&world, changes.clone()).await;
        assert_eq!(identity.family_claims_unusable, unusable, "{changes}");
    }
}

#[tokio::test]
async fn d12_an_address_is_unverified_only_where_the_token_says_so() {
    let world = World::new();
    for (changes, unverified) in [
        (json!({}), false),
        (json!({ "email_verified": true }), false),
        (json!({ "email_verified": "true" }), false),
        (json!({ "email_verified": null }), false),
        (json!({ "email_verified": false }), true),
        (json!({ "email_verified": "False" }), true),
    ] {
        let identity = identity(&world, changes.clone()).await;
        assert_eq!(identity.is_email_unverified, unverified, "{changes}");
    }
}
