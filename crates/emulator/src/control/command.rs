//! The commands of `POST /emulator/control`: the control for those outside this process.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{Control, ControlError};
use crate::address::Endpoint;
use crate::config::DEMO_APP_CLIENT_ID;
use crate::engine::Event;
use crate::lies::{Fault, KeysLie, MetadataLie, RedirectLie, ResponseLie, Times, TokenLie};

/// A command of `POST /emulator/control`, in JSON tagged by `command`.
///
/// `times` is a number of answers; left out, the lie stands until `clear`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "command", rename_all = "snake_case", deny_unknown_fields)]
pub enum Command {
    /// [`Control::lie`].
    Lie {
        /// The lie.
        lie: TokenLie,
        /// For how many token responses.
        #[serde(default)]
        times: Times,
    },
    /// [`Control::respond`].
    Respond {
        /// The lie.
        lie: ResponseLie,
        /// For how many token responses.
        #[serde(default)]
        times: Times,
    },
    /// [`Control::redirect`].
    Redirect {
        /// The lie.
        lie: RedirectLie,
        /// For how many redirects.
        #[serde(default)]
        times: Times,
    },
    /// [`Control::metadata`].
    Metadata {
        /// The lie.
        lie: MetadataLie,
        /// For how many documents.
        #[serde(default)]
        times: Times,
    },
    /// [`Control::keys`].
    Keys {
        /// The lie.
        lie: KeysLie,
        /// For how many documents.
        #[serde(default)]
        times: Times,
    },
    /// [`Control::fault`].
    Fault {
        /// Where.
        endpoint: Endpoint,
        /// What.
        fault: Fault,
        /// For how many requests.
        #[serde(default)]
        times: Times,
    },
    /// [`Control::release`].
    Release,
    /// [`Control::clear`].
    Clear,
    /// [`Control::publish_next_key`].
    PublishNextKey,
    /// [`Control::promote_next_key`].
    PromoteNextKey,
    /// [`Control::retire_old_keys`].
    RetireOldKeys,
    /// [`Control::create_user`].
    CreateUser {
        /// Their address.
        email: String,
        /// Their display name.
        name: String,
        /// Their password.
        password: String,
    },
    /// [`Control::delete_user`].
    DeleteUser {
        /// Their address.
        email: String,
    },
    /// [`Control::revoke_refresh_tokens`].
    RevokeRefreshTokens {
        /// Their address.
        email: String,
    },
    /// [`Control::clear_sessions`].
    ClearSessions,
    /// [`Control::mailbox`].
    Mailbox,
    /// [`Control::enrol_second_factor`].
    EnrolSecondFactor {
        /// Their address.
        email: String,
    },
    /// [`Control::forget_second_factor`].
    ForgetSecondFactor {
        /// Their address.
        email: String,
    },
    /// [`Control::second_factor_code`].
    SecondFactorCode {
        /// Their address.
        email: String,
    },
    /// [`Control::connector_down`].
    ConnectorDown {
        /// For how many calls.
        #[serde(default)]
        times: Times,
    },
    /// An access token for the family API, as [`Control::access_token_spec_at`] specifies it.
    AccessToken {
        /// Whose.
        email: String,
        /// Of which policy.
        policy: String,
    },
    /// [`Control::requests`].
    Requests {
        /// Of which endpoint.
        endpoint: Endpoint,
    },
    /// [`Control::count`].
    Count {
        /// Of which event.
        event: Event,
    },
    /// [`Control::request_log`].
    RequestLog,
}

impl Control {
    /// Carries out a command; the answer is for the sender.
    ///
    /// # Errors
    /// As the method that the command stands for.
    pub fn apply(&self, command: Command) -> Result<Value, ControlError> {
        match command {
            Command::Lie { lie, times } => self.lie(lie, times),
            Command::Respond { lie, times } => self.respond(lie, times),
            Command::Redirect { lie, times } => self.redirect(lie, times),
            Command::Metadata { lie, times } => self.metadata(lie, times),
            Command::Keys { lie, times } => self.keys(lie, times),
            Command::Fault { endpoint, fault, times } => self.fault(endpoint, fault, times),
            Command::Release => self.release(),
            Command::Clear => self.clear(),
            Command::PublishNextKey => self.publish_next_key()?,
            Command::PromoteNextKey => self.promote_next_key()?,
            Command::RetireOldKeys => self.retire_old_keys()?,
            Command::CreateUser { email, name, password } => {
                let user = self.create_user(&email, &name, &password)?;
                return Ok(json!({ "oid": user.oid }));
            }
            Command::DeleteUser { email } => self.delete_user(&email)?,
            Command::RevokeRefreshTokens { email } => {
                return Ok(json!({ "revoked": self.revoke_refresh_tokens(&email)? }));
            }
            Command::ClearSessions => self.clear_sessions()?,
            Command::Mailbox => return Ok(json!({ "mail": self.mailbox() })),
            Command::EnrolSecondFactor { email } => self.enrol_second_factor(&email)?,
            Command::ForgetSecondFactor { email } => {
                return Ok(json!({ "forgotten": self.forget_second_factor(&email)? }));
            }
            Command::SecondFactorCode { email } => {
                return Ok(json!({ "code": self.second_factor_code(&email)? }));
            }
            Command::ConnectorDown { times } => self.connector_down(times),
            Command::AccessToken { email, policy } => {
                let user = self.user(&email)?.ok_or(ControlError::NoSuchUser)?;
                let spec = self.access_token_spec_at(&policy, &user, DEMO_APP_CLIENT_ID);
                return Ok(json!({ "access_token": self.mint(&spec)? }));
            }
            Command::Requests { endpoint } => {
                return Ok(json!({ "count": self.requests(endpoint) }));
            }
            Command::Count { event } => return Ok(json!({ "count": self.count(event) })),
            Command::RequestLog => return Ok(json!({ "requests": self.request_log() })),
        }
        Ok(json!({}))
    }
}
