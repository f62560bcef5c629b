//! Each lie, seen from outside.

use luminous_emulator::{
    DEMO_APP_CLIENT_ID, DEMO_TENANT_ID, MetadataLie, OTHER_POLICY, OTHER_TENANT_ID, ResponseLie,
    Signing, Times, TokenLie,
};
use serde_json::{Value, json};

use crate::client::{
    EMAIL, NONCE, NOON, World, claims, keys_path, metadata_path, part, signature_holds, text,
};

/// The tokens of one refresh under a lie.
async fn under(world: &World, refresh_token: &str, lie: TokenLie) -> Value {
    world.emulator.control().lie(lie, Times::Next(1));
    world.refresh(refresh_token).await.1
}

#[tokio::test]
async fn each_token_lie_changes_one_thing_and_nothing_else() {
    let world = World::with_ana(|_| {}).await;
    let tokens = world.tokens().await;
    let refresh_token = text(&tokens, "refresh_token");
    let keys = world.json(&keys_path()).await;
    let honest = claims(text(&tokens, "id_token"));
    for (lie, claim) in [
        (TokenLie::WrongNonce, "nonce"),
        (TokenLie::MissingNonce, "nonce"),
        (TokenLie::WrongIssuer, "iss"),
        (TokenLie::OtherTenant, "iss"),
        (TokenLie::WrongAudience, "aud"),
        (TokenLie::WrongPolicy, "tfp"),
        (TokenLie::MissingAtHash, "at_hash"),
    ] {
        let body = under(&world, refresh_token, lie).await;
        let token = text(&body, "id_token");
        assert!(signature_holds(token, &keys), "{lie:?} is signed well");
        let mut lied = claims(token);
        assert_ne!(lied[claim], honest[claim], "{lie:?}");
        lied[claim] = honest[claim].clone();
        lied["at_hash"] = honest["at_hash"].clone();
        assert_eq!(lied, honest, "{lie:?}");
    }
    let body = under(&world, refresh_token, TokenLie::OtherTenant).await;
    let issuer = claims(text(&body, "id_token"))["iss"].clone();
    assert_eq!(issuer, text(&honest, "iss").replace(DEMO_TENANT_ID, OTHER_TENANT_ID));
    let body = under(&world, refresh_token, TokenLie::WrongPolicy).await;
    assert_eq!(claims(text(&body, "access_token"))["tfp"], OTHER_POLICY);
    assert_eq!(claims(text(&body, "id_token"))["nonce"], NONCE);
}

#[tokio::test]
async fn lies_about_time_and_person() {
    let world = World::with_ana(|_| {}).await;
    let tokens = world.tokens().await;
    let refresh_token = text(&tokens, "refresh_token");
    let body = under(&world, refresh_token, TokenLie::Expired).await;
    assert_eq!(claims(text(&body, "id_token"))["exp"], NOON - 86_400);
    let body = under(&world, refresh_token, TokenLie::NotYetValid).await;
    assert_eq!(claims(text(&body, "access_token"))["nbf"], NOON + 86_400);
    let body = under(&world, refresh_token, TokenLie::OtherSubject).await;
    let (lied, honest) = (claims(text(&body, "id_token")), claims(text(&tokens, "id_token")));
    assert_ne!(lied["sub"], honest["sub"]);
    assert_ne!(lied["oid"], honest["oid"]);
    let body = under(&world, refresh_token, TokenLie::WrongAtHash).await;
    let lied = claims(text(&body, "id_token"));
    assert_eq!(text(&lied, "at_hash").len(), 22);
    let other = under(&world, refresh_token, TokenLie::WrongAtHash).await;
    assert_eq!(claims(text(&other, "id_token"))["at_hash"], lied["at_hash"], "a fixed wrong one");
}

#[tokio::test]
async fn lies_about_signatures_do_not_verify() {
    let world = World::with_ana(|_| {}).await;
    let tokens = world.tokens().await;
    let refresh_token = text(&tokens, "refresh_token");
    let keys = world.json(&keys_path()).await;
    let kid = json!(world.emulator.control().current_kid());
    for (lie, alg, same_kid) in [
        (TokenLie::WrongKey, "RS256", true),
        (TokenLie::UnknownKid, "RS256", false),
        (TokenLie::AlgNone, "none", true),
        (TokenLie::AlgHs256, "HS256", true),
        (TokenLie::MissingKid, "RS256", false),
    ] {
        let body = under(&world, refresh_token, lie).await;
        let token = text(&body, "id_token");
        let header = part(token, 0);
        assert_eq!(header["alg"], alg, "{lie:?}");
        assert_eq!(header.get("kid") == Some(&kid), same_kid, "{lie:?}");
        assert!(!signature_holds(token, &keys), "{lie:?}");
    }
    let body = world.refresh(refresh_token).await.1;
    assert!(signature_holds(text(&body, "id_token"), &keys), "the truth is back");
}

