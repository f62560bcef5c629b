//! What a display leaves lying about: of its secrets nothing, and of a family that it does not belong
//! to any more its own name there.

use std::fs;

use anyhow::{Context as _, ensure};
use base64::Engine as _;
use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD};
use serde_json::Value;

use super::Scene;
use super::keyring::{TOKEN_STARTS, files_below};
use super::wall::{FOLDER, SERVICE, written};
use crate::app::App;
use crate::desk::Desk;
use crate::journey::{ANA, DISPLAY, FAMILY, NOTE, enrol_second_factor};
use crate::secrets::{self, decoded};
use crate::wait::until;
use crate::words::say;

/// Everything that a script in the page could lay its hands on, as one text.
const PAGE: &str = "
    const done = arguments[arguments.length - 1];
    const seen = new Set(), found = [document.documentElement.outerHTML, document.cookie];
    const walk = (value, depth) => {
        if (typeof value === 'string') found.push(value);
        const holds = value !== null && ['object', 'function'].includes(typeof value);
        if (!holds || depth > 8 || seen.has(value)) return;
        seen.add(value);
        if (value instanceof Map || value instanceof Set)
            for (const one of value) walk(one, depth + 1);
        for (const name of Reflect.ownKeys(value)) {
            found.push(String(name));
            try { walk(value[name], depth + 1) } catch { }
        }
    };
    walk(window, 0);
    for (const node of document.querySelectorAll('*')) walk(node, 1);
    for (const store of [localStorage, sessionStorage]) walk({ ...store }, 0);
    for (const entry of performance.getEntries()) found.push(entry.name);
    walk(history.state, 0);
    const names = async () => {
        for (const { name } of await indexedDB.databases()) found.push(name);
        found.push(...await caches?.keys() ?? []);
    };
    names().catch(() => 0).then(() => done(found.join('\\n')));
";

pub async fn kiosk_s9_t13_no_secret_of_a_display_is_anywhere_but_in_the_keyring(
    mut scene: Scene<'_>,
) -> anyhow::Result<()> {
    let home = scene.open_home().await?;
    home.wall.see_screen("code").await?;
    let mut canaries = Canaries::default();
    until("the code in the keyring", || async {
        let code = record(&scene.desk, "display.code")?;
        Ok(code.first().is_some_and(|code| canaries_of_code(code).is_some()).then_some(()))
    })
    .await?;
    for code in record(&scene.desk, "display.code")? {
        let [device, link] = canaries_of_code(&code).context("a code that cannot be read")?;
        canaries.add("the device code", device);
        canaries.add("the secret of the QR", link);
    }
    canaries.check_page(&home.wall).await?;
    home.link().await?;
    home.reaches_the_wall("live").await?;
    for tokens in record(&scene.desk, "display.tokens")? {
        let tokens: Value = serde_json::from_slice(&tokens)?;
        let refresh = tokens["refresh_token"].as_str().context("no refresh token")?;
        canaries.add("the refresh token", refresh.to_owned());
    }
    for key in record(&scene.desk, "display.key")? {
        canaries.add_key(&key)?;
    }
    ensure!(canaries.0.len() > TOKEN_STARTS.len() + 4, "there was nothing to look for");

    canaries.check_page(&home.wall).await?;
    canaries.check_processes(&home.wall)?;
    home.wall.kill().await?;
    let log = home.wall.log()?;
    ensure!(log.contains("TRACE") || log.contains("DEBUG"), "the log was not written in full");
    canaries.check("the log", log.as_bytes())?;
    let mut files = 0;
    for folder in [FOLDER, "home/.config", "home/.cache", "tmp", "run"] {
        for file in files_below(&scene.desk.place(folder))? {
            files += 1;
            canaries.check(&file.display().to_string(), &fs::read(&file)?)?;
        }
    }
    ensure!(files > 2, "the display left no files to look at");
    home.app.quit().await
}

