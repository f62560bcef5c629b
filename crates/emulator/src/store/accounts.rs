//! Accounts, and the wrong passwords that addresses have seen.

use rusqlite::{OptionalExtension as _, Row, params};

use super::{Store, StoreError};

/// A person with an account.
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
    /// Who vouches for the person: the `idp` claim, such as `google.com`. `None` for an account
    /// with a password of its own.
    pub idp: Option<String>,
}

/// An account with its password's argon2 hash; empty where somebody else vouches for the person.
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

const COLUMNS: &str = "oid, tenant_id, email, name, password, idp";

fn account(row: &Row<'_>) -> rusqlite::Result<Account> {
    let idp: String = row.get(5)?;
    let user = User {
        oid: row.get(0)?,
        tenant_id: row.get(1)?,
        email: row.get(2)?,
        name: row.get(3)?,
        idp: (!idp.is_empty()).then_some(idp),
    };
    Ok(Account { user, password_hash: row.get(4)? })
}

impl Store {
    /// Adds an account; `false` when the address has one already.
    pub(crate) fn add_account(&self, account: &Account) -> Result<bool, StoreError> {
        let Account { user, password_hash } = account;
        let added = self.connection().execute(
            "INSERT INTO users (oid, tenant_id, email, name, password, idp)
             VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (tenant_id, email, idp) DO NOTHING",
            params![
                user.oid,
                user.tenant_id,
                user.email,
                user.name,
                password_hash,
                user.idp.as_deref().unwrap_or_default()
            ],
        )?;
        Ok(added == 1)
    }

    /// The account with a password that a normalised address has.
    pub(crate) fn account(
        &self,
        tenant_id: &str,
        email: &str,
    ) -> Result<Option<Account>, StoreError> {
        self.account_by(tenant_id, email, "")
    }

    /// The account of a normalised address that `idp` vouches for.
    pub(crate) fn vouched(
        &self,
        tenant_id: &str,
        email: &str,
        idp: &str,
    ) -> Result<Option<User>, StoreError> {
        Ok(self.account_by(tenant_id, email, idp)?.map(|account| account.user))
    }

    fn account_by(
        &self,
        tenant_id: &str,
        email: &str,
        idp: &str,
    ) -> Result<Option<Account>, StoreError> {
        let query =
            format!("SELECT {COLUMNS} FROM users WHERE tenant_id = ? AND email = ? AND idp = ?");
        let found = self.connection().query_row(&query, params![tenant_id, email, idp], account);
        Ok(found.optional()?)
    }

    /// Everybody of a tenant whom `idp` vouches for, by address.
    pub(crate) fn all_vouched(&self, tenant_id: &str, idp: &str) -> Result<Vec<User>, StoreError> {
        let query = format!(
            "SELECT {COLUMNS} FROM users WHERE tenant_id = ? AND idp = ? ORDER BY email LIMIT 20"
        );
        let connection = self.connection();
        let mut statement = connection.prepare(&query)?;
        let found = statement.query_map(params![tenant_id, idp], account)?;
        Ok(found.map(|row| row.map(|account| account.user)).collect::<Result<_, _>>()?)
    }

    /// Gives a person another display name.
    pub(crate) fn rename(&self, oid: &str, name: &str) -> Result<(), StoreError> {
        self.connection().execute("UPDATE users SET name = ? WHERE oid = ?", params![name, oid])?;
        Ok(())
    }

    /// Gives a person another password and ends whatever the old one led to: browser sessions,
    /// codes, refresh tokens, and the lock of the address.
    pub(crate) fn reset_password(&self, user: &User, hash: &str) -> Result<(), StoreError> {
        let mut connection = self.connection();
        let transaction = connection.transaction()?;
        let oid = &user.oid;
        transaction.execute("UPDATE users SET password = ? WHERE oid = ?", params![hash, oid])?;
        transaction.execute("DELETE FROM sessions WHERE oid = ?", [oid])?;
        transaction
            .execute("DELETE FROM codes WHERE json_extract(grant_json, '$.oid') = ?", [oid])?;
        transaction.execute("UPDATE families SET revoked = 1 WHERE oid = ?", [oid])?;
        transaction.execute(
            "DELETE FROM attempts WHERE tenant_id = ? AND email = ?",
            params![user.tenant_id, user.email],
        )?;
        transaction.commit()?;
        Ok(())
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