#[tokio::test]
async fn f8_a_response_can_leave_members_out() {
    let world = World::with_ana(|_| {}).await;
    let control = world.emulator.control();
    let tokens = world.tokens().await;
    let refresh_token = text(&tokens, "refresh_token");
    for (lie, member) in [
        (ResponseLie::NoRefreshToken, "refresh_token"),
        (ResponseLie::NoIdToken, "id_token"),
        (ResponseLie::NoAccessToken, "access_token"),
        (ResponseLie::NoExpiresIn, "expires_in"),
    ] {
        control.respond(lie, Times::Next(1));
        let (_, body) = world.refresh(refresh_token).await;
        assert_eq!(body.get(member), None, "{lie:?}");
    }
    control.respond(ResponseLie::LowerCaseTokenType, Times::Next(1));
    assert_eq!(world.refresh(refresh_token).await.1["token_type"], "bearer");
}

#[tokio::test]
async fn k5_k7_k8_metadata_can_lie() {
    let world = World::start().await;
    let control = world.emulator.control();
    let evil = "https://evil.example/keys".to_owned();
    for (lie, member, expected) in [
        (MetadataLie::Issuer(evil.clone()), "issuer", json!(evil)),
        (MetadataLie::JwksUri(evil.clone()), "jwks_uri", json!(evil)),
        (MetadataLie::TokenEndpoint(evil.clone()), "token_endpoint", json!(evil)),
        (
            MetadataLie::Algorithms(vec!["none".into(), "HS256".into()]),
            "id_token_signing_alg_values_supported",
            json!(["none", "HS256"]),
        ),
        (
            MetadataLie::PkceMethods(vec!["plain".into()]),
            "code_challenge_methods_supported",
            json!(["plain"]),
        ),
    ] {
        control.metadata(lie, Times::Next(1));
        assert_eq!(world.json(&metadata_path()).await[member], expected, "{member}");
    }
    control.metadata(MetadataLie::PkceMethods(Vec::new()), Times::Next(1));
    let plain = world.json("oidc/.well-known/openid-configuration").await;
    assert_eq!(plain.get("code_challenge_methods_supported"), None);
}

#[tokio::test]
async fn a_lie_without_a_number_stands_until_cleared() {
    let world = World::with_ana(|_| {}).await;
    let control = world.emulator.control();
    let tokens = world.tokens().await;
    let refresh_token = text(&tokens, "refresh_token");
    control.lie(TokenLie::WrongNonce, Times::Always);
    for _ in 0..3 {
        let (_, body) = world.refresh(refresh_token).await;
        assert_ne!(claims(text(&body, "id_token"))["nonce"], NONCE);
    }
    control.clear();
    let (_, body) = world.refresh(refresh_token).await;
    assert_eq!(claims(text(&body, "id_token"))["nonce"], NONCE);
}

#[tokio::test]
async fn tokens_can_be_minted_without_a_sign_in() {
    let world = World::with_ana(|_| {}).await;
    let control = world.emulator.control();
    let user = control.user(EMAIL).unwrap().unwrap();
    let spec = control.access_token_spec(&user, DEMO_APP_CLIENT_ID);
    let honest = world.verified(&control.mint(&spec).unwrap()).await;
    assert_eq!(honest["scp"], "user_impersonation");
    assert_eq!(honest["iss"], world.emulator.issuer());

    let lied = spec.with("aud", json!(["a", "b"])).without("scp").signed(Signing::UnknownKid);
    let token = control.mint(&lied).unwrap();
    assert_eq!(claims(&token)["aud"], json!(["a", "b"]));
    assert!(!signature_holds(&token, &control.jwks()));

    let spec = control.id_token_spec(&user, DEMO_APP_CLIENT_ID, Some("n"));
    assert_eq!(world.verified(&control.mint(&spec).unwrap()).await["nonce"], "n");
}