pub async fn kiosk_d19_t22_of_a_revoked_display_only_its_key_and_its_name_are_left(
    mut scene: Scene<'_>,
) -> anyhow::Result<()> {
    let mut home = scene.open_linked_home().await?;
    home.wall.kill().await?;
    // One that was linked when it started, and was told so before its first frame.
    home.wall = scene.hang_display("wall-1.log").await?;
    home.wall.see_screen("wall").await?;
    home.wall.page.lacks(".as-of").await?;
    ensure!(family_in(&page(&home.wall).await?).is_some(), "a page that holds nothing");

    home.app.press_on(&format!("{} {DISPLAY}", say("members.change")?)).await?;
    home.app.press("displays.revoke").await?;
    home.app.confirm("displays.revoke").await?;
    home.app.see_screen("waiting_for_browser").await?;
    scene.browser.take_new_tab().await?;
    enrol_second_factor(&scene.browser).await?;
    home.wall.see_screen("code").await?;

    until("a page without the family", || async {
        match family_in(&page(&home.wall).await?) {
            Some(word) => anyhow::bail!("{word:?} is in the page"),
            None => Ok(Some(())),
        }
    })
    .await?;
    ensure!(written(&home.wall).await?.contains(DISPLAY), "it forgot what it was called");
    until("a keyring without tokens", || async {
        let names = secrets::of(&scene.desk, SERVICE)?;
        let is_left =
            |name: &String| name.starts_with("display.key.") || name.starts_with("display.code.");
        Ok(names.keys().all(is_left).then_some(()))
    })
    .await?;
    ensure!(!record(&scene.desk, "display.key")?.is_empty(), "the key pair is gone");
    home.wall.kill().await?;
    let files = files_below(&scene.desk.place(FOLDER))?;
    ensure!(!files.is_empty(), "the display left no files to look at");
    for file in files {
        let held = fs::read(&file)?;
        // As text, and as WebKit writes text.
        let wide: Vec<u8> = held.iter().copied().filter(|byte| *byte != 0).collect();
        for text in [held, wide] {
            let word = family_in(&String::from_utf8_lossy(&text));
            ensure!(word.is_none(), "{word:?} is in {}", file.display());
        }
    }
    home.app.quit().await
}

/// A word of the family in this text.
fn family_in(text: &str) -> Option<&'static str> {
    [FAMILY, NOTE, ANA.name].into_iter().find(|word| text.contains(word))
}

async fn page(wall: &App) -> anyhow::Result<String> {
    let found = wall.page.run_async(PAGE).await?;
    Ok(found.as_str().context("the page does not answer")?.to_owned())
}

/// What the keyring holds of one of the display's records, in each of its places.
fn record(desk: &Desk, name: &str) -> anyhow::Result<Vec<Vec<u8>>> {
    let held = secrets::of(desk, SERVICE)?.into_iter();
    let held = held.filter(|(place, _)| place.starts_with(name) && !place.ends_with(".head"));
    Ok(held.filter_map(|(_, value)| decoded(&value)).collect())
}

fn canaries_of_code(code: &[u8]) -> Option<[String; 2]> {
    let code: Value = serde_json::from_slice(code).ok()?;
    let [device, link] = ["device_code", "verification_uri_complete"]
        .map(|name| code[name].as_str().map(str::to_owned));
    Some([device?, link?])
}

/// What must be nowhere, and what it is called.
struct Canaries(Vec<(&'static str, String)>);

impl Default for Canaries {
    /// The access token is in the memory of the program only: any token will do.
    fn default() -> Self {
        Self(TOKEN_STARTS.iter().map(|start| ("a token", (*start).to_owned())).collect())
    }
}

impl Canaries {
    fn add(&mut self, name: &'static str, text: String) {
        self.0.push((name, text));
    }

    /// The private half, as it is and as people write bytes.
    fn add_key(&mut self, pkcs8: &[u8]) -> anyhow::Result<()> {
        // Where RFC 5208 and RFC 5915 put the 32 bytes of a P-256 key, of which 30 are a whole number
        // of base64's groups.
        let private = pkcs8.get(36..66).context("this is no key")?;
        let hex: String = private.iter().map(|byte| format!("{byte:02x}")).collect();
        for text in [hex, BASE64_STANDARD.encode(private), BASE64_URL_SAFE_NO_PAD.encode(private)] {
            self.add("the private key", text);
        }
        self.add("the private key", latin(private));
        Ok(())
    }

    fn check(&self, place: &str, held: &[u8]) -> anyhow::Result<()> {
        let held = latin(held);
        for (name, canary) in &self.0 {
            ensure!(!held.contains(canary), "{place} holds {name}");
        }
        Ok(())
    }

    async fn check_page(&self, wall: &App) -> anyhow::Result<()> {
        self.check("the page", page(wall).await?.as_bytes())
    }

    /// The command lines and environments of the display's processes.
    fn check_processes(&self, wall: &App) -> anyhow::Result<()> {
        let mut environments = 0;
        for id in wall.processes()? {
            self.check("a command line", &fs::read(format!("/proc/{id}/cmdline"))?)?;
            // The program's own may be closed even to its owner.
            if let Ok(environment) = fs::read(format!("/proc/{id}/environ")) {
                environments += usize::from(!environment.is_empty());
                self.check("an environment", &environment)?;
            }
        }
        ensure!(environments > 0, "no process shows its environment");
        Ok(())
    }
}

/// Any bytes as a text that can be searched, one character for each.
fn latin(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| char::from(*byte)).collect()
}
