//! The words on the screen, by their keys: from the UI's own catalog, so that a journey reads what
//! a person reads.

use std::collections::HashMap;
use std::sync::LazyLock;

use serde_json::Value;

static ENGLISH: LazyLock<HashMap<String, Value>> = LazyLock::new(|| {
    serde_json::from_str(include_str!("../../../ui/src/lib/i18n/catalogs/en.json"))
        .expect("the UI's build has checked the catalog")
});

/// The English words of `key`.
///
/// # Panics
/// When the catalog has no such key: the journey is out of date then.
pub fn say(key: &str) -> &'static str {
    ENGLISH.get(key).and_then(Value::as_str).unwrap_or_else(|| panic!("no words for {key}"))
}
