//! A wall display alone with whoever stands in front of it: real keys, a real pointer, and the end of
//! the page's process.

use std::fs;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context as _, ensure};
use luminous_domain::{Clock as _, SystemClock};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};

use super::Scene;
use crate::app::{App, below, running};
use crate::clipboard;
use crate::hands::{Hands, key};
use crate::journey::display;
use crate::wait::until;

/// How soon a page is back whose process ended (X3).
const BACK_WITHIN: Duration = Duration::from_secs(10);

/// Where the page's words are.
const MIDDLE: (i16, i16) = (640, 450);

/// What somebody may press who wants to get out of the page, or to get something else open.
const CHORDS: &[&[u32]] = &[
    &[key::CONTROL, key::letter('w')],
    &[key::CONTROL, key::letter('n')],
    &[key::CONTROL, key::letter('t')],
    &[key::CONTROL, key::letter('p')],
    &[key::CONTROL, key::letter('s')],
    &[key::CONTROL, key::letter('o')],
    &[key::CONTROL, key::letter('u')],
    &[key::CONTROL, key::letter('q')],
    &[key::CONTROL, key::letter('r')],
    &[key::CONTROL, key::letter('f')],
    &[key::CONTROL, key::letter('l')],
    &[key::CONTROL, key::letter('a')],
    &[key::CONTROL, key::letter('=')],
    &[key::CONTROL, key::letter('-')],
    &[key::CONTROL, key::SHIFT, key::letter('=')],
    &[key::CONTROL, key::SHIFT, key::letter('i')],
    &[key::CONTROL, key::SHIFT, key::letter('c')],
    &[key::ALT, key::function(4)],
    &[key::ALT, key::LEFT],
    &[key::ALT, key::RIGHT],
    &[key::CONTROL, key::ALT, key::LEFT],
    &[key::CONTROL, key::ALT, key::RIGHT],
    &[key::CONTROL, key::ALT, key::UP],
    &[key::CONTROL, key::ALT, key::DOWN],
    &[key::SUPER],
    &[key::SUPER, key::letter('d')],
    &[key::function(1)],
    &[key::function(5)],
    &[key::function(7)],
    &[key::function(10)],
    &[key::SHIFT, key::function(10)],
    &[key::function(11)],
    &[key::function(12)],
    &[key::MENU],
    &[key::PRINT],
    &[key::ESCAPE],
    &[key::letter('x')],
];

pub async fn kiosk_x1_no_key_opens_closes_or_changes_anything(
    mut scene: Scene<'_>,
) -> anyhow::Result<()> {
    let front = Front::of(&mut scene).await?;
    for chord in CHORDS {
        front.hands.press(chord)?;
    }
    front.hands.ask_to_close(front.window)?;
    front.is_as_it_was(&[]).await?;
    front.app.kill().await
}

pub async fn kiosk_x2_no_gesture_opens_or_changes_anything(
    mut scene: Scene<'_>,
) -> anyhow::Result<()> {
    let front = Front::of(&mut scene).await?;
    let (hands, page) = (&front.hands, &front.app.page);
    clipboard::offer(&display(&scene.desk), "<h1>Somebody else's words</h1>")?;
    hands.click(3, MIDDLE)?;
    hands.drag((200, 450), (1000, 460))?;
    hands.press(&[key::CONTROL, key::letter('v')])?;
    hands.press(&[key::SHIFT, key::INSERT])?;
    hands.click(2, MIDDLE)?;
    for wheel in [4, 5] {
        hands.holding(key::CONTROL, || (0..5).try_for_each(|_| hands.click(wheel, MIDDLE)))?;
        hands.click(wheel, MIDDLE)?;
    }
    hands.hold(MIDDLE)?;
    let held = "return performance.now() - downAt > 1500";
    until("a long press", || async { Ok((page.run(held).await? == true).then_some(())) }).await?;
    hands.let_go()?;
    front.is_as_it_was(&[]).await?;
    front.app.kill().await
}

