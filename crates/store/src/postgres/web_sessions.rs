//! Sign-ins of browsers in PostgreSQL.

use std::sync::LazyLock;

use async_trait::async_trait;
use luminous_domain::{AccountId, WebSessionId};

use super::PostgresStore;
use super::audit::Line;
use super::lease::Lease;
use super::rows::{SESSION, STANDING, contradiction, milliseconds, session, standing};
use super::trouble::Trouble;
use super::write::Tx;
use crate::{
    Act, NewPendingSignIn, NewWebSession, PendingSignIn, SecretHash, SessionOwner, StoreError,
    WebSession, WebSessions,
};

/// How much of what a browser says of itself is kept.
const USER_AGENT_CHARS: usize = 200;
/// How exactly "last used" is known, in ms.
const USE_STEP: i64 = 60_000;

static BY_TOKEN: LazyLock<String> = LazyLock::new(|| {
    format!(
        "SELECT clock.now, s.last_seen_at <= clock.now - $2 AS stale, {SESSION}, {STANDING} \
         JOIN web_sessions s ON s.account_id = a.id, (SELECT luminous_now() AS now) AS clock \
         WHERE s.token = $1 AND s.expires_at >= clock.now AND s.last_seen_at + s.idle >= clock.now"
    )
});

static OPEN: LazyLock<String> = LazyLock::new(|| {
    format!(
        "INSERT INTO web_sessions AS s (id, token, account_id, user_agent, auth_time, idle, \
         created_at, last_seen_at, expires_at, email_unverified) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $7, $8, $9) RETURNING {SESSION}"
    )
});

#[async_trait]
impl WebSessions for PostgresStore {
    async fn begin_pending(&self, new: &NewPendingSignIn) -> Result<(), StoreError> {
        writing!(self, |tx| begin_pending(tx, new))
    }

    async fn take_pending(
        &self,
        state: &SecretHash,
        browser: &SecretHash,
    ) -> Result<Option<PendingSignIn>, StoreError> {
        writing!(self, |tx| take_pending(tx, state, browser))
    }

    async fn open_session(
        &self,
        new: &NewWebSession,
        replaces: Option<&SecretHash>,
        act: &Act,
    ) -> Result<WebSession, StoreError> {
        writing!(self, |tx| open(tx, new, replaces, act))
    }

    async fn resume_session(&self, token: &SecretHash) -> Result<Option<SessionOwner>, StoreError> {
        reading!(self, |lease| resume(lease, token))
    }

    async fn sessions(&self, account: AccountId) -> Result<Vec<WebSession>, StoreError> {
        reading!(self, |lease| of_account(lease, account))
    }

    async fn end_session(
        &self,
        account: AccountId,
        id: WebSessionId,
        act: &Act,
    ) -> Result<bool, StoreError> {
        writing!(self, |tx| end(tx, account, id, act))
    }
}

async fn begin_pending(tx: &Tx, new: &NewPendingSignIn) -> Result<(), Trouble> {
    tx.run(
        "INSERT INTO pending_sign_ins \
         (state, browser, nonce, verifier, issuer, return_to, expires_at) \
         VALUES ($1, $2, $3, $4, $5, $6, $7)",
        &[
            &new.state.as_slice(),
            &new.browser.as_slice(),
            &new.nonce,
            &new.verifier,
            &new.issuer,
            &new.return_to,
            &(tx.now + milliseconds(new.lifetime)),
        ],
    )
    .await?;
    Ok(())
}

async fn take_pending(
    tx: &Tx,
    state: &SecretHash,
    browser: &SecretHash,
) -> Result<Option<PendingSignIn>, Trouble> {
    let row = tx
        .row(
            "DELETE FROM pending_sign_ins WHERE state = $1 AND browser = $2 \
             AND expires_at >= luminous_now() RETURNING nonce, verifier, issuer, return_to",
            &[&state.as_slice(), &browser.as_slice()],
        )
        .await?;
    let Some(row) = row else { return Ok(None) };
    Ok(Some(PendingSignIn {
        nonce: row.try_get("nonce")?,
        verifier: row.try_get("verifier")?,
        issuer: row.try_get("issuer")?,
        return_to: row.try_get("return_to")?,
    }))
}

async fn open(
    tx: &Tx,
    new: &NewWebSession,
    replaces: Option<&SecretHash>,
    act: &Act,
) -> Result<WebSession, Trouble> {
    if let Some(old) = replaces {
        tx.run("DELETE FROM web_sessions WHERE token = $1", &[&old.as_slice()]).await?;
    }
    let user_agent: String = new.user_agent.chars().take(USER_AGENT_CHARS).collect();
    let opening = insert(tx, new, &user_agent);
    let line = Line::affair(new.account, "session.opened").about(&new.id, None);
    // Both at once on the one connection, for signing in is what happens most.
    tokio::try_join!(opening, tx.log(act, &line)).map(|(session, ())| session)
}

async fn insert(tx: &Tx, new: &NewWebSession, user_agent: &str) -> Result<WebSession, Trouble> {
    let row = tx
        .row(
            &OPEN,
            &[
                &new.id.as_uuid(),
                &new.token.as_slice(),
                &new.account.as_uuid(),
                &user_agent,
                &new.auth_time.map(|time| time.as_millisecond()),
                &milliseconds(new.idle),
                &tx.now,
                &(tx.now + milliseconds(new.lifetime)),
                &new.is_email_unverified,
            ],
        )
        .await?;
    session(&row.ok_or(contradiction("a session that is not there"))?)
}

async fn resume(lease: &Lease, token: &SecretHash) -> Result<Option<SessionOwner>, Trouble> {
    let Some(row) = lease.row(&BY_TOKEN, &[&token.as_slice(), &USE_STEP]).await? else {
        return Ok(None);
    };
    let mut owner = SessionOwner { session: session(&row)?, standing: standing(&row)? };
    if row.try_get("stale")? {
        let now: i64 = row.try_get("now")?;
        // It may have been ended since, and then it does not resume.
        let used = lease
            .run(
                "UPDATE web_sessions SET last_seen_at = greatest(last_seen_at, $2) \
                 WHERE token = $1",
                &[&token.as_slice(), &now],
            )
            .await?;
        if used == 0 {
            return Ok(None);
        }
        owner.session.last_seen_at = super::rows::time(now)?;
    }
    Ok(Some(owner))
}

async fn of_account(lease: &Lease, account: AccountId) -> Result<Vec<WebSession>, Trouble> {
    let rows = lease
        .rows(
            &format!(
                "SELECT {SESSION} FROM web_sessions s, (SELECT luminous_now() AS now) AS clock \
                 WHERE s.account_id = $1 AND s.expires_at >= clock.now \
                 AND s.last_seen_at + s.idle >= clock.now ORDER BY s.created_at DESC, s.id DESC"
            ),
            &[&account.as_uuid()],
        )
        .await?;
    rows.iter().map(session).collect()
}

async fn end(tx: &Tx, account: AccountId, id: WebSessionId, act: &Act) -> Result<bool, Trouble> {
    let ended = tx
        .run(
            "DELETE FROM web_sessions WHERE account_id = $1 AND id = $2",
            &[&account.as_uuid(), &id.as_uuid()],
        )
        .await?;
    if ended == 0 {
        return Ok(false);
    }
    tx.log(act, &Line::affair(account, "session.ended").about(&id, None)).await?;
    Ok(true)
}
