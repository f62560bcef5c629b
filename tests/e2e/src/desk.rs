//! A private desktop: its own display, session bus, keyring, home and browser, gone when dropped.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use anyhow::{Context, ensure};
use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::process::{Child, Command};
use tokio::time::timeout;

use crate::wait::PATIENCE;

/// The password of the keyring in here; small letters, so that it can be typed.
pub const KEYRING_PASSWORD: &str = "only in this desk";

/// A desktop of our own. Its programs see nothing of the person's or the machine's.
pub struct Desk {
    folder: TempDir,
    environment: BTreeMap<OsString, OsString>,
    // Dropped, and so killed, with the desk; the keyring is kept apart to be ended by name.
    programs: Vec<Child>,
    keyring: Option<Child>,
}

impl Desk {
    /// Sets the desk up: display, bus and an unlocked keyring.
    pub async fn open() -> anyhow::Result<Self> {
        let folder = tempfile::Builder::new().prefix("luminous-desk-").tempdir()?;
        let mut this =
            Self { folder, environment: BTreeMap::new(), programs: Vec::new(), keyring: None };
        this.lay_out_home()?;
        let display = this.start_announcing("Xvfb", XVFB).await?;
        this.set("DISPLAY", format!(":{display}"));
        let bus = this.start_announcing("dbus-daemon", DBUS).await?;
        this.set("DBUS_SESSION_BUS_ADDRESS", bus);
        this.start_keyring(true).await?;
        Ok(this)
    }

    fn lay_out_home(&mut self) -> anyhow::Result<()> {
        let places = [
            ("HOME", "home"),
            ("XDG_CONFIG_HOME", "home/.config"),
            ("XDG_DATA_HOME", "home/.local/share"),
            ("XDG_CACHE_HOME", "home/.cache"),
            ("XDG_STATE_HOME", "home/.local/state"),
            ("XDG_RUNTIME_DIR", "run"),
            ("TMPDIR", "tmp"),
        ];
        for (variable, place) in places {
            let place = self.folder.path().join(place);
            fs::create_dir_all(&place)?;
            fs::set_permissions(&place, fs::Permissions::from_mode(0o700))?;
            self.set(variable, place);
        }
        let path = std::env::var_os("PATH").context("no PATH")?;
        self.set("PATH", path);
        self.set("XDG_DATA_DIRS", "/usr/local/share:/usr/share");
        // Without a desktop's name xdg-open reads `Exec` lines itself, and wrongly; GNOME's goes
        // through `gio open`.
        self.set("XDG_CURRENT_DESKTOP", "GNOME");
        self.set("LANG", "C.UTF-8");
        self.set("NO_AT_BRIDGE", "1");
        Ok(())
    }

    /// Sets a variable for every program started from here on.
    pub fn set(&mut self, variable: &str, value: impl Into<OsString>) {
        self.environment.insert(variable.into(), value.into());
    }

    /// The value of a variable of this desk.
    #[must_use]
    pub fn get(&self, variable: &str) -> Option<&OsStr> {
        self.environment.get(OsStr::new(variable)).map(OsString::as_os_str)
    }

