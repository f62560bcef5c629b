//! Configuration from environment variables.
//!
//! The eight `B2C_*` variables work as they stand in the integration guide's `.env`, also where
//! the guide is wrong: what was meant is used, and a [`ConfigWarning`] says so. Beside them:
//! `LUMINOUS_ISSUER` (the exact issuer, once known), `LUMINOUS_API_CLIENT_ID` (the audience of
//! access tokens), `LUMINOUS_CLAIM_FAMILY_ID` and `LUMINOUS_CLAIM_ROLE` (names of custom claims),
//! and `LUMINOUS_PROFILE=dev`, without which plain http to the emulator is refused.

use url::Url;

use crate::authority::{
    Authority, UrlForm, is_b2c_host, is_external_id_host, is_guid, is_policy, origin_of,
};
use crate::config::{AudienceRule, ConfigError, ExpectedIssuer, PolicyRule, ProviderConfig};
use crate::url_rules::{Transport, is_loopback};

mod warning;

pub use warning::{ConfigWarning, WarningReason};

const TENANT: &str = "B2C_TENANT_ID";
const CLIENT: &str = "B2C_CLIENT_ID";
const SECRET: &str = "B2C_CLIENT_SECRET";
const POLICY: &str = "B2C_SIGNIN_POLICY";
const AUTHORITY: &str = "B2C_AUTHORITY";
const SCOPE: &str = "B2C_SCOPE";
const KEYS: &str = "B2C_JWKS_URI";
const METADATA: &str = "B2C_OPENID_CONFIG";
const ISSUER: &str = "LUMINOUS_ISSUER";
const API: &str = "LUMINOUS_API_CLIENT_ID";
const FAMILY: &str = "LUMINOUS_CLAIM_FAMILY_ID";
const ROLE: &str = "LUMINOUS_CLAIM_ROLE";
const PROFILE: &str = "LUMINOUS_PROFILE";

impl ProviderConfig {
    /// Reads the configuration through `lookup`, such as `|name| std::env::var(name).ok()`.
    ///
    /// # Errors
    /// [`ConfigError`] naming the variable.
    pub fn from_variables(
        lookup: &dyn Fn(&str) -> Option<String>,
    ) -> Result<(Self, Vec<ConfigWarning>), ConfigError> {
        let mut reader = Reader { lookup, warnings: Vec::new() };
        let config = reader.read()?;
        Ok((config, reader.warnings))
    }
}

struct Reader<'a> {
    lookup: &'a dyn Fn(&str) -> Option<String>,
    warnings: Vec<ConfigWarning>,
}

