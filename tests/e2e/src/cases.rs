//! What only real parts can prove, case by case, each in a desk of its own.

mod home;
mod keyring;
mod kiosk;
mod redirect;
mod traces;
mod wall;
mod webview;

use std::future::Future;
use std::pin::Pin;
use std::process::Command;

use anyhow::ensure;
use luminous_domain::{Clock, SystemClock};

use crate::app::{App, running};
use crate::browser::{Browser, ENTRY};
use crate::desk::Desk;
use crate::journey::{Person, SCHEME, free_ports, sign_up};
use crate::package::{Package, Place};
use crate::provider::Provider;

/// What every case starts from: a desk with the package installed, a provider, and a browser.
pub struct Scene<'a> {
    desk: Desk,
    browser: Browser,
    package: &'a Package,
    provider: Provider,
    /// Where a demo may listen, with the port after it.
    demo_port: u16,
}

impl<'a> Scene<'a> {
    async fn set(package: &'a Package, place: &Place) -> anyhow::Result<Self> {
        let mut desk = Desk::open().await?;
        desk.install(package.root());
        let entry = format!("{ENTRY}.desktop");
        desk.choose_handlers(&[("http", &entry), ("https", &entry)])?;
        let provider = Provider::start(&mut desk, place).await?;
        let demo_port = free_ports()?;
        let origins = [&*provider.origin, &format!("http://localhost:{demo_port}")];
        let browser = Browser::start(&mut desk, &origins, SCHEME).await?;
        Ok(Self { desk, browser, package, provider, demo_port })
    }

    /// Opens the installed app.
    async fn open_app(&mut self, log: &str) -> anyhow::Result<App> {
        App::start(&mut self.desk, &self.package.program(), &[], log).await
    }

    /// Opens it and signs `person` up, to their home on the screen.
    async fn open_signed_up(&mut self, log: &str, person: &Person) -> anyhow::Result<App> {
        let app = self.open_app(log).await?;
        app.press("signed_out.continue").await?;
        self.browser.take_new_tab().await?;
        sign_up(&self.browser, person).await?;
        self.browser.page.click("#continue").await?;
        app.see_screen("signed_in").await?;
        Ok(app)
    }
}

type Run<'a> = Pin<Box<dyn Future<Output = anyhow::Result<()>> + 'a>>;
type Case = (&'static str, for<'a> fn(Scene<'a>) -> Run<'a>);

macro_rules! cases {
    ($($group:ident :: $name:ident),* $(,)?) => {
        &[$((stringify!($name), |scene| Box::pin($group::$name(scene)))),*]
    };
}

const CASES: &[Case] = cases![
    redirect::a_redirect_reaches_the_running_app_through_the_packaged_entry,
    redirect::r2_r4_a_redirect_that_comes_again_or_is_made_up_changes_nothing,
    redirect::a_cold_start_finishes_the_sign_in_that_the_last_run_began,
    redirect::without_the_scheme_the_redirect_comes_back_over_loopback,
    redirect::r17_without_a_browser_the_link_can_be_carried_over_by_hand,
    keyring::s2_s3_a_locked_keyring_blocks_until_its_question_is_answered,
    keyring::s5_a_keyring_that_lost_the_sign_in_is_told_from_a_first_start,
    keyring::s9_no_token_is_anywhere_but_in_the_keyring,
    kiosk::kiosk_x1_no_key_opens_closes_or_changes_anything,
    kiosk::kiosk_x2_no_gesture_opens_or_changes_anything,
    kiosk::kiosk_x5_what_a_barcode_reader_types_leads_nowhere,
    kiosk::kiosk_x3_a_page_whose_process_is_killed_is_back_by_itself,
    wall::kiosk_s1_a_keyring_that_comes_after_the_start_is_found_and_the_wall_stays_up,
    wall::kiosk_s2_a_locked_keyring_takes_no_wall_down_and_needs_no_restart,
    wall::kiosk_s4_a_keyring_that_hangs_takes_no_wall_down,
    wall::kiosk_s5_a_display_that_its_keyring_forgot_asks_for_its_old_place,
    traces::kiosk_s9_t13_no_secret_of_a_display_is_anywhere_but_in_the_keyring,
    traces::kiosk_d19_t22_of_a_revoked_display_only_its_key_and_its_name_are_left,
    webview::u4_markup_in_a_name_is_text_and_inline_handlers_do_not_run,
    webview::u5_the_window_goes_nowhere_else_and_opens_nothing,
    webview::r16_the_page_can_neither_hear_nor_forge_a_deep_link,
];

/// Runs the cases whose name contains `only`; says how each went, and how many passed.
#[expect(clippy::print_stdout, reason = "the transcript is what the person asked for")]
pub async fn run(package: &Package, place: &Place, only: Option<&str>) -> anyhow::Result<()> {
    let (mut passed, mut failed) = (0, 0);
    for (name, case) in CASES {
        if only.is_some_and(|only| !name.contains(only)) {
            continue;
        }
        let since = SystemClock.elapsed();
        let outcome = match Scene::set(package, place).await {
            Ok(scene) => case(scene).await,
            Err(error) => Err(error.context("the scene could not be set")),
        };
        // A case that failed may leave an app behind that the desktop had started.
        for process in running(&package.program())? {
            Command::new("kill").args(["-9", &process.to_string()]).status()?;
        }
        let took = (SystemClock.elapsed() - since).as_secs_f64();
        match outcome {
            Ok(()) => {
                passed += 1;
                println!("  ok    {took:>6.2} s  {name}");
            }
            Err(error) => {
                failed += 1;
                println!("  FAIL  {took:>6.2} s  {name}\n        {error:#}");
            }
        }
    }
    println!("end-to-end: {passed} passed, {failed} failed");
    ensure!(failed == 0 && passed > 0, "not every case passed");
    Ok(())
}
