//! Sign-ins of browsers.

use async_trait::async_trait;
use luminous_domain::{AccountId, WebSessionId};
use rusqlite::{OptionalExtension as _, params};

use super::audit::{Line, family_of};
use super::rows::{
    Id as _, SESSION, STANDING, STANDING_FROM, after_lasting, at, ms, session, standing,
};
use super::{Read, SqliteStore, Write};
use crate::SecretHash;
use crate::audit::Act;
use crate::error::StoreError;
use crate::web_sessions::{
    NewPendingSignIn, NewWebSession, PendingSignIn, SessionOwner, WebSession, WebSessions,
};

/// How exactly "last used" is kept.
const MARK_MS: i64 = 60_000;
/// How much of what a browser says of itself is kept.
const USER_AGENT: usize = 200;

/// That a session still lasts at `?2`.
const LASTS: &str = "s.expires_at >= ?2 AND s.last_seen_at + s.idle_ms >= ?2";

/// Those of one account that last, the latest first.
pub(super) fn lasting(read: &Read<'_>, account: AccountId) -> Result<Vec<WebSession>, StoreError> {
    let sql = format!(
        "SELECT {SESSION} FROM web_sessions s WHERE s.account_id = ?1 AND {LASTS} \
         ORDER BY s.created_at DESC, s.id DESC"
    );
    let mut query = read.connection.prepare_cached(&sql)?;
    let rows = query.query_map(params![account.key(), read.now], session)?;
    Ok(rows.collect::<Result<_, _>>()?)
}

fn find(read: &Read<'_>, token: &SecretHash) -> Result<Option<SessionOwner>, StoreError> {
    let sql = format!(
        "SELECT {SESSION}, {STANDING} FROM web_sessions s \
         CROSS JOIN {STANDING_FROM} WHERE s.token = ?1 AND {LASTS} AND a.id = s.account_id"
    );
    let mut query = read.connection.prepare_cached(&sql)?;
    let found = query.query_row(params![token, read.now], |row| {
        Ok(SessionOwner { session: session(row)?, standing: standing(row, 8)? })
    });
    Ok(found.optional()?)
}

fn open(
    write: &Write<'_>,
    new: &NewWebSession,
    replaces: Option<&SecretHash>,
    act: &Act,
) -> Result<WebSession, StoreError> {
    if let Some(old) = replaces {
        write
            .connection
            .prepare_cached("DELETE FROM web_sessions WHERE token = ?1")?
            .execute([old])?;
    }
    let user_agent: String = new.user_agent.chars().take(USER_AGENT).collect();
    let auth_time = new.auth_time.map(|time| time.as_millisecond());
    let expires_at = after_lasting(write.now, new.lifetime);
    let sql = "INSERT INTO web_sessions (id, token, account_id, user_agent, auth_time, \
         created_at, last_seen_at, idle_ms, expires_at, email_unverified) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?6, ?7, ?8, ?9)";
    write.connection.prepare_cached(sql)?.execute(params![
        new.id.key(),
        new.token,
        new.account.key(),
        user_agent,
        auth_time,
        write.now,
        // What never ends must not overflow when it is added to a time.
        ms(new.idle).min(i64::from(u32::MAX) * 1000),
        expires_at,
        new.is_email_unverified
    ])?;
    let family = family_of(write, new.account)?;
    Line::new(family, act, "session.opened").about(&new.id).write(write)?;
    Ok(WebSession {
        id: new.id,
        account: new.account,
        user_agent,
        auth_time: auth_time.map(at),
        is_email_unverified: new.is_email_unverified,
        created_at: at(write.now),
        last_seen_at: at(write.now),
        expires_at: at(expires_at),
    })
}

/// Notes that the session was used just now; answers when that was, if it is still there.
fn mark_used(write: &Write<'_>, token: &SecretHash) -> Result<Option<i64>, StoreError> {
    let sql = "UPDATE web_sessions SET last_seen_at = ?2 WHERE token = ?1";
    let marked = write.connection.prepare_cached(sql)?.execute(params![token, write.now])?;
    Ok((marked > 0).then_some(write.now))
}

