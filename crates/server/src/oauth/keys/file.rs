//! The file of signing keys: JSON, for its owner only, replaced as a whole.

use std::fs::{File, OpenOptions};
use std::io::{self, Write as _};
use std::path::Path;

use aws_lc_rs::digest;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use luminous_domain::Timestamp;
use luminous_oidc::jose::SigningKey;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::wrong;
use crate::config::ConfigError;

/// The version of the file.
const VERSION: u32 = 1;

/// A key, as the file keeps it.
pub(super) struct Kept {
    /// Its name: its thumbprint.
    pub(super) kid: String,
    pub(super) pair: SigningKey,
    pub(super) created_at: Timestamp,
    /// From when it signs.
    pub(super) signs_from: Timestamp,
    /// When the next one takes over.
    pub(super) retired_at: Option<Timestamp>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    version: u32,
    keys: Vec<Entry>,
}

/// Times as RFC 3339 writes them, for people.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    kid: String,
    pkcs8: Zeroizing<String>,
    created_at: String,
    signs_from: String,
    retired_at: Option<String>,
}

/// Reads the file.
pub(super) fn read(path: &Path) -> Result<Zeroizing<String>, ConfigError> {
    std::fs::read_to_string(path).map(Zeroizing::new).map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => {
            wrong(path, "it is missing; `luminous-server keys rotate` makes one, for all replicas")
        }
        _ => wrong(path, &error.to_string()),
    })
}

/// What to tell one text from another by.
pub(super) fn hash(text: &str) -> [u8; 32] {
    let mut hash = [0; 32];
    hash.copy_from_slice(digest::digest(&digest::SHA256, text.as_bytes()).as_ref());
    hash
}

/// The keys in the text of the file. What is wrong is said without any of it.
pub(super) fn parse(path: &Path, text: &str) -> Result<Vec<Kept>, ConfigError> {
    let damaged = || wrong(path, "it is damaged");
    let document: Document = serde_json::from_str(text).map_err(|_| damaged())?;
    if document.version != VERSION {
        return Err(wrong(path, "it is of another version"));
    }
    document.keys.into_iter().map(|entry| entry.read().ok_or_else(damaged)).collect()
}

/// Writes a file that is not there yet; answers whether it was not.
pub(super) fn write_new(path: &Path, keys: &[Kept]) -> Result<bool, ConfigError> {
    match write(path, keys) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(false),
        Err(error) => Err(wrong(path, &error.to_string())),
    }
}

/// Replaces the file as a whole, so that nobody ever reads half of it.
pub(super) fn replace(path: &Path, keys: &[Kept]) -> Result<(), ConfigError> {
    let mut next = path.as_os_str().to_owned();
    next.push(".next");
    let next = Path::new(&next);
    // What an interrupted rotation left is no use to anybody.
    let _ = std::fs::remove_file(next);
    let replaced = write(next, keys).and_then(|()| std::fs::rename(next, path));
    replaced.and_then(|()| sync_folder(path)).map_err(|error| wrong(path, &error.to_string()))
}

/// For its owner only, and never over a file that is there.
fn write(path: &Path, keys: &[Kept]) -> io::Result<()> {
    let entries = keys.iter().map(Entry::of).collect::<io::Result<_>>()?;
    let document = Document { version: VERSION, keys: entries };
    let text = Zeroizing::new(serde_json::to_string_pretty(&document)?);
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path)?;
    writeln!(file, "{}", *text)?;
    file.sync_all()
}

/// A rename is on the disk when its folder is; Windows has no such thing.
fn sync_folder(path: &Path) -> io::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    if cfg!(unix) { File::open(folder.unwrap_or(Path::new(".")))?.sync_all() } else { Ok(()) }
}

impl Entry {
    fn of(key: &Kept) -> io::Result<Self> {
        let pkcs8 = key.pair.to_pkcs8().map_err(io::Error::other)?;
        Ok(Self {
            kid: key.kid.clone(),
            pkcs8: Zeroizing::new(STANDARD.encode(&*pkcs8)),
            created_at: key.created_at.to_string(),
            signs_from: key.signs_from.to_string(),
            retired_at: key.retired_at.map(|at| at.to_string()),
        })
    }

    fn read(self) -> Option<Kept> {
        let pkcs8 = Zeroizing::new(STANDARD.decode(&*self.pkcs8).ok()?);
        Some(Kept {
            pair: SigningKey::from_pkcs8(&pkcs8).ok()?,
            kid: self.kid,
            created_at: self.created_at.parse().ok()?,
            signs_from: self.signs_from.parse().ok()?,
            retired_at: self.retired_at.map(|at| at.parse()).transpose().ok()?,
        })
    }
}
