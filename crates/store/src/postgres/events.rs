//! What happened in a family, in PostgreSQL.
//!
//! The family's counter is a row that the transaction holds until it commits, so numbers become
//! visible in their order and without a gap, on all replicas. The `NOTIFY` goes out with the commit
//! ([`super::hints`]); it carries ids only, for anybody who may connect may listen.

use async_trait::async_trait;
use luminous_domain::{FamilyId, LinkId};
use tokio::sync::broadcast;
use tokio_postgres::Row;

use super::PostgresStore;
use super::lease::Lease;
use super::rows::{contradiction, family, milliseconds, time};
use super::trouble::Trouble;
use super::write::Tx;
use crate::events::{MOST_KEPT, RETENTION};
use crate::{Event, EventKind, EventPage, EventReason, Events, Hint, StoreError, WallContent};

#[async_trait]
impl Events for PostgresStore {
    async fn events_after(
        &self,
        family: FamilyId,
        after: u64,
        limit: u32,
    ) -> Result<EventPage, StoreError> {
        reading!(self, |lease| page(lease, family, after, limit))
    }

    async fn wall(&self, family: FamilyId) -> Result<Option<WallContent>, StoreError> {
        reading!(self, |lease| at_one_moment(lease, family))
    }

    fn hints(&self) -> broadcast::Receiver<Hint> {
        self.hints.subscribe()
    }
}

impl Tx {
    /// Writes the event down and says so. To be the last thing of a transaction: whoever holds a
    /// counter waits for nothing else, so that none waits in a circle.
    pub(super) async fn tell(
        &self,
        family: FamilyId,
        kind: EventKind,
        subject: Option<&(dyn ToString + Sync)>,
    ) -> Result<(), Trouble> {
        self.tell_for(family, kind, subject, None).await
    }

    /// The same with a reason.
    pub(super) async fn tell_for(
        &self,
        family: FamilyId,
        kind: EventKind,
        subject: Option<&(dyn ToString + Sync)>,
        reason: Option<EventReason>,
    ) -> Result<(), Trouble> {
        self.run(
            "WITH counted AS (INSERT INTO event_counters AS c (family_id, latest) VALUES ($1, 1) \
             ON CONFLICT (family_id) DO UPDATE SET latest = c.latest + 1 RETURNING latest), \
             written AS (INSERT INTO events (family_id, seq, kind, subject, reason, at) \
             SELECT $1, latest, $2, $3, $5, $4 FROM counted) \
             SELECT pg_notify('luminous', concat('family:', $1::uuid, ':', latest)) FROM counted",
            &[
                &family.as_uuid(),
                &kind.as_str(),
                &subject.map(ToString::to_string),
                &self.now,
                &reason.map(EventReason::as_str),
            ],
        )
        .await?;
        Ok(())
    }

    /// Says that the display's wish stands elsewhere than before.
    pub(super) async fn hint_link(&self, link: LinkId) -> Result<(), Trouble> {
        self.hint(format!("link:{link}")).await
    }

    pub(super) async fn hint(&self, payload: String) -> Result<(), Trouble> {
        self.run("SELECT pg_notify('luminous', $1)", &[&payload]).await?;
        Ok(())
    }
}

/// In one statement, for what is read must be of one moment.
async fn page(
    lease: &Lease,
    family: FamilyId,
    after: u64,
    limit: u32,
) -> Result<EventPage, Trouble> {
    let from = i64::try_from(after).unwrap_or(i64::MAX);
    let rows = lease
        .rows(
            "SELECT c.latest, clock.now, e.seq, e.kind, e.subject, e.reason, e.at FROM event_counters c \
             CROSS JOIN (SELECT luminous_now() AS now) AS clock \
             LEFT JOIN LATERAL (SELECT * FROM events WHERE family_id = c.family_id AND seq > $2 \
             ORDER BY seq LIMIT $3) e ON true WHERE c.family_id = $1 ORDER BY e.seq",
            &[&family.as_uuid(), &from, &i64::from(limit.max(1))],
        )
        .await?;
    let latest = rows.first().map_or(Ok(0), |row| number(row, "latest"))?;
    let mut events = Vec::with_capacity(rows.len());
    for row in &rows {
        events.extend(event(row)?);
    }
    let is_torn = match (rows.first(), events.first()) {
        (Some(row), Some(next)) => next.seq != after + 1 || is_forgotten(next, latest, row)?,
        _ => after != latest,
    };
    if is_torn {
        events.clear();
    }
    Ok(EventPage { events, latest, is_torn })
}

/// Whether the event is one that the next sweep takes.
fn is_forgotten(event: &Event, latest: u64, row: &Row) -> Result<bool, Trouble> {
    let oldest = row.try_get::<_, i64>("now")? - milliseconds(RETENTION);
    Ok(event.at.as_millisecond() < oldest || event.seq <= latest.saturating_sub(MOST_KEPT.into()))
}

fn number(row: &Row, column: &str) -> Result<u64, Trouble> {
    u64::try_from(row.try_get::<_, i64>(column)?).map_err(|_| contradiction("a negative number"))
}

/// `None` for the row of a family that has nothing newer.
fn event(row: &Row) -> Result<Option<Event>, Trouble> {
    let Some(at) = row.try_get::<_, Option<i64>>("at")? else { return Ok(None) };
    let kind = EventKind::parse(row.try_get("kind")?).ok_or(contradiction("an unknown event"))?;
    let reason = row.try_get::<_, Option<&str>>("reason")?;
    let reason =
        reason.map(|text| EventReason::parse(text).ok_or(contradiction("an unknown reason")));
    Ok(Some(Event {
        seq: number(row, "seq")?,
        kind,
        subject: row.try_get("subject")?,
        reason: reason.transpose()?,
        at: time(at)?,
    }))
}

async fn at_one_moment(lease: &Lease, id: FamilyId) -> Result<Option<WallContent>, Trouble> {
    lease.simple("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY").await?;
    let content = content(lease, id).await?;
    lease.simple("COMMIT").await?;
    Ok(content)
}

async fn content(lease: &Lease, id: FamilyId) -> Result<Option<WallContent>, Trouble> {
    let row = lease
        .row(
            "SELECT f.*, coalesce(c.latest, 0) AS latest FROM families f \
             LEFT JOIN event_counters c ON c.family_id = f.id WHERE f.id = $1",
            &[&id.as_uuid()],
        )
        .await?;
    let Some(row) = row else { return Ok(None) };
    Ok(Some(WallContent {
        family: family(&row)?,
        members: super::members::of_family(lease, id).await?,
        notes: super::notes::standing(lease, id).await?,
        seq: number(&row, "latest")?,
    }))
}