fn end(
    write: &Write<'_>,
    account: AccountId,
    id: WebSessionId,
    act: &Act,
) -> Result<bool, StoreError> {
    let sql =
        format!("DELETE FROM web_sessions AS s WHERE s.account_id = ?1 AND {LASTS} AND s.id = ?3");
    let mut delete = write.connection.prepare_cached(&sql)?;
    if delete.execute(params![account.key(), write.now, id.key()])? == 0 {
        return Ok(false);
    }
    let family = family_of(write, account)?;
    Line::new(family, act, "session.ended").about(&id).write(write)?;
    Ok(true)
}

fn begin(write: &Write<'_>, new: &NewPendingSignIn) -> Result<(), StoreError> {
    let sql = "INSERT INTO pending_sign_ins \
         (state, browser, nonce, verifier, issuer, return_to, expires_at) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)";
    write.connection.prepare_cached(sql)?.execute(params![
        new.state,
        new.browser,
        new.nonce,
        new.verifier,
        new.issuer,
        new.return_to,
        after_lasting(write.now, new.lifetime)
    ])?;
    Ok(())
}

fn take(
    write: &Write<'_>,
    state: &SecretHash,
    browser: &SecretHash,
) -> Result<Option<PendingSignIn>, StoreError> {
    let sql = "DELETE FROM pending_sign_ins \
         WHERE state = ?1 AND browser = ?2 AND expires_at >= ?3 \
         RETURNING nonce, verifier, issuer, return_to";
    let mut delete = write.connection.prepare_cached(sql)?;
    let taken = delete.query_row(params![state, browser, write.now], |row| {
        Ok(PendingSignIn {
            nonce: row.get(0)?,
            verifier: row.get(1)?,
            issuer: row.get(2)?,
            return_to: row.get(3)?,
        })
    });
    Ok(taken.optional()?)
}

#[async_trait]
impl WebSessions for SqliteStore {
    async fn begin_pending(&self, new: &NewPendingSignIn) -> Result<(), StoreError> {
        let new = new.clone();
        self.store(move |write| begin(write, &new)).await
    }

    async fn take_pending(
        &self,
        state: &SecretHash,
        browser: &SecretHash,
    ) -> Result<Option<PendingSignIn>, StoreError> {
        let (state, browser) = (*state, *browser);
        self.store(move |write| take(write, &state, &browser)).await
    }

    async fn open_session(
        &self,
        new: &NewWebSession,
        replaces: Option<&SecretHash>,
        act: &Act,
    ) -> Result<WebSession, StoreError> {
        let (new, replaces, act) = (new.clone(), replaces.copied(), act.clone());
        self.store(move |write| open(write, &new, replaces.as_ref(), &act)).await
    }

    async fn resume_session(&self, token: &SecretHash) -> Result<Option<SessionOwner>, StoreError> {
        let token = *token;
        let Some(mut owner) = self.read(move |read| find(read, &token)).await? else {
            return Ok(None);
        };
        let marked = owner.session.last_seen_at.as_millisecond();
        if self.readers.now().saturating_sub(marked) < MARK_MS {
            return Ok(Some(owner));
        }
        match self.store(move |write| mark_used(write, &token)).await {
            Ok(Some(now)) => owner.session.last_seen_at = at(now),
            // It was ended while we asked.
            Ok(None) => return Ok(None),
            // Who is signed in stays so while the disk is full.
            Err(error) => tracing::warn!(%error, "the use of a session was not noted"),
        }
        Ok(Some(owner))
    }

    async fn sessions(&self, account: AccountId) -> Result<Vec<WebSession>, StoreError> {
        self.read(move |read| lasting(read, account)).await
    }

    async fn end_session(
        &self,
        account: AccountId,
        id: WebSessionId,
        act: &Act,
    ) -> Result<bool, StoreError> {
        let act = act.clone();
        self.store(move |write| end(write, account, id, &act)).await
    }
}
