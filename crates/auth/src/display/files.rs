//! What a display keeps on disk: where it stands, and the last wall it showed. Neither is a secret of
//! the protocol, but the wall is the family's: both files are its owner's only, and are replaced as a
//! whole, so that a power cut leaves the old one or the new one. What cannot be read counts as absent:
//! the keyring and the server know better.

use std::fs::File;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use luminous_domain::DeviceId;
use luminous_wire::api::WallView;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use url::Url;

const VERSION: u32 = 1;
const STATE: &str = "display.json";
const WALL: &str = "wall.json";
const LOCK: &str = "display.lock";

/// Where a display stands, as far as it is no secret.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Saved {
    version: u32,
    /// The link, while there is one: it tells tokens that were lost from a first start (S5).
    pub(super) link: Option<Link>,
    /// What this display was called when it was last linked.
    pub(super) former_name: Option<String>,
    /// The server's time when this was written, Unix time in ms: it is at least that now, whatever
    /// this computer's clock says.
    pub(super) server_time_ms: Option<i64>,
}

/// A link.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Link {
    /// The server it is with.
    pub(super) server: Url,
    /// Who this display is there.
    pub(super) device: DeviceId,
    /// When it ends unless the tokens are refreshed, Unix time in ms by the server's clock.
    pub(super) ends_at_ms: i64,
}

impl Saved {
    /// Whether there is a link with the server at this address.
    pub(super) fn is_linked_to(&self, server: &Url) -> bool {
        self.link.as_ref().is_some_and(|link| link.server == *server)
    }
}

/// The wall as it was last read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct KeptWall {
    version: u32,
    /// When, Unix time in ms by the server's clock.
    pub(super) as_of_ms: i64,
    /// What it showed.
    pub(super) wall: WallView,
}

impl KeptWall {
    pub(super) const fn new(wall: WallView, as_of_ms: i64) -> Self {
        Self { version: VERSION, as_of_ms, wall }
    }
}

/// The display's own folder.
#[derive(Debug, Clone)]
pub(super) struct Folder(PathBuf);

impl Folder {
    pub(super) fn new(path: &Path) -> Self {
        Self(path.to_owned())
    }

    /// The file whose lock says that this folder's display runs.
    pub(super) fn lock_file(&self) -> std::io::Result<File> {
        std::fs::create_dir_all(&self.0)?;
        File::options().create(true).truncate(false).write(true).open(self.0.join(LOCK))
    }

    pub(super) fn read_saved(&self) -> Saved {
        let saved: Option<Saved> = self.read(STATE);
        saved.filter(|saved| saved.version == VERSION).unwrap_or_default()
    }

    pub(super) fn write_saved(&self, saved: &Saved) -> std::io::Result<()> {
        self.write(STATE, &Saved { version: VERSION, ..saved.clone() })
    }

    pub(super) fn read_wall(&self) -> Option<KeptWall> {
        let kept: Option<KeptWall> = self.read(WALL);
        kept.filter(|kept| kept.version == VERSION)
    }

    pub(super) fn write_wall(&self, wall: &KeptWall) -> std::io::Result<()> {
        self.write(WALL, wall)
    }

    /// Removes the wall, and what a power cut left of a newer one.
    pub(super) fn remove_wall(&self) -> std::io::Result<()> {
        if !self.0.exists() {
            return Ok(());
        }
        for name in [WALL.to_owned(), beside(WALL)] {
            match std::fs::remove_file(self.0.join(name)) {
                Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error),
                _ => {}
            }
        }
        self.settle()
    }

    fn read<T: DeserializeOwned>(&self, name: &str) -> Option<T> {
        let text = std::fs::read(self.0.join(name)).ok()?;
        serde_json::from_slice(&text)
            .inspect_err(|error| tracing::warn!(name, %error, "a file cannot be read"))
            .ok()
    }

    fn write(&self, name: &str, value: &impl Serialize) -> std::io::Result<()> {
        std::fs::create_dir_all(&self.0)?;
        let text = serde_json::to_vec(value)?;
        let beside = self.0.join(beside(name));
        let mut options = File::options();
        options.create(true).truncate(true).write(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let mut file = options.open(&beside)?;
        file.write_all(&text)?;
        file.sync_all()?;
        std::fs::rename(beside, self.0.join(name))?;
        self.settle()
    }

    /// A new name is on disk when its folder is.
    fn settle(&self) -> std::io::Result<()> {
        #[cfg(unix)]
        File::open(&self.0)?.sync_all()?;
        Ok(())
    }
}

fn beside(name: &str) -> String {
    format!("{name}.new")
}
