//! The TypeScript of every type in this crate, as files.

use ts_rs::{Config, ExportError, TS};

use crate::api::{
    AcceptInvite, AddChild, ChangeDevice, ChangeMember, ConfirmLink, CreateFamily, CreateInvite,
    CreatedInvite, DeclineLink, DeleteFamily, DeviceList, InviteList, InvitePreview, LinkChallenge,
    LookUpLink, Me, MemberList, NoteList, PostNote, PreviewInvite, RenameFamily,
};
use crate::{
    ConnectRequest, FamilyNews, KioskSnapshot, SessionSnapshot, Settings, SignInIntent,
    SignOutScope,
};

/// Writes the TypeScript of every wire type below `folder`.
///
/// # Errors
/// Whatever `ts-rs` says when a file cannot be written.
pub fn export_to(folder: &std::path::Path) -> Result<(), ExportError> {
    let config = Config::default().with_out_dir(folder);
    SessionSnapshot::export_all(&config)?;
    SignInIntent::export_all(&config)?;
    SignOutScope::export_all(&config)?;
    Settings::export_all(&config)?;
    ConnectRequest::export_all(&config)?;
    FamilyNews::export_all(&config)?;
    KioskSnapshot::export_all(&config)?;
    export_api(&config)
}

/// The bodies of the family server that the window sees too.
fn export_api(config: &Config) -> Result<(), ExportError> {
    Me::export_all(config)?;
    CreateFamily::export_all(config)?;
    RenameFamily::export_all(config)?;
    DeleteFamily::export_all(config)?;
    MemberList::export_all(config)?;
    AddChild::export_all(config)?;
    ChangeMember::export_all(config)?;
    CreateInvite::export_all(config)?;
    CreatedInvite::export_all(config)?;
    InviteList::export_all(config)?;
    PreviewInvite::export_all(config)?;
    InvitePreview::export_all(config)?;
    AcceptInvite::export_all(config)?;
    DeviceList::export_all(config)?;
    ChangeDevice::export_all(config)?;
    LookUpLink::export_all(config)?;
    LinkChallenge::export_all(config)?;
    ConfirmLink::export_all(config)?;
    DeclineLink::export_all(config)?;
    NoteList::export_all(config)?;
    PostNote::export_all(config)?;
    Ok(())
}