impl Reader<'_> {
    fn read(&mut self) -> Result<ProviderConfig, ConfigError> {
        if (self.lookup)(SECRET).is_some_and(|secret| !secret.trim().is_empty()) {
            self.warn(SECRET, None, "", WarningReason::SecretIgnored);
        }
        let client = self.needed(CLIENT)?;
        let (authority, transport) = self.authority()?;
        self.check_metadata_address(&authority)?;
        self.check_keys_address(&authority)?;
        let mut config = ProviderConfig::new(authority, &client, transport);
        config.scopes = self.scopes(&config)?;
        config.expected_issuer = self.issuer(&config)?;
        if let Some(api) = self.value(API)? {
            config.audiences = AudienceRule::only(&api);
        }
        if let Some(name) = self.value(FAMILY)? {
            config.claim_names.family_id = vec![name];
        }
        if let Some(name) = self.value(ROLE)? {
            config.claim_names.role = vec![name];
        }
        Ok(config)
    }

    /// The variable's value, trimmed; `None` when not set or blank.
    fn value(&self, variable: &'static str) -> Result<Option<String>, ConfigError> {
        let value = (self.lookup)(variable).map(|value| value.trim().to_owned());
        match value.filter(|value| !value.is_empty()) {
            Some(value) if is_placeholder(&value) => {
                Err(ConfigError::VariablePlaceholder { variable })
            }
            value => Ok(value),
        }
    }

    fn needed(&self, variable: &'static str) -> Result<String, ConfigError> {
        self.value(variable)?.ok_or(ConfigError::VariableMissing { variable })
    }

    fn warn(
        &mut self,
        variable: &'static str,
        given: Option<&str>,
        meant: impl Into<String>,
        reason: WarningReason,
    ) {
        let (given, meant) = (given.map(str::to_owned), meant.into());
        self.warnings.push(ConfigWarning { variable, given, meant, reason });
    }

    fn authority(&mut self) -> Result<(Authority, Transport), ConfigError> {
        let tenant = self.tenant()?;
        let url = self.authority_url(tenant.as_deref())?;
        let transport = self.transport(&url)?;
        let place = self.place(&url, tenant.as_deref())?;
        let host = url.host_str().unwrap_or_default();
        let policy = self.policy(&place)?;
        if is_external_id_host(host) {
            if let Some(policy) = self.value(POLICY)? {
                self.warn(POLICY, Some(&policy), "", WarningReason::PolicyUnused);
            }
            let origin = origin_of(&url);
            return Ok((Authority::ExternalId { origin, tenant: place.tenant }, transport));
        }
        let policy = policy.ok_or(ConfigError::VariableMissing { variable: POLICY })?;
        let form = self.form(&place)?;
        let origin = origin_of(&url);
        Ok((Authority::B2c { origin, tenant: place.tenant, policy, form }, transport))
    }

    /// `B2C_TENANT_ID`: a domain, a GUID, or the bare name before the domain.
    fn tenant(&mut self) -> Result<Option<String>, ConfigError> {
        let Some(given) = self.value(TENANT)? else { return Ok(None) };
        if given.contains('.') || is_guid(&given) {
            return Ok(Some(given));
        }
        let meant = format!("{given}.onmicrosoft.com");
        self.warn(TENANT, Some(&given), &meant, WarningReason::NameIncomplete);
        Ok(Some(meant))
    }

    fn authority_url(&mut self, tenant: Option<&str>) -> Result<Url, ConfigError> {
        let Some(given) = self.value(AUTHORITY)? else {
            let name = tenant
                .and_then(|tenant| tenant.strip_suffix(".onmicrosoft.com"))
                .ok_or(ConfigError::VariableMissing { variable: AUTHORITY })?;
            let meant = format!("https://{name}.b2clogin.com/{name}.onmicrosoft.com/");
            self.warn(AUTHORITY, None, &meant, WarningReason::Derived);
            return parse(AUTHORITY, &meant);
        };
        let mut text = given.clone();
        if !given.contains("://") {
            text = format!("https://{given}");
            self.warn(AUTHORITY, Some(&given), &text, WarningReason::SchemeLeftOut);
        }
        let mut url = parse(AUTHORITY, &text)?;
        if let Some(host) = meant_host(url.host_str().unwrap_or_default(), &url) {
            url.set_host(Some(&host)).map_err(|_| invalid(AUTHORITY))?;
            self.warn(AUTHORITY, Some(&given), url.as_str(), WarningReason::HostMisspelt);
        }
        Ok(url)
    }

    fn transport(&self, url: &Url) -> Result<Transport, ConfigError> {
        let transport = if url.scheme() == "http" && is_loopback(url) {
            if self.value(PROFILE)?.as_deref() != Some("dev") {
                return Err(ConfigError::ProfileNotDev { variable: AUTHORITY });
            }
            Transport::LoopbackHttp
        } else {
            Transport::HttpsOnly
        };
        if transport.allows(url) { Ok(transport) } else { Err(invalid(AUTHORITY)) }
    }

    /// Tenant, and policy where it is there too, in the path of the authority.
    fn place(&mut self, url: &Url, tenant: Option<&str>) -> Result<Place, ConfigError> {
        let mut segments: Vec<&str> =
            url.path_segments().into_iter().flatten().filter(|part| !part.is_empty()).collect();
        let tfp = segments.first().is_some_and(|first| first.eq_ignore_ascii_case("tfp"));
        if tfp {
            segments.remove(0);
        }
        let in_query = url.query_pairs().find(|(name, _)| name == "p").map(|(_, p)| p.into_owned());
        let in_path = segments.get(1).filter(|part| is_policy(part)).map(|part| (*part).to_owned());
        let named = segments.first().map(|part| (*part).to_owned());
        let tenant = self.agree_on_tenant(named, tenant, url)?;
        let place = Place { tenant, policy: in_query.clone().or(in_path), tfp, in_query };
        if segments.len() > 1 || place.in_query.is_some() {
            let prefix = if tfp { "tfp/" } else { "" };
            let meant = format!("{}{prefix}{}/", origin_of(url), place.tenant);
            self.warn(AUTHORITY, Some(url.as_str()), meant, WarningReason::MoreThanTheAuthority);
        }
        Ok(place)
    }

    /// A GUID and a domain can name the same tenant; two domains cannot. The GUID is used, for it
    /// also says what the issuer must hold.
    fn agree_on_tenant(
        &self,
        in_authority: Option<String>,
        tenant: Option<&str>,
        url: &Url,
    ) -> Result<String, ConfigError> {
        match (in_authority, tenant) {
            (Some(named), None) => Ok(named),
            (Some(named), Some(tenant)) if named.eq_ignore_ascii_case(tenant) => Ok(named),
            (Some(named), Some(tenant)) if is_guid(tenant) && !is_guid(&named) => {
                Ok(tenant.to_owned())
            }
            (Some(named), Some(tenant)) if is_guid(&named) && !is_guid(tenant) => Ok(named),
            (Some(_), Some(_)) => {
                Err(ConfigError::VariablesContradict { variable: TENANT, other: AUTHORITY })
            }
            (None, Some(tenant)) => Ok(tenant.to_owned()),
            (None, None) => {
                let host = url.host_str().unwrap_or_default();
                let name = host.split('.').next().unwrap_or_default();
                if is_b2c_host(host) || is_external_id_host(host) {
                    Ok(format!("{name}.onmicrosoft.com"))
                } else {
                    Err(ConfigError::VariableMissing { variable: TENANT })
                }
            }
        }
    }

    /// `B2C_SIGNIN_POLICY`, or the policy that stands in the authority.
    fn policy(&mut self, place: &Place) -> Result<Option<String>, ConfigError> {
        let Some(given) = self.value(POLICY)? else {
            if let Some(policy) = place.policy.clone() {
                self.warn(POLICY, None, &policy, WarningReason::Derived);
            }
            return Ok(place.policy.clone());
        };
        let mut policy = given.clone();
        if !is_policy(&given) {
            policy = format!("B2C_1_{given}");
            if !is_policy(&policy) {
                let problem = Box::new(ConfigError::PolicyUnreadable);
                return Err(ConfigError::VariableInvalid { variable: POLICY, problem });
            }
            self.warn(POLICY, Some(&given), &policy, WarningReason::NameIncomplete);
        }
        match &place.policy {
            Some(other) if !other.eq_ignore_ascii_case(&policy) => {
                Err(ConfigError::VariablesContradict { variable: POLICY, other: AUTHORITY })
            }
            _ => Ok(Some(policy)),
        }
    }

    /// The URL form that the variables use where they name the policy at all.
    fn form(&self, place: &Place) -> Result<UrlForm, ConfigError> {
        let metadata = self.value(METADATA)?.and_then(|text| Url::parse(&text).ok());
        let by_query = metadata.is_some_and(|url| url.query_pairs().any(|(name, _)| name == "p"));
        Ok(match place {
            Place { tfp: true, .. } => UrlForm::Tfp,
            Place { in_query: Some(_), .. } => UrlForm::Query,
            _ if by_query => UrlForm::Query,
            _ => UrlForm::Path,
        })
    }

    /// `B2C_OPENID_CONFIG` says nothing the others do not; it is only compared.
    fn check_metadata_address(&mut self, authority: &Authority) -> Result<(), ConfigError> {
        let Some(given) = self.value(METADATA)? else { return Ok(()) };
        let url = parse(METADATA, &given)?;
        let meant = authority.metadata_url();
        if let (Some(named), Some(policy)) = (policy_in(&url), authority.policy())
            && !named.eq_ignore_ascii_case(policy)
        {
            return Err(ConfigError::VariablesContradict { variable: METADATA, other: POLICY });
        }
        self.compare(METADATA, &given, &url, &meant, authority);
        Ok(())
    }

    /// `B2C_JWKS_URI` is never asked: the metadata says where the keys are.
    fn check_keys_address(&mut self, authority: &Authority) -> Result<(), ConfigError> {
        let Some(given) = self.value(KEYS)? else { return Ok(()) };
        let url = parse(KEYS, &given)?;
        let mut meant = authority.metadata_url();
        let path =
            meant.path().replace("/v2.0/.well-known/openid-configuration", "/discovery/v2.0/keys");
        meant.set_path(&path);
        self.compare(KEYS, &given, &url, &meant, authority);
        Ok(())
    }

    fn compare(
        &mut self,
        variable: &'static str,
        given: &str,
        url: &Url,
        meant: &Url,
        authority: &Authority,
    ) {
        if origin_of(url) != *authority.origin() {
            self.warn(variable, Some(given), meant.as_str(), WarningReason::Elsewhere);
        } else if authority.policy().is_some() && policy_in(url).is_none() {
            self.warn(variable, Some(given), meant.as_str(), WarningReason::PolicyLeftOut);
        }
    }

    /// `openid` and `offline_access` are always asked for; something must bring an access token.
    fn scopes(&mut self, config: &ProviderConfig) -> Result<Vec<String>, ConfigError> {
        let given = self.value(SCOPE)?;
        let mut scopes = vec!["openid".to_owned(), "offline_access".to_owned()];
        for scope in given.iter().flat_map(|given| given.split_ascii_whitespace()) {
            if !scopes.iter().any(|known| known == scope) {
                scopes.push(scope.to_owned());
            }
        }
        let brings_a_token =
            scopes.iter().any(|scope| scope.contains("://") || *scope == config.client_id);
        if !brings_a_token {
            scopes.push(config.client_id.clone());
            let meant = scopes.join(" ");
            self.warn(SCOPE, given.as_deref(), meant, WarningReason::NoAccessToken);
        }
        Ok(scopes)
    }

    /// `LUMINOUS_ISSUER`, unless it is the guide's formula `AUTHORITY/POLICY/v2.0/`, which no
    /// token has.
    fn issuer(&mut self, config: &ProviderConfig) -> Result<ExpectedIssuer, ConfigError> {
        let Some(given) = self.value(ISSUER)? else { return Ok(ExpectedIssuer::Discovered) };
        let url = parse(ISSUER, &given)?;
        let PolicyRule::OneOf(_) = config.policies else {
            return Ok(ExpectedIssuer::Exact(given));
        };
        let tfp = url.path().starts_with("/tfp/");
        if !tfp && policy_in(&url).is_some() {
            let meant = format!("the issuer of {}", config.metadata_url());
            self.warn(ISSUER, Some(&given), meant, WarningReason::IssuerNeverIssued);
            return Ok(ExpectedIssuer::Discovered);
        }
        Ok(ExpectedIssuer::Exact(given))
    }
}

