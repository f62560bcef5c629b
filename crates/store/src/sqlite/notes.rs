//! Notes.

use async_trait::async_trait;
use luminous_domain::{FamilyId, MemberId, NoteId, Permission};
use rusqlite::{OptionalExtension as _, Row, params};

use super::audit::{Line, never_before};
use super::members;
use super::rows::{Id as _, after_lasting, at, id, maybe_id, maybe_time, time};
use super::{Read, SqliteStore, Write};
use crate::audit::Act;
use crate::error::{Failure, Refusal, StoreError};
use crate::events::EventKind;
use crate::members::MemberState;
use crate::notes::{NewNote, Note, Notes};

/// How many may stand in a family.
const MOST: u32 = 50;

const SELECT: &str =
    "SELECT id, family_id, text, author, author_name, posted_at, expires_at FROM notes";

/// That a note still stands at `?2`.
const STANDS: &str = "(expires_at IS NULL OR expires_at >= ?2)";

fn note(row: &Row<'_>) -> Result<Note, rusqlite::Error> {
    Ok(Note {
        id: id(row, 0)?,
        family: id(row, 1)?,
        text: row.get(2)?,
        author: maybe_id(row, 3)?,
        author_name: row.get(4)?,
        posted_at: time(row, 5)?,
        expires_at: maybe_time(row, 6)?,
    })
}

/// The notes whose `column` is `key`, the newest first.
fn standing(read: &Read<'_>, column: &str, key: [u8; 16]) -> Result<Vec<Note>, StoreError> {
    let sql = format!("{SELECT} WHERE {column} = ?1 AND {STANDS} ORDER BY posted_at DESC, id DESC");
    let mut query = read.connection.prepare_cached(&sql)?;
    let rows = query.query_map(params![key, read.now], note)?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// Those of the family.
pub(super) fn of(read: &Read<'_>, family: FamilyId) -> Result<Vec<Note>, StoreError> {
    standing(read, "family_id", family.key())
}

/// Those that the member wrote.
pub(super) fn written_by(read: &Read<'_>, author: MemberId) -> Result<Vec<Note>, StoreError> {
    standing(read, "author", author.key())
}

fn post(write: &Write<'_>, new: &NewNote, act: &Act) -> Result<Note, Failure> {
    let author = members::find(write.connection, new.family, new.author)?
        .filter(|author| author.state == MemberState::Active)
        .ok_or(Refusal::NotFound)?;
    members::require(write, new.family, new.author, Permission::NotesPost)?;
    never_before(write, new.family, &new.id, "note.posted")?;
    let sql = format!("SELECT count(*) FROM notes WHERE family_id = ?1 AND {STANDS}");
    let mut query = write.connection.prepare_cached(&sql)?;
    let standing: u32 = query.query_row(params![new.family.key(), write.now], |row| row.get(0))?;
    if standing >= MOST {
        return Err(Refusal::TooMany.into());
    }
    let expires_at = new.lifetime.map(|lifetime| after_lasting(write.now, lifetime));
    let sql = "INSERT INTO notes (id, family_id, text, author, author_name, posted_at, expires_at) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)";
    write.connection.prepare_cached(sql)?.execute(params![
        new.id.key(),
        new.family.key(),
        new.text,
        new.author.key(),
        author.name,
        write.now,
        expires_at
    ])?;
    write.event(new.family, EventKind::NotesChanged, Some(&new.id))?;
    Line::new(new.family, act, "note.posted").about(&new.id).write(write)?;
    Ok(Note {
        id: new.id,
        family: new.family,
        text: new.text.clone(),
        author: Some(new.author),
        author_name: author.name,
        posted_at: at(write.now),
        expires_at: expires_at.map(at),
    })
}

fn remove(
    write: &Write<'_>,
    family: FamilyId,
    id: NoteId,
    by: MemberId,
    act: &Act,
) -> Result<(), Failure> {
    let sql = format!("SELECT author FROM notes WHERE family_id = ?1 AND {STANDS} AND id = ?3");
    let mut query = write.connection.prepare_cached(&sql)?;
    let author: Option<MemberId> = query
        .query_row(params![family.key(), write.now, id.key()], |row| maybe_id(row, 0))
        .optional()?
        .ok_or(Refusal::NotFound)?;
    let ruling = members::ruling(write, family, by)?;
    if author != Some(by) && !ruling.may(Permission::NotesModerate) {
        return Err(Refusal::RoleMissing.into());
    }
    let sql = "DELETE FROM notes WHERE family_id = ?1 AND id = ?2";
    write.connection.prepare_cached(sql)?.execute([family.key(), id.key()])?;
    write.event(family, EventKind::NotesChanged, Some(&id))?;
    Line::new(family, act, "note.removed").about(&id).write(write)?;
    Ok(())
}

#[async_trait]
impl Notes for SqliteStore {
    async fn notes(&self, family: FamilyId) -> Result<Vec<Note>, StoreError> {
        self.read(move |read| of(read, family)).await
    }

    async fn post_note(&self, new: &NewNote, act: &Act) -> Result<Note, Failure> {
        let (new, act) = (new.clone(), act.clone());
        self.write(move |write| post(write, &new, &act)).await
    }

    async fn remove_note(
        &self,
        family: FamilyId,
        id: NoteId,
        by: MemberId,
        act: &Act,
    ) -> Result<(), Failure> {
        let act = act.clone();
        self.write(move |write| remove(write, family, id, by, &act)).await
    }
}
