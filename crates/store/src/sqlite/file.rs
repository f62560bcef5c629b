//! The file itself: whether it is still the one that was opened.

use std::path::{Path, PathBuf};

use super::open::OpenError;
use crate::error::StoreError;

/// Tells the file that was opened from any other that may be there later.
#[derive(Debug)]
pub(super) struct DatabaseFile {
    path: PathBuf,
    identity: Identity,
}

/// Device and inode.
#[cfg(unix)]
type Identity = (u64, u64);
/// Whether it is there is all that can be asked.
#[cfg(not(unix))]
type Identity = ();

impl DatabaseFile {
    pub(super) fn opened(path: &Path) -> Result<Self, OpenError> {
        let identity = identity(path).map_err(|error| OpenError::io(path, &error))?;
        Ok(Self { path: path.to_owned(), identity })
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Fails when the file was deleted or replaced: what is written then would be lost, for the
    /// open file has no name any more.
    pub(super) fn check(&self) -> Result<(), StoreError> {
        match identity(&self.path) {
            Ok(found) if found == self.identity => Ok(()),
            Ok(_) => Err(self.unavailable("was replaced by another file")),
            Err(error) => Err(self.unavailable(&format!("is gone: {error}"))),
        }
    }

    fn unavailable(&self, what: &str) -> StoreError {
        StoreError::Unavailable(format!("{} {what}", self.path.display()))
    }
}

/// Asks by name: opening and closing the file would drop SQLite's locks on it, which belong to the
/// whole process.
fn identity(path: &Path) -> std::io::Result<Identity> {
    let found = std::fs::metadata(path)?;
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt;
        Ok((found.dev(), found.ino()))
    }
    #[cfg(not(unix))]
    {
        let _ = found;
        Ok(())
    }
}
