//! Who belongs to the family.

use luminous_domain::MemberId;
use luminous_wire::AppError;
use luminous_wire::api::{AddChild, ChangeMember, MemberList};

use crate::Shared;

/// Everybody in the family.
#[tauri::command]
pub async fn list_members(state: Shared<'_>) -> Result<MemberList, AppError> {
    state.session.list_members().await
}

/// Adds a child without an account.
#[tauri::command]
pub async fn add_child(state: Shared<'_>, request: AddChild) -> Result<(), AppError> {
    state.session.add_child(&request).await
}

/// Changes a member's name, role or state.
#[tauri::command]
pub async fn change_member(
    state: Shared<'_>,
    id: MemberId,
    request: ChangeMember,
) -> Result<(), AppError> {
    state.session.change_member(id, &request).await
}

/// Gives a child without an account another name.
#[tauri::command]
pub async fn rename_child(state: Shared<'_>, id: MemberId, name: String) -> Result<(), AppError> {
    state.session.rename_child(id, name).await
}

/// Removes a member, or the profile of a child without an account.
#[tauri::command]
pub async fn remove_member(state: Shared<'_>, id: MemberId, child: bool) -> Result<(), AppError> {
    state.session.remove_member(id, child).await
}
