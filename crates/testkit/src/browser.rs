//! A browser that only remembers what it was asked to open.

use std::sync::{Arc, Mutex};

use luminous_auth::{Browser, BrowserError};
use url::Url;

/// Remembers, and can be told to fail. Clones share the memory.
#[derive(Debug, Clone, Default)]
pub struct RecordingBrowser(Arc<Mutex<(Vec<Url>, bool)>>);

impl RecordingBrowser {
    /// Every URL it was asked to open, oldest first.
    #[must_use]
    pub fn opened(&self) -> Vec<Url> {
        self.0.lock().unwrap().0.clone()
    }

    /// From now on there is, or is not, a browser.
    pub fn break_down(&self, broken: bool) {
        self.0.lock().unwrap().1 = broken;
    }
}

impl Browser for RecordingBrowser {
    fn open(&self, url: &Url) -> Result<(), BrowserError> {
        let mut state = self.0.lock().unwrap();
        if state.1 {
            return Err(BrowserError("xdg-open: not found".to_owned()));
        }
        state.0.push(url.clone());
        Ok(())
    }
}
