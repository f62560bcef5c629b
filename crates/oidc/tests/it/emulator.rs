//! The whole crate over real HTTP, against the emulator: every shape of a provider, and every lie.

use std::sync::Arc;
use std::time::Duration;

use luminous_domain::{AccessToken, Clock, IdToken};
use luminous_emulator::{
    Config, Control, DEMO_API_CLIENT_ID, DEMO_APP_CLIENT_ID, DEMO_POLICY, DEMO_SCOPE, DEMO_TENANT,
    DEMO_TENANT_ID, EXTERNAL_TENANT, EXTERNAL_TENANT_ID, Emulator, Endpoint, Fault, IssuerForm,
    KeysLie, MetadataLie, OTHER_POLICY, OTHER_TENANT_ID, PolicyClaim, Signing, Times, TokenSpec,
};
use luminous_oidc::{
    AudienceRule, Caller, IdTokenExpectation, Identity, Provider, ProviderConfig, ReqwestClient,
    Transport, Trust, VerifyError,
};
use luminous_testkit::FrozenClock;
use serde_json::{Value, json};

use crate::fake::code;

/// An emulator and ourselves, on one frozen clock.
struct Desk {
    emulator: Emulator,
    clock: Arc<FrozenClock>,
}

impl Desk {
    async fn demo() -> Self {
        Self::with(|_| {}).await
    }

    async fn with(change: impl FnOnce(&mut Config)) -> Self {
        let clock = Arc::new(FrozenClock::new());
        let wall = clock.clone();
        let mut config = Config::demo();
        config.clock = Arc::new(move || wall.now());
        change(&mut config);
        Self { emulator: Emulator::start(config).await.expect("an emulator"), clock }
    }

    fn control(&self) -> &Control {
        self.emulator.control()
    }

    /// A provider for an address below the emulator's.
    fn provider(&self, place: &str) -> Provider {
        let address = format!("{}{place}", self.emulator.base_url());
        let config =
            ProviderConfig::from_address(&address, DEMO_APP_CLIENT_ID, Transport::LoopbackHttp);
        self.run(config.expect("a configuration"))
    }

    fn run(&self, config: ProviderConfig) -> Provider {
        let http = ReqwestClient::new(Trust::system()).expect("a client");
        Provider::new(config, Arc::new(http), self.clock.clone())
    }

    fn b2c(&self) -> Provider {
        self.provider(&format!("{DEMO_TENANT}/{DEMO_POLICY}"))
    }

    fn spec(&self) -> TokenSpec {
        let control = self.control();
        let known = control.user("ana@example.test").expect("the store");
        let user = known.unwrap_or_else(|| {
            control.create_user("ana@example.test", "Ana", "correct horse").expect("a user")
        });
        control.id_token_spec(&user, DEMO_APP_CLIENT_ID, Some("n-1"))
    }

    fn mint(&self, spec: &TokenSpec) -> String {
        self.control().mint(spec).expect("a token")
    }

    /// A good ID token, issued now.
    fn token(&self) -> String {
        self.mint(&self.spec())
    }

    fn keys_requests(&self) -> u64 {
        self.control().requests(Endpoint::Keys)
    }

    fn pass(&self, seconds: u64) {
        self.clock.advance(Duration::from_secs(seconds));
    }
}

async fn verify(provider: &Provider, token: &str) -> Result<Identity, VerifyError> {
    let expected = IdTokenExpectation { nonce: Some("n-1"), ..Default::default() };
    provider.verify_id_token(&IdToken::new(token), expected).await
}

async fn outcome(provider: &Provider, token: &str) -> &'static str {
    code(&verify(provider, token).await)
}

