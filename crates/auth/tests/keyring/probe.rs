//! The other process: a vault over the platform's keyring, told what to do line by line.

use std::io::{BufRead as _, Write as _};
use std::sync::Arc;

use luminous_auth::PlatformKeyring;
use luminous_auth::vault::{Vault, VaultError};
use zeroize::Zeroizing;

/// Makes this program the probe.
pub const ARGUMENT: &str = "probe-the-keyring";

const RECORD: &str = "session.probe";

/// Answers each line of the standard input with one of the standard output, until it ends.
pub fn run() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.expect("a runtime");
    let vault = Vault::new(Arc::new(PlatformKeyring::new("family.luminous.test")));
    for line in std::io::stdin().lock().lines() {
        let line = line.expect("a line");
        let answer = runtime.block_on(answer(&vault, &line));
        let mut out = std::io::stdout();
        writeln!(out, "{answer}").and_then(|()| out.flush()).expect("somebody listens");
    }
}

async fn answer(vault: &Vault, line: &str) -> String {
    let result = match line.split_once(' ').unwrap_or((line, "")) {
        ("read", _) => vault.read(RECORD).await.map(|stored| match stored {
            Some(stored) => format!("found {}", String::from_utf8_lossy(&stored.payload)),
            None => "none".to_owned(),
        }),
        ("write", value) => {
            let payload = Zeroizing::new(value.as_bytes().to_vec());
            vault.write(RECORD, payload, 0).await.map(|number| format!("generation {number}"))
        }
        ("forget", _) => vault.forget_previous(RECORD).await.map(|()| "done".to_owned()),
        ("erase", _) => vault.erase(RECORD).await.map(|()| "done".to_owned()),
        ("wait", _) => {
            vault.freed().await;
            Ok("done".to_owned())
        }
        (other, _) => Err(VaultError::Unavailable(format!("what is {other}?"))),
    };
    result.unwrap_or_else(|error| format!("error {}", error.code()))
}
