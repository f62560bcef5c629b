//! `GET /api/me`: the first question of every client.

use luminous_domain::{Clock as _, Role};
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
async fn name_and_address_follow_the_tokens_and_what_they_leave_out_stays() {
    let rig = Rig::start().await;
    let ana = rig.owner("ana").await;
    let account = async |spec| {
        let me = rig.get("/api/me", &rig.mint(&spec)).await.json();
        (me["account"]["name"].clone(), me["account"]["email"].clone())
    };
    let renamed = rig.spec(&ana).with("name", "Ana Sol").with("emails", json!(["a@sol.test"]));
    let told = (json!("Ana Sol"), json!("a@sol.test"));
    let old = rig.spec(&ana).with("iat", rig.clock.now().as_second() - 601);
    assert_eq!(account(renamed).await, told);
    assert_eq!(account(rig.spec(&ana).without("name").without("emails")).await, told);
    assert_eq!(account(old).await, told, "an old token brings no news");
    let path = format!("/api/families/{}/members", ana.family());
    let members = rig.get(&path, &rig.mint(&rig.spec(&ana).with("name", "Ana Sol"))).await.json();
    assert_eq!(members["members"][0]["name"], "Ana Sol", "in the family too");
}

#[tokio::test]
async fn v19_a_name_that_cannot_be_used_lets_its_person_in() {
    let rig = Rig::start().await;
    let long = "x".repeat(10_000);
    for (at, (said, kept)) in [
        ("A\0na", "Ana"),
        ("Ana\u{202e}nimdA", "AnanimdA"),
        ("\0", ""),
        (long.as_str(), &long[..60]),
    ]
    .into_iter()
    .enumerate()
    {
        let someone = rig.someone(&format!("person{at}"));
        let spec = rig.spec(&someone).with("name", said).with("emails", json!(["a\0@b.test"]));
        let me = rig.get("/api/me", &rig.mint(&spec)).await;
        assert_eq!(me.outcome(), "200", "{said:?}");
        assert_eq!(me.json()["account"]["name"], kept);
        assert_eq!(me.json()["account"]["email"], json!(null));
    }
}

#[tokio::test]
async fn a_member_is_told_family_role_and_what_the_role_may_do() {
    let rig = Rig::start().await;
    let ana = rig.owner("ana").await;
    let ben = rig.member(&ana, "ben", Role::Child).await;
    let me = rig.get("/api/me", &rig.token(&ben)).await.json();
    assert_eq!(me["membership"]["family"]["name"], "The family of ana");
    assert_eq!(me["membership"]["role"], "child");
    assert_eq!(me["membership"]["state"], "active");
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
