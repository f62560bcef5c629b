//! Acts that need a fresh proof with a second factor (U9, RFC 9470).

use std::time::Duration;

use luminous_domain::{Clock as _, Role};
use luminous_emulator::DEMO_MFA_POLICY;
use luminous_store::AuditFilter;
use reqwest::Method;
use serde_json::{Value, json};

use crate::rig::{Answer, Rig, Someone};

/// Ana changes Ben's role with this token.
async fn act(rig: &Rig, ana: &Someone, ben: &Someone, token: &str) -> Answer {
    let path = format!("/api/families/{}/members/{}", ana.family(), ben.place().member);
    rig.send(Method::PATCH, &path, token, &json!({ "role": "teen" })).await
}

async fn home() -> (Rig, Someone, Someone) {
    let rig = Rig::start().await;
    let ana = rig.owner("ana").await;
    let ben = rig.member(&ana, "ben", Role::Adult).await;
    (rig, ana, ben)
}

#[tokio::test]
async fn u9_an_administrators_act_takes_a_second_factor_lately() {
    let (rig, ana, ben) = home().await;
    let refused = act(&rig, &ana, &ben, &rig.token(&ana)).await;
    assert_eq!(refused.outcome(), "401 session.step_up_required");
    assert_eq!(
        refused.header("www-authenticate"),
        format!(
            "Bearer realm=\"luminous\", error=\"insufficient_user_authentication\", \
             error_description=\"A fresh sign-in with a second factor is needed.\", \
             acr_values=\"{DEMO_MFA_POLICY}\", max_age=\"900\""
        )
    );
    let fresh = rig.fresh_token(&ana);
    assert_eq!(act(&rig, &ana, &ben, &fresh).await.outcome(), "200");

    rig.pass(Duration::from_secs(900));
    assert_eq!(act(&rig, &ana, &ben, &fresh).await.outcome(), "200", "at fifteen minutes");
    rig.pass(Duration::from_secs(1));
    let late = act(&rig, &ana, &ben, &fresh).await;
    assert_eq!(late.outcome(), "401 session.step_up_required", "and not after");
}

#[tokio::test]
async fn u9_the_policy_alone_or_the_time_alone_proves_nothing() {
    let (rig, ana, ben) = home().await;
    let now = rig.clock.now().as_second();
    for spec in [
        rig.fresh_spec(&ana).without("auth_time"),
        rig.fresh_spec(&ana).with("auth_time", now - 901),
        rig.fresh_spec(&ana).with("auth_time", now + 61),
        rig.spec(&ana).with("auth_time", now),
        rig.spec(&ana).authenticated(now, &["pwd"]),
    ] {
        let refused = act(&rig, &ana, &ben, &rig.mint(&spec)).await;
        assert_eq!(refused.outcome(), "401 session.step_up_required");
    }
    let by_method = rig.spec(&ana).authenticated(now, &["pwd", "mfa"]);
    assert_eq!(act(&rig, &ana, &ben, &rig.mint(&by_method)).await.outcome(), "200");
}

#[tokio::test]
async fn who_may_not_is_told_so_before_being_asked_for_a_second_factor() {
    let (rig, ana, ben) = home().await;
    let refused = act(&rig, &ana, &ben, &rig.token(&ben)).await;
    assert_eq!(refused.outcome(), "403 authz.role_missing");
    assert_eq!(refused.json()["detail"], json!("It takes members.manage."));
}

#[tokio::test]
async fn each_refusal_of_an_administrators_act_is_one_line_in_the_log() {
    let (rig, ana, ben) = home().await;
    act(&rig, &ana, &ben, &rig.token(&ana)).await;
    rig.pass(Duration::from_millis(5));
    act(&rig, &ana, &ben, &rig.token(&ben)).await;
    let filter = AuditFilter { refused: Some(true), ..Default::default() };
    let lines = rig.store.audit(ana.family(), &filter, 10).await.unwrap();
    let lines: Vec<Value> = lines.iter().map(|line| json!([line.action, line.outcome])).collect();
    assert_eq!(
        lines,
        [
            json!(["members.manage", "authz.role_missing"]),
            json!(["members.manage", "session.step_up_required"]),
        ]
    );
}

#[tokio::test]
async fn refusals_fill_no_log_beyond_twenty_an_hour_and_no_strangers() {
    let (rig, ana, ben) = home().await;
    let zoe = rig.owner("zoe").await;
    let stranger = rig.token(&rig.someone("nina"));
    let filter = AuditFilter { refused: Some(true), ..Default::default() };
    let lines =
        async |of: &Someone| rig.store.audit(of.family(), &filter, 100).await.unwrap().len();
    let (bens, anas, zoes) = (rig.token(&ben), rig.token(&ana), rig.token(&zoe));
    for _ in 0..25 {
        assert_eq!(act(&rig, &ana, &ben, &bens).await.outcome(), "403 authz.role_missing");
    }
    act(&rig, &ana, &ben, &anas).await;
    for foreign in [&stranger, &zoes] {
        let refused = act(&rig, &ana, &ben, foreign).await;
        assert_eq!(refused.outcome(), "403 authz.family_mismatch");
    }
    assert_eq!(lines(&ana).await, 21, "twenty of Ben's, and another's one");
    assert_eq!(lines(&zoe).await, 0);
    let (nina, _) = rig.arrive(&rig.someone("nina")).await;
    let hers = rig.store.export(nina).await.unwrap().unwrap().audit;
    assert!(hers.iter().all(|line| line.action == "account.created"), "{hers:?}");
    let figures = rig.server.state().meters().render(0);
    let figure = "luminous_refused_acts_total{permission=\"members.manage\",\
                  code=\"authz.role_missing\"} 25";
    assert!(figures.contains(figure), "{figures}");

    rig.pass(Duration::from_secs(3601));
    let again = act(&rig, &ana, &ben, &rig.token(&ben)).await;
    assert_eq!(again.outcome(), "403 authz.role_missing");
    assert_eq!(lines(&ana).await, 22);
}
