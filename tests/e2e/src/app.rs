//! The real app window, driven through WebKitWebDriver.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::json;

use crate::bench::parents;
use crate::desk::Desk;
use crate::wait::until;
use crate::webdriver::Session;
use crate::words::say;

/// A window of the app, started by WebKitWebDriver.
pub struct App {
    /// The page in the window.
    pub page: Session,
    log: PathBuf,
    program: PathBuf,
    /// Which of the program's windows it is: the display's is a process of its own.
    kind: Kind,
}

/// The windows of the program that are processes of their own.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Desktop,
    Kiosk,
}

impl Kind {
    /// What these arguments start.
    fn of(first: Option<&[u8]>) -> Self {
        if first == Some(b"kiosk") { Self::Kiosk } else { Self::Desktop }
    }
}

impl App {
    /// Starts `program` with `arguments` in the desk. One driver process serves one window.
    pub async fn start(
        desk: &mut Desk,
        program: &Path,
        arguments: &[&str],
        log: &str,
    ) -> anyhow::Result<Self> {
        let port = free_port()?;
        desk.set("TAURI_WEBVIEW_AUTOMATION", "true");
        desk.set("LUMINOUS_LOG", "trace");
        let started =
            desk.start("WebKitWebDriver", &[&format!("--port={port}"), "--host=127.0.0.1"], log);
        desk.set("TAURI_WEBVIEW_AUTOMATION", "");
        started?;
        let options = json!({ "binary": program, "args": arguments });
        let begun = Session::begin(port, json!({ "webkitgtk:browserOptions": options })).await;
        let log = desk.place(log);
        let said = || fs::read_to_string(&log).unwrap_or_default();
        let page = begun.with_context(|| format!("the app said:\n{}", said()))?;
        let kind = Kind::of(arguments.first().map(|first| first.as_bytes()));
        Ok(Self { page, log, program: program.to_owned(), kind })
    }

    /// Waits until the screen that the app has drawn last is `name`, as the app's log says.
    pub async fn see_screen(&self, name: &str) -> anyhow::Result<()> {
        let line = format!("screen=\"{name}\"");
        let seen = until(&format!("the screen {name}"), || async {
            let log = self.log()?;
            let last = log.lines().rfind(|line| line.contains("screen drawn"));
            Ok(last.is_some_and(|last| last.contains(&line)).then_some(()))
        })
        .await;
        if let Err(error) = seen {
            let shown = self.page.text("body").await.unwrap_or_default();
            let said = self.log().unwrap_or_default();
            return Err(error.context(format!("the app shows:\n{shown}\nand said:\n{said}")));
        }
        Ok(())
    }

    /// Waits until the window shows the words of `key`.
    pub async fn see(&self, key: &str) -> anyhow::Result<()> {
        self.page.see("body", say(key)?).await
    }

    /// Presses the button that carries the words of `key`.
    pub async fn press(&self, key: &str) -> anyhow::Result<()> {
        let words = say(key)?;
        self.page.click(&format!("//button[normalize-space(.)=\"{words}\"]")).await
    }

    /// Presses the button with the words of `key` in the question that is open.
    pub async fn confirm(&self, key: &str) -> anyhow::Result<()> {
        let words = say(key)?;
        self.page.click(&format!("//dialog[@open]//button[normalize-space(.)=\"{words}\"]")).await
    }

    /// Presses the button on which, perhaps among more, these words stand.
    pub async fn press_on(&self, words: &str) -> anyhow::Result<()> {
        self.page.click(&format!("//button[contains(normalize-space(.), \"{words}\")]")).await
    }

    /// Types into the field that the words of `key` label.
    pub async fn fill(&self, key: &str, text: &str) -> anyhow::Result<()> {
        let label = say(key)?;
        let field = format!(
            "//*[(self::input or self::textarea) and @id=//label[normalize-space(.)=\"{label}\"]/@for]"
        );
        self.page.fill(&field, text).await
    }

