//! The words on the screen, by their keys: from the UI's own catalog, so that a journey reads what
//! a person reads.

use std::collections::HashMap;
use std::sync::LazyLock;

use anyhow::Context;
use serde_json::Value;

static ENGLISH: LazyLock<HashMap<String, Value>> = LazyLock::new(|| {
    [
        // A wall's first: a key that both have means the window.
        include_str!("../../../ui/src/kiosk/words/en.json"),
        include_str!("../../../ui/src/lib/i18n/catalogs/en.json"),
        include_str!("../../../ui/src/lib/i18n/catalogs/en.behind.json"),
    ]
    .into_iter()
    .flat_map(|catalog| {
        let words: HashMap<String, Value> =
            serde_json::from_str(catalog).expect("the UI's build has checked the catalog");
        words
    })
    .collect()
});

/// The English words of `key`; an error when the journey is older than the catalog.
pub fn say(key: &str) -> anyhow::Result<&'static str> {
    ENGLISH.get(key).and_then(Value::as_str).with_context(|| format!("no words for {key}"))
}

/// The same with its places filled in.
pub fn say_with(key: &str, values: &[(&str, &str)]) -> anyhow::Result<String> {
    let words = say(key)?.to_owned();
    Ok(values
        .iter()
        .fold(words, |words, (name, value)| words.replace(&format!("{{{name}}}"), value)))
}
