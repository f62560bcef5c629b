//! Local accounts and the wrong passwords they have seen.

use rusqlite::{OptionalExtension as _, Row, params};

use super::{Store, StoreError};

/// A person with a local account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct User {
    /// The object id, a GUID: `oid` of the tokens.
    pub oid: String,
    /// The tenant the account lives in.
    pub tenant_id: String,
    /// The e-mail address, normalised.
    pub email: String,
    /// The display name.
    pub name: String,
}

/// An account with its password's argon2 hash.
pub(crate) struct Account {
    pub(crate) user: User,
    pub(crate) password_hash: String,
}

/// Wrong passwords for an address, whether it has an account or not.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Attempts {
    pub(crate) failures: u32,
    /// Unix seconds.
    pub(crate) locked_until: i64,
}

const COLUMNS: &str = "oid, tenant_id, email, name, password";

fn account(row: &Row<'_>) -> rusqlite::Result<Account> {
    let user =
        User { oid: row.get(0)?, tenant_id: row.get(1)?, email: row.get(2)?, name: row.get(3)? };
    Ok(Account { user, password_hash: row.get(4)? })
}

impl Store {
    /// Adds an account; `false` when the address has one already.
    pub(crate) fn add_account(&self, account: &Account) -> Result<bool, StoreError> {
        let Account { user, password_hash } = account;
        let added = self.connection().execute(
            "INSERT INTO users (oid, tenant_id, email, name, password) VALUES (?, ?, ?, ?, ?)
             ON CONFLICT (tenant_id, email) DO NOTHING",
            params![user.oid, user.tenant_id, user.email, user.name, password_hash],
        )?;
        Ok(added == 1)
    }

    /// The account of a normalised address.
    pub(crate) fn account(
        &self,
        tenant_id: &str,
        email: &str,
    ) -> Result<Option<Account>, StoreError> {
        let query = format!("SELECT {COLUMNS} FROM users WHERE tenant_id = ? AND email = ?");
        Ok(self.connection().query_row(&query, params![tenant_id, email], account).optional()?)
    }

    /// The person with this object id.
    pub(crate) fn user(&self, oid: &str) -> Result<Option<User>, StoreError> {
        let query = format!("SELECT {COLUMNS} FROM users WHERE oid = ?");
        let found = self.connection().query_row(&query, [oid], account).optional()?;
        Ok(found.map(|account| account.user))
    }

    /// Deletes an account and its browser sessions. Its grants stay: redeeming one must find that
    /// the account is gone. Says whether there was one.
    pub(crate) fn delete_user(&self, oid: &str) -> Result<bool, StoreError> {
        let mut connection = self.connection();
        let transaction = connection.transaction()?;
        transaction.execute("DELETE FROM sessions WHERE oid = ?", [oid])?;
        let deleted = transaction.execute("DELETE FROM users WHERE oid = ?", [oid])?;
        transaction.commit()?;
        Ok(deleted == 1)
    }

    /// The wrong passwords that an address has seen.
    pub(crate) fn attempts(&self, tenant_id: &str, email: &str) -> Result<Attempts, StoreError> {
        let found = self
            .connection()
            .query_row(
                "SELECT failures, locked_until FROM attempts WHERE tenant_id = ? AND email = ?",
                params![tenant_id, email],
                |row| Ok(Attempts { failures: row.get(0)?, locked_until: row.get(1)? }),
            )
            .optional()?;
        Ok(found.unwrap_or_default())
    }

    /// Remembers them.
    pub(crate) fn save_attempts(
        &self,
        tenant_id: &str,
        email: &str,
        attempts: Attempts,
    ) -> Result<(), StoreError> {
        self.connection().execute(
            "INSERT INTO attempts (tenant_id, email, failures, locked_until) VALUES (?, ?, ?, ?)
             ON CONFLICT (tenant_id, email)
             DO UPDATE SET failures = excluded.failures, locked_until = excluded.locked_until",
            params![tenant_id, email, attempts.failures, attempts.locked_until],
        )?;
        Ok(())
    }
}
