//! What a token must be and must say (cases V).

use std::time::Duration;

use luminous_domain::{AccessToken, IdToken};
use luminous_oidc::{
    Algorithm, AudienceRule, Caller, ExpectedIssuer, IdTokenExpectation, TokenError, VerifyError,
};
use serde_json::{Value, json};

use crate::fake::{API, CLIENT, GUID, ISSUER, PERSON, POLICY, World, code, config};
use crate::signer::{PUBLISHED, ROGUE, at_hash, encode, hs256};

fn header(changes: &Value) -> Value {
    let mut header = json!({ "alg": "RS256", "typ": "JWT", "kid": PUBLISHED.kid });
    for (name, value) in changes.as_object().expect("an object") {
        header[name] = value.clone();
    }
    header
}

#[tokio::test]
async fn a_good_token_of_either_type_is_accepted() {
    let world = World::api();
    assert_eq!(world.id_code(json!({})).await, "ok");
    assert_eq!(world.access_code(json!({})).await, "ok");
}

#[tokio::test]
async fn v1_no_algorithm_in_any_spelling_is_refused_and_so_is_an_empty_signature() {
    let world = World::new();
    let claims = world.id_claims(&json!({}));
    for name in ["none", "None", "nOnE", "NONE", ""] {
        let head = header(&json!({ "alg": name }));
        let unsigned = format!("{}.{}.", encode(head.to_string()), encode(claims.to_string()));
        assert_eq!(world.token_code(&unsigned).await, "token.alg_not_allowed", "{name}");
        let signed = PUBLISHED.sign_with(&head, &claims);
        assert_eq!(world.token_code(&signed).await, "token.alg_not_allowed", "{name}");
    }
    let signed = PUBLISHED.sign(&claims);
    let (input, _) = signed.rsplit_once('.').expect("a signature");
    assert_eq!(world.token_code(&format!("{input}.")).await, "token.malformed");
    assert_eq!(world.keys_requests(), 0);
}

#[tokio::test]
async fn v2_hs256_with_the_public_key_as_the_secret_is_refused_in_every_encoding() {
    let world = World::new();
    let claims = world.id_claims(&json!({}));
    let pem = PUBLISHED.pem();
    let jwk = PUBLISHED.jwk().to_string();
    let set = json!({ "keys": [PUBLISHED.jwk()] }).to_string();
    let spki = PUBLISHED.spki();
    for secret in [
        pem.as_bytes(),
        pem.trim_end().as_bytes(),
        format!(" {pem}").as_bytes(),
        format!("{pem}\n").as_bytes(),
        &spki,
        encode(&spki).as_bytes(),
        jwk.as_bytes(),
        format!("{jwk}\n").as_bytes(),
        set.as_bytes(),
        b"",
    ] {
        let token = hs256(&header(&json!({ "alg": "HS256" })), &claims, secret);
        assert_eq!(world.token_code(&token).await, "token.alg_not_allowed");
    }
}

#[tokio::test]
async fn v3_a_key_without_alg_does_not_let_the_token_choose_one() {
    let world = World::new();
    assert_eq!(PUBLISHED.jwk().get("alg"), None);
    let claims = world.id_claims(&json!({}));
    for name in ["HS256", "HS384", "HS512", "RS384", "RS512", "PS256", "ES256", "EdDSA", "rs256"] {
        let token = PUBLISHED.sign_with(&header(&json!({ "alg": name })), &claims);
        assert_eq!(world.token_code(&token).await, "token.alg_not_allowed", "{name}");
    }
}

#[tokio::test]
async fn v3_another_algorithm_counts_when_the_configuration_names_it() {
    let mut config = config();
    config.algorithms = vec![Algorithm::Ps256];
    let world = World::with(config);
    let claims = world.id_claims(&json!({}));
    let pss = PUBLISHED.sign_with(&header(&json!({ "alg": "PS256" })), &claims);
    assert_eq!(code(&world.id(&pss).await), "ok");
    assert_eq!(code(&world.id(&PUBLISHED.sign(&claims)).await), "token.alg_not_allowed");
}

