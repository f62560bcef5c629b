//! What of the metadata is believed (cases K5 to K8).

use std::sync::atomic::Ordering;

use luminous_oidc::{
    DiscoveryError, ExpectedIssuer, HttpError, MetadataWarning, ProviderConfig, Transport,
};
use serde_json::json;

use crate::fake::{Answer, CLIENT, GUID, ISSUER, World, config};
use crate::signer::PUBLISHED;

async fn discovery_code(world: &World) -> &'static str {
    match world.provider.metadata().await {
        Ok(_) => "ok",
        Err(error) => error.code(),
    }
}

#[tokio::test]
async fn the_endpoints_are_taken_from_the_metadata() {
    let world = World::new();
    let metadata = world.provider.metadata().await.expect("metadata");
    assert_eq!(metadata.issuer, ISSUER);
    assert!(metadata.token_endpoint.path().ends_with("/oauth2/v2.0/token"));
    assert!(metadata.end_session_endpoint.as_ref().is_some());
    assert!(!metadata.authorization_response_iss_parameter_supported);
    assert_eq!(metadata.warnings, []);
    let again = world.provider.metadata().await.expect("metadata");
    assert_eq!(again, metadata);
    assert_eq!(world.metadata_requests(), 1);
}

#[tokio::test]
async fn k5_another_issuer_than_the_exact_one_is_refused() {
    let world = World::exact(ISSUER);
    for issuer in [
        ISSUER.trim_end_matches('/').to_owned(),
        ISSUER.replace("5d2c6e0a", "00000000"),
        ISSUER.replace("https", "http"),
        "https://evil.example/v2.0/".to_owned(),
        String::new(),
    ] {
        world.lie(&json!({ "issuer": issuer }));
        assert_eq!(discovery_code(&world).await, "discovery.issuer_mismatch", "{issuer}");
    }
    world.lie(&json!({}));
    assert_eq!(discovery_code(&world).await, "ok");
}

#[tokio::test]
async fn k5_at_first_contact_the_issuer_must_have_a_shape_of_this_authority() {
    let host = "https://luminousdemo.b2clogin.com";
    for (issuer, expected) in [
        (format!("{host}/{GUID}/v2.0/"), "ok"),
        (format!("{host}/tfp/{GUID}/b2c_1_signupsignin1/v2.0/"), "ok"),
        (format!("{host}/tfp/{GUID}/b2c_1_other/v2.0/"), "discovery.issuer_mismatch"),
        (format!("{host}/{GUID}/v2.0"), "discovery.issuer_mismatch"),
        (format!("{host}/luminousdemo.onmicrosoft.com/v2.0/"), "discovery.issuer_mismatch"),
        (format!("{host}/{GUID}/B2C_1_signupsignin1/v2.0/"), "discovery.issuer_mismatch"),
        (format!("https://evil.b2clogin.com/{GUID}/v2.0/"), "discovery.issuer_mismatch"),
        (format!("{host}.evil.example/{GUID}/v2.0/"), "discovery.issuer_mismatch"),
        (
            format!("https://luminousdemo.b2clogin.com@evil.example/{GUID}/v2.0/"),
            "discovery.issuer_mismatch",
        ),
        (format!("https://{GUID}.ciamlogin.com/{GUID}/v2.0"), "discovery.issuer_mismatch"),
        (format!("http://luminousdemo.b2clogin.com/{GUID}/v2.0/"), "discovery.issuer_mismatch"),
    ] {
        let world = World::new();
        world.lie(&json!({ "issuer": issuer }));
        assert_eq!(discovery_code(&world).await, expected, "{issuer}");
    }
}

#[tokio::test]
async fn k5_an_external_id_issuer_has_the_tenants_guid_as_its_host() {
    let other = "00000000-0000-0000-0000-000000000000";
    for (issuer, expected) in [
        (format!("https://{GUID}.ciamlogin.com/{GUID}/v2.0"), "ok"),
        (format!("https://{GUID}.ciamlogin.com/{GUID}/v2.0/"), "discovery.issuer_mismatch"),
        (format!("http://{GUID}.ciamlogin.com/{GUID}/v2.0"), "discovery.issuer_mismatch"),
        (format!("https://{GUID}.ciamlogin.com:8443/{GUID}/v2.0"), "discovery.issuer_mismatch"),
        (format!("https://{other}.ciamlogin.com/{GUID}/v2.0"), "discovery.issuer_mismatch"),
        (
            format!("https://{GUID}.ciamlogin.com.evil.example/{GUID}/v2.0"),
            "discovery.issuer_mismatch",
        ),
        (format!("http://{GUID}.localhost:1/{GUID}/v2.0"), "discovery.issuer_mismatch"),
        (format!("https://smiths.ciamlogin.com/{GUID}/v2.0"), "discovery.issuer_mismatch"),
    ] {
        let address = "https://smiths.ciamlogin.com/";
        let config = ProviderConfig::from_address(address, CLIENT, Transport::HttpsOnly);
        let world = World::with(config.expect("a configuration"));
        world.lie(&json!({
            "issuer": issuer,
            "authorization_endpoint": "https://smiths.ciamlogin.com/a",
            "token_endpoint": "https://smiths.ciamlogin.com/t",
            "end_session_endpoint": null,
            "jwks_uri": "https://smiths.ciamlogin.com/k",
        }));
        assert_eq!(discovery_code(&world).await, expected, "{issuer}");
    }
}

