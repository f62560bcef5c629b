//! Second factors: the secret that an authenticator app shares, and what its codes have seen.

use rusqlite::{OptionalExtension as _, params};

use super::{Attempts, Store, StoreError};

/// An enrolled second factor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SecondFactor {
    /// The secret shared with the authenticator (RFC 6238 section 3).
    pub(crate) secret: Vec<u8>,
    /// The time step of the last code that was accepted: no code of it or before it counts again
    /// (RFC 6238 section 5.2).
    pub(crate) last_step: i64,
    /// Wrong codes in a row.
    pub(crate) attempts: Attempts,
}

impl Store {
    /// The second factor of a person, if one was enrolled.
    pub(crate) fn second_factor(&self, oid: &str) -> Result<Option<SecondFactor>, StoreError> {
        let found = self.connection().query_row(
            "SELECT secret, last_step, failures, locked_until FROM second_factors WHERE oid = ?",
            [oid],
            |row| {
                let attempts = Attempts { failures: row.get(2)?, locked_until: row.get(3)? };
                Ok(SecondFactor { secret: row.get(0)?, last_step: row.get(1)?, attempts })
            },
        );
        Ok(found.optional()?)
    }

    /// Enrols a second factor; `false` when the person has one already.
    pub(crate) fn enrol(&self, oid: &str, secret: &[u8], step: i64) -> Result<bool, StoreError> {
        let added = self.connection().execute(
            "INSERT INTO second_factors (oid, secret, last_step, failures, locked_until)
             VALUES (?, ?, ?, 0, 0) ON CONFLICT (oid) DO NOTHING",
            params![oid, secret, step],
        )?;
        Ok(added == 1)
    }

    /// Accepts a code of a time step and forgets wrong ones; `false` when a code of this step or a
    /// later one was accepted before, by whichever request was faster.
    pub(crate) fn accept_step(&self, oid: &str, step: i64) -> Result<bool, StoreError> {
        let accepted = self.connection().execute(
            "UPDATE second_factors SET last_step = ?, failures = 0, locked_until = 0
             WHERE oid = ? AND last_step < ?",
            params![step, oid, step],
        )?;
        Ok(accepted == 1)
    }

    /// Remembers wrong codes.
    pub(crate) fn save_code_attempts(
        &self,
        oid: &str,
        attempts: Attempts,
    ) -> Result<(), StoreError> {
        self.connection().execute(
            "UPDATE second_factors SET failures = ?, locked_until = ? WHERE oid = ?",
            params![attempts.failures, attempts.locked_until, oid],
        )?;
        Ok(())
    }

    /// Takes a second factor away; says whether there was one.
    pub(crate) fn forget_second_factor(&self, oid: &str) -> Result<bool, StoreError> {
        let gone = self.connection().execute("DELETE FROM second_factors WHERE oid = ?", [oid])?;
        Ok(gone == 1)
    }
}
