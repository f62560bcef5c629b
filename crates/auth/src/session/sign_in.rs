//! Beginning a sign-in: the link, the channel, the browser.

use std::sync::Arc;
use std::time::Duration;

use luminous_domain::Timestamp;
use luminous_wire::{
    AppError, BrowserPurpose, BrowserState, ErrorCode, RedirectChannel, SignInIntent,
};
use url::Url;
use zeroize::Zeroizing;

use super::Session;
use super::state::{Activity, Waiting};
use crate::error::{internal, of_discovery};
use crate::loopback::{Judge, Loopback, Verdict};
use crate::pending::Awaited;
use crate::redirect::{DEEP_LINK, loopback_uri};
use crate::sign_in::{self, Ask, PendingSignIn, Request, Waiter};

impl Session {
    /// Begins what the person wants to do in the browser: makes the link, makes sure that the answer
    /// can come back, opens the browser. A browser that cannot be opened is no error: the link can
    /// be copied (R17). `hint` names an identity provider to go to at once, one of those offered.
    ///
    /// # Errors
    /// Why the provider cannot be asked, [`ErrorCode::ConfigInvalid`] when it has no such policy or
    /// no such identity provider, or [`ErrorCode::RedirectNoChannel`].
    pub async fn begin_sign_in(
        &self,
        intent: SignInIntent,
        hint: Option<&str>,
    ) -> Result<(), AppError> {
        let ask = self.ask_for(intent, hint)?;
        // The person turned to something else; an act that waited for them is not done.
        self.update(|state| {
            state.pending.cancel_where(|purpose| purpose == BrowserPurpose::StepUp);
        });
        self.begin(&ask).await
    }

    fn ask_for(&self, intent: SignInIntent, hint: Option<&str>) -> Result<Ask, AppError> {
        let service = self.service()?;
        if hint.is_some_and(|hint| !service.hints.iter().any(|one| one.domain_hint == hint)) {
            let message = "the provider offers no such identity provider";
            return Err(AppError::new(ErrorCode::ConfigInvalid, message));
        }
        let domain_hint = hint.map(str::to_owned);
        match intent {
            SignInIntent::SignIn => Ok(Ask { domain_hint, ..Ask::default() }),
            SignInIntent::SwitchAccount => Ok(Ask { anew: true, domain_hint, ..Ask::default() }),
            SignInIntent::ResetPassword => self.ask_for_reset(),
            SignInIntent::EditProfile => self.ask_for_edit(),
        }
    }

    /// Begins, and shows in the snapshot why it cannot be.
    pub(super) async fn begin(&self, ask: &Ask) -> Result<(), AppError> {
        self.update(|state| state.problem = None);
        let begun = self.prepare(ask, None).await;
        let link = begun.inspect_err(|error| {
            self.update(|state| state.problem = Some(error.clone()));
        })?;
        self.open_browser(link).await;
        Ok(())
    }

    /// Makes the link and waits for its answer from now on.
    pub(super) async fn prepare(&self, ask: &Ask, waiter: Option<Waiter>) -> Result<Url, AppError> {
        let must =
            ask.purpose == BrowserPurpose::SignIn && self.inner.file.asks_anew().unwrap_or(false);
        let ask = &Ask { anew: ask.anew || must, ..ask.clone() };
        let provider = self.provider_under(ask.policy.as_deref())?;
        let metadata = provider.metadata().await.map_err(|error| of_discovery(&error))?;
        let (channel, loopback) = self.channel().await?;
        let redirect_uri = match &loopback {
            Some(loopback) => loopback_uri(loopback.port()),
            None => DEEP_LINK.to_owned(),
        };
        let request = Request {
            config: provider.config(),
            metadata: &metadata,
            redirect_uri: &redirect_uri,
            ask,
            language: self.settings().language,
            now: self.inner.ports.clock.now(),
        };
        let (link, pending) =
            sign_in::begin(request, &*self.inner.ports.entropy).map_err(internal)?;
        let id = pending.state.clone();
        let waiting = Waiting {
            id: id.clone(),
            link: link.clone(),
            purpose: ask.purpose,
            channel,
            browser: BrowserState::Opened,
            expires_at: pending.expires_at,
        };
        self.update(|state| {
            state.pending.add(PendingSignIn { waiter, ..pending });
            state.activity = Activity::Waiting(waiting);
        });
        // Before the browser opens, so that not even a crash now loses the answer.
        self.save_pending().await;
        self.attend(id, loopback);
        Ok(link)
    }

    /// The deep link where it comes to us, else a loopback port.
    async fn channel(&self) -> Result<(RedirectChannel, Option<Loopback>), AppError> {
        let scheme = Arc::clone(&self.inner.ports.scheme);
        let ours = tokio::task::spawn_blocking(move || scheme.is_ours()).await;
        if ours.unwrap_or(false) {
            return Ok((RedirectChannel::DeepLink, None));
        }
        match Loopback::bind(&self.inner.tuning.loopback_ports).await {
            Ok(loopback) => Ok((RedirectChannel::Loopback, Some(loopback))),
            Err(error) => {
                let message = format!("the deep link is not registered to this app, and {error}");
                Err(AppError::new(ErrorCode::RedirectNoChannel, message))
            }
        }
    }

