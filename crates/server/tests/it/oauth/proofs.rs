//! Proofs count once, and nobody's own keys fill the memory of it.

use futures_util::poll;
use luminous_domain::{Clock as _, LinkId, OsEntropy};
use luminous_server::oauth;
use luminous_store::Network;
use reqwest::Method;

use crate::display::{DEVICE_CODE, Display};
use crate::rig::{Answer, Rig};

const TOKEN: &str = "/oauth2/token";
const TICKET: &str = "/oauth2/link_ticket";
const CLIENT: (&str, &str) = ("client_id", "luminous-display");
const REPLAYED: &str = "400 invalid_dpop_proof dpop.replayed";
/// What is nobody's.
const UNKNOWN: &str = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

async fn post(rig: &Rig, path: &str, proof: &str, form: &[(&str, &str)]) -> String {
    Answer::of(rig.request(Method::POST, path).header("dpop", proof).form(form)).await.oauth()
}

#[tokio::test]
async fn a_proof_is_remembered_only_with_what_belongs_to_its_key() {
    let rig = Rig::start().await;
    let ana = rig.owner("ana").await;
    let display = Display::linked(&rig, &ana).await;
    let showing = Display::showing(&rig).await;
    for (who, path, name, grant, own, expected) in [
        (&showing, TOKEN, "device_code", DEVICE_CODE, "device_code", "400 authorization_pending"),
        (&showing, TICKET, "device_code", "-", "device_code", "200"),
        (&display, TOKEN, "refresh_token", "refresh_token", "refresh_token", "200"),
    ] {
        let own = who.codes.get(own).or(who.tokens.get(own)).unwrap().as_str().unwrap();
        let proof = who.proof(&rig, &Method::POST, path, None);
        let form = |secret| [CLIENT, ("grant_type", grant), (name, secret)];
        // Nothing is found for it, so nothing can be replayed: as often as one likes.
        for _ in 0..3 {
            let answer = post(&rig, path, &proof, &form(UNKNOWN)).await;
            assert_eq!(answer, "400 invalid_grant unknown", "{path} {name}");
        }
        assert_eq!(post(&rig, path, &proof, &form(own)).await, expected, "{path} {name}");
        assert_eq!(post(&rig, path, &proof, &form(own)).await, REPLAYED, "{path} {name}");
    }
}

#[tokio::test]
async fn whoever_only_names_a_key_takes_no_code_off_its_wall() {
    use base64::Engine as _;
    let rig = Rig::start().await;
    let ana = rig.owner("ana").await;
    let mut display = Display::showing(&rig).await;
    let key = base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(display.key.thumbprint());
    let form = [CLIENT, ("dpop_jkt", &*key)];
    let path = "/oauth2/device_authorization";
    for _ in 0..2 {
        let named = Answer::of(rig.request(Method::POST, path).form(&form)).await;
        assert_eq!(named.oauth(), "200");
    }
    display.approve(&rig, &ana).await;
    let named = Answer::of(rig.request(Method::POST, path).form(&form)).await;
    assert_eq!(named.oauth(), "200");
    assert_eq!(display.redeem(&rig).await.oauth(), "200");
}

#[tokio::test]
async fn a_proof_counts_once_also_where_whoever_asked_hung_up_and_a_strangers_is_forgotten() {
    let rig = Rig::start().await;
    let (showing, stranger) = (Display::showing(&rig).await, Display::new());
    let link = LinkId::new(rig.clock.now(), &OsEntropy).unwrap();
    let own = showing.code("device_code");
    for (who, code) in [(&showing, own), (&stranger, UNKNOWN)] {
        let proof = who.proof(&rig, &Method::POST, TOKEN, None);
        let state = rig.server.state();
        let mut asked = Box::pin(oauth::redeem(state, link, code, &proof, Network::Loopback));
        assert!(poll!(&mut asked).is_pending(), "the store was asked");
        drop(asked);
        let form = [CLIENT, ("grant_type", DEVICE_CODE), ("device_code", code)];
        let mut answer = post(&rig, TOKEN, &proof, &form).await;
        if code == own {
            assert_eq!(answer, REPLAYED);
        }
        // Nobody hears when the store has said that it knows nothing.
        while code == UNKNOWN && answer == REPLAYED {
            answer = post(&rig, TOKEN, &proof, &form).await;
        }
        assert!(code == own || answer == "400 invalid_grant unknown", "{answer}");
    }
}
