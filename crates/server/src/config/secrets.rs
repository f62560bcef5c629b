//! The secrets that the configuration names files for.

use std::io::Write as _;
use std::path::Path;

use luminous_domain::Entropy;
use secrecy::{ExposeSecret as _, SecretString};
use zeroize::Zeroizing;

use super::{Config, ConfigError};

/// What was read from the files that settings name. Does not print.
pub struct Secrets {
    key: Zeroizing<[u8; 32]>,
    web_clients: Vec<Option<SecretString>>,
    metrics: Option<SecretString>,
    b2c_connector: Option<SecretString>,
    introspection: Option<SecretString>,
}

impl Secrets {
    /// Makes the server's own where it is missing; answers whether it was.
    ///
    /// # Errors
    /// [`ConfigError`] about `key_file`.
    pub fn make_key(config: &Config, entropy: &dyn Entropy) -> Result<bool, ConfigError> {
        let file = config.key_file.as_path();
        let mut key = Zeroizing::new([0; 32]);
        entropy.fill(&mut *key).map_err(|error| wrong_key(file, &error.to_string()))?;
        let hex = Zeroizing::new(key.iter().map(|byte| format!("{byte:02x}")).collect::<String>());
        match write_new(file, &hex) {
            Ok(()) => Ok(true),
            Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => Ok(false),
            Err(error) => Err(wrong_key(file, &error.to_string())),
        }
    }

    /// Reads them. Makes none.
    ///
    /// # Errors
    /// [`ConfigError`] naming the setting whose file cannot be read.
    pub fn read(config: &Config) -> Result<Self, ConfigError> {
        let web_clients = config.issuers.iter().enumerate().map(|(at, issuer)| {
            let setting = format!("issuers[{at}].web_client_secret_file");
            optional(&setting, issuer.web_client_secret_file.as_deref())
        });
        let introspection = config.displays.introspection_token_file.as_deref();
        let connector = config.connectors.b2c_password_file.as_deref();
        Ok(Self {
            key: server_key(&config.key_file)?,
            web_clients: web_clients.collect::<Result<_, _>>()?,
            metrics: optional("metrics.token_file", config.metrics.token_file.as_deref())?,
            b2c_connector: optional("connectors.b2c_password_file", connector)?,
            introspection: optional("displays.introspection_token_file", introspection)?,
        })
    }

    /// A key of the server's own for one purpose, different from that for any other.
    #[must_use]
    pub fn key(&self, purpose: &str) -> [u8; 32] {
        let key = aws_lc_rs::hmac::Key::new(aws_lc_rs::hmac::HMAC_SHA256, &*self.key);
        let tag = aws_lc_rs::hmac::sign(&key, purpose.as_bytes());
        let mut out = [0; 32];
        out.copy_from_slice(tag.as_ref());
        out
    }

    /// The secret of the web client at the issuer of that number.
    #[must_use]
    pub fn web_client(&self, issuer: usize) -> Option<&str> {
        self.web_clients.get(issuer)?.as_ref().map(|secret| secret.expose_secret())
    }

    /// The token for `/metrics`.
    #[must_use]
    pub fn metrics(&self) -> Option<&str> {
        self.metrics.as_ref().map(|secret| secret.expose_secret())
    }

    /// The token of services that may introspect.
    #[must_use]
    pub fn introspection(&self) -> Option<&str> {
        self.introspection.as_ref().map(|secret| secret.expose_secret())
    }

    /// The password of the B2C API connector.
    #[must_use]
    pub fn b2c_connector(&self) -> Option<&str> {
        self.b2c_connector.as_ref().map(|secret| secret.expose_secret())
    }
}

impl std::fmt::Debug for Secrets {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secrets(..)")
    }
}

fn optional(setting: &str, file: Option<&Path>) -> Result<Option<SecretString>, ConfigError> {
    let Some(file) = file else { return Ok(None) };
    let text = std::fs::read_to_string(file).map(Zeroizing::new).map_err(|error| {
        ConfigError::new(setting, format!("{} cannot be read: {error}", file.display()))
    })?;
    match text.trim() {
        "" => Err(ConfigError::new(setting, format!("{} is empty", file.display()))),
        secret => Ok(Some(SecretString::from(secret))),
    }
}

fn server_key(file: &Path) -> Result<Zeroizing<[u8; 32]>, ConfigError> {
    match std::fs::read_to_string(file).map(Zeroizing::new) {
        Ok(text) => decode(text.trim()).ok_or_else(|| wrong_key(file, "not 32 bytes in hex")),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            Err(wrong_key(file, "it is missing; `luminous-server key` makes one, for all replicas"))
        }
        Err(error) => Err(wrong_key(file, &error.to_string())),
    }
}

fn wrong_key(file: &Path, problem: &str) -> ConfigError {
    ConfigError::new("key_file", format!("{}: {problem}", file.display()))
}

/// For its owner only, and never over a file that is there.
fn write_new(file: &Path, text: &str) -> std::io::Result<()> {
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(file)?;
    writeln!(file, "{text}")?;
    file.sync_all()
}

fn decode(hex: &str) -> Option<Zeroizing<[u8; 32]>> {
    if hex.len() != 64 || !hex.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return None;
    }
    let mut key = Zeroizing::new([0; 32]);
    for (at, byte) in key.iter_mut().enumerate() {
        *byte = u8::from_str_radix(hex.get(2 * at..2 * at + 2)?, 16).ok()?;
    }
    Some(key)
}
