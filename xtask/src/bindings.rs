//! The TypeScript of the wire types: written from the Rust types, committed, and checked.

use std::collections::BTreeMap;
use std::path::Path;
use std::{fs, io};

use anyhow::{Context as _, bail};

use crate::context::Context;
use crate::shell::Line;

/// Where the UI keeps it.
const FOLDER: &str = "ui/src/lib/wire";

/// Writes it into the UI.
///
/// # Errors
/// When the wire crate does not build.
pub fn write(context: &Context) -> anyhow::Result<()> {
    generate(context, &context.root.join(FOLDER))
}

/// Compares what is committed with what the types say today.
///
/// # Errors
/// When a file differs, is missing or is left over, each by its name.
pub fn check(context: &Context) -> anyhow::Result<()> {
    let fresh = context.target().join("xtask").join("bindings");
    if fresh.exists() {
        fs::remove_dir_all(&fresh)?;
    }
    generate(context, &fresh)?;
    let differences = compare(&files_in(&context.root.join(FOLDER))?, &files_in(&fresh)?);
    if !differences.is_empty() {
        bail!("stale: run `cargo xtask bindings` and commit ({})", differences.join(", "));
    }
    Ok(())
}

fn generate(context: &Context, folder: &Path) -> anyhow::Result<()> {
    let words = ["run", "--quiet", "--package", "luminous-wire", "--example", "bindings", "--"];
    Ok(Line::cargo().args(words).arg(folder).dir(&context.root).run()?)
}

type Files = BTreeMap<String, String>;

fn files_in(folder: &Path) -> anyhow::Result<Files> {
    fs::read_dir(folder)
        .and_then(|entries| {
            entries
                .map(|entry| {
                    let entry = entry?;
                    let name = entry.file_name().to_string_lossy().into_owned();
                    Ok((name, fs::read_to_string(entry.path())?))
                })
                .collect::<io::Result<Files>>()
        })
        .with_context(|| format!("{} cannot be read", folder.display()))
}

fn compare(committed: &Files, fresh: &Files) -> Vec<String> {
    let changed = fresh.iter().filter_map(|(name, text)| match committed.get(name) {
        None => Some(format!("{name} is missing")),
        Some(old) if old != text => Some(format!("{name} differs")),
        Some(_) => None,
    });
    let left = committed.keys().filter(|name| !fresh.contains_key(*name));
    changed.chain(left.map(|name| format!("{name} is left over"))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn files<const N: usize>(files: [(&str, &str); N]) -> Files {
        files.map(|(name, text)| (name.to_owned(), text.to_owned())).into()
    }

    #[test]
    fn a_changed_a_missing_and_a_left_over_file_are_each_named() {
        let committed = files([("Same.ts", "a"), ("Old.ts", "b"), ("Stage.ts", "c")]);
        let fresh = files([("Same.ts", "a"), ("Stage.ts", "d"), ("New.ts", "e")]);
        assert_eq!(
            compare(&committed, &fresh),
            ["New.ts is missing", "Stage.ts differs", "Old.ts is left over"]
        );
        assert!(compare(&committed, &committed).is_empty());
    }
}
