//! Notes to the wall.

use axum::Json;
use axum::extract::State;
use http::StatusCode;
use luminous_domain::{FamilyId, NoteId, Permission};
use luminous_store::NewNote;
use luminous_wire::api::{NoteList, NoteView, PostNote};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::answer::Created;
use crate::body::Body;
use crate::door::{Insider, Viewer, needs};
use crate::idempotency::IdempotencyKey;
use crate::path::PathId;
use crate::{ApiError, AppState, input, views};

pub(super) fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new().routes(routes!(list_notes, post_note)).routes(routes!(remove_note))
}

/// List the notes that stand
#[utoipa::path(
    get,
    path = "/api/families/{family_id}/notes",
    tag = "notes",
    security(("bearer" = ["notes.read"]), ("dpop" = ["notes.read"])),
    params(("family_id" = FamilyId, Path, description = "The family")),
    responses((status = 200, description = "Them, the newest first", body = NoteList)),
)]
async fn list_notes(
    State(state): State<AppState>,
    viewer: Viewer<needs::NotesRead>,
) -> Result<Json<NoteList>, ApiError> {
    let notes = state.store().notes(viewer.family()).await?;
    let view = |note| match &viewer {
        Viewer::Person(insider) => views::note(note, &insider.membership),
        Viewer::Display(_) => views::note_on_wall(note),
    };
    Ok(Json(NoteList { notes: notes.into_iter().map(view).collect() }))
}

/// Put a note on the wall
#[utoipa::path(
    post,
    path = "/api/families/{family_id}/notes",
    tag = "notes",
    security(("bearer" = ["notes.post"])),
    params(("family_id" = FamilyId, Path, description = "The family"), IdempotencyKey),
    request_body = PostNote,
    responses(
        (status = 201, description = "It stands", body = NoteView,
            headers(("location" = String, description = "The note"))),
        (status = 404, description = "`resource.not_found`: removed from the family a moment ago"),
        (status = 409, description = "`limit.reached`: 50 notes; `request.repeated`"),
    ),
)]
async fn post_note(
    State(state): State<AppState>,
    insider: Insider<needs::NotesPost>,
    key: IdempotencyKey,
    Body(asked): Body<PostNote>,
) -> Result<Created<NoteView>, ApiError> {
    let (place, act) = (&insider.membership, insider.person.act());
    let account = insider.person.standing.account.id;
    let request = key.request(&state, account, ("note", Some(place.family.id)), &asked)?;
    let new = NewNote {
        id: NoteId::from_uuid(request.id()?),
        family: place.family.id,
        text: input::note(&asked.text)?,
        author: place.member,
        lifetime: asked.hours.map(|hours| input::hours(hours, 1..=720)).transpose()?,
    };
    let store = state.store();
    let find = || async {
        let standing = store.notes(new.family).await?;
        Ok(standing.into_iter().find(|note| note.id == new.id))
    };
    let note = request.once(find, store.post_note(&new, &act)).await;
    let note = note.map_err(|failure| ApiError::of(failure, Permission::NotesPost))?;
    let location = format!("/api/families/{}/notes/{}", new.family, note.id);
    Ok(Created::new(location, views::note(note, place)))
}

/// Take a note down
///
/// One's own; anybody's with `notes.moderate`.
#[utoipa::path(
    delete,
    path = "/api/families/{family_id}/notes/{note_id}",
    tag = "notes",
    security(("bearer" = ["notes.post"])),
    params(
        ("family_id" = FamilyId, Path, description = "The family"),
        ("note_id" = NoteId, Path, description = "The note"),
    ),
    responses(
        (status = 204, description = "Taken down"),
        (status = 404, description = "`resource.not_found`"),
    ),
)]
async fn remove_note(
    State(state): State<AppState>,
    insider: Insider<needs::NotesPost>,
    PathId(id): PathId<NoteId>,
) -> Result<StatusCode, ApiError> {
    let (place, act) = (&insider.membership, insider.person.act());
    let removed = state.store().remove_note(place.family.id, id, place.member, &act).await;
    removed.map_err(|failure| ApiError::of(failure, Permission::NotesModerate))?;
    Ok(StatusCode::NO_CONTENT)
}