#[tokio::test]
async fn every_url_form_and_both_issuer_forms_work() {
    for issuer_form in [IssuerForm::TenantGuid, IssuerForm::Tfp] {
        let desk = Desk::with(|config| config.issuer_form = issuer_form).await;
        let token = desk.token();
        for tenant in [DEMO_TENANT, DEMO_TENANT_ID] {
            for place in [
                format!("{tenant}/{DEMO_POLICY}"),
                format!("{tenant}?p={DEMO_POLICY}"),
                format!("tfp/{tenant}/{DEMO_POLICY}"),
                format!("{tenant}/{DEMO_POLICY}/v2.0/.well-known/openid-configuration"),
            ] {
                let provider = desk.provider(&place);
                let identity = verify(&provider, &token).await.expect(&place);
                assert_eq!(identity.person.tenant.as_str(), DEMO_TENANT_ID);
                assert_eq!(identity.email.as_deref(), Some("ana@example.test"));
                assert_eq!(identity.policy.as_deref(), Some(DEMO_POLICY));
                let metadata = provider.metadata().await.expect("metadata");
                let by_query = place.contains("?p=");
                assert_eq!(metadata.token_endpoint.query().is_some(), by_query, "{place}");
            }
        }
    }
}

#[tokio::test]
async fn the_old_policy_claim_works() {
    let desk = Desk::with(|config| config.policy_claim = PolicyClaim::Acr).await;
    let identity = verify(&desk.b2c(), &desk.token()).await.expect("an identity");
    assert_eq!(identity.policy.as_deref(), Some(DEMO_POLICY));
}

#[tokio::test]
async fn the_seeds_variables_reach_the_emulator_in_the_development_profile() {
    let desk = Desk::demo().await;
    let base = desk.emulator.base_url();
    let lookup = |name: &str| {
        Some(match name {
            "B2C_TENANT_ID" => DEMO_TENANT.to_owned(),
            "B2C_CLIENT_ID" => DEMO_APP_CLIENT_ID.to_owned(),
            "B2C_SIGNIN_POLICY" => DEMO_POLICY.to_owned(),
            "B2C_AUTHORITY" => format!("{base}{DEMO_TENANT}/"),
            "B2C_SCOPE" => DEMO_SCOPE.to_owned(),
            "LUMINOUS_API_CLIENT_ID" => DEMO_API_CLIENT_ID.to_owned(),
            "LUMINOUS_PROFILE" => "dev".to_owned(),
            _ => return None,
        })
    };
    let (config, warnings) = ProviderConfig::from_variables(&lookup).expect("a configuration");
    assert_eq!(warnings, []);
    let provider = desk.run(config);
    assert_eq!(outcome(&provider, &desk.token()).await, "ok");

    let user = desk.control().user("ana@example.test").expect("the store").expect("a user");
    let access = desk.control().access_token_spec(&user, DEMO_APP_CLIENT_ID);
    let access = AccessToken::new(desk.mint(&access));
    let claims = provider.verify_access_token(&access).await.expect("an access token");
    assert!(matches!(claims.caller, Caller::Person(_)));
    let id_token = AccessToken::new(desk.token());
    let v9 = provider.verify_access_token(&id_token).await;
    assert_eq!(code(&v9), "token.type_mismatch");
}

#[tokio::test]
async fn v10_an_access_token_for_the_api_is_not_for_another() {
    let desk = Desk::demo().await;
    let mut config = desk.b2c().config().clone();
    config.audiences = AudienceRule::only("another-api");
    let provider = desk.run(config);
    let _ = desk.token();
    let user = desk.control().user("ana@example.test").expect("the store").expect("a user");
    let access = desk.mint(&desk.control().access_token_spec(&user, DEMO_APP_CLIENT_ID));
    let refused = provider.verify_access_token(&AccessToken::new(access)).await;
    assert_eq!(code(&refused), "token.audience_mismatch");
}

#[tokio::test]
async fn external_id_works_though_its_issuer_is_on_another_host() {
    let desk = Desk::demo().await;
    let provider = desk.provider(EXTERNAL_TENANT);
    let metadata = provider.metadata().await.expect("metadata");
    assert!(!metadata.issuer.ends_with('/'));
    assert_ne!(metadata.token_endpoint.host_str(), metadata.issuer.split('/').nth(2));
    let issuer = metadata.issuer.clone();
    let spec = desk
        .spec()
        .with("iss", issuer)
        .with("tid", EXTERNAL_TENANT_ID)
        .with("sub", "pairwise")
        .with("ver", "2.0")
        .without("tfp");
    let oid = spec.claims["oid"].clone();
    let identity = verify(&provider, &desk.mint(&spec)).await.expect("an identity");
    assert_eq!(identity.person.tenant.as_str(), EXTERNAL_TENANT_ID);
    assert_eq!(json!(identity.person.object.as_str()), oid);
    let foreign = desk.mint(&spec.with("tid", DEMO_TENANT_ID));
    assert_eq!(outcome(&provider, &foreign).await, "token.issuer_untrusted");
}