pub async fn kiosk_x5_what_a_barcode_reader_types_leads_nowhere(
    mut scene: Scene<'_>,
) -> anyhow::Result<()> {
    let front = Front::of(&mut scene).await?;
    for payload in [
        "admin://settings",
        "family.luminous.app://auth/callback?code=x&state=y",
        "https://evil.example/%22onload=%22",
        "javascript:alert(1)",
    ] {
        front.hands.type_line(payload)?;
    }
    // With Return a button is pressed, and there is none.
    front.is_as_it_was(&["Enter"; 4]).await?;
    ensure!(!front.app.log()?.contains("redirect received"), "a display took a link");
    front.app.kill().await
}

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

/// A display, and somebody in front of it who has its keyboard.
struct Front {
    app: App,
    hands: Hands,
    window: u32,
    windows: Vec<u32>,
    before: Value,
}

impl Front {
    async fn of(scene: &mut Scene<'_>) -> anyhow::Result<Self> {
        let app = scene.open_kiosk().await?;
        let hands = Hands::at(&display(&scene.desk))?;
        let window = hands.whole_screen()?;
        hands.take_keyboard(window)?;
        app.page
            .run(
                // A key is not even heard; what a pointer brings about is, and has to be refused.
                "window.heard = []; window.downAt = 0;\
                 addEventListener('keydown', event => heard.push(event.key), true);\
                 const note = event => { if (!event.defaultPrevented) heard.push(event.type) };\
                 for (const what of ['paste', 'copy', 'drop', 'contextmenu', 'selectstart', 'wheel',\
                 'beforeprint', 'pagehide']) addEventListener(what, note, true);\
                 addEventListener('pointerdown', () => { downAt = performance.now() }, true)",
            )
            .await?;
        let before = looks(&app).await?;
        let front = Self { app, windows: hands.windows()?, hands, window, before };
        // With a click the page takes the keyboard; what is pressed counts once it hears a key.
        front.hands.click(1, MIDDLE)?;
        front.hear().await?;
        Ok(front)
    }

    /// Presses Tab, which the page may hear, until it hears one more: by then it has heard all that
    /// was pressed before.
    async fn hear(&self) -> anyhow::Result<()> {
        let count = "return heard.filter(key => key === 'Tab').length";
        let before = self.app.page.run(count).await?.as_u64();
        until("a key in the page", || async {
            self.hands.press(&[key::TAB])?;
            Ok((self.app.page.run(count).await?.as_u64() > before).then_some(()))
        })
        .await
    }

    /// Nothing happened but that the page heard these keys.
    async fn is_as_it_was(&self, heard: &[&str]) -> anyhow::Result<()> {
        self.hear().await?;
        // Time for a dialog to open.
        let begun = "window.begun = performance.now()";
        self.app.page.run(begun).await?;
        let waited = "return performance.now() - begun > 2500";
        until("time to pass", || async {
            Ok((self.app.page.run(waited).await? == true).then_some(()))
        })
        .await?;
        let keys = self.app.page.run("return heard.filter(key => key !== 'Tab')").await?;
        ensure!(keys == json!(heard), "these reached the page: {keys}");
        let after = looks(&self.app).await?;
        ensure!(after == self.before, "the page was {}, and is {after}", self.before);
        ensure!(self.hands.windows()? == self.windows, "something opened beside the page");
        ensure!(self.hands.whole_screen()? == self.window, "another window is above it");
        Ok(())
    }
}

/// What could have changed of the page; the first time it leaves its mark, which a page that was
/// loaded anew has not.
async fn looks(app: &App) -> anyhow::Result<Value> {
    app.page
        .run(
            "window.mark ??= Math.random();\
             return { mark, size: [innerWidth, innerHeight], ratio: devicePixelRatio, \
             zoom: visualViewport.scale, scroll: [scrollX, scrollY], at: location.href, \
             depth: history.length, chosen: String(getSelection()), \
             text: document.body.innerText }",
        )
        .await
}

/// The page processes that belong to this program.
fn pages_of(program: i32) -> anyhow::Result<Vec<i32>> {
    let mut pages = below(program)?;
    pages.retain(|id| {
        let name = fs::read_to_string(Path::new("/proc").join(id.to_string()).join("comm"));
        name.is_ok_and(|name| name.starts_with("WebKitWebProces"))
    });
    Ok(pages)
}
