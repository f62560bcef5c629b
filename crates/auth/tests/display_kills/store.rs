//! A keyring of files, which outlives the process as a real one does: one file for each value,
//! replaced as a whole. It says at which of its changes the process dies.

use std::fs;
use std::path::PathBuf;

use luminous_auth::{OpenStore, SecretBytes, SecretStore, StoreError};
use zeroize::Zeroizing;

use super::point::Point;

const TOKENS: &str = "display.tokens.";

#[derive(Clone)]
pub struct FileStore {
    pub folder: PathBuf,
    pub dies_at: Option<Point>,
}

impl OpenStore for FileStore {
    fn open(&self) -> Result<Box<dyn SecretStore>, StoreError> {
        Ok(Box::new(self.clone()))
    }
}

fn refused(error: &std::io::Error) -> StoreError {
    StoreError::Refused(error.to_string())
}

fn is_slot(name: &str) -> bool {
    name.starts_with(TOKENS) && !name.ends_with(".head")
}

impl SecretStore for FileStore {
    fn get(&self, name: &str) -> Result<Vec<SecretBytes>, StoreError> {
        match fs::read(self.folder.join(name)) {
            Ok(value) => Ok(vec![Zeroizing::new(value)]),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Vec::new()),
            Err(error) => Err(refused(&error)),
        }
    }

    fn set(&self, name: &str, value: &[u8]) -> Result<(), StoreError> {
        let beside = self.folder.join(format!("{name}.new"));
        fs::write(&beside, value).map_err(|error| refused(&error))?;
        fs::rename(beside, self.folder.join(name)).map_err(|error| refused(&error))?;
        if is_slot(name) {
            Point::PendingSlotWritten.reach(self.dies_at);
        } else if name.starts_with(TOKENS) {
            Point::HeadSwitched.reach(self.dies_at);
        }
        Ok(())
    }

    fn delete(&self, name: &str) -> Result<(), StoreError> {
        match fs::remove_file(self.folder.join(name)) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                return Err(refused(&error));
            }
            _ => {}
        }
        if is_slot(name) {
            Point::OldSlotDeleted.reach(self.dies_at);
        }
        Ok(())
    }

    fn limit(&self) -> Option<usize> {
        None
    }
}
