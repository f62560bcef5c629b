//! Browser sessions, authorization codes and refresh tokens.

use rusqlite::{OptionalExtension as _, Transaction, TransactionBehavior, params};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::{Store, StoreError};
use crate::config::RefreshMode;
use crate::family::{self, Presented, Step, TokenState};
use crate::random;
use crate::realm::Binding;
use crate::refusal::Refusal;
use crate::scope::Scopes;

/// What a person agreed to, and what every token made from it must repeat.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Grant {
    pub(crate) binding: Binding,
    pub(crate) client_id: String,
    pub(crate) redirect_uri: String,
    pub(crate) oid: String,
    pub(crate) scopes: Scopes,
    pub(crate) challenge: Option<String>,
    pub(crate) nonce: Option<String>,
    pub(crate) auth_time: i64,
    pub(crate) new_user: bool,
    /// How the person authenticated (RFC 8176). Grants of the first version say nothing.
    #[serde(default)]
    pub(crate) amr: Vec<String>,
    /// The authentication context that was asked for and reached.
    #[serde(default)]
    pub(crate) acr: Option<String>,
    /// What the connector said at the sign-in.
    #[serde(default)]
    pub(crate) extensions: Map<String, Value>,
}

/// A browser that is signed in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Session {
    pub(crate) tenant_id: String,
    pub(crate) oid: String,
    pub(crate) auth_time: i64,
    /// Unix seconds.
    pub(crate) expires: i64,
}

/// A code that was presented.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Redemption {
    /// Nobody issued it.
    Unknown,
    /// Too late.
    Expired { issued: i64, expires: i64 },
    /// It was redeemed before; what came of it is revoked (RFC 6749 section 4.1.2).
    Spent,
    /// Not redeemed yet. Checking may still refuse it, so it stays until it is spent.
    Open(Box<Grant>),
}

/// A refresh token that was presented.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Presentation {
    /// Nobody issued it.
    Unknown,
    /// It is known, and this is what it stands for.
    Known(Box<Grant>),
}

/// What the rules said about a refresh token, done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Turn {
    /// Refused; `reuse` when the family was revoked for it.
    Refused { refusal: Refusal, reuse: bool },
    /// The successor.
    Issued { refresh_token: String, expires_in: i64 },
}

/// The lives of refresh tokens, in seconds.
#[derive(Debug, Clone, Copy)]
pub(crate) struct RefreshLife {
    pub(crate) token: i64,
    pub(crate) window: i64,
}

impl Store {
    /// Signs a browser in; answers the cookie's value.
    pub(crate) fn open_session(&self, session: &Session) -> Result<String, StoreError> {
        let cookie = random::token();
        self.connection().execute(
            "INSERT INTO sessions (hash, tenant_id, oid, auth_time, expires) VALUES (?, ?, ?, ?, ?)",
            params![
                random::hash(&cookie),
                session.tenant_id,
                session.oid,
                session.auth_time,
                session.expires
            ],
        )?;
        Ok(cookie)
    }

    /// The session of a cookie, while it lasts.
    pub(crate) fn session(&self, cookie: &str, now: i64) -> Result<Option<Session>, StoreError> {
        let found = self.connection().query_row(
            "SELECT tenant_id, oid, auth_time, expires FROM sessions WHERE hash = ? AND expires > ?",
            params![random::hash(cookie), now],
            |row| {
                Ok(Session {
                    tenant_id: row.get(0)?,
                    oid: row.get(1)?,
                    auth_time: row.get(2)?,
                    expires: row.get(3)?,
                })
            },
        );
        Ok(found.optional()?)
    }

    /// Signs a browser out.
    pub(crate) fn close_session(&self, cookie: &str) -> Result<(), StoreError> {
        let hash = random::hash(cookie);
        self.connection().execute("DELETE FROM sessions WHERE hash = ?", [hash])?;
        Ok(())
    }

    /// Signs all browsers out.
    pub(crate) fn close_all_sessions(&self) -> Result<(), StoreError> {
        self.connection().execute("DELETE FROM sessions", [])?;
        Ok(())
    }

