//! The identity provider as a process of its own, and the app configured for it as a person would:
//! by the seed's eight variables in a file.

use std::fs;
use std::path::PathBuf;

use anyhow::ensure;
use tokio::process::Child;

use crate::app::free_port;
use crate::desk::Desk;
use crate::package::Place;
use crate::wait::until;

/// A running `luminous-emulator serve`.
pub struct Provider {
    /// `http://localhost:PORT`, as the browser's address line shows it.
    pub origin: String,
    process: Child,
    log: PathBuf,
}

impl Provider {
    /// Starts it with its data in the desk and writes the app's `luminous.env`.
    pub async fn start(desk: &mut Desk, place: &Place) -> anyhow::Result<Self> {
        let program = place.target.join("debug/luminous-emulator").display().to_string();
        let listen = format!("127.0.0.1:{}", free_port()?);
        let data = desk.place("provider.sqlite").display().to_string();
        let serve = ["serve", "--listen", &listen, "--data", &data];
        let printed = desk.command(&program).args(serve).arg("--print-env").output().await?;
        ensure!(printed.status.success(), "{}", String::from_utf8_lossy(&printed.stderr));
        let folder = desk.place("home/.config/family.luminous.desktop");
        fs::create_dir_all(&folder)?;
        // Only the profile for development takes a provider without TLS.
        let profile = b"LUMINOUS_PROFILE=dev\n".to_vec();
        fs::write(folder.join("luminous.env"), [printed.stdout, profile].concat())?;
        let log = desk.place("provider.log");
        let output = fs::File::create(&log)?;
        let process = desk
            .command(&program)
            .args(serve)
            .stdout(output.try_clone()?)
            .stderr(output)
            .spawn()?;
        until("the emulator to listen", || async {
            Ok(fs::read_to_string(&log)?.contains("listening").then_some(()))
        })
        .await?;
        let port = listen.rsplit(':').next().unwrap_or_default();
        Ok(Self { origin: format!("http://localhost:{port}"), process, log })
    }

    /// How many requests of one kind it has seen; of any kind for an empty name.
    pub fn requests(&self, endpoint: &str) -> anyhow::Result<usize> {
        let line = format!("endpoint={endpoint}");
        Ok(fs::read_to_string(&self.log)?.lines().filter(|seen| seen.contains(&line)).count())
    }

    /// Ends it: from here on the app is offline.
    pub async fn stop(&mut self) -> anyhow::Result<()> {
        Ok(self.process.kill().await?)
    }
}
