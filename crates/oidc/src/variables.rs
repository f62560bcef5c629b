//! Configuration from environment variables.

use crate::config::{ConfigError, ProviderConfig};
use crate::url_rules::Transport;

/// A variable that could be understood, but not as it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigWarning {
    /// Its name.
    pub variable: &'static str,
    /// What it holds; absent for a secret.
    pub given: Option<String>,
    /// What was meant.
    pub meant: String,
    /// What is wrong with it.
    pub reason: WarningReason,
}

/// What is wrong with a variable.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum WarningReason {
    /// A client secret does not belong into an application on people's machines.
    #[error("an app on people's machines has no secret; it is ignored")]
    SecretIgnored,
}

impl ProviderConfig {
    /// Reads the configuration through `lookup`, such as `|name| std::env::var(name).ok()`.
    ///
    /// # Errors
    /// [`ConfigError`] naming the variable.
    pub fn from_variables(
        lookup: &dyn Fn(&str) -> Option<String>,
    ) -> Result<(Self, Vec<ConfigWarning>), ConfigError> {
        let need = |variable: &'static str| {
            lookup(variable).ok_or(ConfigError::VariableMissing { variable })
        };
        let address = format!("{}{}", need("B2C_AUTHORITY")?, need("B2C_SIGNIN_POLICY")?);
        let config = Self::from_address(&address, &need("B2C_CLIENT_ID")?, Transport::HttpsOnly)?;
        Ok((config, Vec::new()))
    }
}
