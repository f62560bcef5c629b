//! Wishes of displays to be linked.

use super::Bench;
use super::displays::{ABSOLUTE, IDLE, LIFETIME, device_code, display, number, thumbprint};
use super::expect::{last_line, line};
use crate::devices::DeviceState;
use crate::links::{LinkState, Redeemed};

pub async fn d7_a_display_is_linked_from_the_code_to_the_tokens(bench: &Bench) {
    let home = bench.home("ada").await;
    let (ada, store) = (&home.owner, &bench.store);
    let begun = bench.time.now().await;
    let link = bench.begin("wall", "one").await;
    assert_eq!(link.expires_at, begun + LIFETIME);
    assert_eq!(store.open_links().await.unwrap(), 1);
    assert_eq!(bench.redeem("wall", "one", "t").await, Redeemed::Pending { number: None });

    let claim = bench.claim(&home, ada, "one").await.unwrap();
    assert_eq!((claim.described.name.as_str(), claim.shown_at), ("wall", begun));
    assert_eq!(claim.former, None);
    let claimed = line("device.code_claimed", Some(link.id.to_string()), Some("wall"), None);
    assert_eq!(last_line(bench, &home, &ada.actor()).await, claimed);
    let shown = Redeemed::Pending { number: Some(number(42)) };
    assert_eq!(bench.redeem("wall", "one", "t").await, shown);

    bench.tick().await;
    let mut yes = bench.yes(&home, ada, &claim).await;
    yes.room = Some("Hall".to_owned());
    let device = store.confirm_link(&yes, &ada.act()).await.unwrap();
    let confirmed = bench.time.now().await;
    assert_eq!((device.id, device.state), (yes.device, DeviceState::Pending));
    assert_eq!((device.linked_at, device.expires_at), (confirmed, confirmed + ABSOLUTE));
    assert_eq!((device.linked_by, device.linked_by_name.as_str()), (Some(ada.member), "ada"));
    let linked = line("device.linked", Some(device.id.to_string()), Some("Kitchen"), Some("Hall"));
    assert_eq!(last_line(bench, &home, &ada.actor()).await, linked);
    assert_eq!(store.devices(home.family).await.unwrap(), [device.clone()]);
    assert_eq!(store.open_links().await.unwrap(), 0);
    let found = store.link_of(&device_code("one"), &thumbprint("wall")).await.unwrap();
    assert_eq!(found, Some((link.id, LinkState::Linked, confirmed + LIFETIME)));

    bench.tick().await;
    let Redeemed::Done(grant) = bench.redeem("wall", "one", "t").await else { panic!("none") };
    let now = bench.time.now().await;
    assert_eq!((grant.issued_at, grant.refresh_expires_at), (now, now + IDLE));
    assert_eq!((grant.device.id, grant.device.state), (device.id, DeviceState::Active));
    assert_eq!(grant.device.last_seen_at, Some(now));
    let signed_in = line("device.signed_in", Some(device.id.to_string()), Some("Kitchen"), None);
    assert_eq!(last_line(bench, &home, &display(device.id, "Kitchen")).await, signed_in);
    assert_eq!(store.devices(home.family).await.unwrap(), [grant.device.clone()]);
    assert_eq!(bench.link(&link).await, LinkState::Redeemed);
    let standing = bench.stands(&grant).await;
    assert_eq!((standing.device, standing.key), (grant.device, thumbprint("wall")));
    assert_eq!((standing.is_token_live, standing.is_token_used), (true, false));
}
