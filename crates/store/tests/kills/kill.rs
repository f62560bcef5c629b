//! Killed while it writes, while it migrates; and what the next one finds.

use std::collections::HashMap;
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::str::FromStr as _;
use std::sync::Arc;

use luminous_domain::{Entropy as _, OsEntropy, SystemClock, WebSessionId};
use luminous_store::SqliteStore;
use luminous_store::sqlite::OpenError;
use luminous_testkit::SeededEntropy;

use super::child::{after_script, bench, command, open, runtime, word};

/// How many kills one file lives through; a bigger one takes longer to check after each.
const EACH_FILE: usize = 50;

/// How often the writer is killed; `LUMINOUS_KILLS=500` runs the whole of DB4.
fn kills() -> usize {
    std::env::var("LUMINOUS_KILLS").map_or(50, |times| times.parse().unwrap())
}

pub fn while_writing() {
    while_it("write", 4, |path, said, round| {
        // A line that the kill cut short was not acknowledged.
        let said = said.iter().filter(|id| id.len() == 36);
        let ids: Vec<_> = said.map(|id| WebSessionId::from_str(id).unwrap()).collect();
        assert_all_there(path, &ids, round);
        ids.len()
    });
}

pub fn while_refreshing() {
    while_it("refresh", 5, |path, said, round| {
        let said = said.iter().filter(|line| line.len() == 2 * 36 + 1);
        let said: Vec<_> = said.filter_map(|line| line.split_once(' ')).collect();
        let acknowledged = said.len();
        runtime().block_on(assert_no_display_is_lost(path, said.into_iter().collect(), round));
        acknowledged
    });
}

/// Kills whoever does `work` again and again. After each time `check` looks at the file and at what
/// was said of it, and answers how much of that was acknowledged.
fn while_it(work: &str, seed: u64, check: impl Fn(&Path, &[String], usize) -> usize) {
    let folder = tempfile::tempdir().unwrap();
    let seed = SeededEntropy::new(seed);
    let mut acknowledged = 0;
    for round in 0..kills() {
        let path = folder.path().join(format!("family-{}.db", round / EACH_FILE));
        let mut byte = [0];
        seed.fill(&mut byte).unwrap();
        let said = acknowledged_until_killed(work, &path, usize::from(byte[0] % 100));
        acknowledged += check(&path, &said, round);
    }
    assert!(acknowledged > kills() * 20, "hardly anything was written: {acknowledged}");
}

/// The newest token that each display was given is good for another.
async fn assert_no_display_is_lost(path: &Path, newest: HashMap<&str, &str>, round: usize) {
    let bench = bench(path);
    assert_eq!(bench.store.examine().await.unwrap(), Vec::<String>::new(), "round {round}");
    for (wall, token) in newest {
        let answer = bench.refresh(wall, token, &word()).await;
        assert!(answer.is_ok(), "round {round} lost {wall}: {answer:?}");
    }
    bench.store.close().await;
}

/// The lines that the child said of what was done. It is killed when it has said as many as `lines`,
/// wherever it is then; what it said until it died counts as said.
fn acknowledged_until_killed(part: &str, path: &Path, lines: usize) -> Vec<String> {
    let mut child = command(part, path).spawn().unwrap();
    let mut said = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut all: Vec<_> = said.by_ref().take(lines).map(Result::unwrap).collect();
    assert_eq!(all.len(), lines, "the child ended by itself");
    child.kill().unwrap();
    all.extend(said.map_while(Result::ok));
    child.wait().unwrap();
    all
}

fn assert_all_there(path: &Path, ids: &[WebSessionId], round: usize) {
    let connection = rusqlite::Connection::open(path).unwrap();
    let said: String =
        connection.query_row("PRAGMA integrity_check", [], |row| row.get(0)).unwrap();
    assert_eq!(said, "ok", "round {round}");
    if ids.is_empty() {
        return;
    }
    let mut find = connection.prepare("SELECT 1 FROM web_sessions WHERE id = ?1").unwrap();
    for id in ids {
        assert!(find.exists([id.as_uuid().as_bytes()]).unwrap(), "round {round} lost {id}");
    }
    let halves: i64 = connection
        .query_row(
            "SELECT (SELECT count(*) FROM web_sessions) \
             - (SELECT count(*) FROM audit WHERE action = 'session.opened')",
            [],
            |row| row.get(0),
        )
        .unwrap();
    assert_eq!(halves, 0, "round {round}: a session without its line, or a line without it");
}

/// The child dies at its first write beyond a size (SIGXFSZ, which nothing catches), for every size
/// from nothing to where it gets through.
pub fn while_migrating() {
    let (mut died, mut through) = (0, false);
    for blocks in (0..).step_by(16) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("family.db");
        let script = format!("ulimit -f {blocks}; exec \"$0\"");
        let status = after_script(&["env"], &script, "migrate", &path).status().unwrap();
        let found = schema_of(&path);
        if status.success() {
            assert_eq!(found, ALL);
            through = true;
        } else {
            died += 1;
            let nothing_or_all = matches!(found, (0, 0) | ALL);
            assert!(nothing_or_all, "{blocks} blocks: version {}, tables {}", found.0, found.1);
        }
        SqliteStore::migrate(&path).unwrap();
        assert_eq!(schema_of(&path), ALL, "{blocks} blocks: finished by the next one");
        if through {
            break;
        }
    }
    assert!(died > 10, "it must have died at many places, not at {died}");
}

/// All migrations and the last thing they make.
const ALL: (i64, i64) = (2, 1);

/// How many migrations the history has, and whether the last thing a migration makes is there.
fn schema_of(path: &Path) -> (i64, i64) {
    let connection = rusqlite::Connection::open(path).unwrap();
    let count = |sql: &str| connection.query_row(sql, [], |row| row.get(0)).unwrap();
    let said: String =
        connection.query_row("PRAGMA integrity_check", [], |row| row.get(0)).unwrap();
    assert_eq!(said, "ok");
    let history = "SELECT count(*) FROM sqlite_schema WHERE name = 'refinery_schema_history'";
    let applied = match count(history) {
        0 => 0,
        _ => count("SELECT count(*) FROM refinery_schema_history"),
    };
    let others = count(
        "SELECT count(*) FROM sqlite_schema WHERE sql IS NOT NULL \
         AND name <> 'refinery_schema_history'",
    );
    let last = count("SELECT count(*) FROM sqlite_schema WHERE name = 'used_once_end'");
    assert_eq!(others > 0, last > 0, "half a schema");
    (applied, last)
}

pub fn second_server() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("family.db");
    let mut first = command("write", &path).spawn().unwrap();
    let mut said = BufReader::new(first.stdout.take().unwrap());
    said.read_line(&mut String::new()).unwrap();

    let second = SqliteStore::open(&path, Arc::new(SystemClock), Arc::new(OsEntropy));
    let refused = second.expect_err("two servers with one file");
    assert_eq!(refused, OpenError::InUse { path: path.clone() });
    assert!(refused.to_string().contains(path.to_str().unwrap()), "{refused}");
    assert_eq!(SqliteStore::migrate(&path), Err(OpenError::InUse { path: path.clone() }));

    first.kill().unwrap();
    first.wait().unwrap();
    runtime().block_on(luminous_store::Health::close(&open(&path)));
}
