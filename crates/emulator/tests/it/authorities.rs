//! Metadata in all URL forms, both issuer forms, External ID and the plain issuer.

use luminous_emulator::{
    DEMO_TENANT, DEMO_TENANT_ID, EXTERNAL_TENANT, EXTERNAL_TENANT_ID, IssuerForm, OTHER_TENANT,
    OTHER_TENANT_ID,
};
use reqwest::StatusCode;
use serde_json::json;

use crate::client::{
    EMAIL, NAME, NONCE, PASSWORD, VERIFIER, World, authorize_url_at, claims, metadata_path,
    parameter, part, signature_holds, text,
};

const LOWER: &str = "b2c_1_signupsignin1";

#[tokio::test]
async fn discovery_answers_in_every_url_form_with_endpoints_of_that_form() {
    let world = World::start().await;
    let base = world.emulator.base_url();
    let well_known = "v2.0/.well-known/openid-configuration";
    for tenant in [DEMO_TENANT, DEMO_TENANT_ID, "LUMINOUSDEMO.onmicrosoft.com"] {
        let lower = tenant.to_lowercase();
        for (path, authorize, token, keys) in [
            (
                format!("{tenant}/B2C_1_SignUpSignIn1/{well_known}"),
                format!("{base}{lower}/{LOWER}/oauth2/v2.0/authorize"),
                format!("{base}{lower}/{LOWER}/oauth2/v2.0/token"),
                format!("{base}{lower}/{LOWER}/discovery/v2.0/keys"),
            ),
            (
                format!("{tenant}/{well_known}?p={LOWER}"),
                format!("{base}{lower}/oauth2/v2.0/authorize?p={LOWER}"),
                format!("{base}{lower}/oauth2/v2.0/token?p={LOWER}"),
                format!("{base}{lower}/discovery/v2.0/keys?p={LOWER}"),
            ),
            (
                format!("tfp/{tenant}/{LOWER}/{well_known}"),
                format!("{base}tfp/{lower}/{LOWER}/oauth2/v2.0/authorize"),
                format!("{base}tfp/{lower}/{LOWER}/oauth2/v2.0/token"),
                format!("{base}tfp/{lower}/{LOWER}/discovery/v2.0/keys"),
            ),
        ] {
            let document = world.json(&path).await;
            assert_eq!(document["issuer"], format!("{base}{DEMO_TENANT_ID}/v2.0/"), "{path}");
            assert_eq!(document["authorization_endpoint"], authorize, "{path}");
            assert_eq!(document["token_endpoint"], token, "{path}");
            assert_eq!(document["jwks_uri"], keys, "{path}");
            let keys = world.http.get(&keys).send().await.unwrap();
            assert_eq!(keys.status(), StatusCode::OK, "the keys are where {path} says");
        }
    }
}

#[tokio::test]
async fn a_sign_in_may_begin_in_one_url_form_and_end_in_another() {
    let world = World::with_ana(|_| {}).await;
    let forms = [
        (
            format!("{DEMO_TENANT_ID}/oauth2/v2.0/authorize?p={LOWER}"),
            format!("tfp/{DEMO_TENANT}/{LOWER}/oauth2/v2.0/token"),
        ),
        (
            format!("tfp/{DEMO_TENANT}/{LOWER}/oauth2/v2.0/authorize"),
            format!("{DEMO_TENANT}/oauth2/v2.0/token?p=B2C_1_SIGNUPSIGNIN1"),
        ),
    ];
    for (authorize, token) in forms {
        let url = authorize_url_at(&world.url(&authorize), &[]);
        let back = world.browser().sign_in(&url).await;
        let code = parameter(&back, "code").unwrap();
        let (status, body) = world.token_at(&token, &crate::client::code_form(&code)).await;
        assert_eq!(status, StatusCode::OK, "{authorize} then {token}: {body}");
        assert_eq!(claims(text(&body, "id_token"))["tfp"], "B2C_1_signupsignin1");
    }
}

#[tokio::test]
async fn the_metadata_have_the_members_of_b2cs_captures() {
    let world = World::start().await;
    let mut document = world.json(&metadata_path()).await;
    let port = world.emulator.base_url().port().unwrap().to_string();
    let text = document.to_string().replace(&port, "PORT");
    document = serde_json::from_str(&text).unwrap();
    insta::with_settings!({ sort_maps => true }, {
        insta::assert_json_snapshot!("b2c_metadata", document);
    });
}

#[tokio::test]
async fn the_tfp_issuer_form_carries_the_policy_in_lower_case() {
    let world = World::with_ana(|config| config.issuer_form = IssuerForm::Tfp).await;
    let issuer = format!("{}tfp/{DEMO_TENANT_ID}/{LOWER}/v2.0/", world.emulator.base_url());
    assert_eq!(world.json(&metadata_path()).await["issuer"], issuer);
    assert_eq!(world.emulator.issuer(), issuer);
    let tokens = world.tokens().await;
    assert_eq!(claims(text(&tokens, "id_token"))["iss"], issuer);
}

