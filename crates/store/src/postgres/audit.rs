//! The log in PostgreSQL. Its schema refuses to change, remove or empty anything in it.

use async_trait::async_trait;
use luminous_domain::{AccountId, AuditId, DeviceId, FamilyId};
use tokio_postgres::Row;
use uuid::Uuid;

use super::PostgresStore;
use super::rows::{contradiction, time};
use super::trouble::Trouble;
use super::write::Tx;
use crate::{Act, Actor, Audit, AuditFilter, AuditRow, Network, Refusal, StoreError};

/// One line to be.
pub(super) struct Line<'a> {
    pub(super) family: Option<FamilyId>,
    /// Whose own affair it is; it belongs to the family that they are in.
    pub(super) affair_of: Option<AccountId>,
    pub(super) action: &'a str,
    pub(super) subject: Option<String>,
    pub(super) subject_name: Option<&'a str>,
    pub(super) outcome: &'a str,
    pub(super) detail: Option<&'a str>,
}

impl<'a> Line<'a> {
    /// That `action` was done in the family.
    pub(super) const fn done(family: Option<FamilyId>, action: &'a str) -> Self {
        Self {
            family,
            affair_of: None,
            action,
            subject: None,
            subject_name: None,
            outcome: "ok",
            detail: None,
        }
    }

    /// That the account did it with what is its own.
    pub(super) const fn affair(account: AccountId, action: &'a str) -> Self {
        let mut line = Self::done(None, action);
        line.affair_of = Some(account);
        line
    }

    pub(super) fn about(mut self, subject: &dyn ToString, name: Option<&'a str>) -> Self {
        self.subject = Some(subject.to_string());
        self.subject_name = name;
        self
    }

    pub(super) const fn with(mut self, detail: &'a str) -> Self {
        self.detail = Some(detail);
        self
    }
}

const COLUMNS: &str = "id, at, family_id, actor, actor_id, actor_name, network, action, subject, \
     subject_name, outcome, detail";

impl Tx {
    /// Writes the line down, in the transaction of what it is about.
    pub(super) async fn log(&self, act: &Act, line: &Line<'_>) -> Result<(), Trouble> {
        let (actor, actor_id, actor_name) = actor_columns(&act.actor);
        let family = line.family.map(FamilyId::as_uuid);
        let affair_of = line.affair_of.map(AccountId::as_uuid);
        self.run(
            &format!(
                "INSERT INTO audit ({COLUMNS}) \
                 VALUES (luminous_audit_id($1), $1, \
                 coalesce($2, (SELECT family_id FROM members WHERE account_id = $12)), \
                 $3, $4, $5, $6, $7, $8, $9, $10, $11)"
            ),
            &[
                &self.now,
                &family,
                &actor,
                &actor_id,
                &actor_name,
                &network_text(act.network),
                &line.action,
                &line.subject,
                &line.subject_name,
                &line.outcome,
                &line.detail,
                &affair_of,
            ],
        )
        .await?;
        Ok(())
    }

    /// Refuses an id that something in this family had before, as the log remembers: what is gone
    /// shall not come back because a request is repeated. To be asked under the family's lock.
    pub(super) async fn never_before(
        &self,
        family: FamilyId,
        subject: &(dyn ToString + Sync),
        action: &str,
    ) -> Result<(), Trouble> {
        let sql = "SELECT FROM audit WHERE family_id = $1 AND subject = $2 AND action = $3 \
             AND outcome = 'ok' LIMIT 1";
        let subject = subject.to_string();
        match self.row(sql, &[&family.as_uuid(), &subject, &action]).await? {
            Some(_) => Err(Refusal::Repeated.into()),
            None => Ok(()),
        }
    }

    /// The same for a family.
    pub(super) async fn never_a_family(&self, family: FamilyId) -> Result<(), Trouble> {
        let sql = "SELECT FROM audit WHERE family_id = $1 AND action = 'family.created' \
             AND outcome = 'ok' LIMIT 1";
        match self.row(sql, &[&family.as_uuid()]).await? {
            Some(_) => Err(Refusal::Repeated.into()),
            None => Ok(()),
        }
    }
}