/// What the path and query of the authority say.
struct Place {
    tenant: String,
    policy: Option<String>,
    tfp: bool,
    in_query: Option<String>,
}

fn invalid(variable: &'static str) -> ConfigError {
    ConfigError::VariableInvalid { variable, problem: Box::new(ConfigError::AddressUnreadable) }
}

fn parse(variable: &'static str, text: &str) -> Result<Url, ConfigError> {
    Url::parse(text).ok().filter(Url::has_host).ok_or_else(|| invalid(variable))
}

fn policy_in(url: &Url) -> Option<String> {
    let in_query = url.query_pairs().find(|(name, _)| name == "p").map(|(_, p)| p.into_owned());
    let in_path = || {
        let mut segments = url.path_segments().into_iter().flatten();
        segments.find(|part| is_policy(part)).map(str::to_owned)
    };
    in_query.or_else(in_path)
}

/// The host that was meant where there is none of the given name: the tenant's domain in front of
/// `b2clogin.com`, or the host B2C had until 2020.
fn meant_host(host: &str, url: &Url) -> Option<String> {
    for family in [".b2clogin.com", ".ciamlogin.com"] {
        let name = host.strip_suffix(family).and_then(|host| host.strip_suffix(".onmicrosoft.com"));
        if let Some(name) = name {
            return Some(format!("{name}{family}"));
        }
    }
    if host != "login.microsoftonline.com" {
        return None;
    }
    let mut segments = url.path_segments().into_iter().flatten();
    let domain = segments.find(|part| part.ends_with(".onmicrosoft.com"))?;
    domain.strip_suffix(".onmicrosoft.com").map(|name| format!("{name}.b2clogin.com"))
}

/// Whether `value` still says that something of one's own belongs here.
fn is_placeholder(value: &str) -> bool {
    let value = value.to_ascii_lowercase();
    ["your-", "your_", "changeme"].iter().any(|mark| value.starts_with(mark))
        || ["yourtenant", "<", "{"].iter().any(|mark| value.contains(mark))
}
