//! Who belongs to a family, and who may change that.

use luminous_domain::{MemberId, Role};
use serde_json::json;
use std::time::Duration;

use crate::home::{Home, id};

#[tokio::test]
async fn u9_changing_somebody_needs_a_second_factor_proved_lately() {
    let home = Home::start().await;
    let (family, owner, others) = home.full_house().await;
    let path = format!("/api/families/{family}/members/{}", others[1].2);
    let role = json!({ "role": "teen" });

    let refused = home.with(&owner).patch(&path, role.clone()).await;
    assert_eq!(refused.outcome(), "401 session.step_up_required");
    let challenge = refused.header("www-authenticate");
    for part in
        ["Bearer", "error=\"insufficient_user_authentication\"", "acr_values=", "max_age=\"900\""]
    {
        assert!(challenge.contains(part), "{part} in {challenge}");
    }
    let removal = home.with(&owner).delete(&path).await;
    assert_eq!(removal.outcome(), "401 session.step_up_required");

    let proof = home.rig.fresh_token(&owner);
    home.rig.pass(Duration::from_secs(900));
    let changed = home.bearer(proof.clone()).patch(&path, role.clone()).await;
    assert_eq!(changed.json()["role"], "teen", "{changed:?}");
    home.rig.pass(Duration::from_secs(1));
    let late = home.bearer(proof).patch(&path, json!({ "role": "adult" })).await;
    assert_eq!(late.outcome(), "401 session.step_up_required");
    assert_eq!(home.proved(&owner).delete(&path).await.status, 204);
}

#[tokio::test]
async fn an_admin_rules_over_all_but_owners() {
    let home = Home::start().await;
    let (family, owner, others) = home.full_house().await;
    let admin = &others[0].1;
    let first = home.place(&owner).await;
    let of = |member: MemberId| format!("/api/families/{family}/members/{member}");
    for change in [json!({ "role": "adult" }), json!({ "state": "deactivated" })] {
        let refused = home.proved(admin).patch(&of(first), change.clone()).await;
        assert_eq!(refused.outcome(), "403 authz.role_missing", "{change}");
    }
    let refused = home.proved(admin).delete(&of(first)).await;
    assert_eq!(refused.outcome(), "403 authz.role_missing");
    let crowned = home.proved(admin).patch(&of(others[1].2), json!({ "role": "owner" })).await;
    assert_eq!(crowned.outcome(), "403 authz.role_missing");
    let peer = home.proved(admin).patch(&of(others[1].2), json!({ "role": "admin" })).await;
    assert_eq!(peer.status, 200, "{peer:?}");
    let owned = home.proved(&owner).patch(&of(others[1].2), json!({ "role": "owner" })).await;
    assert_eq!(owned.json()["role"], "owner", "{owned:?}");
}

#[tokio::test]
async fn the_last_owner_stays_an_owner() {
    let home = Home::start().await;
    let (family, owner, others) = home.full_house().await;
    let me = home.place(&owner).await;
    let mine = format!("/api/families/{family}/members/{me}");
    for change in [json!({ "role": "admin" }), json!({ "state": "deactivated" })] {
        let refused = home.proved(&owner).patch(&mine, change.clone()).await;
        assert_eq!(refused.outcome(), "409 family.last_owner", "{change}");
    }
    let refused = home.proved(&owner).delete(&mine).await;
    assert_eq!(refused.outcome(), "409 family.last_owner");
    // An owner who is switched off does not count as another one.
    let other = format!("/api/families/{family}/members/{}", others[0].2);
    home.proved(&owner).patch(&other, json!({ "role": "owner" })).await;
    home.proved(&owner).patch(&other, json!({ "state": "deactivated" })).await;
    let refused = home.proved(&owner).patch(&mine, json!({ "role": "admin" })).await;
    assert_eq!(refused.outcome(), "409 family.last_owner");
}

#[tokio::test]
async fn nobody_becomes_a_display_and_nothing_is_no_change() {
    let home = Home::start().await;
    let (family, owner, others) = home.full_house().await;
    let path = format!("/api/families/{family}/members/{}", others[1].2);
    for change in [
        json!({}),
        json!({ "role": "display" }),
        json!({ "role": "root" }),
        json!({ "state": "gone" }),
        json!({ "name": "" }),
        json!({ "name": "Ana", "permissions": ["audit.read"] }),
    ] {
        let refused = home.proved(&owner).patch(&path, change.clone()).await;
        assert_eq!(refused.outcome(), "400 input.invalid", "{change}");
    }
}

