//! Addresses a person may type, and what they mean.

use luminous_oidc::{Authority, ConfigError, PolicyRule, ProviderConfig, Transport, UrlForm};

const GUID: &str = "5d2c6e0a-7f43-4b8e-9a51-1c0de5a7e001";

fn read(address: &str) -> Result<ProviderConfig, ConfigError> {
    ProviderConfig::from_address(address, "client", Transport::HttpsOnly)
}

fn metadata_of(address: &str) -> String {
    read(address).expect(address).metadata_url().to_string()
}

#[test]
fn a_b2c_authority_is_understood_in_every_form_and_from_every_url_of_its() {
    let path = "https://t.b2clogin.com/t.onmicrosoft.com/B2C_1_a";
    let query = "https://t.b2clogin.com/t.onmicrosoft.com";
    let tfp = "https://t.b2clogin.com/tfp/t.onmicrosoft.com/B2C_1_a";
    let well_known = "v2.0/.well-known/openid-configuration";
    for (address, expected) in [
        (path.to_owned(), format!("{path}/{well_known}")),
        (format!("{path}/"), format!("{path}/{well_known}")),
        (format!("  {path}/v2.0/ "), format!("{path}/{well_known}")),
        (format!("{path}/{well_known}"), format!("{path}/{well_known}")),
        (format!("{path}/oauth2/v2.0/authorize"), format!("{path}/{well_known}")),
        (format!("{path}/oauth2/v2.0/token"), format!("{path}/{well_known}")),
        (format!("{path}/discovery/v2.0/keys"), format!("{path}/{well_known}")),
        (format!("{query}?p=B2C_1_a"), format!("{query}/{well_known}?p=B2C_1_a")),
        (format!("{query}/{well_known}?p=B2C_1_a"), format!("{query}/{well_known}?p=B2C_1_a")),
        (tfp.to_owned(), format!("{tfp}/{well_known}")),
        (format!("{tfp}/{well_known}"), format!("{tfp}/{well_known}")),
    ] {
        assert_eq!(metadata_of(&address), expected, "{address}");
    }
}

#[test]
fn a_custom_domain_is_b2c_where_the_address_names_a_policy() {
    let config = read(&format!("https://login.example.com/{GUID}/B2C_1A_SIGNIN")).expect("b2c");
    let Authority::B2c { tenant, policy, form, .. } = &config.authority else { panic!("b2c") };
    assert_eq!((tenant.as_str(), policy.as_str(), *form), (GUID, "B2C_1A_SIGNIN", UrlForm::Path));
    assert_eq!(config.host(), "login.example.com");
    assert_eq!(config.policies, PolicyRule::OneOf(vec!["B2C_1A_SIGNIN".to_owned()]));
    assert_eq!(config.scopes, ["openid", "offline_access", "client"]);
}

#[test]
fn an_external_id_authority_has_no_policy() {
    let well_known = "v2.0/.well-known/openid-configuration";
    for (address, expected) in [
        (
            "https://c.ciamlogin.com".to_owned(),
            format!("https://c.ciamlogin.com/c.onmicrosoft.com/{well_known}"),
        ),
        (
            "https://c.ciamlogin.com/c.onmicrosoft.com/".to_owned(),
            format!("https://c.ciamlogin.com/c.onmicrosoft.com/{well_known}"),
        ),
        (
            format!("https://c.ciamlogin.com/{GUID}/v2.0"),
            format!("https://c.ciamlogin.com/{GUID}/{well_known}"),
        ),
        (
            format!("https://{GUID}.ciamlogin.com"),
            format!("https://{GUID}.ciamlogin.com/{GUID}/{well_known}"),
        ),
        (
            format!("https://id.example.com/{GUID}/v2.0"),
            format!("https://id.example.com/{GUID}/{well_known}"),
        ),
    ] {
        let config = read(&address).expect("external id");
        assert!(matches!(config.authority, Authority::ExternalId { .. }), "{address}");
        assert_eq!(config.metadata_url().as_str(), expected);
        assert_eq!(config.policies, PolicyRule::None);
        assert_eq!(config.with_policy("B2C_1_a"), Err(ConfigError::PolicyUnsupported));
    }
}