#[tokio::test]
async fn k5_a_configured_guid_must_be_in_the_issuer() {
    let other = "00000000-0000-0000-0000-000000000000";
    for (tenant, expected) in [(GUID, "ok"), (other, "discovery.issuer_mismatch")] {
        let address = format!("https://luminousdemo.b2clogin.com/{tenant}/B2C_1_signupsignin1");
        let config = ProviderConfig::from_address(&address, CLIENT, Transport::HttpsOnly);
        let world = World::with(config.expect("a configuration"));
        assert_eq!(discovery_code(&world).await, expected, "{tenant}");
    }
}

#[tokio::test]
async fn k5_the_issuer_of_the_first_contact_is_pinned_and_the_last_good_metadata_kept() {
    let world = World::new();
    assert_eq!(world.provider.pinned_issuer(), None);
    assert_eq!(discovery_code(&world).await, "ok");
    assert_eq!(world.provider.pinned_issuer().as_deref(), Some(ISSUER));
    // Of the right shape, but another tenant's than at first.
    world.lie(&json!({ "issuer": ISSUER.replace("5d2c6e0a", "00000000") }));
    world.pass(13 * 3600);
    let kept = world.provider.metadata().await.expect("the last good metadata");
    assert_eq!(kept.issuer, ISSUER);
    assert_eq!(world.metadata_requests(), 2);
    assert_eq!(world.provider.pinned_issuer().as_deref(), Some(ISSUER));
    assert_eq!(world.id_code(json!({})).await, "ok");
}

#[tokio::test]
async fn k5_a_wrong_issuer_keeps_every_token_out() {
    let world = World::exact("https://luminousdemo.b2clogin.com/elsewhere/v2.0/");
    assert_eq!(world.id_code(json!({})).await, "discovery.issuer_mismatch");
    assert_eq!(world.keys_requests(), 0);
}

#[tokio::test]
async fn k6_redirects_are_not_followed() {
    for status in [301, 302, 303, 307, 308] {
        let location = &[("location", "http://169.254.169.254/latest/meta-data")][..];
        let world = World::new();
        world.answer_metadata(Answer::Other(status, location, Vec::new()));
        assert_eq!(discovery_code(&world).await, "discovery.redirect");
        assert_eq!(world.metadata_requests(), 1);

        let world = World::new();
        world.answer_keys(Answer::Other(status, location, Vec::new()));
        assert_eq!(world.id_code(json!({})).await, "discovery.redirect");
        assert_eq!(world.keys_requests(), 1);
    }
}

#[tokio::test]
async fn k7_an_endpoint_on_another_host_or_over_http_is_refused() {
    for url in [
        "https://evil.example/keys",
        "https://luminousdemo.b2clogin.com.evil.example/keys",
        "https://luminousdemo.b2clogin.com:8443/keys",
        "https://user@luminousdemo.b2clogin.com/keys",
        "http://luminousdemo.b2clogin.com/keys",
        "http://localhost/keys",
        "https://169.254.169.254/keys",
        "file:///etc/passwd",
        "javascript:alert(1)",
    ] {
        for field in
            ["jwks_uri", "token_endpoint", "authorization_endpoint", "end_session_endpoint"]
        {
            let world = World::new();
            world.lie(&json!({ field: url }));
            let refused = world.provider.metadata().await.expect_err("another host");
            assert_eq!(refused.code(), "discovery.host_not_allowed", "{field}: {url}");
            assert_eq!(world.id_code(json!({})).await, "discovery.host_not_allowed");
            assert_eq!(world.keys_requests(), 0);
        }
    }
}

#[tokio::test]
async fn k7_a_further_host_counts_when_the_configuration_names_it() {
    let mut config = config();
    config.allowed_hosts = vec!["keys.example".to_owned()];
    let world = World::with(config);
    world.lie(&json!({ "jwks_uri": "https://keys.example/keys" }));
    assert_eq!(world.id_code(json!({})).await, "ok");
}

