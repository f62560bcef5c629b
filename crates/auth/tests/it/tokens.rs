//! The token endpoint: what B2C and others send besides the standard, and what ends a session.

use std::sync::Arc;
use std::time::Duration;

use luminous_auth::tokens::{Answer, TokenEndpoint, TokenFailure};
use luminous_domain::RefreshToken;
use luminous_oidc::HttpError;
use luminous_testkit::scripted::Step;
use luminous_testkit::{FrozenClock, ScriptedProvider};
use serde_json::json;
use url::Url;

async fn refresh(step: Step) -> Answer {
    let clock = Arc::new(FrozenClock::new());
    let provider = ScriptedProvider::new(Arc::clone(&clock));
    provider.script([step]);
    let url = Url::parse("https://id.example.test/token?p=b2c_1_susi").unwrap();
    let endpoint =
        TokenEndpoint { http: &provider, clock: &*clock, url: &url, client_id: "client" };
    let answer = endpoint.refresh(&RefreshToken::new("old"), &["openid".to_owned()]).await;
    let sent = provider.token_requests();
    assert_eq!(sent.len(), 1);
    assert_eq!(sent[0].get("client_id"), Some("client"));
    assert_eq!(sent[0].get("client_secret"), None);
    assert_eq!(sent[0].get("refresh_token"), Some("old"));
    assert_eq!(sent[0].get("scope"), Some("openid"));
    answer
}

async fn body(body: serde_json::Value) -> Answer {
    refresh(Step::Raw(200, "application/json; charset=utf-8", body.to_string())).await
}

#[tokio::test]
async fn numbers_may_be_strings_and_the_type_in_any_case() {
    let answer = body(json!({
        "access_token": "a", "token_type": "bEARER", "expires_in": "3600",
        "not_before": "1795348800", "refresh_token": "r", "refresh_token_expires_in": 1_209_600,
        "profile_info": "e30", "resource": "x",
    }));
    let tokens = answer.await.tokens.unwrap();
    assert_eq!(tokens.access.unwrap().expose(), "a");
    assert_eq!(tokens.refresh.unwrap().expose(), "r");
    assert_eq!(tokens.lifetime, Some(Duration::from_secs(3600)));
    assert!(tokens.id.is_none());
}

#[tokio::test]
async fn there_may_be_no_access_token_at_all() {
    let tokens = body(json!({"id_token": "i", "id_token_expires_in": "3600"})).await.tokens;
    let tokens = tokens.unwrap();
    assert!(tokens.access.is_none() && tokens.lifetime.is_none() && tokens.refresh.is_none());
    assert_eq!(tokens.id.unwrap().expose(), "i");
}

#[tokio::test]
async fn an_answer_without_any_token_or_of_an_unknown_type_is_no_answer() {
    let bodies = [
        json!({}),
        json!({"refresh_token": "r"}),
        json!({"access_token": "a", "token_type": "DPoP"}),
    ];
    for unusable in bodies {
        let failure = body(unusable).await.tokens.unwrap_err();
        assert_eq!(failure, TokenFailure::Unreadable { status: 200 });
    }
}

#[tokio::test]
async fn f12_only_a_dead_grant_ends_a_session() {
    let json = "application/json";
    let oauth = |status, error: &str, description: &str| {
        let body = json!({"error": error, "error_description": description});
        Step::Raw(status, json, body.to_string())
    };
    let html = || "<html>Welcome to the hotel</html>".to_owned();
    let ended = [
        oauth(400, "invalid_grant", "AADB2C90080: The provided grant has expired."),
        oauth(400, "invalid_grant", ""),
        oauth(400, "interaction_required", "AADB2C90077: no session"),
    ];
    for step in ended {
        let failure = refresh(step.clone()).await.tokens.unwrap_err();
        assert!(matches!(failure, TokenFailure::Ended(_)), "{step:?} gave {failure:?}");
    }
    let kept = [
        (oauth(500, "invalid_grant", ""), "Busy"),
        (oauth(503, "temporarily_unavailable", ""), "Busy"),
        (oauth(400, "invalid_grant", "AADB2C90085: The service has an internal error."), "Busy"),
        (oauth(400, "server_error", ""), "Busy"),
        (oauth(400, "invalid_client", ""), "Refused"),
        (oauth(400, "invalid_request", "AADB2C90083: missing"), "Refused"),
        (oauth(403, "interaction_required", ""), "Refused"),
        (Step::Raw(400, json, String::new()), "Unreadable"),
        (Step::Raw(400, json, "not json".to_owned()), "Unreadable"),
        (Step::Raw(404, json, "{}".to_owned()), "Unreadable"),
        (Step::Raw(200, "text/html", html()), "Captive"),
        (Step::Raw(403, "text/html; charset=utf-8", html()), "Captive"),
        (Step::Raw(302, "text/html", String::new()), "Captive"),
        (Step::Raw(511, "text/html", html()), "Captive"),
        (Step::Raw(200, json, html()), "Unreadable"),
        (Step::Raw(500, "text/html", html()), "Busy"),
        (Step::Later(120), "Busy"),
        (Step::Unreachable, "Unreachable"),
        (Step::TimesOut, "Unreachable"),
    ];
    for (step, expected) in kept {
        let failure = refresh(step.clone()).await.tokens.unwrap_err();
        assert!(format!("{failure:?}").starts_with(expected), "{step:?} gave {failure:?}");
    }
}

#[tokio::test]
async fn a_busy_provider_says_when_to_come_back() {
    let failure = refresh(Step::Later(120)).await.tokens.unwrap_err();
    let retry_after = Some(Duration::from_secs(120));
    assert_eq!(failure, TokenFailure::Busy { status: 429, retry_after });
    let failure = refresh(Step::TimesOut).await.tokens.unwrap_err();
    assert_eq!(failure, TokenFailure::Unreachable(HttpError::Timeout));
}

#[tokio::test]
async fn s9_an_answer_that_cannot_be_read_is_not_repeated_anywhere() {
    let canary = json!({"access_token": {"oops": "canary-in-a-body"}}).to_string();
    let answer = refresh(Step::Raw(200, "application/json", canary)).await;
    assert!(!format!("{answer:?}").contains("canary"));
    let good = body(json!({"access_token": "canary-1", "id_token": "canary-2"})).await;
    assert!(!format!("{good:?}").contains("canary"));
}
