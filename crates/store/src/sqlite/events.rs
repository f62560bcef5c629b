//! What happened in families.

use async_trait::async_trait;
use luminous_domain::FamilyId;
use rusqlite::{OptionalExtension as _, Row, params};
use tokio::sync::broadcast;

use super::members::{self, with_last_seen};
use super::rows::{Id as _, maybe_word, ms, time, word};
use super::{Read, SqliteStore, Write, families, notes};
use crate::error::StoreError;
use crate::events::{
    Event, EventKind, EventPage, EventReason, Events, Hint, MOST_KEPT, RETENTION, WallContent,
};

impl Write<'_> {
    /// Writes down what happened; listeners are told after the commit.
    pub(super) fn event(
        &self,
        family: FamilyId,
        kind: EventKind,
        subject: Option<&dyn std::fmt::Display>,
    ) -> Result<(), StoreError> {
        self.event_for(family, kind, subject, None)
    }

    /// The same with a reason.
    pub(super) fn event_for(
        &self,
        family: FamilyId,
        kind: EventKind,
        subject: Option<&dyn std::fmt::Display>,
        reason: Option<EventReason>,
    ) -> Result<(), StoreError> {
        let sql = "INSERT INTO event_counters AS c (family_id, latest) VALUES (?1, 1) \
             ON CONFLICT (family_id) DO UPDATE SET latest = c.latest + 1 RETURNING latest";
        let mut count = self.connection.prepare_cached(sql)?;
        let seq = count.query_row([family.key()], |row| number(row, 0))?;
        let sql = "INSERT INTO events (family_id, seq, kind, subject, reason, at) \
             VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
        self.connection.prepare_cached(sql)?.execute(params![
            family.key(),
            seq.cast_signed(),
            kind.as_str(),
            subject.map(ToString::to_string),
            reason.map(EventReason::as_str),
            self.now
        ])?;
        self.hint(Hint::Family { family, seq });
        Ok(())
    }
}

/// The number in column `at`, which is never negative.
fn number(row: &Row<'_>, at: usize) -> Result<u64, rusqlite::Error> {
    Ok(row.get::<_, i64>(at)?.cast_unsigned())
}

fn event(row: &Row<'_>) -> Result<Event, rusqlite::Error> {
    Ok(Event {
        seq: number(row, 0)?,
        kind: word(row, 1, EventKind::parse)?,
        subject: row.get(2)?,
        reason: maybe_word(row, 3, EventReason::parse)?,
        at: time(row, 4)?,
    })
}

/// The newest number of the family.
fn latest(read: &Read<'_>, family: FamilyId) -> Result<u64, StoreError> {
    let sql = "SELECT latest FROM event_counters WHERE family_id = ?1";
    let mut query = read.connection.prepare_cached(sql)?;
    Ok(query.query_row([family.key()], |row| number(row, 0)).optional()?.unwrap_or(0))
}

/// The newest number that is forgotten, 0 when none is.
fn forgotten(read: &Read<'_>, family: FamilyId, latest: u64) -> Result<u64, StoreError> {
    let sql = "SELECT min(seq), max(seq) FILTER (WHERE at < ?2) FROM events WHERE family_id = ?1";
    let mut query = read.connection.prepare_cached(sql)?;
    let kept_from = read.now.saturating_sub(ms(RETENTION));
    let (oldest, aged): (Option<i64>, Option<i64>) =
        query.query_row(params![family.key(), kept_from], |row| Ok((row.get(0)?, row.get(1)?)))?;
    let swept = oldest.map_or(latest, |oldest| (oldest - 1).cast_unsigned());
    let aged = aged.map_or(0, i64::cast_unsigned);
    Ok(swept.max(aged).max(latest.saturating_sub(MOST_KEPT.into())))
}

fn page(
    read: &Read<'_>,
    family: FamilyId,
    after: u64,
    limit: u32,
) -> Result<EventPage, StoreError> {
    let latest = latest(read, family)?;
    if after > latest || after < forgotten(read, family, latest)? {
        return Ok(EventPage { events: Vec::new(), latest, is_torn: true });
    }
    let sql = "SELECT seq, kind, subject, reason, at FROM events WHERE family_id = ?1 AND seq > ?2 \
         ORDER BY seq LIMIT ?3";
    let mut query = read.connection.prepare_cached(sql)?;
    let rows = query.query_map(params![family.key(), after.cast_signed(), limit], event)?;
    Ok(EventPage { events: rows.collect::<Result<_, _>>()?, latest, is_torn: false })
}

/// Forgets what is too old or too much; answers how many.
pub(super) fn sweep(write: &Write<'_>) -> Result<usize, StoreError> {
    let aged = sweep_aged(write)?;
    let sql = "DELETE FROM events AS e WHERE e.seq <= \
         (SELECT c.latest FROM event_counters c WHERE c.family_id = e.family_id) - ?1";
    let many = write.connection.prepare_cached(sql)?.execute([MOST_KEPT])?;
    let sql = "DELETE FROM event_counters AS c WHERE \
         NOT EXISTS (SELECT 1 FROM families WHERE id = c.family_id) \
         AND NOT EXISTS (SELECT 1 FROM events e WHERE e.family_id = c.family_id)";
    let counters = write.connection.prepare_cached(sql)?.execute([])?;
    Ok(aged + many + counters)
}

/// By number, so that no gap arises where the clock was set back.
fn sweep_aged(write: &Write<'_>) -> Result<usize, StoreError> {
    let sql = "SELECT family_id, max(seq) FROM events WHERE at < ?1 GROUP BY family_id";
    let mut query = write.connection.prepare_cached(sql)?;
    let rows = query.query_map([write.now.saturating_sub(ms(RETENTION))], |row| {
        Ok((row.get(0)?, row.get(1)?))
    })?;
    let aged: Vec<([u8; 16], i64)> = rows.collect::<Result<_, _>>()?;
    let sql = "DELETE FROM events WHERE family_id = ?1 AND seq <= ?2";
    let mut delete = write.connection.prepare_cached(sql)?;
    aged.into_iter().try_fold(0, |gone, family| Ok(gone + delete.execute(family)?))
}

#[async_trait]
impl Events for SqliteStore {
    async fn events_after(
        &self,
        family: FamilyId,
        after: u64,
        limit: u32,
    ) -> Result<EventPage, StoreError> {
        self.read(move |read| page(read, family, after, limit)).await
    }

    async fn wall(&self, family: FamilyId) -> Result<Option<WallContent>, StoreError> {
        let content = self
            .read(move |read| {
                let Some(found) = families::family(read.connection, family)? else {
                    return Ok(None);
                };
                let members = members::of(read, family)?;
                let notes = notes::of(read, family)?;
                let seq = latest(read, family)?;
                Ok(Some(WallContent { family: found, members, notes, seq }))
            })
            .await?;
        let seen = &self.memory.seen;
        Ok(content.map(|content| {
            let members = content.members.into_iter();
            let members = members.map(|member| with_last_seen(member, seen)).collect();
            WallContent { members, ..content }
        }))
    }

    fn hints(&self) -> broadcast::Receiver<Hint> {
        self.memory.hints.subscribe()
    }
}