#[tokio::test]
async fn k8_weaker_algorithms_and_a_lost_pkce_are_noticed_and_not_followed() {
    let world = World::new();
    world.lie(&json!({
        "id_token_signing_alg_values_supported": ["HS256", "none"],
        "code_challenge_methods_supported": ["plain"],
    }));
    let metadata = world.provider.metadata().await.expect("metadata");
    let expected = [MetadataWarning::AlgorithmsForeign, MetadataWarning::PkceDropped];
    assert_eq!(metadata.warnings, expected);
    assert_eq!(world.id_code(json!({})).await, "ok");
    let claims = world.id_claims(&json!({}));
    let head = json!({ "alg": "HS256", "kid": PUBLISHED.kid });
    let forged = crate::signer::hs256(&head, &claims, &PUBLISHED.spki());
    assert_eq!(world.token_code(&forged).await, "token.alg_not_allowed");
}

#[tokio::test]
async fn a_failure_of_the_metadata_says_what_it_was() {
    let html = &[("content-type", "text/html")][..];
    for (answer, expected) in [
        (Answer::Other(500, &[], Vec::new()), DiscoveryError::Status { status: 500 }),
        (Answer::Other(200, html, b"<html>".to_vec()), DiscoveryError::Captive),
        (Answer::Other(200, &[], b"{".to_vec()), DiscoveryError::Malformed),
        (Answer::Json(json!({ "issuer": ISSUER })), DiscoveryError::Malformed),
        (Answer::Fail(HttpError::Timeout), DiscoveryError::Http(HttpError::Timeout)),
    ] {
        let world = World::new();
        world.answer_metadata(answer);
        assert_eq!(world.provider.metadata().await, Err(expected));
    }
}

#[tokio::test]
async fn a_person_who_tries_again_gets_a_new_try_and_tokens_do_not() {
    let world = World::new();
    world.answer_metadata(Answer::Fail(HttpError::Timeout));
    assert_eq!(world.id_code(json!({})).await, "keys.unavailable");
    world.pass(31);
    assert_eq!(world.id_code(json!({})).await, "keys.unavailable");
    assert_eq!(world.id_code(json!({})).await, "keys.unavailable");
    assert_eq!(world.http.metadata_requests.load(Ordering::SeqCst), 2);
    world.lie(&json!({}));
    assert_eq!(discovery_code(&world).await, "ok");
}

#[tokio::test]
async fn a_plain_issuer_may_be_written_with_or_without_its_last_slash() {
    for address in ["https://login.example/realm", "https://login.example/realm/"] {
        for issuer in ["https://login.example/realm", "https://login.example/realm/"] {
            let config = ProviderConfig::from_address(address, CLIENT, Transport::HttpsOnly);
            let world = World::with(config.expect("a configuration"));
            world.lie(&json!({
                "issuer": issuer,
                "authorization_endpoint": "https://login.example/a",
                "token_endpoint": "https://login.example/t",
                "end_session_endpoint": null,
                "jwks_uri": "https://login.example/k",
            }));
            assert_eq!(discovery_code(&world).await, "ok", "{address} {issuer}");
            assert_eq!(world.provider.pinned_issuer().as_deref(), Some(issuer));
            let other = if issuer.ends_with('/') { issuer.trim_end_matches('/') } else { address };
            let mismatch = json!({ "iss": format!("{other}x"), "tfp": null });
            assert_eq!(world.id_code(mismatch).await, "token.issuer_untrusted");
            assert_eq!(world.id_code(json!({ "iss": issuer, "tfp": null })).await, "ok");
        }
    }
}

#[tokio::test]
async fn another_policy_keeps_the_tenants_issuer_and_changes_its_own() {
    let mut config = config();
    config.expected_issuer = ExpectedIssuer::Exact(ISSUER.to_owned());
    let reset = config.with_policy("B2C_1_passwordreset").expect("a policy");
    assert_eq!(reset.expected_issuer, config.expected_issuer);
    assert!(reset.metadata_url().path().contains("/B2C_1_passwordreset/"));
    assert!(
        reset.policies.allows("b2c_1_PASSWORDRESET")
            && !reset.policies.allows("B2C_1_signupsignin1")
    );
    let own = format!("https://luminousdemo.b2clogin.com/tfp/{GUID}/b2c_1_signupsignin1/v2.0/");
    config.expected_issuer = ExpectedIssuer::Exact(own);
    let reset = config.with_policy("B2C_1_passwordreset").expect("a policy");
    let own = format!("https://luminousdemo.b2clogin.com/tfp/{GUID}/b2c_1_passwordreset/v2.0/");
    assert_eq!(reset.expected_issuer, ExpectedIssuer::Exact(own));
    assert!(config.with_policy("passwordreset").is_err());
}
