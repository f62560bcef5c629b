//! The log. There is nothing in here that changes a line, and the schema refuses it.

use async_trait::async_trait;
use luminous_domain::{AccountId, AuditId, FamilyId};
use rusqlite::{OptionalExtension as _, Row, params};

use super::rows::{Id as _, id, maybe_id, time, word};
use super::{Read, SqliteStore, Write};
use crate::audit::{Act, Actor, Audit, AuditFilter, AuditRow, Network};
use crate::error::{Failure, Refusal, StoreError};

/// What [`row`] reads.
const COLUMNS: &str = "id, at, family_id, actor_kind, actor_id, actor_name, network, action, \
     subject, subject_name, outcome, detail";

/// A line to be, of something that was done unless `outcome` says otherwise.
pub(super) struct Line<'a> {
    pub(super) family: Option<FamilyId>,
    pub(super) act: &'a Act,
    pub(super) action: &'a str,
    pub(super) subject: Option<String>,
    pub(super) subject_name: Option<&'a str>,
    pub(super) outcome: &'a str,
    pub(super) detail: Option<&'a str>,
}

impl<'a> Line<'a> {
    pub(super) fn new(family: impl Into<Option<FamilyId>>, act: &'a Act, action: &'a str) -> Self {
        let family = family.into();
        Self { family, act, action, subject: None, subject_name: None, outcome: "ok", detail: None }
    }

    pub(super) fn about(mut self, subject: &dyn std::fmt::Display) -> Self {
        self.subject = Some(subject.to_string());
        self
    }

    pub(super) fn called(mut self, name: &'a str) -> Self {
        self.subject_name = Some(name);
        self
    }

    pub(super) fn detail(mut self, detail: &'a str) -> Self {
        self.detail = Some(detail);
        self
    }

    pub(super) fn write(self, write: &Write<'_>) -> Result<(), StoreError> {
        let (kind, actor, name) = actor_columns(&self.act.actor);
        let sql = format!(
            "INSERT INTO audit ({COLUMNS}) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)"
        );
        write.connection.prepare_cached(&sql)?.execute(params![
            write.line_id()?.key(),
            write.now,
            self.family.map(FamilyId::key),
            kind,
            actor,
            name,
            network_word(self.act.network),
            self.action,
            self.subject,
            self.subject_name,
            self.outcome,
            self.detail,
        ])?;
        Ok(())
    }
}

/// Refuses an id that something in this family had before, as the log remembers: what is gone shall
/// not come back because a request is repeated.
pub(super) fn never_before(
    write: &Write<'_>,
    family: FamilyId,
    subject: &dyn std::fmt::Display,
    action: &str,
) -> Result<(), Failure> {
    let sql = "SELECT EXISTS (SELECT 1 FROM audit WHERE family_id = ?1 AND subject = ?2 \
         AND action = ?3 AND outcome = 'ok')";
    let mut query = write.connection.prepare_cached(sql)?;
    let values = params![family.key(), subject.to_string(), action];
    match query.query_row(values, |row| row.get(0))? {
        true => Err(Refusal::Repeated.into()),
        false => Ok(()),
    }
}

/// The same for a family.
pub(super) fn never_a_family(write: &Write<'_>, family: FamilyId) -> Result<(), Failure> {
    let sql = "SELECT EXISTS (SELECT 1 FROM audit WHERE family_id = ?1 \
         AND action = 'family.created' AND outcome = 'ok')";
    let mut query = write.connection.prepare_cached(sql)?;
    match query.query_row([family.key()], |row| row.get(0))? {
        true => Err(Refusal::Repeated.into()),
        false => Ok(()),
    }
}

/// The family that the account is in now, whose log its sign-ins belong to.
pub(super) fn family_of(
    write: &Write<'_>,
    account: AccountId,
) -> Result<Option<FamilyId>, StoreError> {
    let sql = "SELECT family_id FROM members WHERE account_id = ?1";
    let mut query = write.connection.prepare_cached(sql)?;
    Ok(query.query_row([account.key()], |row| id(row, 0)).optional()?)
}