#[async_trait]
impl Audit for PostgresStore {
    async fn record_refusal(
        &self,
        family: Option<FamilyId>,
        act: &Act,
        action: &str,
        subject: Option<&str>,
        outcome: &str,
    ) -> Result<(), StoreError> {
        let subject = subject.map(str::to_owned);
        let line = Line { subject, outcome, ..Line::done(family, action) };
        writing!(self, |tx| tx.log(act, &line))
    }

    async fn audit(
        &self,
        family: FamilyId,
        filter: &AuditFilter,
        limit: u32,
    ) -> Result<Vec<AuditRow>, StoreError> {
        let sql = format!(
            "SELECT {COLUMNS} FROM audit WHERE family_id = $1 \
             AND ($2::text IS NULL OR action = $2 OR starts_with(action, $2 || '.')) \
             AND ($3::uuid IS NULL OR (actor = 'account' AND actor_id = $3)) \
             AND ($4::boolean IS NULL OR (outcome <> 'ok') = $4) \
             AND ($5::bigint IS NULL OR at >= $5) AND ($6::bigint IS NULL OR at < $6) \
             AND ($7::uuid IS NULL OR id < $7) ORDER BY id DESC LIMIT $8"
        );
        let family = family.as_uuid();
        let account = filter.account.map(AccountId::as_uuid);
        let from = filter.from.map(|time| time.as_millisecond());
        let until = filter.until.map(|time| time.as_millisecond());
        let before = filter.before.map(AuditId::as_uuid);
        let limit = i64::from(limit);
        let rows = reading!(self, |lease| lease.rows(
            &sql,
            &[&family, &filter.action, &account, &filter.refused, &from, &until, &before, &limit],
        ));
        rows.and_then(|rows: Vec<Row>| lines(&rows).map_err(Into::into))
    }
}

/// What one account did, in any family, the newest first.
pub(super) fn by_account() -> String {
    format!(
        "SELECT {COLUMNS} FROM audit WHERE actor = 'account' AND actor_id = $1 \
         ORDER BY id DESC LIMIT 1000"
    )
}

pub(super) fn lines(rows: &[Row]) -> Result<Vec<AuditRow>, Trouble> {
    rows.iter().map(line).collect()
}

fn line(row: &Row) -> Result<AuditRow, Trouble> {
    Ok(AuditRow {
        id: AuditId::from_uuid(row.try_get("id")?),
        at: time(row.try_get("at")?)?,
        family: row.try_get::<_, Option<_>>("family_id")?.map(FamilyId::from_uuid),
        act: Act { actor: actor(row)?, network: network(row.try_get("network")?)? },
        action: row.try_get("action")?,
        subject: row.try_get("subject")?,
        subject_name: row.try_get("subject_name")?,
        outcome: row.try_get("outcome")?,
        detail: row.try_get("detail")?,
    })
}

fn actor_columns(actor: &Actor) -> (&'static str, Option<Uuid>, Option<&str>) {
    match actor {
        Actor::Account { id, name } => ("account", Some(id.as_uuid()), Some(name)),
        Actor::Display { id, name } => ("display", Some(id.as_uuid()), Some(name)),
        Actor::Connector => ("connector", None, None),
        Actor::System => ("system", None, None),
    }
}

fn actor(row: &Row) -> Result<Actor, Trouble> {
    let id: Option<Uuid> = row.try_get("actor_id")?;
    let name: Option<String> = row.try_get("actor_name")?;
    match (row.try_get("actor")?, id, name) {
        ("account", Some(id), Some(name)) => {
            Ok(Actor::Account { id: AccountId::from_uuid(id), name })
        }
        ("display", Some(id), Some(name)) => {
            Ok(Actor::Display { id: DeviceId::from_uuid(id), name })
        }
        ("connector", ..) => Ok(Actor::Connector),
        ("system", ..) => Ok(Actor::System),
        _ => Err(contradiction("an unknown actor")),
    }
}

const fn network_text(network: Network) -> &'static str {
    match network {
        Network::Loopback => "loopback",
        Network::Private => "private",
        Network::Public => "public",
    }
}

fn network(text: &str) -> Result<Network, Trouble> {
    match text {
        "loopback" => Ok(Network::Loopback),
        "private" => Ok(Network::Private),
        "public" => Ok(Network::Public),
        _ => Err(contradiction("an unknown network")),
    }
}