    /// Issues a code. Codes that ended an hour ago are forgotten on the occasion.
    pub(crate) fn issue_code(
        &self,
        grant: &Grant,
        now: i64,
        life: i64,
    ) -> Result<String, StoreError> {
        let code = random::opaque_grant();
        let connection = self.connection();
        connection.execute("DELETE FROM codes WHERE expires < ?", [now - 3600])?;
        connection.execute(
            "INSERT INTO codes (hash, grant_json, issued, expires) VALUES (?, ?, ?, ?)",
            params![random::hash(&code), to_json(grant)?, now, now + life],
        )?;
        Ok(code)
    }

    /// Looks at a code without spending it. A spent one costs its family.
    pub(crate) fn code(&self, code: &str, now: i64) -> Result<Redemption, StoreError> {
        let connection = self.connection();
        let found: Option<(String, i64, i64, Option<String>)> = connection
            .query_row(
                "SELECT grant_json, issued, expires, family FROM codes WHERE hash = ?",
                [random::hash(code)],
                |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?)),
            )
            .optional()?;
        let Some((json, issued, expires, family)) = found else { return Ok(Redemption::Unknown) };
        if let Some(family) = family {
            connection.execute("UPDATE families SET revoked = 1 WHERE id = ?", [family])?;
            return Ok(Redemption::Spent);
        }
        if now >= expires {
            return Ok(Redemption::Expired { issued, expires });
        }
        Ok(Redemption::Open(Box::new(from_json(&json)?)))
    }

    /// Spends a code and opens the family of what comes of it; `None` when another request was
    /// faster.
    pub(crate) fn spend_code(
        &self,
        code: &str,
        grant: &Grant,
        now: i64,
        life: RefreshLife,
    ) -> Result<Option<String>, StoreError> {
        let family = random::token();
        let mut connection = self.connection();
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let spent = transaction.execute(
            "UPDATE codes SET family = ? WHERE hash = ? AND family IS NULL",
            params![family, random::hash(code)],
        )?;
        if spent == 0 {
            return Ok(None);
        }
        transaction.execute(
            "INSERT INTO families (id, oid, grant_json, window_end, revoked) VALUES (?, ?, ?, ?, 0)",
            params![family, grant.oid, to_json(grant)?, now + life.window],
        )?;
        transaction.commit()?;
        Ok(Some(family))
    }

    /// Issues the first refresh token of a family.
    pub(crate) fn issue_refresh_token(
        &self,
        family: &str,
        now: i64,
        life: RefreshLife,
    ) -> Result<String, StoreError> {
        let token = random::opaque_grant();
        let mut connection = self.connection();
        let transaction = connection.transaction()?;
        insert_refresh_token(&transaction, &token, family, None, now, now + life.token)?;
        transaction.commit()?;
        Ok(token)
    }

    /// What a refresh token stands for.
    pub(crate) fn presentation(&self, token: &str) -> Result<Presentation, StoreError> {
        let found: Option<String> = self
            .connection()
            .query_row(
                "SELECT f.grant_json FROM refresh_tokens t JOIN families f ON f.id = t.family
                 WHERE t.hash = ?",
                [random::hash(token)],
                |row| row.get(0),
            )
            .optional()?;
        match found {
            None => Ok(Presentation::Unknown),
            Some(json) => Ok(Presentation::Known(Box::new(from_json(&json)?))),
        }
    }

    /// Applies the rules of `mode` to a refresh token, in one transaction.
    pub(crate) fn turn_over(
        &self,
        token: &str,
        mode: RefreshMode,
        now: i64,
        life: RefreshLife,
    ) -> Result<Turn, StoreError> {
        let hash = random::hash(token);
        let mut connection = self.connection();
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let Some(stored) = read_refresh_token(&transaction, &hash)? else {
            return Ok(Turn::Refused { refusal: Refusal::GrantRevoked, reuse: false });
        };
        let Stored { presented, family, parent } = stored;
        let turn = match family::present(mode, presented, now) {
            Step::Refuse(refusal) => return Ok(Turn::Refused { refusal, reuse: false }),
            Step::RevokeFamily => {
                transaction.execute("UPDATE families SET revoked = 1 WHERE id = ?", [&family])?;
                Turn::Refused { refusal: Refusal::GrantRevoked, reuse: true }
            }
            Step::Issue { presented: state, drop_unused_children, supersede_parent } => {
                set_state(&transaction, &hash, state)?;
                if drop_unused_children {
                    transaction.execute(
                        "UPDATE refresh_tokens SET state = 'dropped'
                         WHERE parent = ? AND state = 'fresh'",
                        [&hash],
                    )?;
                }
                if let Some(parent) = parent.filter(|_| supersede_parent) {
                    set_state(&transaction, &parent, TokenState::Superseded)?;
                }
                let refresh_token = random::opaque_grant();
                let expires = now + life.token;
                insert_refresh_token(
                    &transaction,
                    &refresh_token,
                    &family,
                    Some(&hash),
                    now,
                    expires,
                )?;
                let end = expires.min(presented.window_end);
                Turn::Issued { refresh_token, expires_in: end - now }
            }
        };
        transaction.commit()?;
        Ok(turn)
    }

    /// Revokes every refresh token of a person; answers how many families that were.
    pub(crate) fn revoke_user(&self, oid: &str) -> Result<usize, StoreError> {
        let revoked = self
            .connection()
            .execute("UPDATE families SET revoked = 1 WHERE oid = ? AND revoked = 0", [oid])?;
        Ok(revoked)
    }

    /// How many families still work.
    pub(crate) fn live_families(&self, oid: &str) -> Result<u32, StoreError> {
        Ok(self.connection().query_row(
            "SELECT COUNT(*) FROM families WHERE oid = ? AND revoked = 0",
            [oid],
            |row| row.get(0),
        )?)
    }
}