#[tokio::test]
async fn v4_a_token_that_brings_its_own_key_is_refused_without_asking_anybody() {
    let world = World::new();
    let claims = world.id_claims(&json!({}));
    for (name, value) in [
        ("jwk", ROGUE.jwk()),
        ("jku", json!("https://evil.example/keys")),
        ("x5u", json!("https://evil.example/chain.pem")),
        ("x5c", json!(["MIIB"])),
    ] {
        let token = ROGUE.sign_with(&header(&json!({ name: value })), &claims);
        assert_eq!(world.token_code(&token).await, "token.header_forbidden", "{name}");
    }
    assert_eq!((world.metadata_requests(), world.keys_requests()), (0, 0));
}

#[tokio::test]
async fn v5_a_strange_key_id_is_only_ever_looked_up() {
    let world = World::new();
    let claims = world.id_claims(&json!({}));
    for kid in ["../../etc/passwd", "' OR 1=1--", "Published", " published"] {
        let token = PUBLISHED.sign_with(&header(&json!({ "kid": kid })), &claims);
        assert_eq!(world.token_code(&token).await, "token.kid_unknown", "{kid}");
    }
    for kid in [json!("k".repeat(4096)), json!("pub\u{0}lished"), json!(7), json!(["published"])] {
        let token = PUBLISHED.sign_with(&header(&json!({ "kid": kid })), &claims);
        assert_eq!(world.token_code(&token).await, "token.malformed");
    }
}

#[tokio::test]
async fn v5_a_token_without_a_key_id_is_refused_even_where_there_is_only_one_key() {
    let world = World::new();
    let head = json!({ "alg": "RS256", "typ": "JWT" });
    let token = PUBLISHED.sign_with(&head, &world.id_claims(&json!({})));
    assert_eq!(world.token_code(&token).await, "token.kid_unknown");
}

#[tokio::test]
async fn v6_critical_extensions_are_refused() {
    let world = World::new();
    let claims = world.id_claims(&json!({}));
    for changes in [
        json!({ "crit": ["x"] }),
        json!({ "crit": ["b64"], "b64": false }),
        json!({ "crit": [] }),
        json!({ "crit": "exp" }),
        json!({ "b64": false }),
    ] {
        let token = PUBLISHED.sign_with(&header(&changes), &claims);
        assert_eq!(world.token_code(&token).await, "token.crit_unsupported", "{changes}");
    }
}

