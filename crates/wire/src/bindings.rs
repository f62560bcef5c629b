//! The TypeScript of every type in this crate, as files.

use ts_rs::{Config, ExportError, TS};

use crate::{ConnectRequest, SessionSnapshot, Settings, SignInIntent, SignOutScope};

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
    Ok(())
}
