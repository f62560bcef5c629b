//! The package a person would install, made from the binary at hand and unpacked into a folder.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, ensure};

/// Where the project and what cargo built of it lie.
pub struct Place {
    /// The project's folder.
    pub project: PathBuf,
    /// The folder cargo builds into.
    pub target: PathBuf,
}

/// Which of cargo's builds is packed.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Build {
    /// `target/debug`.
    Debug,
    /// `target/release`.
    Release,
}

impl Build {
    fn folder(self) -> &'static str {
        match self {
            Self::Debug => "debug",
            Self::Release => "release",
        }
    }
}

/// An unpacked .deb.
pub struct Package {
    root: PathBuf,
}

impl Package {
    /// Bundles the built app into a .deb with Tauri's own bundler and unpacks it.
    pub fn make(place: &Place, build: Build) -> anyhow::Result<Self> {
        let bundler = place.project.join("ui/node_modules/.bin/tauri");
        let bundles = place.target.join(build.folder()).join("bundle/deb");
        if bundles.exists() {
            // A package of yesterday's version must not be the one that is looked at.
            fs::remove_dir_all(&bundles)?;
        }
        let made = Command::new(&bundler)
            .args(["bundle", "--bundles", "deb"])
            .args((build == Build::Debug).then_some("--debug"))
            .current_dir(&place.project)
            .env("CARGO_TARGET_DIR", &place.target)
            .output()
            .with_context(|| format!("cannot start {}", bundler.display()))?;
        ensure!(made.status.success(), "bundling: {}", String::from_utf8_lossy(&made.stderr));
        let root = place.target.join("package");
        if root.exists() {
            fs::remove_dir_all(&root)?;
        }
        let unpacked = Command::new("dpkg-deb")
            .arg("-x")
            .arg(files(&bundles, "deb")?.pop().context("the bundler made no package")?)
            .arg(&root)
            .status();
        ensure!(unpacked?.success(), "the package cannot be unpacked");
        // The system does this when it installs a package; it makes the entry's schemes known.
        let known = Command::new("update-desktop-database")
            .arg(root.join("usr/share/applications"))
            .status()?;
        ensure!(known.success(), "the desktop database cannot be made");
        Ok(Self { root })
    }

    /// The folder it was unpacked into.
    #[must_use]
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// The app's program in it.
    #[must_use]
    pub fn program(&self) -> PathBuf {
        self.root.join("usr/bin/luminous")
    }

    /// The name and the text of its desktop entry.
    pub fn entry(&self) -> anyhow::Result<(String, String)> {
        let folder = self.root.join("usr/share/applications");
        let file = files(&folder, "desktop")?.pop().context("the package has no desktop entry")?;
        let name = file.file_name().context("a name")?.to_string_lossy().into_owned();
        Ok((name, fs::read_to_string(file)?))
    }
}

fn files(folder: &Path, extension: &str) -> anyhow::Result<Vec<PathBuf>> {
    let entries = fs::read_dir(folder).with_context(|| format!("no {}", folder.display()))?;
    let paths = entries.map(|entry| Ok(entry?.path())).collect::<anyhow::Result<Vec<_>>>()?;
    Ok(paths.into_iter().filter(|path| path.extension().is_some_and(|e| e == extension)).collect())
}
