//! Reading the configuration: file, environment, flags.

use std::path::Path;

use config::{Environment, File, FileFormat};

use super::{Config, ConfigError};

/// Reads the configuration: `file`, then the environment, then `flags` (a setting and its value).
/// Whether it can be used is [`Config::check`]'s to say.
///
/// # Errors
/// [`ConfigError`] naming the setting that cannot be read.
pub fn load(file: Option<&Path>, flags: &[(&str, String)]) -> Result<Config, ConfigError> {
    let environment = Environment::with_prefix("LUMINOUS_SERVER")
        .prefix_separator("__")
        .separator("__")
        .ignore_empty(true)
        .try_parsing(true)
        .list_separator(",")
        .with_list_parse_key("trusted_proxies");
    let mut builder = config::Config::builder();
    if let Some(file) = file {
        builder = builder.add_source(File::from(file).format(FileFormat::Toml).required(true));
    }
    builder = builder.add_source(environment);
    for (setting, value) in flags {
        builder = builder.set_override(*setting, value.as_str()).map_err(readable)?;
    }
    builder.build().and_then(config::Config::try_deserialize).map_err(readable)
}

fn readable(error: config::ConfigError) -> ConfigError {
    match error {
        config::ConfigError::Type { key: Some(key), unexpected: _, expected, .. } => {
            ConfigError::new(key, format!("it must be {expected}"))
        }
        config::ConfigError::At { key: Some(key), error, .. } => {
            ConfigError { setting: key, problem: readable(*error).problem }
        }
        config::ConfigError::FileParse { uri, cause } => {
            ConfigError::new(uri.unwrap_or_default(), cause.to_string())
        }
        other => ConfigError::new("configuration", other.to_string()),
    }
}
