//! Starting: reading the keyring, for as long as it takes, with the last wall up meanwhile. Nothing is
//! ever deleted because something cannot be read.

use std::fs::TryLockError;
use std::sync::Arc;
use std::time::Duration;

use luminous_domain::display::Event;
use luminous_oidc::dpop::DpopKey;
use luminous_wire::{AppError, Connection, ErrorCode, KioskStage};
use tokio::sync::watch;
use url::Url;

use super::Inner;
use super::driver::STORE_RETRY;
use super::files::Saved;
use super::link::Awaiting;
use super::secrets::{CODE, Code, Found, KEY, TOKENS, Tokens, read_key};
use super::server::Server;
use super::time::ServerTime;
use super::tokens::Linked;
use crate::vault::{Vault, VaultError};

/// How often the folder of a display that another process holds is tried.
const FOLDER_RETRY: Duration = Duration::from_secs(1);

/// How often before it is said that it is held: the program before this one may be ending.
const FOLDER_TRIES: u32 = 10;

/// What is said then.
const HELD: &str = "another program holds this display's folder";

/// What this display has.
pub(super) struct Loaded {
    pub(super) server: Server,
    pub(super) saved: Saved,
    pub(super) awaiting: Option<Awaiting>,
    pub(super) linked: Option<Linked>,
    pub(super) problem: Option<AppError>,
}

/// What the keyring holds.
struct Secrets {
    key: DpopKey,
    tokens: Option<(Tokens, u64)>,
    code: Option<Code>,
    problem: Option<AppError>,
}

/// Reads everything; `None` when the program ends first.
pub(super) async fn load(inner: &Arc<Inner>, address: &Url) -> Option<(Loaded, Event)> {
    let saved = inner.folder.read_saved();
    let clock = &inner.ports.clock;
    let time = ServerTime::after(saved.server_time_ms, clock.elapsed());
    let secrets = read_patiently(inner, address, &saved, &time).await?;
    let server = Server::new(&inner.ports, address.clone(), secrets.key, time);
    let (event, linked, awaiting) = match (secrets.tokens, secrets.code) {
        (Some((tokens, generation)), _) => {
            let wall = inner.folder.read_wall();
            let linked = Linked::restored(tokens, generation, wall, clock.elapsed());
            (Event::FoundTokens, Some(linked), None)
        }
        (None, Some(code)) => match Awaiting::restored(code, &server.time(), &**clock) {
            Some((awaiting, shown)) => (Event::FoundCode(shown), None, Some(awaiting)),
            None => (Event::FoundNothing, None, None),
        },
        (None, None) => (Event::FoundNothing, None, None),
    };
    Some((Loaded { server, saved, awaiting, linked, problem: secrets.problem }, event))
}

/// Holds the folder for this process: two programs with one display's tokens look like a thief. `None`
/// when the program ends first. A file system without locks cannot say; it goes without.
pub(super) async fn hold_folder(inner: &Inner) -> Option<Option<std::fs::File>> {
    let mut stopping = inner.stopping.subscribe();
    let mut tries = 0_u32;
    loop {
        let file = match inner.folder.lock_file() {
            Ok(file) => file,
            Err(error) => {
                tracing::warn!(%error, "the display's folder cannot be held");
                return Some(None);
            }
        };
        match file.try_lock() {
            Ok(()) => {
                if tries > FOLDER_TRIES {
                    inner.change(|snapshot| snapshot.problem = None);
                }
                return Some(Some(file));
            }
            Err(TryLockError::WouldBlock) => {
                tries = tries.saturating_add(1);
                if tries == FOLDER_TRIES {
                    tracing::warn!("another program holds this display's folder");
                    let error = AppError::new(ErrorCode::StoreUnavailable, HELD);
                    inner.change(|snapshot| snapshot.problem = Some(error));
                }
                tokio::select! {
                    _ = stopping.wait_for(|stopping| *stopping) => return None,
                    () = tokio::time::sleep(FOLDER_RETRY) => {}
                }
            }
            Err(TryLockError::Error(error)) => {
                tracing::warn!(%error, "the file system gives no lock");
                return Some(None);
            }
        }
    }
}