#[tokio::test]
async fn an_adult_looks_after_children_without_an_account_and_only_after_them() {
    let home = Home::start().await;
    let (family, owner, others) = home.full_house().await;
    let adult = &others[1].1;
    let members = format!("/api/families/{family}/members");
    let added = home.with(adult).post(&members, json!({ "name": "Mia" })).await;
    assert_eq!(added.status, 201, "{added:?}");
    let child = added.json();
    assert_eq!((&child["managed"], &child["role"]), (&json!(true), &json!("child")));
    let path = added.header("location").to_owned();
    let renamed = home.with(adult).patch(&path, json!({ "name": " Mia Lou " })).await;
    assert_eq!(renamed.json()["name"], "Mia Lou", "{renamed:?}");

    // The route for children is no way round the second factor.
    for (role, _, member) in &others {
        let path = format!("/api/families/{family}/children/{member}");
        for caller in [adult, &owner] {
            let renamed = home.proved(caller).patch(&path, json!({ "name": "X" })).await;
            assert_eq!(renamed.outcome(), "404 resource.not_found", "{role}");
            let removed = home.proved(caller).delete(&path).await;
            assert_eq!(removed.outcome(), "404 resource.not_found", "{role}");
        }
    }
    assert_eq!(home.with(adult).delete(&path).await.status, 204);
    assert_eq!(home.with(adult).delete(&path).await.outcome(), "404 resource.not_found");
}

#[tokio::test]
async fn a_child_added_twice_by_one_request_is_there_once() {
    let home = Home::start().await;
    let olga = home.person("Olga");
    let family = home.family(&olga, "Lum").await;
    let members = format!("/api/families/{family}/members");
    let key = "7d444840-9dc0-11d1-b245-5ffdce74fad2";
    let add = async || home.with(&olga).once(key).post(&members, json!({ "name": "Mia" })).await;
    let (one, two) = tokio::join!(add(), add());
    let three = add().await;
    for answer in [&one, &two, &three] {
        assert_eq!(answer.status, 201, "{answer:?}");
    }
    assert_eq!(one.json(), two.json());
    assert_eq!(one.json(), three.json());
    let list = home.with(&olga).get(&members).await.json();
    assert_eq!(list["members"].as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn addresses_are_told_to_who_manages_members_and_to_oneself() {
    let home = Home::start().await;
    let (family, owner, others) = home.full_house().await;
    let path = format!("/api/families/{family}/members");
    for (caller, all) in
        [(&owner, true), (&others[0].1, true), (&others[1].1, false), (&others[3].1, false)]
    {
        let list = home.with(caller).get(&path).await.json();
        for member in list["members"].as_array().unwrap() {
            let told = member["email"].is_string();
            assert_eq!(told, all || member["is_me"] == true, "{member}");
        }
    }
}

#[tokio::test]
async fn t18_ids_of_another_family_name_nothing_in_mine() {
    let home = Home::start().await;
    let (mine, owner, _) = home.full_house().await;
    let zoe = home.person("Zoe");
    let theirs = home.family(&zoe, "Zed").await;
    let yuri = home.person("Yuri");
    let member = home.join(&zoe, theirs, &yuri, Role::Adult).await;
    let child = home
        .with(&zoe)
        .post(&format!("/api/families/{theirs}/members"), json!({ "name": "Kid" }))
        .await;
    let child: MemberId = id(&child.json()["id"]);
    let note = home
        .with(&zoe)
        .post(&format!("/api/families/{theirs}/notes"), json!({ "text": "Hi" }))
        .await;
    let note = note.json()["id"].as_str().unwrap().to_owned();
    let invite = home
        .with(&zoe)
        .post(&format!("/api/families/{theirs}/invites"), json!({ "role": "teen" }))
        .await;
    let invite = invite.json()["invite"]["id"].as_str().unwrap().to_owned();
    let before = home.with(&zoe).get(&format!("/api/families/{theirs}/members")).await.json();

    let caller = home.proved(&owner);
    for path in [
        format!("members/{member}"),
        format!("members/{child}"),
        format!("children/{child}"),
        format!("notes/{note}"),
        format!("invites/{invite}"),
        "members/not-an-id".to_owned(),
        format!("notes/{mine}"),
    ] {
        let refused = caller.delete(&format!("/api/families/{mine}/{path}")).await;
        assert_eq!(refused.outcome(), "404 resource.not_found", "{path}");
        let outside = caller.delete(&format!("/api/families/{theirs}/{path}")).await;
        assert_eq!(outside.outcome(), "403 authz.family_mismatch", "{path}");
    }
    for (path, change) in [
        (format!("members/{member}"), json!({ "role": "owner" })),
        (format!("children/{child}"), json!({ "name": "Mine" })),
    ] {
        let refused = caller.patch(&format!("/api/families/{mine}/{path}"), change).await;
        assert_eq!(refused.outcome(), "404 resource.not_found", "{path}");
    }
    let after = home.with(&zoe).get(&format!("/api/families/{theirs}/members")).await.json();
    assert_eq!(before, after);
    assert_eq!(
        home.with(&zoe).get(&format!("/api/families/{theirs}/notes")).await.json()["notes"][0]["id"],
        note
    );
    assert_eq!(
        home.with(&zoe).get(&format!("/api/families/{theirs}/invites")).await.json()["invites"][0]
            ["id"],
        invite
    );
}
