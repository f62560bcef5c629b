//! Notes in PostgreSQL.

use async_trait::async_trait;
use luminous_domain::{FamilyId, MemberId, NoteId, Permission};

use super::PostgresStore;
use super::audit::Line;
use super::lease::Lease;
use super::rows::{milliseconds, note, time};
use super::trouble::Trouble;
use super::write::Tx;
use crate::{Act, EventKind, Failure, MemberState, NewNote, Note, Notes, Refusal, StoreError};

const MOST_NOTES: i64 = 50;

#[async_trait]
impl Notes for PostgresStore {
    async fn notes(&self, family: FamilyId) -> Result<Vec<Note>, StoreError> {
        reading!(self, |lease| standing(lease, family))
    }

    async fn post_note(&self, new: &NewNote, act: &Act) -> Result<Note, Failure> {
        writing!(self, |tx| post(tx, new, act))
    }

    async fn remove_note(
        &self,
        family: FamilyId,
        id: NoteId,
        by: MemberId,
        act: &Act,
    ) -> Result<(), Failure> {
        writing!(self, |tx| remove(tx, family, id, by, act))
    }
}

pub(super) async fn standing(lease: &Lease, family: FamilyId) -> Result<Vec<Note>, Trouble> {
    let rows = lease
        .rows(
            "SELECT * FROM notes WHERE family_id = $1 \
             AND (expires_at IS NULL OR expires_at >= luminous_now()) \
             ORDER BY posted_at DESC, id DESC",
            &[&family.as_uuid()],
        )
        .await?;
    rows.iter().map(note).collect()
}

async fn post(tx: &mut Tx, new: &NewNote, act: &Act) -> Result<Note, Trouble> {
    tx.lock_family(new.family).await?;
    let author = tx.member(new.family, new.author).await?.ok_or(Refusal::NotFound)?;
    if author.state != MemberState::Active {
        return Err(Refusal::NotFound.into());
    }
    if !author.role.may(Permission::NotesPost) {
        return Err(Refusal::RoleMissing.into());
    }
    tx.never_before(new.family, &new.id, "note.posted").await?;
    let standing = tx
        .row(
            "SELECT count(*) FROM notes WHERE family_id = $1 \
             AND (expires_at IS NULL OR expires_at >= $2)",
            &[&new.family.as_uuid(), &tx.now],
        )
        .await?;
    if standing.map_or(Ok(0), |row| row.try_get::<_, i64>(0))? >= MOST_NOTES {
        return Err(Refusal::TooMany.into());
    }
    let expires_at = new.lifetime.map(|lifetime| tx.now + milliseconds(lifetime));
    tx.run(
        "INSERT INTO notes (id, family_id, text, author, author_name, posted_at, expires_at) \
         VALUES ($1, $2, $3, $4, $5, $6, $7)",
        &[
            &new.id.as_uuid(),
            &new.family.as_uuid(),
            &new.text,
            &author.id.as_uuid(),
            &author.name,
            &tx.now,
            &expires_at,
        ],
    )
    .await?;
    tx.log(act, &Line::done(Some(new.family), "note.posted").about(&new.id, None)).await?;
    tx.tell(new.family, EventKind::NotesChanged, Some(&new.id)).await?;
    Ok(Note {
        id: new.id,
        family: new.family,
        text: new.text.clone(),
        author: Some(author.id),
        author_name: author.name,
        posted_at: time(tx.now)?,
        expires_at: expires_at.map(time).transpose()?,
    })
}

async fn remove(
    tx: &mut Tx,
    family: FamilyId,
    id: NoteId,
    by: MemberId,
    act: &Act,
) -> Result<(), Trouble> {
    tx.lock_family(family).await?;
    let row = tx
        .row(
            "SELECT * FROM notes WHERE family_id = $1 AND id = $2 \
             AND (expires_at IS NULL OR expires_at >= $3)",
            &[&family.as_uuid(), &id.as_uuid(), &tx.now],
        )
        .await?
        .ok_or(Refusal::NotFound)?;
    let role = tx.active_role(family, by).await?.ok_or(Refusal::RoleMissing)?;
    if note(&row)?.author != Some(by) && !role.may(Permission::NotesModerate) {
        return Err(Refusal::RoleMissing.into());
    }
    tx.run("DELETE FROM notes WHERE id = $1", &[&id.as_uuid()]).await?;
    tx.log(act, &Line::done(Some(family), "note.removed").about(&id, None)).await?;
    tx.tell(family, EventKind::NotesChanged, Some(&id)).await
}