#[tokio::test]
async fn v7_encrypted_wrapped_and_json_serialised_tokens_are_malformed() {
    let world = World::new();
    let claims = world.id_claims(&json!({}));
    let inner = PUBLISHED.sign(&claims);
    let jwe_head = json!({ "alg": "RSA-OAEP", "enc": "A256GCM", "kid": PUBLISHED.kid });
    let unsigned = format!("{}.{}.", encode(r#"{"alg":"none"}"#), encode(claims.to_string()));
    let parts: Vec<&str> = inner.split('.').collect();
    for token in [
        // Five parts, the last four of them anything: CVE-2026-29000 wrapped an unsigned token.
        format!("{}.a2V5.aXY.{}.dGFn", encode(jwe_head.to_string()), encode(&unsigned)),
        PUBLISHED.sign_with(&jwe_head, &claims),
        PUBLISHED.sign_with(&header(&json!({ "zip": "DEF" })), &claims),
        PUBLISHED.sign_raw(&header(&json!({ "cty": "JWT" })).to_string(), inner.as_bytes()),
        PUBLISHED.sign_raw(&header(&json!({})).to_string(), inner.as_bytes()),
        json!({ "protected": parts[0], "payload": parts[1], "signature": parts[2] }).to_string(),
    ] {
        assert_eq!(world.token_code(&token).await, "token.malformed", "{token}");
    }
}

#[tokio::test]
async fn v8_anything_but_three_strict_parts_around_plain_json_is_malformed() {
    let world = World::new();
    let good = PUBLISHED.sign(&world.id_claims(&json!({})));
    let head = header(&json!({})).to_string();
    let sign = |payload: &[u8]| PUBLISHED.sign_raw(&head, payload);
    let deep = format!("{{\"a\":{}{}}}", "[".repeat(5000), "]".repeat(5000));
    let twice =
        world.id_claims(&json!({})).to_string().replacen('{', r#"{"role":"a","role":"b","#, 1);
    let escaped = world.id_claims(&json!({})).to_string().replacen('{', r#"{"\u0069ss":"x","#, 1);
    let many: Vec<String> = (0..300).map(|n| format!("\"{n}\":0")).collect();
    let [h, p, s] = good.split('.').collect::<Vec<_>>()[..] else { panic!("three parts") };
    for token in [
        String::new(),
        ".".repeat(1_000_000),
        "..".to_owned(),
        "a".repeat(17 * 1024),
        sign(&[b' '; 13 * 1024]),
        sign("{\"a\":1}".repeat(2).as_bytes()),
        sign(deep.as_bytes()),
        sign(twice.as_bytes()),
        sign(escaped.as_bytes()),
        sign(format!("{{{}}}", many.join(",")).as_bytes()),
        sign(b"\xef\xbb\xbf{}"),
        sign(b"{\"iss\":\"\xff\xfe\"}"),
        sign(b"[]"),
        sign(b"null"),
        format!("{good}="),
        format!("{h}=.{p}.{s}"),
        format!("{good}\n"),
        format!(" {good}"),
        format!("{good}.{s}"),
        format!("{h}.{p}"),
        format!("{h}..{s}"),
        format!(".{p}.{s}"),
        good.replacen(s, &format!("+/{}", &s[2..]), 1),
        format!("{}.{p}.{s}", encode(r#"{"alg":"RS256","alg":"RS256","kid":"published"}"#)),
        format!("{}.{p}.{s}", encode("\u{feff}{\"alg\":\"RS256\"}")),
    ] {
        let shown = &token[..token.len().min(60)];
        assert_eq!(world.token_code(&token).await, "token.malformed", "{shown}");
    }
    assert_eq!(world.keys_requests(), 0);
}

#[tokio::test]
async fn v8_a_signature_with_stray_bits_at_its_end_is_malformed() {
    let world = World::new();
    let good = PUBLISHED.sign(&world.id_claims(&json!({})));
    let alphabet = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let last = good.bytes().last().expect("a signature");
    let at = alphabet.iter().position(|&byte| byte == last).expect("base64url");
    // 256 bytes leave four unused bits in the last character; setting one decodes to the same.
    let stray = format!("{}{}", &good[..good.len() - 1], char::from(alphabet[at | 1]));
    assert_ne!(stray, good);
    assert_eq!(world.token_code(&stray).await, "token.malformed");
}

#[tokio::test]
async fn a_signature_of_another_key_or_over_other_claims_is_refused() {
    let world = World::new();
    let claims = world.id_claims(&json!({}));
    assert_eq!(world.token_code(&ROGUE.sign(&claims)).await, "token.signature_invalid");
    let good = PUBLISHED.sign(&claims);
    let other = PUBLISHED.sign(&world.id_claims(&json!({ "name": "Eve" })));
    let [h, _, s] = good.split('.').collect::<Vec<_>>()[..] else { panic!("three parts") };
    let payload = other.split('.').nth(1).expect("a payload");
    let mixed = format!("{h}.{payload}.{s}");
    assert_eq!(world.token_code(&mixed).await, "token.signature_invalid");
}

#[tokio::test]
async fn v9_an_id_token_is_no_access_token() {
    let world = World::api();
    assert_eq!(
        world.access_code(json!({ "aud": CLIENT, "scp": null })).await,
        "token.type_mismatch"
    );
    let same_app = json!({ "scp": null, "nonce": "n", "roles": ["Parent"] });
    assert_eq!(world.access_code(same_app).await, "token.type_mismatch");
    let head = header(&json!({ "typ": "logout+jwt" }));
    let token = PUBLISHED.sign_with(&head, &world.access_claims(&json!({})));
    assert_eq!(code(&world.access(&token).await), "token.type_mismatch");
}

#[tokio::test]
async fn v9_an_access_token_is_no_id_token() {
    let world = World::new();
    assert_eq!(world.id_code(json!({ "scp": "read" })).await, "token.type_mismatch");
    assert_eq!(world.id_code(json!({ "scope": "read" })).await, "token.type_mismatch");
    for typ in ["at+jwt", "application/at+jwt", "AT+JWT"] {
        let token =
            PUBLISHED.sign_with(&header(&json!({ "typ": typ })), &world.id_claims(&json!({})));
        assert_eq!(code(&world.id(&token).await), "token.type_mismatch", "{typ}");
    }
}

#[tokio::test]
async fn v9_an_access_token_may_say_so_in_typ() {
    let world = World::api();
    let head = header(&json!({ "typ": "at+jwt" }));
    let token = PUBLISHED.sign_with(&head, &world.access_claims(&json!({})));
    assert_eq!(code(&world.access(&token).await), "ok");
}

#[tokio::test]
async fn v10_an_access_token_for_another_api_is_refused() {
    let world = World::api();
    for audience in [json!("another-api"), json!([]), json!(7), json!([7]), json!(null), json!("")]
    {
        let outcome = world.access_code(json!({ "aud": audience })).await;
        assert_eq!(outcome, "token.audience_mismatch", "{audience}");
    }
    assert_eq!(world.access_code(json!({ "aud": [API] })).await, "ok");
    assert_eq!(world.id_code(json!({ "aud": API })).await, "token.audience_mismatch");
}

#[tokio::test]
async fn v11_another_policy_of_the_tenant_is_refused() {
    let world = World::api();
    for changes in [
        json!({ "tfp": "B2C_1_passwordreset" }),
        json!({ "tfp": null }),
        json!({ "tfp": null, "acr": "b2c_1_passwordreset" }),
        json!({ "tfp": "B2C_1_passwordreset", "acr": POLICY }),
    ] {
        assert_eq!(world.id_code(changes.clone()).await, "token.policy_not_allowed", "{changes}");
        let outcome = world.access_code(changes.clone()).await;
        assert_eq!(outcome, "token.policy_not_allowed", "{changes}");
    }
}

#[tokio::test]
async fn v11_the_policy_is_compared_without_case_and_may_come_as_acr() {
    let world = World::new();
    assert_eq!(world.id_code(json!({ "tfp": "b2c_1_SIGNUPSIGNIN1" })).await, "ok");
    assert_eq!(world.id_code(json!({ "tfp": null, "acr": "b2c_1_signupsignin1" })).await, "ok");
}

#[tokio::test]
async fn v12_only_the_exact_issuer_counts() {
    let world = World::exact(ISSUER);
    let upper = ISSUER.replace("luminousdemo", "LuminousDemo");
    let with_policy =
        format!("https://luminousdemo.b2clogin.com/luminousdemo.onmicrosoft.com/{POLICY}/v2.0/");
    let tfp = format!("https://luminousdemo.b2clogin.com/tfp/{GUID}/b2c_1_signupsignin1/v2.0/");
    let other_tenant = ISSUER.replace("5d2c6e0a", "00000000");
    for issuer in [
        json!(ISSUER.trim_end_matches('/')),
        json!(format!("{ISSUER}/")),
        json!(format!("{ISSUER} ")),
        json!(ISSUER.replace("https", "http")),
        json!(upper),
        json!(with_policy),
        json!(tfp),
        json!(other_tenant),
        json!([ISSUER]),
        json!(123),
        json!(null),
        json!(""),
    ] {
        let outcome = world.id_code(json!({ "iss": issuer })).await;
        assert_eq!(outcome, "token.issuer_untrusted", "{issuer}");
    }
    let foreign_tid = json!({ "tid": "00000000-0000-0000-0000-000000000000" });
    assert_eq!(world.id_code(foreign_tid).await, "token.issuer_untrusted");
    assert_eq!(world.id_code(json!({ "tid": GUID })).await, "ok");
}

#[tokio::test]
async fn v13_several_audiences_count_only_where_the_configuration_allows_them() {
    let both = json!({ "aud": ["evil", API] });
    let world = World::api();
    assert_eq!(world.access_code(both.clone()).await, "token.audience_mismatch");
    let mut config = config();
    config.audiences =
        AudienceRule { accepted: vec![API.to_owned()], shared: true, clients: vec![CLIENT.into()] };
    let world = World::with(config);
    assert_eq!(world.access_code(both).await, "ok");
    let world_of_others = world.access_code(json!({ "aud": ["evil", "worse"] })).await;
    assert_eq!(world_of_others, "token.audience_mismatch");
}

#[tokio::test]
async fn v13_a_token_given_to_another_application_is_refused() {
    let mut config = config();
    config.audiences.clients = vec![CLIENT.to_owned()];
    config.audiences.accepted = vec![API.to_owned()];
    let world = World::with(config);
    assert_eq!(world.access_code(json!({})).await, "ok");
    assert_eq!(world.access_code(json!({ "azp": "evil" })).await, "token.audience_mismatch");
    assert_eq!(world.access_code(json!({ "azp": 7 })).await, "token.audience_mismatch");
    assert_eq!(world.id_code(json!({ "azp": "evil" })).await, "token.audience_mismatch");
    assert_eq!(world.id_code(json!({ "azp": CLIENT })).await, "ok");
}

#[tokio::test]
async fn v17_a_time_must_be_a_whole_number_of_seconds() {
    let world = World::new();
    let bad = [
        json!("1795348800"),
        json!(1_795_348_800.5),
        json!(-1),
        json!(-1.0),
        json!(1e300),
        json!(u64::MAX),
        json!(18_446_744_073_709_551_616.0),
        json!(i64::MAX),
        json!([1_795_348_800]),
        json!({}),
        json!(true),
    ];
    for claim in ["exp", "nbf", "iat", "auth_time"] {
        for value in &bad {
            let outcome = world.id_code(json!({ claim: value })).await;
            assert_eq!(outcome, "token.claim_invalid", "{claim}: {value}");
        }
        let text = world.id_claims(&json!({ claim: "NULL" })).to_string();
        let text = text.replace("\"NULL\"", "null");
        let token = PUBLISHED.sign_raw(&header(&json!({})).to_string(), text.as_bytes());
        assert_eq!(code(&world.id(&token).await), "token.claim_invalid", "{claim}: null");
    }
    assert_eq!(world.id_code(json!({ "exp": null })).await, "token.claim_invalid");
    assert_eq!(world.id_code(json!({ "iat": null })).await, "token.claim_invalid");
    assert_eq!(world.id_code(json!({ "nbf": null })).await, "ok");
}

#[tokio::test]
async fn v17_a_whole_number_may_be_written_as_a_float() {
    let world = World::new();
    let text = world.id_claims(&json!({ "exp": "EXP" })).to_string();
    let exp = format!("{:e}", (world.now() + 3600) as f64);
    assert!(exp.contains('e'), "{exp}");
    let text = text.replace("\"EXP\"", &exp);
    let token = PUBLISHED.sign_raw(&header(&json!({})).to_string(), text.as_bytes());
    assert_eq!(code(&world.id(&token).await), "ok");
}

#[tokio::test]
async fn v18_clocks_may_differ_by_a_minute_and_no_more() {
    let world = World::new();
    let now = world.now();
    let iat = now - 100;
    for (changes, expected) in [
        (json!({ "exp": now - 59, "iat": iat, "nbf": iat }), "ok"),
        (json!({ "exp": now - 61, "iat": iat, "nbf": iat }), "token.expired"),
        (json!({ "nbf": now + 59 }), "ok"),
        (json!({ "nbf": now + 61 }), "token.not_yet_valid"),
        (json!({ "iat": now + 59 }), "ok"),
        (json!({ "iat": now + 61 }), "token.claim_invalid"),
        (json!({ "exp": now + 86_400 }), "ok"),
        (json!({ "exp": now + 86_401 }), "token.lifetime_exceeded"),
    ] {
        assert_eq!(world.id_code(changes.clone()).await, expected, "{changes}");
    }
}

#[tokio::test]
async fn v18_how_far_the_clocks_differ_is_said() {
    let world = World::new();
    let token = PUBLISHED.sign(&world.id_claims(&json!({ "nbf": world.now() + 7200 })));
    let early = world.id(&token).await.expect_err("not yet valid");
    assert_eq!(early, VerifyError::Token(TokenError::NotYetValid { seconds: 7200 }));
    world.pass(7200 + 3600);
    let old =
        json!({ "exp": world.now() - 90, "iat": world.now() - 900, "nbf": world.now() - 900 });
    let token = PUBLISHED.sign(&world.id_claims(&old));
    let late = world.id(&token).await.expect_err("expired");
    assert_eq!(late, VerifyError::Token(TokenError::Expired { seconds: 90 }));
}

#[tokio::test]
async fn the_nonce_must_be_the_one_that_was_sent() {
    let world = World::new();
    let expecting = |nonce| IdTokenExpectation { nonce: Some(nonce), ..Default::default() };
    let token = IdToken::new(PUBLISHED.sign(&world.id_claims(&json!({ "nonce": "n-1" }))));
    assert!(world.provider.verify_id_token(&token, expecting("n-1")).await.is_ok());
    for nonce in ["n-2", "n-", "n-11", ""] {
        let outcome = world.provider.verify_id_token(&token, expecting(nonce)).await;
        assert_eq!(code(&outcome), "token.nonce_mismatch", "{nonce}");
    }
    let without = IdToken::new(PUBLISHED.sign(&world.id_claims(&json!({}))));
    let outcome = world.provider.verify_id_token(&without, expecting("n-1")).await;
    assert_eq!(code(&outcome), "token.nonce_mismatch");
}

#[tokio::test]
async fn at_hash_ties_the_access_token_to_the_id_token() {
    let world = World::new();
    let access = AccessToken::new("an access token");
    let expected = IdTokenExpectation { access_token: Some(&access), ..Default::default() };
    for (hash, outcome) in [
        (json!(at_hash("an access token")), "ok"),
        (json!(null), "ok"),
        (json!(at_hash("another")), "token.at_hash_mismatch"),
        (json!(""), "token.at_hash_mismatch"),
        (json!(7), "token.claim_invalid"),
    ] {
        let token = IdToken::new(PUBLISHED.sign(&world.id_claims(&json!({ "at_hash": hash }))));
        let got = world.provider.verify_id_token(&token, expected).await;
        assert_eq!(code(&got), outcome, "{hash}");
    }
}

#[tokio::test]
async fn a_sign_in_may_have_to_be_recent() {
    let world = World::new();
    let now = world.now();
    let max_age = Some(Duration::from_secs(900));
    let expected = IdTokenExpectation { max_age, ..Default::default() };
    for (auth_time, outcome) in [
        (json!(now - 900), "ok"),
        (json!(now - 960), "ok"),
        (json!(now - 961), "token.claim_invalid"),
        (json!(null), "token.claim_invalid"),
    ] {
        let claims = world.id_claims(&json!({ "auth_time": auth_time }));
        let token = IdToken::new(PUBLISHED.sign(&claims));
        let got = world.provider.verify_id_token(&token, expected).await;
        assert_eq!(code(&got), outcome, "{auth_time}");
    }
}

#[tokio::test]
async fn a_token_of_the_policys_own_issuer_need_not_name_the_policy_but_may_not_deny_it() {
    let tfp = format!("https://luminousdemo.b2clogin.com/tfp/{GUID}/b2c_1_signupsignin1/v2.0/");
    let world = World::new();
    world.lie(&json!({ "issuer": tfp }));
    assert_eq!(world.id_code(json!({ "iss": tfp })).await, "ok");
    assert_eq!(world.id_code(json!({ "iss": tfp, "tfp": null })).await, "ok");
    let denied = world.id_code(json!({ "iss": tfp, "tfp": "B2C_1_edit" })).await;
    assert_eq!(denied, "token.policy_not_allowed");
    assert_eq!(world.provider.config().expected_issuer, ExpectedIssuer::Discovered);
    assert_eq!(world.provider.pinned_issuer(), Some(tfp));
}

#[tokio::test]
async fn an_application_by_itself_is_nobody() {
    let world = World::api();
    let service = "9c0b6f0e-1111-4a25-8a39-64a2b6a1f0aa";
    let by_itself = json!({
        "sub": service, "oid": null, "tfp": null, "scp": "app.read app.write", "azp": service,
    });
    let token = PUBLISHED.sign(&world.access_claims(&by_itself));
    let claims = world.access(&token).await.expect("a daemon's token");
    assert_eq!(claims.caller, Caller::Daemon { subject: service.to_owned(), roles: vec![] });
    assert_eq!(claims.scopes, ["app.read", "app.write"]);
    let with_roles = json!({ "scp": null, "roles": ["Read.All"], "sub": service, "oid": service });
    let token = PUBLISHED.sign(&world.access_claims(&with_roles));
    let claims = world.access(&token).await.expect("a daemon's token");
    let roles = vec!["Read.All".to_owned()];
    assert_eq!(claims.caller, Caller::Daemon { subject: service.to_owned(), roles });
    let said = PUBLISHED.sign(&world.access_claims(&json!({ "idtyp": "app" })));
    let claims = world.access(&said).await.expect("a daemon's token");
    assert!(matches!(claims.caller, Caller::Daemon { .. }));
}

#[tokio::test]
async fn a_person_behind_an_access_token_is_known_by_tenant_and_object() {
    let world = World::api();
    let token = PUBLISHED.sign(&world.access_claims(&json!({})));
    let claims = world.access(&token).await.expect("an access token");
    let Caller::Person(identity) = claims.caller else { panic!("a person") };
    assert_eq!(identity.person.tenant.as_str(), GUID);
    assert_eq!(identity.person.object.as_str(), PERSON);
    assert_eq!(claims.client.as_deref(), Some(CLIENT));
    assert_eq!(claims.scopes, ["user_impersonation"]);
}

#[tokio::test]
async fn an_application_is_believed_to_be_the_one_its_own_token_names() {
    let world = World::api();
    let times = world.access_claims(&json!({}));
    let claims = |changes: Value| {
        let mut claims = json!({
            "iss": ISSUER, "aud": API, "azp": "caller", "sub": "1", "oid": "1", "ver": "2.0",
            "iat": times["iat"], "nbf": times["iat"], "exp": times["exp"],
        });
        for (name, value) in changes.as_object().expect("an object") {
            claims[name] = value.clone();
        }
        claims
    };
    let code = async |changes: Value| {
        let token = AccessToken::new(PUBLISHED.sign(&claims(changes)));
        code(&world.provider.verify_application_token(&token, "caller").await)
    };
    assert_eq!(code(json!({})).await, "ok");
    assert_eq!(code(json!({ "azp": "another" })).await, "token.audience_mismatch");
    assert_eq!(code(json!({ "azp": null })).await, "token.audience_mismatch");
    assert_eq!(code(json!({ "aud": CLIENT })).await, "token.audience_mismatch");
    assert_eq!(code(json!({ "iss": "https://evil.example/" })).await, "token.issuer_untrusted");
    assert_eq!(code(json!({ "tid": "another" })).await, "token.issuer_untrusted");
    assert_eq!(code(json!({ "scp": "access" })).await, "token.type_mismatch");
    assert_eq!(code(json!({ "nonce": "n" })).await, "token.type_mismatch");
    assert_eq!(code(json!({ "exp": 1 })).await, "token.expired");
    let rogue = AccessToken::new(ROGUE.sign(&claims(json!({}))));
    let refused = world.provider.verify_application_token(&rogue, "caller").await;
    assert_eq!(refused, Err(VerifyError::Token(TokenError::SignatureInvalid)));
}

#[tokio::test]
async fn the_directory_of_a_provider_is_the_one_its_people_are_known_by() {
    let world = World::api();
    assert_eq!(world.provider.tenant(), None, "not asked yet");
    assert_eq!(world.access_code(json!({})).await, "ok");
    assert_eq!(world.provider.tenant().expect("known by now").as_str(), GUID);
}
