//! The place in a family of who is signed in: asked for, remembered, shown.

use luminous_domain::FamilyId;
use luminous_wire::api::Me;
use luminous_wire::{AppError, ErrorCode, FamilyStanding};

use super::Session;
use super::answer::stale;
use crate::family::{Call, read_me};

/// What an answer about the standing belongs to.
struct Asked {
    epoch: u64,
    number: u64,
}

impl Session {
    /// Asks the family server who we are and where we belong, and shows it.
    ///
    /// # Errors
    /// As for every act ([`crate::family`]).
    pub async fn load_family(&self) -> Result<Me, AppError> {
        let asked = self.count_question()?;
        let body = self.carry(&Call::get(["api", "me"])).await?;
        self.take_me(&asked, &body)
    }

    /// The same, behind everything else and with the token there is: it follows a refresh, so a
    /// token that is refused must not lead to another one.
    pub(super) fn ask_for_standing(&self) {
        if self.service().map_or(true, |service| service.api.is_none()) {
            return;
        }
        let session = self.clone();
        self.spawn(async move {
            if let Err(error) = session.ask_once().await {
                tracing::info!(code = %error.code, "the place in the family is not known");
            }
        });
    }

    async fn ask_once(&self) -> Result<(), AppError> {
        let asked = self.count_question()?;
        let body = self.carry_once(&Call::get(["api", "me"])).await?;
        self.take_me(&asked, &body).map(drop)
    }

    /// An act whose answer says who we are from now on.
    pub(super) async fn become_member(&self, call: &Call) -> Result<Me, AppError> {
        let asked = self.count_question()?;
        let body = self.perform(call).await?;
        self.take_me(&asked, &body)
    }

    /// We are in no family any more.
    pub(super) async fn become_outsider(&self, call: &Call) -> Result<(), AppError> {
        let asked = self.count_question()?;
        self.perform(call).await?;
        self.take_standing(&asked, &FamilyStanding::Outside);
        Ok(())
    }

    /// The family's id, for the addresses of its affairs.
    pub(super) async fn family_id(&self) -> Result<FamilyId, AppError> {
        if let Some(id) = self.known_family() {
            return Ok(id);
        }
        self.load_family().await?;
        self.known_family().ok_or_else(|| {
            AppError::new(ErrorCode::AuthzFamilyMismatch, "who is signed in is in no family")
        })
    }

    fn known_family(&self) -> Option<FamilyId> {
        match &self.state().signed_in()?.account.family {
            FamilyStanding::Member { membership } => Some(membership.family.id),
            _ => None,
        }
    }

    fn count_question(&self) -> Result<Asked, AppError> {
        let mut state = self.state();
        let epoch = state.epoch;
        let signed_in = state.signed_in().ok_or_else(super::refresh::no_session)?;
        signed_in.asked += 1;
        Ok(Asked { epoch, number: signed_in.asked })
    }

    fn take_me(&self, asked: &Asked, body: &[u8]) -> Result<Me, AppError> {
        let me = read_me(body)?;
        if self.state().epoch != asked.epoch {
            return Err(stale());
        }
        let family = match me.membership.clone() {
            Some(membership) => FamilyStanding::Member { membership },
            None => FamilyStanding::Outside,
        };
        self.take_standing(asked, &family);
        Ok(me)
    }

    /// Shows and remembers it, unless a later question was answered before.
    fn take_standing(&self, asked: &Asked, family: &FamilyStanding) {
        let account = self.update(|state| {
            let current = state.epoch == asked.epoch;
            let signed_in =
                state.signed_in().filter(|one| current && one.answered < asked.number)?;
            signed_in.answered = asked.number;
            let changed = signed_in.account.family != *family;
            signed_in.account.family = family.clone();
            changed.then(|| signed_in.account.view.id.clone())
        });
        if let Some(account) = account {
            self.note_file(self.inner.file.save_standing(&account, family));
        }
    }
}