/// The newest lines that the account wrote, wherever.
pub(super) fn by_account(
    read: &Read<'_>,
    account: AccountId,
    limit: u32,
) -> Result<Vec<AuditRow>, StoreError> {
    let sql = format!(
        "SELECT {COLUMNS} FROM audit WHERE actor_id = ?1 AND actor_kind = 'account' \
         ORDER BY id DESC LIMIT ?2"
    );
    let mut query = read.connection.prepare_cached(&sql)?;
    let rows = query.query_map(params![account.key(), limit], row)?;
    Ok(rows.collect::<Result<_, _>>()?)
}

fn actor_columns(actor: &Actor) -> (&'static str, Option<[u8; 16]>, Option<&str>) {
    match actor {
        Actor::Account { id, name } => ("account", Some(id.key()), Some(name)),
        Actor::Display { id, name } => ("display", Some(id.key()), Some(name)),
        Actor::Connector => ("connector", None, None),
        Actor::System => ("system", None, None),
    }
}

const fn network_word(network: Network) -> &'static str {
    match network {
        Network::Loopback => "loopback",
        Network::Private => "private",
        Network::Public => "public",
    }
}

fn actor(row: &Row<'_>) -> Result<Actor, rusqlite::Error> {
    let kind: String = row.get(3)?;
    match kind.as_str() {
        "account" => Ok(Actor::Account { id: id(row, 4)?, name: row.get(5)? }),
        "display" => Ok(Actor::Display { id: id(row, 4)?, name: row.get(5)? }),
        "connector" => Ok(Actor::Connector),
        _ => word(row, 3, |kind| (kind == "system").then_some(Actor::System)),
    }
}

fn row(row: &Row<'_>) -> Result<AuditRow, rusqlite::Error> {
    let network = word(row, 6, |text| match text {
        "loopback" => Some(Network::Loopback),
        "private" => Some(Network::Private),
        "public" => Some(Network::Public),
        _ => None,
    })?;
    Ok(AuditRow {
        id: id(row, 0)?,
        at: time(row, 1)?,
        family: maybe_id(row, 2)?,
        act: Act { actor: actor(row)?, network },
        action: row.get(7)?,
        subject: row.get(8)?,
        subject_name: row.get(9)?,
        outcome: row.get(10)?,
        detail: row.get(11)?,
    })
}

#[async_trait]
impl Audit for SqliteStore {
    async fn record_refusal(
        &self,
        family: Option<FamilyId>,
        act: &Act,
        action: &str,
        subject: Option<&str>,
        outcome: &str,
    ) -> Result<(), StoreError> {
        let (act, action) = (act.clone(), action.to_owned());
        let (subject, outcome) = (subject.map(str::to_owned), outcome.to_owned());
        self.store(move |write| {
            let line = Line::new(family, &act, &action);
            Line { subject, outcome: &outcome, ..line }.write(write)
        })
        .await
    }

    async fn audit(
        &self,
        family: FamilyId,
        filter: &AuditFilter,
        limit: u32,
    ) -> Result<Vec<AuditRow>, StoreError> {
        let filter = filter.clone();
        self.read(move |read| {
            let sql = format!(
                "SELECT {COLUMNS} FROM audit WHERE family_id = ?1 AND id < ?2 \
                 AND (?3 IS NULL OR action = ?3 OR substr(action, 1, length(?3) + 1) = ?3 || '.') \
                 AND (?4 IS NULL OR actor_kind = 'account' AND actor_id = ?4) \
                 AND (?5 IS NULL OR (outcome <> 'ok') = ?5) \
                 AND (?6 IS NULL OR at >= ?6) AND (?7 IS NULL OR at < ?7) \
                 ORDER BY id DESC LIMIT ?8"
            );
            let mut query = read.connection.prepare_cached(&sql)?;
            let rows = query.query_map(
                params![
                    family.key(),
                    // Above every id of version 7, so that the index is used in any case.
                    filter.before.map_or([0xFF; 16], AuditId::key),
                    filter.action,
                    filter.account.map(AccountId::key),
                    filter.refused,
                    filter.from.map(|from| from.as_millisecond()),
                    filter.until.map(|until| until.as_millisecond()),
                    limit,
                ],
                row,
            )?;
            Ok(rows.collect::<Result<_, _>>()?)
        })
        .await
    }
}
