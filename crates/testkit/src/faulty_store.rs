//! A keyring in memory that fails the way real ones do.

use std::collections::BTreeMap;
use std::sync::{Arc, Condvar, Mutex};

use luminous_auth::{OpenStore, SecretBytes, SecretStore, StoreError};
use tokio::sync::watch;
use zeroize::Zeroizing;

/// What is wrong with the keyring.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Fault {
    /// Nothing.
    #[default]
    None,
    /// There is no keyring: no session bus.
    Unavailable,
    /// It is locked and nobody unlocks it.
    Locked,
    /// Calls do not return until the fault is changed: a damaged keyring file.
    Hanging,
    /// Calls do not return until the fault is changed, and the person sees a prompt.
    Asking,
    /// Writing fails, reading works: a full disk.
    ReadOnly,
}

#[derive(Default)]
struct Inner {
    values: BTreeMap<String, Vec<Vec<u8>>>,
    fault: Fault,
    limit: Option<usize>,
    changes: usize,
    /// The next change hangs, as all calls do from then on.
    hangs_at_change: bool,
    /// The program is killed before the change of this number.
    dies_before: Option<usize>,
    opened: usize,
    log: Vec<String>,
}

/// A keyring in memory. Clones share it, as processes share the real one.
#[derive(Clone, Default)]
pub struct FaultyStore(Arc<Shared>);

#[derive(Default)]
struct Shared {
    inner: Mutex<Inner>,
    fault_changed: Condvar,
    /// How many calls began.
    calls: watch::Sender<usize>,
}

impl std::fmt::Debug for FaultyStore {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("FaultyStore(..)")
    }
}

impl FaultyStore {
    /// A keyring where nothing is wrong.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// A keyring that takes no value over `limit` bytes, as Windows's takes none over 2560.
    #[must_use]
    pub fn with_limit(limit: usize) -> Self {
        let store = Self::new();
        store.inner().limit = Some(limit);
        store
    }

    fn inner(&self) -> std::sync::MutexGuard<'_, Inner> {
        self.0.inner.lock().unwrap()
    }

    /// From now on `fault` is what is wrong; calls that hang go on and meet it.
    pub fn set_fault(&self, fault: Fault) {
        self.inner().fault = fault;
        self.0.fault_changed.notify_all();
    }

    /// From its next change on the keyring hangs, until the fault is changed.
    pub fn hang_at_next_change(&self) {
        self.inner().hangs_at_change = true;
    }

    /// The program is killed before its `nth` change from now (1 is the next): that change and all
    /// after it do not happen.
    pub fn die_before_change(&self, nth: usize) {
        let mut inner = self.inner();
        inner.dies_before = Some(inner.changes + nth);
    }

    /// The program is started again.
    pub fn revive(&self) {
        self.inner().dies_before = None;
    }

    /// How many changes were made since the start.
    #[must_use]
    pub fn changes(&self) -> usize {
        self.inner().changes
    }

    /// How often it was opened.
    #[must_use]
    pub fn opened(&self) -> usize {
        self.inner().opened
    }

    /// The names that hold a value.
    #[must_use]
    pub fn names(&self) -> Vec<String> {
        self.inner().values.keys().cloned().collect()
    }

    /// Everything that was done, as `set NAME`, `get NAME`, `delete NAME`.
    #[must_use]
    pub fn log(&self) -> Vec<String> {
        self.inner().log.clone()
    }

    /// Waits until `count` calls have begun, those that hang included.
    pub async fn until_called(&self, count: usize) {
        self.0.calls.subscribe().wait_for(|calls| *calls >= count).await.unwrap();
    }

    /// The values under `name`.
    #[must_use]
    pub fn values(&self, name: &str) -> Vec<Vec<u8>> {
        self.inner().values.get(name).cloned().unwrap_or_default()
    }

    /// All values, for looking for what must not be there.
    #[must_use]
    pub fn all_values(&self) -> Vec<Vec<u8>> {
        self.inner().values.values().flatten().cloned().collect()
    }

    /// Puts `values` under `name` behind the program's back.
    pub fn plant(&self, name: &str, values: &[&[u8]]) {
        let values = values.iter().map(|value| value.to_vec()).collect();
        self.inner().values.insert(name.to_owned(), values);
    }

    /// Loses every value whose name `matches`.
    pub fn lose(&self, matches: impl Fn(&str) -> bool) {
        self.inner().values.retain(|name, _| !matches(name));
    }

    /// Flips one bit of every value whose name `matches`.
    pub fn corrupt(&self, matches: impl Fn(&str) -> bool) {
        for (_, values) in self.inner().values.iter_mut().filter(|(name, _)| matches(name)) {
            for value in values {
                let middle = value.len() / 2;
                value[middle] ^= 1;
            }
        }
    }

    fn enter(&self, what: &str, name: &str, changes: bool) -> Result<Entered<'_>, StoreError> {
        let mut inner = self.inner();
        inner.log.push(format!("{what} {name}"));
        self.0.calls.send_modify(|calls| *calls += 1);
        if changes && std::mem::take(&mut inner.hangs_at_change) {
            inner.fault = Fault::Hanging;
        }
        while matches!(inner.fault, Fault::Hanging | Fault::Asking) {
            inner = self.0.fault_changed.wait(inner).unwrap();
        }
        match inner.fault {
            Fault::Unavailable => return Err(StoreError::Unavailable("no bus".to_owned())),
            Fault::Locked => return Err(StoreError::Locked("prompt dismissed".to_owned())),
            Fault::ReadOnly if changes => return Err(StoreError::Refused("disk full".to_owned())),
            _ => {}
        }
        if changes {
            if inner.dies_before.is_some_and(|last| inner.changes + 1 >= last) {
                return Err(StoreError::Refused("the program was killed".to_owned()));
            }
            inner.changes += 1;
        }
        Ok(inner)
    }
}

type Entered<'a> = std::sync::MutexGuard<'a, Inner>;

impl OpenStore for FaultyStore {
    fn open(&self) -> Result<Box<dyn SecretStore>, StoreError> {
        self.enter("open", "", false)?.opened += 1;
        Ok(Box::new(self.clone()))
    }

    fn is_asking(&self) -> bool {
        self.inner().fault == Fault::Asking
    }
}

impl SecretStore for FaultyStore {
    fn get(&self, name: &str) -> Result<Vec<SecretBytes>, StoreError> {
        let inner = self.enter("get", name, false)?;
        let values = inner.values.get(name).cloned().unwrap_or_default();
        Ok(values.into_iter().map(Zeroizing::new).collect())
    }

    fn set(&self, name: &str, value: &[u8]) -> Result<(), StoreError> {
        let mut inner = self.enter("set", name, true)?;
        if let Some(limit) = inner.limit.filter(|limit| value.len() > *limit) {
            return Err(StoreError::TooLong { limit: u32::try_from(limit).unwrap() });
        }
        inner.values.insert(name.to_owned(), vec![value.to_vec()]);
        Ok(())
    }

    fn delete(&self, name: &str) -> Result<(), StoreError> {
        self.enter("delete", name, true)?.values.remove(name);
        Ok(())
    }

    fn limit(&self) -> Option<usize> {
        self.inner().limit
    }
}
