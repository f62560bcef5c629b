//! `cargo xtask test`: every check there is, in an order in which an early failure explains a
//! later one; and `--fast`, the inner loop.

use anyhow::Context as _;

use crate::context::{Context, Platform};
use crate::shell::Line;
use crate::stage::{self, Stage};
use crate::tools::NEXTEST;
use crate::{bindings, bundle, deny, e2e, peers, setup, ui};

const WARNINGS_FAIL: &[&str] = &["--all-targets", "--", "--deny", "warnings"];

/// Everything there is, the embedded emulator of the demo included.
const WORKSPACE: &[&str] = &["--workspace", "--features", "luminous/demo"];

/// The app's package needs WebKit and the built UI, so the inner loop leaves it out.
const WITHOUT_APP: &[&str] = &["--workspace", "--exclude", "luminous"];

/// What waits for a real daemon's deadlines, for a PostgreSQL, or kills programs over and over.
const WITHOUT_SLOW: &[&str] = &[
    "--workspace",
    "--exclude",
    "luminous",
    "-E",
    "not binary(keyring) & not binary(postgres) & not binary(kills) & not binary(display_kills) \
     & not binary(endurance)",
];

const EVERYTHING: &[Stage] = &[
    Stage { name: "format", needs: &[], run: format },
    Stage { name: "bindings", needs: &[], run: bindings::check },
    Stage { name: "ui lint", needs: &[], run: |context| ui::script(context, "lint") },
    Stage { name: "ui types", needs: &[], run: |context| ui::script(context, "check") },
    Stage { name: "ui unit tests", needs: &[], run: |context| ui::script(context, "test") },
    Stage { name: "ui build", needs: &[], run: |context| ui::script(context, "build") },
    Stage { name: "ui browser tests", needs: &["ui build"], run: ui::browser_tests },
    Stage { name: "licences and bans", needs: &[], run: deny::check },
    // The app embeds the built UI at compile time, so nothing below compiles without it.
    Stage { name: "clippy", needs: &["ui build"], run: |context| clippy(context, WORKSPACE) },
    Stage { name: "rust tests", needs: &["ui build"], run: |context| tests(context, WORKSPACE) },
    Stage { name: "doc tests", needs: &["ui build"], run: doc_tests },
    Stage { name: "app", needs: &["ui build"], run: bundle::debug_app },
    Stage { name: "peers", needs: &["app"], run: peers::run },
    Stage { name: "real window", needs: &["app"], run: e2e::run },
];

const FAST: &[Stage] = &[
    Stage { name: "format", needs: &[], run: format },
    Stage { name: "clippy", needs: &[], run: |context| clippy(context, WITHOUT_APP) },
    Stage { name: "rust tests", needs: &[], run: |context| tests(context, WITHOUT_SLOW) },
    Stage { name: "ui types", needs: &[], run: |context| ui::script(context, "check") },
    Stage { name: "ui unit tests", needs: &[], run: |context| ui::script(context, "test") },
];

/// Sets up and checks everything.
///
/// # Errors
/// When the set-up or a stage fails.
pub fn everything(context: &Context) -> anyhow::Result<()> {
    setup::everything(context).context("set-up")?;
    if context.platform == Platform::Linux {
        return stage::run_all(context, EVERYTHING);
    }
    println!("Whole programs are driven on Linux only: no other system has WebKitWebDriver.");
    stage::run_all(context, &EVERYTHING[..EVERYTHING.len() - 2])
}

/// Checks what can be checked in about two minutes once built. The parts run one after the other:
/// clippy and the tests share the target folder, whose lock would make them wait anyway.
///
/// # Errors
/// When a stage fails.
pub fn fast(context: &Context) -> anyhow::Result<()> {
    NEXTEST.install(context)?;
    ui::install(context)?;
    stage::run_all(context, FAST)
}

fn cargo(context: &Context, command: &str) -> Line {
    Line::cargo().args([command]).dir(&context.root)
}

fn format(context: &Context) -> anyhow::Result<()> {
    Ok(cargo(context, "fmt").args(["--all", "--check"]).run()?)
}

fn clippy(context: &Context, packages: &[&str]) -> anyhow::Result<()> {
    Ok(cargo(context, "clippy").args(packages).args(WARNINGS_FAIL).run()?)
}

fn tests(context: &Context, packages: &[&str]) -> anyhow::Result<()> {
    let profile = if context.ci { "ci" } else { "default" };
    let line = NEXTEST.line(context)?.args(["nextest", "run", "--profile", profile]);
    Ok(line.args(packages).run()?)
}

fn doc_tests(context: &Context) -> anyhow::Result<()> {
    Ok(cargo(context, "test").args(["--doc", "--quiet"]).args(WORKSPACE).run()?)
}

#[cfg(test)]
mod tests_of_the_lists {
    use super::*;

    #[test]
    fn each_stage_has_a_name_of_its_own_and_needs_only_stages_before_it() {
        for stages in [EVERYTHING, FAST] {
            for (index, stage) in stages.iter().enumerate() {
                let earlier: Vec<_> = stages[..index].iter().map(|before| before.name).collect();
                assert!(!earlier.contains(&stage.name), "{} stands twice", stage.name);
                for need in stage.needs {
                    assert!(earlier.contains(need), "{} needs {need} before it", stage.name);
                }
            }
        }
    }
}
