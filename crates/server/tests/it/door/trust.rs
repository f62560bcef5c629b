//! Several issuers, and one of them away.

use std::sync::Arc;

use luminous_domain::{AccessToken, Clock};
use luminous_oidc::{HttpClient, ReqwestClient, TokenError, Trust as Roots, VerifyError};
use luminous_server::ApiError;
use luminous_server::trust::Trust;
use tokio::net::TcpListener;

use crate::rig::Rig;

/// The issuers of `rig`, after one at `first` that is asked first.
fn behind(rig: &Rig, first: &str) -> Trust {
    let mut config = rig.server.state().config().clone();
    let mut dead = config.issuers[0].clone();
    dead.address = first.to_owned();
    dead.step_up_policy = None;
    config.issuers.insert(0, dead);
    let http: Arc<dyn HttpClient> = Arc::new(ReqwestClient::new(Roots::system()).unwrap());
    let clock: Arc<dyn Clock> = rig.clock.clone();
    Trust::new(&config, &http, &clock).unwrap()
}

#[tokio::test]
async fn a_healthy_issuers_tokens_do_not_wait_for_a_dead_one() {
    let rig = Rig::start().await;
    // It takes connections, and never answers.
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}/tenant/policy", silent.local_addr().unwrap());
    let trust = behind(&rig, &address);
    let token = AccessToken::new(rig.token(&rig.someone("ana")));
    for round in ["never met", "met"] {
        let verified = tokio::select! {
            biased;
            _ = trust.issuers()[0].sign_in.warm() => panic!("it waited: {round}"),
            verified = trust.verify(&token) => verified.unwrap(),
        };
        assert_eq!(verified.issuer, 1, "{round}");
    }
}

#[tokio::test]
async fn an_unknown_issuers_tokens_are_refused_once_all_are_met_and_not_judged_before() {
    let rig = Rig::start().await;
    let spec = rig.spec(&rig.someone("ana")).with("iss", "https://evil.example/");
    let token = AccessToken::new(rig.mint(&spec));
    let gone = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let trust = behind(&rig, &format!("http://{gone}/tenant/policy"));
    let unmet = trust.verify(&token).await.unwrap_err();
    assert_eq!(unmet.code(), "keys.unavailable", "it may be the dead one's");
    let known = rig.server.state().trust().verify(&token).await.unwrap_err();
    assert_eq!(known, ApiError::Token(VerifyError::Token(TokenError::IssuerUntrusted)));
}
