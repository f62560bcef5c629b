//! Sign-in pages that are open in a browser.
//!
//! They live in memory: a restart of the emulator ends them, and the page says so. A page belongs
//! to the browser that asked for it (a cookie), and its forms carry a token of their own, so that
//! no other site and no other browser can finish it.

use std::collections::HashMap;

use crate::authorize::Asked;
use crate::journey::Stage;
use crate::random;
use crate::realm::Realm;
use crate::words::Language;

/// One open page.
#[derive(Clone)]
pub(crate) struct Interaction {
    pub(crate) realm: Realm,
    pub(crate) asked: Asked,
    pub(crate) language: Language,
    /// What the forms must repeat.
    pub(crate) csrf: String,
    /// The cookie of the browser that opened it.
    pub(crate) browser: String,
    /// Unix seconds.
    pub(crate) expires: i64,
    /// How far the person has come.
    pub(crate) stage: Stage,
}

/// All open pages, by id.
#[derive(Default)]
pub(crate) struct Interactions(HashMap<String, Interaction>);

/// More pages than this are never open; the oldest are forgotten.
const MOST: usize = 1000;

impl Interactions {
    /// Opens a page; answers its id.
    pub(crate) fn open(&mut self, interaction: Interaction, now: i64) -> String {
        self.0.retain(|_, known| known.expires > now);
        if self.0.len() >= MOST
            && let Some(oldest) = self.0.iter().min_by_key(|(_, known)| known.expires)
        {
            let oldest = oldest.0.clone();
            self.0.remove(&oldest);
        }
        let id = random::token();
        self.0.insert(id.clone(), interaction);
        id
    }

    /// The page with this id, for this browser, while it is open.
    pub(crate) fn find(&self, id: &str, browser: &str, now: i64) -> Option<&Interaction> {
        let found = self.0.get(id)?;
        let ours = found.expires > now && random::same(&found.browser, browser);
        ours.then_some(found)
    }

    /// The person has come further; `false` when the page was closed in the meantime.
    pub(crate) fn move_on(&mut self, id: &str, stage: Stage) -> bool {
        let found = self.0.get_mut(id);
        found.map(|interaction| interaction.stage = stage).is_some()
    }

    /// Closes a page: its answer is on the way.
    pub(crate) fn close(&mut self, id: &str) -> bool {
        self.0.remove(id).is_some()
    }
}
