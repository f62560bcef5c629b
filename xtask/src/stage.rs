//! A list of named steps: each with a heading and its time, and a table at the end.

use std::fmt;
use std::time::{Duration, Instant};

use anyhow::bail;

use crate::context::Context;

/// One step of a run.
pub struct Stage {
    /// Its name in the heading and in the table.
    pub name: &'static str,
    /// Earlier steps without which this one says nothing; it is skipped when one of them failed.
    pub needs: &'static [&'static str],
    /// What it does.
    pub run: fn(&Context) -> anyhow::Result<()>,
}

/// How a step ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It did what it says.
    Passed,
    /// It did not; these are its last words.
    Failed(String),
    /// It was not tried, because this earlier step had failed.
    Skipped(&'static str),
}

/// A step that is over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finished {
    name: &'static str,
    outcome: Outcome,
    took: Duration,
}

/// Runs every step in order, goes on after a failure, prints the table and the closing line.
///
/// # Errors
/// When a step failed.
pub fn run_all(context: &Context, stages: &[Stage]) -> anyhow::Result<()> {
    let mut finished = Vec::new();
    for (index, stage) in stages.iter().enumerate() {
        println!("\n== {}/{} {} ==", index + 1, stages.len(), stage.name);
        let over = run_one(context, stage, &finished);
        match &over.outcome {
            Outcome::Passed => println!("-- {} passed in {}", stage.name, seconds(over.took)),
            Outcome::Failed(why) => println!("-- {} FAILED: {why}", stage.name),
            Outcome::Skipped(need) => println!("-- {} skipped: {need} failed", stage.name),
        }
        finished.push(over);
    }
    let tally = Tally::of(&finished);
    println!("\n{}\n{tally}", table(&finished));
    if tally.failed > 0 {
        bail!("{} of {} stages failed", tally.failed, stages.len());
    }
    Ok(())
}

fn run_one(context: &Context, stage: &Stage, before: &[Finished]) -> Finished {
    let missing = before
        .iter()
        .find(|over| over.outcome != Outcome::Passed && stage.needs.contains(&over.name));
    if let Some(need) = missing {
        let outcome = Outcome::Skipped(need.name);
        return Finished { name: stage.name, outcome, took: Duration::ZERO };
    }
    let (result, took) = timed(|| (stage.run)(context));
    let outcome = result.map_or_else(|e| Outcome::Failed(format!("{e:#}")), |()| Outcome::Passed);
    Finished { name: stage.name, outcome, took }
}

/// Runs something and answers how long it took.
#[expect(clippy::disallowed_methods, reason = "a build tool times real programs")]
pub fn timed<T>(work: impl FnOnce() -> T) -> (T, Duration) {
    let start = Instant::now();
    let answer = work();
    (answer, start.elapsed())
}

/// A time for people, in seconds with one decimal.
pub fn seconds(took: Duration) -> String {
    format!("{:.1} s", took.as_secs_f64())
}

fn table(finished: &[Finished]) -> String {
    let width = finished.iter().map(|over| over.name.len()).max().unwrap_or(0);
    let row = |over: &Finished| {
        let word = match &over.outcome {
            Outcome::Passed => "passed".to_owned(),
            Outcome::Failed(why) => format!("FAILED   {}", why.lines().next().unwrap_or_default()),
            Outcome::Skipped(need) => format!("skipped  {need} failed"),
        };
        format!("  {:<width$} {:>9}  {word}\n", over.name, seconds(over.took))
    };
    finished.iter().map(row).collect()
}

/// How many steps ended how.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Tally {
    passed: usize,
    failed: usize,
    skipped: usize,
}

impl Tally {
    fn of(finished: &[Finished]) -> Self {
        finished.iter().fold(Self::default(), |mut tally, over| {
            match over.outcome {
                Outcome::Passed => tally.passed += 1,
                Outcome::Failed(_) => tally.failed += 1,
                Outcome::Skipped(_) => tally.skipped += 1,
            }
            tally
        })
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} passed, {} failed", self.passed, self.failed)?;
        if self.skipped > 0 {
            write!(f, ", {} skipped", self.skipped)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use anyhow::anyhow;

    use super::*;
    use crate::context::Platform;

    fn nowhere() -> Context {
        Context { root: "/house".into(), ci: true, asks: false, platform: Platform::Linux }
    }

    fn finished(name: &'static str, outcome: Outcome) -> Finished {
        Finished { name, outcome, took: Duration::from_millis(1250) }
    }

    const WORKS: fn(&Context) -> anyhow::Result<()> = |_| Ok(());
    const FAILS: fn(&Context) -> anyhow::Result<()> = |_| Err(anyhow!("no"));

    #[test]
    fn the_closing_line_counts_stages_and_names_skipped_ones_only_when_there_are_some() {
        let mut all = vec![finished("a", Outcome::Passed), finished("b", Outcome::Passed)];
        assert_eq!(Tally::of(&all).to_string(), "2 passed, 0 failed");
        all.push(finished("c", Outcome::Failed("why".to_owned())));
        all.push(finished("d", Outcome::Skipped("c")));
        assert_eq!(Tally::of(&all).to_string(), "2 passed, 1 failed, 1 skipped");
    }

    #[test]
    fn one_failed_stage_fails_the_run_and_later_ones_still_run() {
        let stages = [
            Stage { name: "first", needs: &[], run: FAILS },
            Stage { name: "second", needs: &[], run: WORKS },
        ];
        let refused = run_all(&nowhere(), &stages).expect_err("one stage failed");
        assert_eq!(refused.to_string(), "1 of 2 stages failed");
        run_all(&nowhere(), &stages[1..]).expect("the rest passes");
    }

    #[test]
    fn a_stage_is_skipped_when_what_it_needs_failed_or_was_skipped() {
        let last = Stage { name: "last", needs: &["middle"], run: WORKS };
        for outcome in [Outcome::Failed("no".to_owned()), Outcome::Skipped("first")] {
            let over = run_one(&nowhere(), &last, &[finished("middle", outcome)]);
            assert_eq!(over.outcome, Outcome::Skipped("middle"));
        }
        let over = run_one(&nowhere(), &last, &[finished("middle", Outcome::Passed)]);
        assert_eq!(over.outcome, Outcome::Passed);
    }

    #[test]
    fn the_table_has_one_line_for_each_stage_with_its_time_and_the_first_line_of_a_failure() {
        let rows = table(&[
            finished("format", Outcome::Passed),
            finished("ui", Outcome::Failed("`npm` failed\nmore".to_owned())),
        ]);
        assert_eq!(rows, "  format     1.2 s  passed\n  ui         1.2 s  FAILED   `npm` failed\n");
    }
}