/// A refresh token at rest.
struct Stored {
    presented: Presented,
    family: String,
    parent: Option<String>,
}

fn read_refresh_token(
    transaction: &Transaction<'_>,
    hash: &str,
) -> Result<Option<Stored>, StoreError> {
    let found = transaction.query_row(
        "SELECT t.state, t.issued, t.expires, f.window_end, f.revoked, f.id, t.parent
         FROM refresh_tokens t JOIN families f ON f.id = t.family WHERE t.hash = ?",
        [hash],
        |row| {
            let state: String = row.get(0)?;
            let stored = TokenState::parse(&state).map(|state| -> rusqlite::Result<Stored> {
                let presented = Presented {
                    state,
                    issued: row.get(1)?,
                    expires: row.get(2)?,
                    window_end: row.get(3)?,
                    family_revoked: row.get(4)?,
                };
                Ok(Stored { presented, family: row.get(5)?, parent: row.get(6)? })
            });
            stored.transpose()
        },
    );
    match found.optional()? {
        None => Ok(None),
        Some(None) => Err(StoreError::Corrupt("a token state")),
        Some(stored) => Ok(stored),
    }
}

fn insert_refresh_token(
    transaction: &Transaction<'_>,
    token: &str,
    family: &str,
    parent: Option<&str>,
    issued: i64,
    expires: i64,
) -> Result<(), StoreError> {
    transaction.execute(
        "INSERT INTO refresh_tokens (hash, family, parent, state, issued, expires)
         VALUES (?, ?, ?, 'fresh', ?, ?)",
        params![random::hash(token), family, parent, issued, expires],
    )?;
    Ok(())
}

fn set_state(
    transaction: &Transaction<'_>,
    hash: &str,
    state: TokenState,
) -> Result<(), StoreError> {
    transaction.execute(
        "UPDATE refresh_tokens SET state = ? WHERE hash = ?",
        params![state.name(), hash],
    )?;
    Ok(())
}

fn to_json(grant: &Grant) -> Result<String, StoreError> {
    serde_json::to_string(grant).map_err(|_| StoreError::Corrupt("a grant"))
}

fn from_json(json: &str) -> Result<Grant, StoreError> {
    serde_json::from_str(json).map_err(|_| StoreError::Corrupt("a grant"))
}
