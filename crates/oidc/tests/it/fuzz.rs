//! Arbitrary and mutated input: never a panic, never a token that verifies (case V8).

use luminous_oidc::jose::KeySet;
use luminous_oidc::{Algorithm, ProviderConfig, Transport, bearer_token};
use proptest::prelude::*;
use serde_json::json;

use crate::fake::{World, code};
use crate::signer::{PUBLISHED, encode};

fn verdict(world: &World, token: &str) -> &'static str {
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    runtime.block_on(async { code(&world.id(token).await) })
}

proptest! {
    #[test]
    fn v8_arbitrary_text_never_verifies(token in any::<String>()) {
        prop_assert_eq!(verdict(&World::new(), &token), "token.malformed");
    }

    #[test]
    fn v8_arbitrary_parts_never_verify(
        header in any::<Vec<u8>>(), payload in any::<Vec<u8>>(), signature in any::<Vec<u8>>(),
    ) {
        let token = format!("{}.{}.{}", encode(header), encode(payload), encode(signature));
        prop_assert_ne!(verdict(&World::new(), &token), "ok");
    }

    #[test]
    fn v8_a_signed_payload_of_any_bytes_never_verifies(payload in any::<Vec<u8>>()) {
        let head = json!({ "alg": "RS256", "kid": PUBLISHED.kid }).to_string();
        let token = PUBLISHED.sign_raw(&head, &payload);
        prop_assert_ne!(verdict(&World::new(), &token), "ok");
    }

    #[test]
    fn v8_a_good_token_with_one_character_changed_never_verifies(
        at in any::<prop::sample::Index>(), to in any::<char>(),
    ) {
        let world = World::new();
        let good = PUBLISHED.sign(&world.id_claims(&json!({})));
        let at = at.index(good.len());
        let mutated = format!("{}{to}{}", &good[..at], &good[at + 1..]);
        prop_assume!(mutated != good);
        prop_assert_ne!(verdict(&world, &mutated), "ok");
    }

    #[test]
    fn v8_a_good_token_cut_or_repeated_anywhere_never_verifies(
        from in any::<prop::sample::Index>(), to in any::<prop::sample::Index>(),
    ) {
        let world = World::new();
        let good = PUBLISHED.sign(&world.id_claims(&json!({})));
        let (from, to) = (from.index(good.len()), to.index(good.len()));
        prop_assume!(from != to);
        let mutated = format!("{}{}", &good[..from], &good[to..]);
        prop_assert_ne!(verdict(&world, &mutated), "ok");
    }

    #[test]
    fn arbitrary_bytes_are_no_panic_as_keys_addresses_or_credentials(
        bytes in any::<Vec<u8>>(), text in any::<String>(),
    ) {
        if let Ok(set) = KeySet::parse(&bytes, &Algorithm::ALL) {
            prop_assert!(set.is_empty());
        }
        let _ = ProviderConfig::from_address(&text, "client", Transport::LoopbackHttp);
        let _ = ProviderConfig::from_address(&format!("https://{text}"), "c", Transport::HttpsOnly);
        let mut headers = http::HeaderMap::new();
        if let Ok(value) = http::HeaderValue::from_bytes(&bytes) {
            headers.insert("authorization", value);
            let _ = bearer_token(&headers);
        }
    }

    #[test]
    fn arbitrary_variables_are_no_panic(values in prop::collection::vec(any::<String>(), 8)) {
        let names = [
            "B2C_TENANT_ID", "B2C_CLIENT_ID", "B2C_SIGNIN_POLICY", "B2C_AUTHORITY", "B2C_SCOPE",
            "B2C_JWKS_URI", "B2C_OPENID_CONFIG", "LUMINOUS_ISSUER",
        ];
        let find = |name: &str| names.iter().position(|one| *one == name).map(|at| values[at].clone());
        let _ = ProviderConfig::from_variables(&find);
    }
}
