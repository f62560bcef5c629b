//! The rules of `deny.toml`: banned crates, oldest versions, licences and sources.

use crate::context::Context;
use crate::tools::DENY;

/// Judges every dependency of the lock file.
///
/// Advisories are left out on purpose: their database is fetched from a place that not every
/// machine reaches, and it has no entry for some of the faults that `deny.toml` guards against.
///
/// # Errors
/// When a rule is broken.
pub fn check(context: &Context) -> anyhow::Result<()> {
    let words = ["check", "--hide-inclusion-graph", "bans", "licenses", "sources"];
    Ok(DENY.line(context)?.args(words).run()?)
}