    /// Chooses the option that begins with these words.
    pub async fn choose(&self, words: &str) -> anyhow::Result<()> {
        let option = format!("//label[starts-with(normalize-space(.), \"{words}\")]");
        self.page.click(&option).await
    }

    /// Everything the app has said so far.
    pub fn log(&self) -> anyhow::Result<String> {
        Ok(fs::read_to_string(&self.log)?)
    }

    /// The program and all that it started, its page's process among them.
    pub fn processes(&self) -> anyhow::Result<Vec<i32>> {
        let own = running_as(&self.program, self.kind)?;
        let mut all = own.clone();
        for program in own {
            all.extend(below(program)?);
        }
        Ok(all)
    }

    /// Closes the window as a person would, and waits until the program is gone.
    pub async fn quit(&self) -> anyhow::Result<()> {
        let processes = running_as(&self.program, self.kind)?;
        // The driver answers with an error when the page is gone before it could say so.
        let _ = self.page.close_window().await;
        ended(&processes).await?;
        let _ = self.page.end().await;
        Ok(())
    }

    /// Cuts its power.
    pub async fn kill(&self) -> anyhow::Result<()> {
        let processes = running_as(&self.program, self.kind)?;
        for id in &processes {
            let id = Pid::from_raw(*id).context("no process")?;
            kill_process(id, Signal::KILL)?;
        }
        ended(&processes).await?;
        let _ = self.page.end().await;
        Ok(())
    }
}

/// The processes that run `program` now, started by its path or, as by its desktop entry, by its
/// bare name. The app forbids others to look at more of it than its command line.
pub fn running(program: &Path) -> anyhow::Result<Vec<i32>> {
    let mut all = running_as(program, Kind::Desktop)?;
    all.extend(running_as(program, Kind::Kiosk)?);
    Ok(all)
}

fn running_as(program: &Path, kind: Kind) -> anyhow::Result<Vec<i32>> {
    let names = [Some(program.as_os_str()), program.file_name()];
    let mut found = Vec::new();
    for entry in fs::read_dir("/proc")? {
        let entry = entry?;
        let Some(id) = entry.file_name().to_str().and_then(|name| name.parse().ok()) else {
            continue;
        };
        let words = fs::read(entry.path().join("cmdline")).unwrap_or_default();
        let mut words = words.split(|byte| *byte == 0);
        let first = words.next().map(OsStr::from_bytes).filter(|first| !first.is_empty());
        if first.is_some() && names.contains(&first) && Kind::of(words.next()) == kind {
            found.push(id);
        }
    }
    Ok(found)
}

/// The processes that this one started, and those that they started.
pub fn below(program: i32) -> anyhow::Result<Vec<i32>> {
    let parents = parents()?;
    let parent = |of: u32| parents.iter().find(|(id, _)| *id == of).map(|(_, parent)| *parent);
    let is_below = |id: u32| {
        std::iter::successors(parent(id), |id| parent(*id))
            .any(|above| i32::try_from(above) == Ok(program))
    };
    let ids = parents.iter().map(|(id, _)| *id).filter(|id| is_below(*id));
    Ok(ids.map(i32::try_from).collect::<Result<_, _>>()?)
}

/// Waits until these processes have ended, with all that they held open: a next start would meet
/// the bus name of one that has only begun to.
pub async fn ended(processes: &[i32]) -> anyhow::Result<()> {
    until("the app to end", || async {
        let alive = processes.iter().any(|id| {
            let stat = fs::read_to_string(format!("/proc/{id}/stat")).unwrap_or_default();
            // The name in parentheses may hold anything; the state follows it.
            stat.rsplit_once(") ").is_some_and(|(_, rest)| !rest.starts_with('Z'))
        });
        Ok((!alive).then_some(()))
    })
    .await
}

/// A port of this computer that nobody uses now.
pub fn free_port() -> anyhow::Result<u16> {
    Ok(std::net::TcpListener::bind("127.0.0.1:0")?.local_addr()?.port())
}
