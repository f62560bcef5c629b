//! The key ring at rest.

use rusqlite::params;

use super::{Store, StoreError};
use crate::keys::{KeyRing, KeyState, SigningKey};

impl Store {
    /// The stored ring; `None` at the first start.
    pub(crate) fn key_ring(&self) -> Result<Option<KeyRing>, StoreError> {
        let connection = self.connection();
        let mut statement =
            connection.prepare("SELECT pkcs8, state, not_before FROM keys ORDER BY position")?;
        let rows = statement.query_map([], |row| {
            Ok((row.get::<_, Vec<u8>>(0)?, row.get::<_, String>(1)?, row.get::<_, i64>(2)?))
        })?;
        let mut keys = Vec::new();
        for row in rows {
            let (der, state, not_before) = row?;
            let state = KeyState::parse(&state).ok_or(StoreError::Corrupt("a key state"))?;
            let key = SigningKey::from_pkcs8(&der, not_before, state);
            keys.push(key.map_err(|_| StoreError::Corrupt("a signing key"))?);
        }
        if keys.is_empty() {
            return Ok(None);
        }
        KeyRing::from_keys(keys).map(Some).ok_or(StoreError::Corrupt("a key ring"))
    }

    /// Replaces the stored ring.
    pub(crate) fn save_key_ring(&self, ring: &KeyRing) -> Result<(), StoreError> {
        let mut connection = self.connection();
        let transaction = connection.transaction()?;
        transaction.execute("DELETE FROM keys", [])?;
        for (position, key) in (0_i64..).zip(ring.keys()) {
            let der = key.pkcs8().map_err(|_| StoreError::Corrupt("a signing key"))?;
            transaction.execute(
                "INSERT INTO keys (kid, pkcs8, state, not_before, position) VALUES (?, ?, ?, ?, ?)",
                params![key.kid, der, key.state.name(), key.not_before, position],
            )?;
        }
        transaction.commit()?;
        Ok(())
    }
}