#[tokio::test]
async fn unknown_tenants_and_policies_are_not_found() {
    let world = World::start().await;
    for path in [
        "nobody.onmicrosoft.com/b2c_1_signupsignin1/v2.0/.well-known/openid-configuration",
        "luminousdemo.onmicrosoft.com/b2c_1_none/v2.0/.well-known/openid-configuration",
        "luminousdemo.onmicrosoft.com/v2.0/.well-known/openid-configuration",
        "luminousdemo.onmicrosoft.com/discovery/v2.0/keys",
        "somewhere",
    ] {
        let response = world.http.get(world.url(path)).send().await.unwrap();
        assert_eq!(response.status(), StatusCode::NOT_FOUND, "{path}");
    }
}

#[tokio::test]
async fn a_second_tenant_has_its_own_issuer_and_the_same_key() {
    let world = World::start().await;
    let theirs = format!("{OTHER_TENANT}/{LOWER}");
    let path = format!("{theirs}/v2.0/.well-known/openid-configuration");
    let document = world.json(&path).await;
    let issuer = format!("{}{OTHER_TENANT_ID}/v2.0/", world.emulator.base_url());
    assert_eq!(document["issuer"], issuer);
    let keys = world.json(&format!("{theirs}/discovery/v2.0/keys")).await;
    assert_eq!(keys, world.emulator.control().jwks());
}

#[tokio::test]
async fn external_id_signs_in_without_a_policy() {
    let world = World::start().await;
    let config = luminous_emulator::Tenant::external(EXTERNAL_TENANT, EXTERNAL_TENANT_ID);
    world.emulator.control().create_user_in(&config, EMAIL, NAME, PASSWORD).unwrap();
    let well_known = format!("{EXTERNAL_TENANT}/v2.0/.well-known/openid-configuration");
    let document = world.json(&well_known).await;
    let id = EXTERNAL_TENANT_ID;
    let port = world.emulator.base_url().port().unwrap();
    let issuer = format!("http://{id}.localhost:{port}/{id}/v2.0");
    assert_eq!(document["issuer"], issuer);
    let token_url = text(&document, "token_endpoint");
    assert_eq!(token_url, world.url(&format!("{id}/oauth2/v2.0/token")));

    let url = authorize_url_at(
        text(&document, "authorization_endpoint"),
        &[("scope", "openid profile offline_access")],
    );
    let back = world.browser().sign_in(&url).await;
    let code = parameter(&back, "code").unwrap();
    let path = format!("{id}/oauth2/v2.0/token");
    let (status, body) = world.token_at(&path, &crate::client::code_form(&code)).await;
    assert_eq!(status, StatusCode::OK, "{body}");
    let claims = claims(text(&body, "id_token"));
    assert_eq!(claims["iss"], issuer);
    assert_eq!(claims["ver"], "2.0");
    assert_eq!(claims["tid"], id);
    assert_eq!(claims["preferred_username"], EMAIL);
    assert_eq!(claims["name"], NAME);
    assert_ne!(claims["sub"], claims["oid"], "the subject is pairwise");
    assert_eq!(claims.get("tfp"), None);
    assert_eq!(body["ext_expires_in"], 3600);

    let (status, body) = world.token_at(&path, &crate::client::code_form(&code)).await;
    assert_eq!(status, StatusCode::BAD_REQUEST);
    assert_eq!(body["error"], "invalid_grant");
    assert_eq!(body["error_codes"], json!([50173]));
    assert!(text(&body, "error_description").starts_with("AADSTS50173: "));
    assert_eq!(body["trace_id"], body["correlation_id"]);
}

#[tokio::test]
async fn the_plain_issuer_is_its_own_url_and_signs_in() {
    let world = World::with_ana(|config| config.response_iss = true).await;
    let document = world.json("oidc/.well-known/openid-configuration").await;
    let issuer = world.url("oidc");
    assert_eq!(document["issuer"], issuer);
    assert_eq!(document["code_challenge_methods_supported"], json!(["S256"]));
    assert_eq!(document["authorization_response_iss_parameter_supported"], true);

    let url = authorize_url_at(
        text(&document, "authorization_endpoint"),
        &[("scope", "openid profile email offline_access")],
    );
    let back = world.browser().sign_in(&url).await;
    assert_eq!(parameter(&back, "iss").unwrap(), issuer);
    let code = parameter(&back, "code").unwrap();
    let (status, body) = world.token_at("oidc/token", &crate::client::code_form(&code)).await;
    assert_eq!(status, StatusCode::OK, "{body}");
    let id_token = text(&body, "id_token");
    assert!(signature_holds(id_token, &world.json("oidc/keys").await));
    let claims = claims(id_token);
    assert_eq!(claims["iss"], issuer);
    assert_eq!(claims["nonce"], NONCE);
    assert_eq!(claims["email"], EMAIL);
    assert_eq!(claims["email_verified"], true);
    assert_eq!(part(id_token, 0)["alg"], "RS256");

    let wrong = [("grant_type", "authorization_code"), ("code_verifier", VERIFIER)];
    let (status, body) = world.token_at("oidc/token", &wrong).await;
    assert_eq!(status, StatusCode::BAD_REQUEST);
    assert_eq!(body["error"], "invalid_request");
    assert_eq!(body.as_object().unwrap().len(), 2, "{body}");
}