#[tokio::test]
async fn a_plain_issuer_works() {
    let desk = Desk::demo().await;
    let provider = desk.provider("oidc");
    let issuer = format!("{}oidc", desk.emulator.base_url());
    let spec = desk.spec().with("iss", issuer.clone()).without("tfp").without("oid");
    let identity = verify(&provider, &desk.mint(&spec)).await.expect("an identity");
    assert_eq!(identity.person.tenant.as_str(), issuer);
    assert_eq!(provider.pinned_issuer(), Some(issuer));
}

#[tokio::test]
async fn k3_a_rollover_is_followed_and_a_retired_key_ends() {
    let desk = Desk::demo().await;
    let provider = desk.b2c();
    assert_eq!(outcome(&provider, &desk.token()).await, "ok");
    assert_eq!(desk.keys_requests(), 1);
    desk.control().publish_next_key().expect("a key");
    desk.control().promote_next_key().expect("a key");
    desk.pass(31);
    assert_eq!(outcome(&provider, &desk.token()).await, "ok");
    assert_eq!(desk.keys_requests(), 2, "the new key cost one request");
    assert_eq!(provider.keys().usable, 2);
    desk.control().retire_old_keys().expect("no key");
    desk.pass(600);
    assert_eq!(outcome(&provider, &desk.token()).await, "ok");
    assert_eq!(desk.keys_requests(), 3);
    assert_eq!(provider.keys().usable, 1);
}

#[tokio::test]
async fn forged_and_foreign_tokens_are_refused() {
    let desk = Desk::demo().await;
    let provider = desk.b2c();
    let spec = || desk.spec();
    let other_tenant =
        spec().claims["iss"].as_str().map(|iss| iss.replace(DEMO_TENANT_ID, OTHER_TENANT_ID));
    for (spec, expected) in [
        (spec(), "ok"),
        (spec().signed(Signing::OtherKeySameKid), "token.signature_invalid"),
        (spec().signed(Signing::UnknownKid), "token.kid_unknown"),
        (spec().signed(Signing::Unsigned), "token.alg_not_allowed"),
        (spec().signed(Signing::Hs256WithPublicKey), "token.alg_not_allowed"),
        (spec().with_header("kid", Value::Null), "token.kid_unknown"),
        (spec().with_header("jku", "http://localhost/keys"), "token.header_forbidden"),
        // Signed by the same key: only issuer and policy keep the neighbours out.
        (spec().with("iss", other_tenant), "token.issuer_untrusted"),
        (spec().with("tfp", OTHER_POLICY), "token.policy_not_allowed"),
        (spec().with("nonce", "n-2"), "token.nonce_mismatch"),
        (spec().with("aud", DEMO_API_CLIENT_ID), "token.audience_mismatch"),
    ] {
        assert_eq!(outcome(&provider, &desk.mint(&spec)).await, expected);
    }
}

#[tokio::test]
async fn k4_a_failing_key_endpoint_is_bridged_with_the_keys_known() {
    let garbage = || vec![Fault::Garbage, Fault::CaptivePortal, Fault::Huge];
    let broken = || vec![Fault::ServerError, Fault::Unavailable(30), Fault::Reset];
    for fault in garbage().into_iter().chain(broken()) {
        let desk = Desk::demo().await;
        let cold = desk.b2c();
        desk.control().fault(Endpoint::Keys, fault.clone(), Times::Always);
        assert_eq!(outcome(&cold, &desk.token()).await, "keys.unavailable", "{fault:?}");
        desk.control().clear();
        desk.pass(30);
        assert_eq!(outcome(&cold, &desk.token()).await, "ok", "{fault:?}");
        desk.control().fault(Endpoint::Keys, fault.clone(), Times::Always);
        desk.pass(23 * 3600);
        assert_eq!(outcome(&cold, &desk.token()).await, "ok", "{fault:?}");
        desk.pass(3600);
        assert_eq!(outcome(&cold, &desk.token()).await, "keys.unavailable", "{fault:?}");
    }
}