/// Reads the keyring again and again until it answers.
async fn read_patiently(
    inner: &Arc<Inner>,
    address: &Url,
    saved: &Saved,
    time: &ServerTime,
) -> Option<Secrets> {
    let mut stopping = inner.stopping.subscribe();
    loop {
        let error = match read(inner, address, saved).await {
            Ok(secrets) => return Some(secrets),
            Err(error) => error,
        };
        tracing::info!(code = %error.code(), "the keyring cannot be read; it is tried again");
        show_blocked(inner, saved, time, address, &error);
        // A call that hangs comes back by itself, when somebody unlocked the keyring, say.
        let hangs = matches!(error, VaultError::Timeout | VaultError::Waiting);
        tokio::select! {
            _ = stopping.wait_for(|stopping| *stopping) => return None,
            () = inner.storage_wanted.notified() => {}
            () = inner.vault.freed(), if hangs => {}
            () = tokio::time::sleep(STORE_RETRY) => {}
        }
        if wants_to_stop(&stopping) {
            return None;
        }
    }
}

fn wants_to_stop(stopping: &watch::Receiver<bool>) -> bool {
    *stopping.borrow()
}

/// The wall stays up while the keyring is silent, unless its time is over.
fn show_blocked(
    inner: &Inner,
    saved: &Saved,
    time: &ServerTime,
    address: &Url,
    error: &VaultError,
) {
    let now_ms = time.known_ms(inner.ports.clock.elapsed());
    let link = saved.link.as_ref().filter(|_| saved.is_linked_to(address));
    let is_over = link.is_some_and(|link| now_ms.is_some_and(|now| now >= link.ends_at_ms));
    inner.change(|snapshot| {
        if is_over || !matches!(snapshot.stage, KioskStage::Wall { .. }) {
            snapshot.stage = KioskStage::StorageBlocked;
        }
        // Nobody was asked whether it is still so.
        snapshot.connection = Connection::Offline { since_ms: None };
        snapshot.problem = Some(error.to_error());
    });
    if is_over && let Err(error) = inner.folder.remove_wall() {
        tracing::warn!(%error, "the wall cannot be removed");
    }
}

async fn read(inner: &Inner, address: &Url, saved: &Saved) -> Result<Secrets, VaultError> {
    let vault = &inner.vault;
    let mut problem = None;
    let known = find(vault, KEY, read_key, &mut problem).await?;
    let code = find(vault, CODE, Code::read, &mut None).await?;
    let tokens = find(vault, TOKENS, Tokens::read, &mut problem).await?;
    let tokens = tokens.filter(|(tokens, _)| tokens.server == *address);
    let code = code.map(|(code, _)| code).filter(|code| code.server == *address);
    if let Some((key, _)) = known {
        if tokens.is_none() && problem.is_none() && saved.is_linked_to(address) {
            problem = Some(lost());
        }
        return Ok(Secrets { key, tokens, code, problem });
    }
    // Tokens and codes are bound to the key that is gone: they are of no use to anybody.
    let key = make_key(vault).await?;
    if problem.is_none() && (tokens.is_some() || saved.is_linked_to(address)) {
        problem = Some(lost());
    }
    Ok(Secrets { key, tokens: None, code: None, problem })
}

fn lost() -> AppError {
    AppError::new(ErrorCode::StoreLost, "the keyring has lost what this display was linked with")
}

/// Reads one record; one that makes no sense is put aside and counts as absent.
async fn find<T>(
    vault: &Vault,
    record: &str,
    read: impl FnOnce(&[u8]) -> Option<T>,
    problem: &mut Option<AppError>,
) -> Result<Option<(T, u64)>, VaultError> {
    let corrupt = || {
        let message = format!("what the keyring holds as `{record}` cannot be read");
        AppError::new(ErrorCode::StoreCorrupt, message)
    };
    match vault.read(record).await.map(|stored| Found::of(stored, read)) {
        Ok(Found::This(value, generation)) => Ok(Some((value, generation))),
        Ok(Found::Nothing) => Ok(None),
        Ok(Found::Nonsense) => {
            vault.put_aside(record).await?;
            *problem = Some(corrupt());
            Ok(None)
        }
        Err(VaultError::Corrupt(_)) => {
            *problem = Some(corrupt());
            Ok(None)
        }
        Err(error) => Err(error),
    }
}

/// Makes the key pair. It counts only once the keyring has it: a display linked with a key that is
/// gone tomorrow would have to be linked again.
async fn make_key(vault: &Vault) -> Result<DpopKey, VaultError> {
    let failed =
        |error: luminous_oidc::jose::SigningKeyError| VaultError::Unavailable(error.to_string());
    let key = DpopKey::generate().map_err(failed)?;
    vault.write(KEY, key.to_pkcs8().map_err(failed)?, 0).await?;
    Ok(key)
}