    /// Listens, where that is the channel, until the answer came or the time is up.
    fn attend(&self, id: Zeroizing<String>, loopback: Option<Loopback>) {
        let session = self.clone();
        self.spawn(async move {
            let over = session.over(&id);
            match loopback {
                Some(loopback) => tokio::select! {
                    () = loopback.serve(session.judge()) => {}
                    () = over => {}
                },
                None => over.await,
            }
            // The port is closed by now; a keyring that hangs must not keep it open.
            session.save_pending().await;
        });
    }

    /// Waits until the sign-in `id` is not pending any more, and ends it when its time is up.
    async fn over(&self, id: &str) {
        let mut snapshots = self.snapshots();
        loop {
            let now = self.inner.ports.clock.now();
            let left = match self.state().pending.expires_at(id) {
                Some(expires_at) => expires_at.duration_since(now),
                None => return,
            };
            match Duration::try_from(left) {
                Ok(left) if !left.is_zero() => tokio::select! {
                    () = tokio::time::sleep(left) => {}
                    changed = snapshots.changed() => if changed.is_err() { return },
                },
                _ => return self.expire(id, now),
            }
        }
    }

    fn expire(&self, id: &str, now: Timestamp) {
        self.update(|state| {
            state.pending.expire(now);
            let Activity::Waiting(waiting) = &state.activity else { return };
            if waiting.id.as_str() != id {
                return;
            }
            let purpose = waiting.purpose;
            state.activity = Activity::Idle;
            // The act that waited for a step-up says so itself.
            if purpose != BrowserPurpose::StepUp {
                let message = "the sign-in took too long";
                state.problem = Some(AppError::new(ErrorCode::RedirectExpired, message));
            }
        });
    }

    fn judge(&self) -> Judge {
        let session = self.clone();
        Arc::new(move |parsed| match session.take(parsed) {
            Ok(taken) => {
                let session = session.clone();
                tokio::spawn(async move {
                    // What went wrong is in the snapshot.
                    let _ = session.finish(taken).await;
                });
                Verdict::Taken
            }
            Err(_) => Verdict::Refused,
        })
    }

    /// After a restart: listens again on the ports that answers are still awaited on.
    pub(super) async fn listen_again(&self, awaited: Vec<Awaited>) {
        for (id, redirect_uri) in awaited {
            let port = Url::parse(&redirect_uri).ok().and_then(|url| url.port());
            let loopback = match port {
                Some(port) => Loopback::bind(&[port]).await.ok(),
                None => None,
            };
            self.attend(id, loopback);
        }
    }

    pub(super) async fn open_browser(&self, link: Url) {
        let browser = Arc::clone(&self.inner.ports.browser);
        let opened = tokio::task::spawn_blocking(move || browser.open(&link)).await;
        let failure = match opened {
            Ok(Ok(())) => None,
            Ok(Err(error)) => Some(error.to_string()),
            Err(_) => Some("the browser's port panicked".to_owned()),
        };
        self.update(|state| {
            let Activity::Waiting(waiting) = &mut state.activity else { return };
            waiting.browser =
                if failure.is_none() { BrowserState::Opened } else { BrowserState::Failed };
            state.problem =
                failure.map(|message| AppError::new(ErrorCode::RedirectNoBrowser, message));
        });
    }

    /// Opens the browser once more for the sign-in that is waiting.
    ///
    /// # Errors
    /// [`ErrorCode::RedirectNoPending`] when none is.
    pub async fn open_again(&self) -> Result<(), AppError> {
        self.open_browser(self.waiting_link()?).await;
        Ok(())
    }

    /// The link of the sign-in that is waiting, for another browser.
    ///
    /// # Errors
    /// [`ErrorCode::RedirectNoPending`] when none is.
    pub fn sign_in_link(&self) -> Result<String, AppError> {
        self.waiting_link().map(String::from)
    }

    fn waiting_link(&self) -> Result<Url, AppError> {
        match &self.state().activity {
            Activity::Waiting(waiting) => Ok(waiting.link.clone()),
            _ => Err(AppError::new(ErrorCode::RedirectNoPending, "no sign-in is waiting")),
        }
    }

    /// Gives up the sign-in that is waiting. An answer that still comes is ignored.
    ///
    /// # Errors
    /// None at present; cancelling twice is fine.
    pub async fn cancel_sign_in(&self) -> Result<(), AppError> {
        self.update(|state| {
            if let Activity::Waiting(waiting) = &state.activity {
                state.pending.cancel(&waiting.id);
                state.activity = Activity::Idle;
                state.problem = None;
            }
        });
        self.save_pending().await;
        Ok(())
    }
}
