//! An open page: finding the one that a request names, and leaving it.

use axum::body::Bytes;
use axum::http::HeaderMap;
use axum::response::Response;

use super::deliver::Came;
use super::{authorize::language, cookies, deliver, page};
use crate::authorize::Params;
use crate::engine::{Core, lock};
use crate::interaction::Interaction;
use crate::journey::Stage;
use crate::random;
use crate::refusal::Refusal;
use crate::words::{Language, Words};

/// An open page, as a request names it.
pub(super) struct Open {
    pub(super) tx: String,
    pub(super) interaction: Interaction,
}

impl Open {
    pub(super) fn words(&self) -> &'static Words {
        self.interaction.language.words()
    }

    /// The person has come further; the page that answers next must know.
    ///
    /// # Errors
    /// The page that says so when it was closed in the meantime.
    pub(super) fn move_on(&mut self, core: &Core, stage: Stage) -> Result<(), Box<Response>> {
        if !lock(&core.interactions).move_on(&self.tx, stage.clone()) {
            return Err(Box::new(self.expired()));
        }
        self.interaction.stage = stage;
        Ok(())
    }

    /// Leaves without signing in.
    pub(super) fn leave(&self, core: &Core, refusal: Refusal) -> Response {
        if !lock(&core.interactions).close(&self.tx) {
            return self.expired();
        }
        let Interaction { realm, asked, language, .. } = &self.interaction;
        deliver::refusal(core, realm, &asked.return_to, (*language, Came::ByForm), refusal)
    }

    /// "This page is no longer valid."
    pub(super) fn expired(&self) -> Response {
        page::expired(self.interaction.language)
    }

    /// A fault of our own.
    pub(super) fn fail(&self, error: &dyn std::error::Error) -> Response {
        tracing::error!(%error, "a page failed");
        page::failed(self.interaction.language)
    }
}

/// The open page that a link names, if this browser opened it.
///
/// # Errors
/// The page that says that it is not open.
pub(super) fn linked(
    core: &Core,
    query: Option<String>,
    headers: &HeaderMap,
) -> Result<(Open, Params), Box<Response>> {
    let params = Params::parse(query.unwrap_or_default().as_bytes());
    match find(core, &params, headers) {
        Ok(open) => Ok((open, params)),
        Err(language) => Err(Box::new(page::expired(language))),
    }
}

/// The open page that a form belongs to: as [`linked`], and the form must carry its page's token.
///
/// # Errors
/// The page that says that it is not open.
pub(super) fn posted(
    core: &Core,
    body: &Bytes,
    headers: &HeaderMap,
) -> Result<(Open, Params), Box<Response>> {
    let params = Params::parse(body);
    let open =
        find(core, &params, headers).map_err(|language| Box::new(page::expired(language)))?;
    if !random::same(&open.interaction.csrf, params.get("csrf").unwrap_or_default()) {
        return Err(Box::new(open.expired()));
    }
    Ok((open, params))
}

/// The named page, or the language to say in that it is not open.
fn find(core: &Core, params: &Params, headers: &HeaderMap) -> Result<Open, Language> {
    let tx = params.get("tx").unwrap_or_default();
    let browser = cookies::browser(headers);
    let found = lock(&core.interactions).find(tx, &browser, core.now()).cloned();
    match found {
        Some(interaction) => Ok(Open { tx: tx.to_owned(), interaction }),
        None => Err(language(params, headers)),
    }
}

/// Whether the person wants to go.
pub(super) fn cancels(params: &Params) -> bool {
    params.get("action") == Some("cancel")
}
