//! A wall display on the whole screen, and the end of its page's process.

use std::fs;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context as _, ensure};
use luminous_domain::{Clock as _, SystemClock};
use rustix::process::{Pid, Signal, kill_process};

use super::Scene;
use crate::app::{App, running};
use crate::bench::parents;
use crate::wait::until;

/// How soon a page is back whose process ended (X3).
const BACK_WITHIN: Duration = Duration::from_secs(10);

pub async fn kiosk_x3_a_page_whose_process_is_killed_is_back_by_itself(
    mut scene: Scene<'_>,
) -> anyhow::Result<()> {
    let app = scene.open_kiosk().await?;
    let kiosk = *running(&scene.package.program())?.first().context("no kiosk runs")?;
    let pages = pages_of(kiosk)?;
    ensure!(pages.len() == 1, "one page, not {pages:?}");
    let drawn = || Ok::<_, anyhow::Error>(app.log()?.matches("screen drawn").count());
    let before = drawn()?;
    let since = SystemClock.elapsed();
    kill_process(Pid::from_raw(pages[0]).context("no process")?, Signal::KILL)?;
    until("the screen again", || async { Ok((drawn()? > before).then_some(())) }).await?;
    let took = SystemClock.elapsed() - since;
    ensure!(took < BACK_WITHIN, "it took {took:?}");
    app.see_screen("unconfigured").await?;
    ensure!(running(&scene.package.program())? == [kiosk], "it is another program by now");
    let next = pages_of(kiosk)?;
    ensure!(next.len() == 1 && next != pages, "one new page, not {next:?}");
    app.kill().await
}

impl Scene<'_> {
    /// Opens a display that nobody has told of a server, on the whole screen.
    async fn open_kiosk(&mut self) -> anyhow::Result<App> {
        let program = self.package.program();
        let app = App::start(&mut self.desk, &program, &["kiosk"], "kiosk.log").await?;
        app.see_screen("unconfigured").await?;
        Ok(app)
    }
}

/// The page processes that belong to this program.
fn pages_of(program: i32) -> anyhow::Result<Vec<i32>> {
    let parents = parents()?;
    let parent = |of: u32| parents.iter().find(|(id, _)| *id == of).map(|(_, parent)| *parent);
    let mut found = Vec::new();
    for (id, _) in &parents {
        let name = fs::read_to_string(Path::new("/proc").join(id.to_string()).join("comm"));
        let is_page = name.is_ok_and(|name| name.starts_with("WebKitWebProces"));
        let above = std::iter::successors(Some(*id), |id| parent(*id))
            .any(|id| i32::try_from(id) == Ok(program));
        if is_page && above {
            found.push(i32::try_from(*id)?);
        }
    }
    Ok(found)
}