    /// A place inside the desk's folder.
    #[must_use]
    pub fn place(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// A command that sees only this desk.
    #[must_use]
    pub fn command(&self, program: impl AsRef<OsStr>) -> Command {
        let mut command = Command::new(program);
        command.env_clear().envs(&self.environment).stdin(Stdio::null()).kill_on_drop(true);
        command
    }

    /// Starts a program whose output goes to `log`, and keeps it until the desk is dropped.
    pub fn start(&mut self, program: &str, arguments: &[&str], log: &str) -> anyhow::Result<()> {
        let log = fs::File::options().create(true).append(true).open(self.place(log))?;
        let child = self
            .command(program)
            .args(arguments)
            .stdout(log.try_clone()?)
            .stderr(log)
            .spawn()
            .with_context(|| format!("cannot start {program}"))?;
        self.programs.push(child);
        Ok(())
    }

    /// Starts a program that says on its first line where it can be reached.
    async fn start_announcing(&mut self, program: &str, args: &[&str]) -> anyhow::Result<String> {
        let mut child = self
            .command(program)
            .args(args)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .with_context(|| format!("cannot start {program}; `cargo xtask setup` installs it"))?;
        let output = child.stdout.take().context("no output")?;
        let mut line = String::new();
        timeout(PATIENCE, BufReader::new(output).read_line(&mut line))
            .await
            .with_context(|| format!("{program} never said that it is ready"))??;
        ensure!(!line.trim().is_empty(), "{program} ended at once");
        self.programs.push(child);
        Ok(line.trim().to_owned())
    }

    /// Starts the keyring, unlocked or, as after an automatic login, locked.
    pub async fn start_keyring(&mut self, unlocked: bool) -> anyhow::Result<()> {
        let mut command = self.command("gnome-keyring-daemon");
        // Whoever asks for secrets while there is no keyring has the bus start one, locked; it has
        // to give way.
        command.args(["--foreground", "--components=secrets", "--replace"]);
        if unlocked {
            command.arg("--unlock").stdin(Stdio::piped());
        }
        let mut child = command
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .context("cannot start gnome-keyring-daemon")?;
        if let Some(mut input) = child.stdin.take() {
            input.write_all(KEYRING_PASSWORD.as_bytes()).await?;
        }
        if let Some(mut before) = self.keyring.replace(child) {
            before.wait().await?;
        }
        let ready = self
            .command("gdbus")
            .args(["wait", "--session", "--timeout=30", "org.freedesktop.secrets"])
            .status()
            .await?;
        ensure!(ready.success(), "the keyring never came up");
        Ok(())
    }

    /// Ends the keyring; what it holds stays on disk.
    pub async fn stop_keyring(&mut self) -> anyhow::Result<()> {
        if let Some(mut keyring) = self.keyring.take() {
            keyring.kill().await?;
        }
        Ok(())
    }

    /// Stops the keyring where it stands, or lets it go on.
    pub fn signal_keyring(&self, signal: Signal) -> anyhow::Result<()> {
        let id = self.keyring.as_ref().and_then(Child::id).context("no keyring runs")?;
        let id = Pid::from_raw(i32::try_from(id)?).context("no process")?;
        Ok(kill_process(id, signal)?)
    }

    /// Whether the bus cannot start a keyring by itself when somebody asks for one.
    pub async fn keep_keyring_away(&self, away: bool) -> anyhow::Result<()> {
        let folder = self.place("home/.local/share/dbus-1/services");
        let file = folder.join("org.freedesktop.secrets.service");
        fs::create_dir_all(&folder)?;
        if away {
            let service = "[D-BUS Service]\nName=org.freedesktop.secrets\nExec=/bin/false\n";
            fs::write(file, service)?;
        } else {
            fs::remove_file(file)?;
        }
        let bus = ["--dest=org.freedesktop.DBus", "--object-path=/org/freedesktop/DBus"];
        let told = self
            .command("gdbus")
            .args(["call", "--session"])
            .args(bus)
            .arg("--method=org.freedesktop.DBus.ReloadConfig")
            .stdout(Stdio::null())
            .status()
            .await?;
        ensure!(told.success(), "the bus does not look at its services again");
        Ok(())
    }

    /// Puts an unpacked package in front of what is installed.
    pub fn install(&mut self, root: &Path) {
        let join = |first: PathBuf, rest: Option<&OsStr>| {
            let mut list = first.into_os_string();
            list.push(":");
            list.push(rest.unwrap_or_default());
            list
        };
        let path = join(root.join("usr/bin"), self.get("PATH"));
        let data = join(root.join("usr/share"), self.get("XDG_DATA_DIRS"));
        self.set("PATH", path);
        self.set("XDG_DATA_DIRS", data);
    }

    /// Says which desktop entry opens which scheme, as a settings panel would.
    pub fn choose_handlers(&self, handlers: &[(&str, &str)]) -> anyhow::Result<()> {
        let mut list = String::from("[Default Applications]\n");
        for (scheme, entry) in handlers {
            list.push_str(&format!("x-scheme-handler/{scheme}={entry}\n"));
        }
        fs::write(self.place("home/.config/mimeapps.list"), list)?;
        Ok(())
    }

    /// Writes a desktop entry of this desk's own.
    pub fn add_entry(&self, name: &str, exec: &Path, schemes: &[&str]) -> anyhow::Result<()> {
        let folder = self.place("home/.local/share/applications");
        fs::create_dir_all(&folder)?;
        let types: String = schemes.iter().map(|s| format!("x-scheme-handler/{s};")).collect();
        let text = format!(
            "[Desktop Entry]\nType=Application\nName={name}\nExec={} %u\nMimeType={types}\n",
            exec.display()
        );
        fs::write(folder.join(format!("{name}.desktop")), text)?;
        Ok(())
    }

    /// Writes a small shell program into the desk.
    pub fn add_script(&self, name: &str, text: &str) -> anyhow::Result<PathBuf> {
        let file = self.place(name);
        fs::write(&file, format!("#!/bin/sh\n{text}\n"))?;
        fs::set_permissions(&file, fs::Permissions::from_mode(0o755))?;
        Ok(file)
    }

    /// Whether the system's launcher would use `entry` for `scheme`; for error messages.
    pub async fn handler_of(&self, scheme: &str) -> anyhow::Result<String> {
        let answer = self
            .command("xdg-mime")
            .args(["query", "default", &format!("x-scheme-handler/{scheme}")])
            .output()
            .await?;
        Ok(String::from_utf8_lossy(&answer.stdout).trim().to_owned())
    }
}

/// The display's number comes on standard output once it can be used.
const XVFB: &[&str] =
    &["-displayfd", "1", "-screen", "0", "1280x900x24", "-nolisten", "tcp", "-noreset"];
const DBUS: &[&str] = &["--session", "--nofork", "--print-address=1"];
