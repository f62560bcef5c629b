//! Steps as they happen, each with its time, and the pictures taken on the way.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use luminous_domain::{Clock, SystemClock};

/// What a journey writes down.
pub struct Report {
    pictures: PathBuf,
    since: Duration,
    taken: usize,
}

impl Report {
    /// Pictures go into `folder`, which is emptied first.
    pub fn begin(folder: &Path) -> anyhow::Result<Self> {
        if folder.exists() {
            fs::remove_dir_all(folder)?;
        }
        fs::create_dir_all(folder)?;
        Ok(Self { pictures: folder.to_owned(), since: SystemClock.elapsed(), taken: 0 })
    }

    /// A step has been seen to work: says so, with the time since the step before.
    #[expect(clippy::print_stdout, reason = "the transcript is what the person asked for")]
    pub fn step(&mut self, what: &str) {
        let now = SystemClock.elapsed();
        println!("  {:>6.2} s  {what}", (now - self.since).as_secs_f64());
        self.since = now;
    }

    /// The file of the next picture.
    pub fn next_picture(&mut self, name: &str) -> PathBuf {
        self.taken += 1;
        self.pictures.join(format!("{:02}-{name}.png", self.taken))
    }

    /// Keeps a picture.
    pub fn picture(&mut self, name: &str, png: &[u8]) -> anyhow::Result<()> {
        Ok(fs::write(self.next_picture(name), png)?)
    }
}
