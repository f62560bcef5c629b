//! A session bus and a keyring daemon in a folder of their own.

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use libtest_mimic::Failed;
use tempfile::TempDir;
use zbus::blocking::{Connection, connection, fdo::DBusProxy};
use zbus::names::BusName;

use super::probe;

const NAME: &str = "org.freedesktop.secrets";

/// No service directories: the bus starts nothing by itself, in particular no second keyring.
const BUS_CONFIG: &str = r#"<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig>
  <type>session</type>
  <listen>unix:path=SOCKET</listen>
  <policy context="default">
    <allow send_destination="*" eavesdrop="true"/>
    <allow eavesdrop="true"/>
    <allow own="*"/>
  </policy>
</busconfig>
"#;

/// A desktop session of nobody, ended when dropped.
pub struct Desktop {
    folder: TempDir,
    bus: Option<Child>,
    keyring: Option<Child>,
}

impl Desktop {
    /// A home and a runtime folder, and nothing running yet.
    pub fn new() -> Result<Self, Failed> {
        let folder = tempfile::Builder::new().prefix("keyring-").tempdir()?;
        for name in ["run", "home"] {
            let path = folder.path().join(name);
            std::fs::create_dir(&path)?;
            // gnome-keyring refuses a runtime folder that others may enter.
            let mode = std::os::unix::fs::PermissionsExt::from_mode(0o700);
            std::fs::set_permissions(path, mode)?;
        }
        Ok(Self { folder, bus: None, keyring: None })
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn address(&self) -> String {
        format!("unix:path={}", self.path("run/bus").display())
    }

    /// `program` in this session and in no other.
    fn command(&self, program: impl AsRef<Path>) -> Command {
        let mut command = Command::new(program.as_ref());
        command
            .env("HOME", self.path("home"))
            .env("XDG_RUNTIME_DIR", self.path("run"))
            .env("XDG_DATA_HOME", self.path("home/share"))
            .env("DBUS_SESSION_BUS_ADDRESS", self.address())
            .env_remove("DISPLAY")
            .env_remove("WAYLAND_DISPLAY")
            .env_remove("GNOME_KEYRING_CONTROL");
        command
    }

    /// Starts the bus; it listens when this returns.
    pub fn start_bus(&mut self) -> Result<(), Failed> {
        let socket = self.path("run/bus");
        let config = self.path("bus.conf");
        std::fs::write(&config, BUS_CONFIG.replace("SOCKET", &socket.display().to_string()))?;
        let mut bus = self
            .command("dbus-daemon")
            .arg(format!("--config-file={}", config.display()))
            .args(["--nofork", "--nopidfile", "--print-address=1"])
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .map_err(|error| format!("dbus-daemon cannot be started ({error}): install dbus"))?;
        let mut line = String::new();
        BufReader::new(bus.stdout.take().ok_or("no output")?).read_line(&mut line)?;
        self.bus = Some(bus);
        if line.is_empty() { Err("dbus-daemon ended at once".into()) } else { Ok(()) }
    }

    /// Starts the keyring daemon, unlocked with its password or not; it owns its name when this
    /// returns.
    pub fn start_keyring(&mut self, unlocked: bool) -> Result<(), Failed> {
        let mut command = self.command("gnome-keyring-daemon");
        command.args(["--foreground", "--components=secrets"]);
        if unlocked {
            command.arg("--unlock");
        }
        let mut daemon = command
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .map_err(|error| {
                format!("gnome-keyring-daemon cannot be started ({error}): install gnome-keyring")
            })?;
        let mut input = daemon.stdin.take().ok_or("no input")?;
        if unlocked {
            input.write_all(b"password")?;
        }
        drop(input);
        self.keyring = Some(daemon);
        self.wait_for_owner(true)
    }

    /// Kills the keyring daemon; its name is free when this returns.
    pub fn stop_keyring(&mut self) -> Result<(), Failed> {
        if let Some(mut daemon) = self.keyring.take() {
            daemon.kill()?;
            daemon.wait()?;
        }
        self.wait_for_owner(false)
    }

    /// Waits for the bus to say that the keyring's name is owned, or is not.
    fn wait_for_owner(&self, owned: bool) -> Result<(), Failed> {
        let connection: Connection =
            connection::Builder::address(self.address().as_str())?.build()?;
        let bus = DBusProxy::new(&connection)?;
        let mut changes = bus.receive_name_owner_changed_with_args(&[(0, NAME)])?;
        while bus.name_has_owner(BusName::try_from(NAME)?)? != owned {
            changes.next().ok_or("the bus went away")?;
        }
        Ok(())
    }

    fn keyring_path(&self) -> PathBuf {
        self.path("home/share/keyrings/login.keyring")
    }

    /// The keyring file.
    pub fn keyring_file(&self) -> Result<Vec<u8>, Failed> {
        Ok(std::fs::read(self.keyring_path())?)
    }

    /// Changes the keyring file behind the daemon's back.
    pub fn damage_keyring_file(&self, damage: fn(&mut Vec<u8>)) -> Result<(), Failed> {
        let mut bytes = self.keyring_file()?;
        damage(&mut bytes);
        Ok(std::fs::write(self.keyring_path(), bytes)?)
    }

    /// Sends the keyring daemon a signal.
    pub fn signal_keyring(&self, signal: &str) -> Result<(), Failed> {
        let daemon = self.keyring.as_ref().ok_or("there is no daemon")?;
        let status =
            Command::new("kill").args(["-s", signal, &daemon.id().to_string()]).status()?;
        if status.success() { Ok(()) } else { Err("the signal was not sent".into()) }
    }

    /// Somebody who is asked to show the keyring's prompt and never does, for as long as the
    /// connection lives.
    pub fn silent_prompter(&self) -> Result<Connection, Failed> {
        let connection: Connection =
            connection::Builder::address(self.address().as_str())?.build()?;
        connection.request_name("org.gnome.keyring.SystemPrompter")?;
        Ok(connection)
    }

    /// Starts a process of this program that uses the keyring as the app does.
    pub fn probe(&self) -> Result<Probe, Failed> {
        let mut process = self
            .command(std::env::current_exe()?)
            .arg(probe::ARGUMENT)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let input = process.stdin.take().ok_or("no input")?;
        let output = BufReader::new(process.stdout.take().ok_or("no output")?);
        Ok(Probe { process, input: Some(input), output })
    }
}

impl Drop for Desktop {
    fn drop(&mut self) {
        for mut process in self.keyring.take().into_iter().chain(self.bus.take()) {
            let _ = process.kill();
            let _ = process.wait();
        }
    }
}

/// The other process.
pub struct Probe {
    process: Child,
    input: Option<ChildStdin>,
    output: BufReader<ChildStdout>,
}

impl Probe {
    /// Says a line and hears one.
    pub fn ask(&mut self, line: &str) -> Result<String, Failed> {
        writeln!(self.input.as_mut().ok_or("it was told to quit")?, "{line}")?;
        let mut answer = String::new();
        self.output.read_line(&mut answer)?;
        Ok(answer.trim_end().to_owned())
    }

    /// Lets it end, and waits until it did.
    pub fn quit(mut self) -> Result<(), Failed> {
        drop(self.input.take());
        let status = self.process.wait()?;
        if status.success() { Ok(()) } else { Err(format!("the probe ended with {status}").into()) }
    }
}

impl Drop for Probe {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
