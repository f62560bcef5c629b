//! `GET /api/me`: the first question of every client.

use luminous_domain::Role;
use serde_json::json;

use crate::rig::{Answer, Rig};

#[tokio::test]
async fn the_first_visit_makes_an_account_outside_any_family() {
    let rig = Rig::start().await;
    let ana = rig.someone("ana");
    let answer = rig.get("/api/me", &rig.token(&ana)).await;
    assert_eq!(answer.outcome(), "200");
    let me = answer.json();
    assert_eq!(me["account"]["name"], "ana");
    assert_eq!(me["account"]["email"], "ana@example.test");
    assert_eq!(me["membership"], json!(null));

    rig.pass(std::time::Duration::from_secs(60));
    let again = rig.get("/api/me", &rig.token(&ana)).await.json();
    assert_eq!(again["account"]["id"], me["account"]["id"], "another token, the same account");
}

#[tokio::test]
async fn a_member_is_told_family_role_and_what_the_role_may_do() {
    let rig = Rig::start().await;
    let ana = rig.owner("ana").await;
    let ben = rig.member(&ana, "ben", Role::Child).await;
    let me = rig.get("/api/me", &rig.token(&ben)).await.json();
    assert_eq!(me["membership"]["family"]["name"], "The family of ana");
    assert_eq!(me["membership"]["role"], "child");
    assert_eq!(
        me["membership"]["permissions"],
        json!(["family.read", "members.read", "notes.read", "notes.post"])
    );
}

#[tokio::test]
async fn answers_are_private_and_cannot_be_sniffed_or_framed() {
    let rig = Rig::start().await;
    let answer = rig.get("/api/me", &rig.token(&rig.someone("ana"))).await;
    assert_eq!(answer.header("cache-control"), "no-store");
    assert_eq!(answer.header("x-content-type-options"), "nosniff");
    assert_eq!(
        answer.header("content-security-policy"),
        "default-src 'none'; frame-ancestors 'none'"
    );
    assert_eq!(answer.header("strict-transport-security"), "", "only where browsers use https");
    assert_eq!(answer.header("x-request-id").len(), 32);
}

#[tokio::test]
async fn what_no_route_knows_is_a_problem_document_too() {
    let rig = Rig::start().await;
    for (method, path, outcome) in [
        ("GET", "/api/nothing", "404 resource.not_found"),
        ("DELETE", "/api/me", "405 request.method"),
        ("BREW", "/api/me", "405 request.method"),
    ] {
        let request = rig.request(method.parse().unwrap(), path);
        assert_eq!(Answer::of(request).await.outcome(), outcome, "{method} {path}");
    }
}
