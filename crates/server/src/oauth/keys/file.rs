//! The file of signing keys: JSON, for its owner only, replaced as a whole.

use std::fs::{File, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

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

/// Writes a file that is not there yet, as a whole; answers whether it was not.
pub(super) fn write_new(path: &Path, keys: &[Kept]) -> Result<bool, ConfigError> {
    let _lock = lock(path)?;
    // Whatever is there, also a link that leads nowhere, is not for us to replace.
    if path.symlink_metadata().is_ok() {
        return Ok(false);
    }
    replace(path, keys)?;
    Ok(true)
}

/// The file that `path` leads to: a replacement takes the place of that, and not of a link to it.
pub(super) fn real(path: &Path) -> Result<PathBuf, ConfigError> {
    match path.canonicalize() {
        Ok(real) => Ok(real),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(path.to_owned()),
        Err(error) => Err(wrong(path, &error.to_string())),
    }
}

/// Keeps others of this program from changing the file until the answer is dropped. The lock is a
/// file beside it, which stays: the file itself is another one after each change.
pub(super) fn lock(path: &Path) -> Result<File, ConfigError> {
    let lock = beside(path, ".lock");
    let opened = match File::open(&lock) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            OpenOptions::new().create(true).truncate(false).write(true).open(&lock)
        }
        opened => opened,
    };
    let locked = opened.and_then(|file| match file.lock() {
        // Some network file systems have none; there it is as it was without.
        Err(error) if error.kind() != io::ErrorKind::Unsupported => Err(error),
        _ => Ok(file),
    });
    locked.map_err(|error| wrong(&lock, &error.to_string()))
}

/// Replaces the file as a whole, so that nobody ever reads half of it. Owner, group and mode stay:
/// the server reads it, whoever rotates.
pub(super) fn replace(path: &Path, keys: &[Kept]) -> Result<(), ConfigError> {
    let next = beside(path, ".next");
    // What an interrupted rotation left is no use to anybody.
    let _ = std::fs::remove_file(&next);
    let replaced = write(&next, keys)
        .and_then(|()| give_as(path, &next))
        .and_then(|()| std::fs::rename(&next, path))
        .and_then(|()| sync_folder(path));
    replaced.map_err(|error| {
        let _ = std::fs::remove_file(&next);
        wrong(path, &error.to_string())
    })
}

fn beside(path: &Path, end: &str) -> PathBuf {
    let mut beside = path.as_os_str().to_owned();
    beside.push(end);
    beside.into()
}

/// Gives `next` to whom `path` belongs, if there is one.
#[cfg(unix)]
fn give_as(path: &Path, next: &Path) -> io::Result<()> {
    use std::os::unix::fs::{MetadataExt as _, chown};
    let former = match std::fs::metadata(path) {
        Ok(former) => former,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error),
    };
    let now = std::fs::metadata(next)?;
    if (now.uid(), now.gid()) != (former.uid(), former.gid()) {
        chown(next, Some(former.uid()), Some(former.gid()))?;
    }
    std::fs::set_permissions(next, former.permissions())
}

/// What a folder says of who may read counts here.
#[cfg(not(unix))]
fn give_as(_path: &Path, _next: &Path) -> io::Result<()> {
    Ok(())
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
