//! Invitations into the family.

use luminous_domain::InviteId;
use luminous_wire::AppError;
use luminous_wire::api::{
    AcceptInvite, CreateInvite, CreatedInvite, InviteList, InvitePreview, Me, PreviewInvite,
};

use crate::Shared;

/// What an invitation offers.
#[tauri::command]
pub async fn preview_invite(
    state: Shared<'_>,
    request: PreviewInvite,
) -> Result<InvitePreview, AppError> {
    state.session.preview_invite(&request).await
}

/// Joins the family of an invitation.
#[tauri::command]
pub async fn accept_invite(state: Shared<'_>, request: AcceptInvite) -> Result<Me, AppError> {
    state.session.accept_invite(&request).await
}

/// The invitations that can still be accepted.
#[tauri::command]
pub async fn list_invites(state: Shared<'_>) -> Result<InviteList, AppError> {
    state.session.list_invites().await
}

/// Makes an invitation; its code is shown this once.
#[tauri::command]
pub async fn create_invite(
    state: Shared<'_>,
    request: CreateInvite,
) -> Result<CreatedInvite, AppError> {
    state.session.create_invite(&request).await
}

/// Takes an invitation back.
#[tauri::command]
pub async fn withdraw_invite(state: Shared<'_>, id: InviteId) -> Result<(), AppError> {
    state.session.withdraw_invite(id).await
}