#[tokio::test]
async fn k2_an_empty_key_set_changes_nothing() {
    let desk = Desk::demo().await;
    let provider = desk.b2c();
    assert_eq!(outcome(&provider, &desk.token()).await, "ok");
    desk.control().keys(KeysLie::Empty, Times::Always);
    desk.pass(601);
    assert_eq!(outcome(&provider, &desk.token()).await, "ok");
    let problem = provider.keys().problem.expect("a problem");
    assert_eq!(problem.code(), "keys.refresh_empty");
}

#[tokio::test]
async fn k9_a_key_published_with_its_private_half_is_not_used() {
    let desk = Desk::demo().await;
    let provider = desk.b2c();
    let mut set = desk.control().jwks();
    set["keys"][0]["d"] = json!("AQAB");
    desk.control().keys(KeysLie::Document(set), Times::Always);
    assert_eq!(outcome(&provider, &desk.token()).await, "keys.unavailable");
}

#[tokio::test]
async fn k5_to_k7_metadata_that_cannot_be_believed_is_refused() {
    let desk = Desk::demo().await;
    let elsewhere = "http://169.254.169.254/latest/meta-data".to_owned();
    for (lie, expected) in [
        (MetadataLie::Issuer("https://evil.example/v2.0/".to_owned()), "discovery.issuer_mismatch"),
        (
            MetadataLie::JwksUri("https://evil.example/keys".to_owned()),
            "discovery.host_not_allowed",
        ),
        (MetadataLie::JwksUri(elsewhere.clone()), "discovery.host_not_allowed"),
        (MetadataLie::JwksUri("http://localhost:1/keys".to_owned()), "discovery.host_not_allowed"),
        (
            MetadataLie::TokenEndpoint("https://evil.example/".to_owned()),
            "discovery.host_not_allowed",
        ),
    ] {
        desk.control().metadata(lie.clone(), Times::Always);
        let provider = desk.b2c();
        let refused = provider.metadata().await.expect_err("a lie");
        assert_eq!(refused.code(), expected, "{lie:?}");
        assert_eq!(outcome(&provider, &desk.token()).await, expected, "{lie:?}");
        desk.control().clear();
        assert_eq!(desk.keys_requests(), 0);
    }
    for (fault, expected) in [
        (Fault::Redirect(elsewhere.clone()), "discovery.redirect"),
        (Fault::ServerError, "discovery.status"),
        (Fault::CaptivePortal, "net.captive"),
        (Fault::Garbage, "discovery.malformed"),
        (Fault::Huge, "discovery.unreachable"),
        (Fault::Reset, "discovery.unreachable"),
    ] {
        desk.control().fault(Endpoint::Discovery, fault.clone(), Times::Next(1));
        let provider = desk.b2c();
        let refused = provider.metadata().await.expect_err("a fault");
        assert_eq!(refused.code(), expected, "{fault:?}");
        assert!(provider.metadata().await.is_ok(), "a new try after {fault:?}");
    }
    desk.control().fault(Endpoint::Keys, Fault::Redirect(elsewhere), Times::Next(1));
    assert_eq!(outcome(&desk.b2c(), &desk.token()).await, "discovery.redirect");
}

#[tokio::test]
async fn k8_weaker_metadata_is_not_followed() {
    let desk = Desk::demo().await;
    let names = vec!["HS256".to_owned(), "none".to_owned()];
    desk.control().metadata(MetadataLie::Algorithms(names), Times::Always);
    let provider = desk.b2c();
    assert_eq!(provider.metadata().await.expect("metadata").warnings.len(), 1);
    assert_eq!(outcome(&provider, &desk.token()).await, "ok");
    let forged = desk.mint(&desk.spec().signed(Signing::Hs256WithPublicKey));
    assert_eq!(outcome(&provider, &forged).await, "token.alg_not_allowed");
}

#[tokio::test]
async fn k11_fifty_first_sign_ins_at_once_ask_once() {
    let desk = Desk::demo().await;
    let provider = desk.b2c();
    let token = desk.token();
    let all = futures_util::future::join_all((0..50).map(|_| verify(&provider, &token))).await;
    assert!(all.iter().all(Result::is_ok));
    assert_eq!((desk.control().requests(Endpoint::Discovery), desk.keys_requests()), (1, 1));
}