#[test]
fn anything_else_is_a_plain_issuer() {
    for (address, expected) in [
        (
            "https://accounts.google.com",
            "https://accounts.google.com/.well-known/openid-configuration",
        ),
        (
            "https://id.example/realms/home/",
            "https://id.example/realms/home/.well-known/openid-configuration",
        ),
        (
            "https://id.example/realms/home/.well-known/openid-configuration",
            "https://id.example/realms/home/.well-known/openid-configuration",
        ),
        ("https://id.example/v2.0", "https://id.example/v2.0/.well-known/openid-configuration"),
    ] {
        let config = read(address).expect("an issuer");
        assert!(matches!(config.authority, Authority::Oidc { .. }), "{address}");
        assert_eq!(config.metadata_url().as_str(), expected);
    }
    let entra = format!("https://login.microsoftonline.com/{GUID}/v2.0");
    assert!(matches!(read(&entra).expect("an issuer").authority, Authority::Oidc { .. }));
}

#[test]
fn an_address_that_cannot_be_used_says_why() {
    for (address, expected) in [
        ("", ConfigError::AddressUnreadable),
        ("luminous", ConfigError::AddressUnreadable),
        ("ftp://t.b2clogin.com/t/B2C_1_a", ConfigError::AddressUnreadable),
        ("javascript:alert(1)", ConfigError::AddressUnreadable),
        ("https://user:secret@t.b2clogin.com/t/B2C_1_a", ConfigError::AddressUnreadable),
        ("https://id.example/#x", ConfigError::AddressUnreadable),
        ("https://id.example/?x=1", ConfigError::AddressUnreadable),
        ("https://t.b2clogin.com/t.onmicrosoft.com", ConfigError::PolicyMissing),
        ("https://t.b2clogin.com/", ConfigError::TenantMissing),
        ("https://t.b2clogin.com/t.onmicrosoft.com/signin", ConfigError::PolicyUnreadable),
        ("https://t.b2clogin.com/t/B2C_1_a?p=B2C_1_b", ConfigError::AddressUnreadable),
        ("https://t.b2clogin.com/t/B2C_1_a/x", ConfigError::AddressUnreadable),
        (
            "http://t.b2clogin.com/t/B2C_1_a",
            ConfigError::AddressInsecure { host: "t.b2clogin.com".into() },
        ),
        (
            "http://localhost:1/t/B2C_1_a",
            ConfigError::AddressInsecure { host: "localhost:1".into() },
        ),
    ] {
        assert_eq!(read(address), Err(expected), "{address}");
    }
    let blank = ProviderConfig::from_address("https://id.example", "  ", Transport::HttpsOnly);
    assert_eq!(blank, Err(ConfigError::ClientIdMissing));
}

#[test]
fn plain_http_goes_to_this_machine_only_and_only_where_that_is_allowed() {
    let read = |address| ProviderConfig::from_address(address, "client", Transport::LoopbackHttp);
    for address in [
        "http://localhost:18455/t.onmicrosoft.com/B2C_1_a",
        "http://127.0.0.1:18455/t.onmicrosoft.com/B2C_1_a",
        "http://[::1]:18455/t.onmicrosoft.com/B2C_1_a",
        "https://t.b2clogin.com/t.onmicrosoft.com/B2C_1_a",
    ] {
        assert!(read(address).is_ok(), "{address}");
    }
    for address in [
        "http://localhost.evil.example/t/B2C_1_a",
        "http://127.0.0.1.evil.example/t/B2C_1_a",
        "http://192.168.1.2/t/B2C_1_a",
        "http://0.0.0.0/t/B2C_1_a",
    ] {
        assert!(matches!(read(address), Err(ConfigError::AddressInsecure { .. })), "{address}");
    }
}
