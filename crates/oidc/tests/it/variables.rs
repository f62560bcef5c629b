//! The eight variables of the integration guide, right and wrong.

use std::collections::HashMap;

use luminous_oidc::{
    Authority, ConfigError, ConfigWarning, ExpectedIssuer, ProviderConfig, Transport, UrlForm,
    WarningReason,
};

/// The guide's `.env` with a tenant of one's own in it.
fn guide() -> HashMap<&'static str, String> {
    HashMap::from([
        ("B2C_TENANT_ID", "smiths.onmicrosoft.com"),
        ("B2C_CLIENT_ID", "a4f1c9d2-83b7-4e56-9c0f-1c0de5a7e0a1"),
        ("B2C_CLIENT_SECRET", "canary-secret"),
        ("B2C_SIGNIN_POLICY", "B2C_1_signupsignin1"),
        ("B2C_AUTHORITY", "https://smiths.b2clogin.com/smiths.onmicrosoft.com/"),
        ("B2C_SCOPE", "https://smiths.onmicrosoft.com/api/user_impersonation"),
        ("B2C_JWKS_URI", "https://smiths.b2clogin.com/smiths.onmicrosoft.com/discovery/v2.0/keys"),
        (
            "B2C_OPENID_CONFIG",
            "https://smiths.b2clogin.com/smiths.onmicrosoft.com/v2.0/.well-known/openid-configuration",
        ),
    ])
    .into_iter()
    .map(|(name, value)| (name, value.to_owned()))
    .collect()
}

type Read = Result<(ProviderConfig, Vec<ConfigWarning>), ConfigError>;

/// The guide's variables with `changes`; an empty value unsets one.
fn read(changes: &[(&'static str, &str)]) -> Read {
    let mut variables = guide();
    for (name, value) in changes {
        variables.insert(name, (*value).to_owned());
    }
    ProviderConfig::from_variables(&|name| variables.get(name).cloned())
}

fn reasons(read: &Read) -> Vec<(&'static str, WarningReason)> {
    let (_, warnings) = read.as_ref().expect("a configuration");
    warnings.iter().map(|warning| (warning.variable, warning.reason)).collect()
}

fn metadata_of(read: &Read) -> String {
    read.as_ref().expect("a configuration").0.metadata_url().to_string()
}

const METADATA: &str = "https://smiths.b2clogin.com/smiths.onmicrosoft.com/B2C_1_signupsignin1/v2.0/.well-known/openid-configuration";

/// What the guide's own text always brings: the secret, and two addresses without their policy.
const USUAL: [(&str, WarningReason); 3] = [
    ("B2C_CLIENT_SECRET", WarningReason::SecretIgnored),
    ("B2C_OPENID_CONFIG", WarningReason::PolicyLeftOut),
    ("B2C_JWKS_URI", WarningReason::PolicyLeftOut),
];

#[test]
fn the_guides_variables_work_as_they_stand_and_say_what_was_meant() {
    let read = read(&[]);
    assert_eq!(reasons(&read), USUAL);
    assert_eq!(metadata_of(&read), METADATA);
    let (config, warnings) = read.expect("a configuration");
    assert_eq!(config.client_id, "a4f1c9d2-83b7-4e56-9c0f-1c0de5a7e0a1");
    assert_eq!(
        config.scopes,
        ["openid", "offline_access", "https://smiths.onmicrosoft.com/api/user_impersonation"]
    );
    assert_eq!(config.transport, Transport::HttpsOnly);
    assert_eq!(config.expected_issuer, ExpectedIssuer::Discovered);
    let keys = warnings[2].to_string();
    assert!(keys.starts_with("B2C_JWKS_URI: "), "{keys}");
    assert!(keys.ends_with("/B2C_1_signupsignin1/discovery/v2.0/keys"), "{keys}");
}

#[test]
fn the_client_secret_is_kept_nowhere() {
    let (config, warnings) = read(&[]).expect("a configuration");
    let shown: Vec<String> = warnings.iter().map(ToString::to_string).collect();
    assert!(!format!("{config:?} {warnings:?} {shown:?}").contains("canary-secret"));
    assert_eq!(reasons(&read(&[("B2C_CLIENT_SECRET", "")])), USUAL[1..]);
}

#[test]
fn right_addresses_bring_no_warning() {
    let keys = "https://smiths.b2clogin.com/smiths.onmicrosoft.com/B2C_1_signupsignin1/discovery/v2.0/keys";
    let right =
        [("B2C_CLIENT_SECRET", ""), ("B2C_OPENID_CONFIG", METADATA), ("B2C_JWKS_URI", keys)];
    assert_eq!(reasons(&read(&right)), []);
    let none = [("B2C_CLIENT_SECRET", ""), ("B2C_OPENID_CONFIG", ""), ("B2C_JWKS_URI", "")];
    assert_eq!(reasons(&read(&none)), []);
}

#[test]
fn the_authority_may_be_written_in_many_ways() {
    let host = "https://smiths.b2clogin.com";
    let tenant = "smiths.onmicrosoft.com";
    let more = WarningReason::MoreThanTheAuthority;
    let cases = [
        (format!("{host}/{tenant}"), None),
        (format!("{host}/{tenant}/B2C_1_signupsignin1"), Some(more)),
        (format!("{host}/{tenant}/b2c_1_SIGNUPSIGNIN1/v2.0/"), Some(more)),
        (METADATA.to_owned(), Some(more)),
        (format!("{host}/"), None),
        (format!("smiths.b2clogin.com/{tenant}/"), Some(WarningReason::SchemeLeftOut)),
        (
            format!("https://smiths.onmicrosoft.com.b2clogin.com/{tenant}/"),
            Some(WarningReason::HostMisspelt),
        ),
        (format!("https://login.microsoftonline.com/{tenant}/"), Some(WarningReason::HostMisspelt)),
    ];
    for (authority, reason) in cases {
        let read = read(&[("B2C_AUTHORITY", &authority)]);
        assert_eq!(metadata_of(&read), METADATA, "{authority}");
        let own: Vec<_> =
            reasons(&read).into_iter().filter(|(name, _)| *name == "B2C_AUTHORITY").collect();
        let expected: Vec<_> = reason.map(|reason| ("B2C_AUTHORITY", reason)).into_iter().collect();
        assert_eq!(own, expected, "{authority}");
    }
}

#[test]
fn the_url_form_is_the_one_the_variables_use() {
    let form = |changes: &[(&'static str, &str)]| match read(changes).expect("b2c").0.authority {
        Authority::B2c { form, .. } => form,
        other => panic!("{other:?}"),
    };
    assert_eq!(form(&[]), UrlForm::Path);
    let tfp = "https://smiths.b2clogin.com/tfp/smiths.onmicrosoft.com/";
    assert_eq!(form(&[("B2C_AUTHORITY", tfp)]), UrlForm::Tfp);
    let query = "https://smiths.b2clogin.com/smiths.onmicrosoft.com/v2.0/.well-known/openid-configuration?p=B2C_1_signupsignin1";
    assert_eq!(form(&[("B2C_OPENID_CONFIG", query)]), UrlForm::Query);
}

#[test]
fn what_is_not_set_is_taken_from_the_others_and_said() {
    let no_authority = read(&[("B2C_AUTHORITY", "")]);
    assert_eq!(metadata_of(&no_authority), METADATA);
    assert_eq!(reasons(&no_authority)[1], ("B2C_AUTHORITY", WarningReason::Derived));
    let with_policy = "https://smiths.b2clogin.com/smiths.onmicrosoft.com/B2C_1_signupsignin1";
    let no_policy = read(&[("B2C_SIGNIN_POLICY", " "), ("B2C_AUTHORITY", with_policy)]);
    assert_eq!(metadata_of(&no_policy), METADATA);
    assert!(reasons(&no_policy).contains(&("B2C_SIGNIN_POLICY", WarningReason::Derived)));
    assert_eq!(metadata_of(&read(&[("B2C_TENANT_ID", "")])), METADATA);
    let bare = read(&[("B2C_TENANT_ID", "smiths"), ("B2C_SIGNIN_POLICY", "signupsignin1")]);
    assert_eq!(metadata_of(&bare), METADATA);
    assert_eq!(reasons(&bare)[1], ("B2C_TENANT_ID", WarningReason::NameIncomplete));
    assert_eq!(reasons(&bare)[2], ("B2C_SIGNIN_POLICY", WarningReason::NameIncomplete));
}

#[test]
fn a_missing_or_blank_variable_is_named() {
    for variable in ["B2C_CLIENT_ID", "B2C_SIGNIN_POLICY"] {
        for value in ["", "  ", "\t"] {
            let missing = read(&[(variable, value)]).expect_err("missing");
            assert_eq!(missing, ConfigError::VariableMissing { variable });
            assert!(missing.to_string().contains(variable));
        }
    }
    let nothing = ProviderConfig::from_variables(&|_| None);
    assert_eq!(nothing, Err(ConfigError::VariableMissing { variable: "B2C_CLIENT_ID" }));
    let neither = read(&[("B2C_AUTHORITY", ""), ("B2C_TENANT_ID", "")]);
    assert_eq!(neither, Err(ConfigError::VariableMissing { variable: "B2C_AUTHORITY" }));
}

#[test]
fn an_examples_value_is_named() {
    for (variable, value) in [
        ("B2C_TENANT_ID", "yourtenant.onmicrosoft.com"),
        ("B2C_CLIENT_ID", "your-api-application-id"),
        ("B2C_AUTHORITY", "https://yourtenant.b2clogin.com/yourtenant.onmicrosoft.com/"),
        ("B2C_SCOPE", "https://yourtenant.onmicrosoft.com/api/user_impersonation"),
        ("B2C_CLIENT_ID", "<client id>"),
    ] {
        let placeholder = read(&[(variable, value)]).expect_err("a placeholder");
        assert_eq!(placeholder, ConfigError::VariablePlaceholder { variable });
    }
}

#[test]
fn variables_that_contradict_each_other_are_named() {
    let contradict = |variable, other| Err(ConfigError::VariablesContradict { variable, other });
    let jones = "https://smiths.b2clogin.com/jones.onmicrosoft.com/";
    assert_eq!(read(&[("B2C_AUTHORITY", jones)]), contradict("B2C_TENANT_ID", "B2C_AUTHORITY"));
    let other = "https://smiths.b2clogin.com/smiths.onmicrosoft.com/B2C_1_other/";
    assert_eq!(read(&[("B2C_AUTHORITY", other)]), contradict("B2C_SIGNIN_POLICY", "B2C_AUTHORITY"));
    let metadata = METADATA.replace("signupsignin1", "other");
    assert_eq!(
        read(&[("B2C_OPENID_CONFIG", &metadata)]),
        contradict("B2C_OPENID_CONFIG", "B2C_SIGNIN_POLICY")
    );
}

#[test]
fn a_value_that_cannot_be_used_is_named() {
    for (variable, value) in [
        ("B2C_AUTHORITY", "http://smiths.b2clogin.com/smiths.onmicrosoft.com/"),
        ("B2C_AUTHORITY", "ftp://smiths.b2clogin.com/"),
        ("B2C_AUTHORITY", "https://user@smiths.b2clogin.com/smiths.onmicrosoft.com/"),
        ("B2C_SIGNIN_POLICY", "sign in"),
        ("B2C_OPENID_CONFIG", "nonsense"),
        ("B2C_JWKS_URI", "nonsense"),
        ("LUMINOUS_ISSUER", "nonsense"),
    ] {
        let invalid = read(&[(variable, value)]).expect_err("invalid");
        let named = matches!(&invalid, ConfigError::VariableInvalid { variable: name, .. } if *name == variable);
        assert!(named, "{invalid:?}");
    }
}

#[test]
fn addresses_elsewhere_are_not_used() {
    let read = read(&[("B2C_JWKS_URI", "https://evil.example/B2C_1_signupsignin1/keys")]);
    assert!(reasons(&read).contains(&("B2C_JWKS_URI", WarningReason::Elsewhere)));
    assert_eq!(metadata_of(&read), METADATA);
}

#[test]
fn scopes_without_an_access_token_get_the_client_id() {
    let client = "a4f1c9d2-83b7-4e56-9c0f-1c0de5a7e0a1";
    for scope in ["", "openid", "openid profile offline_access"] {
        let read = read(&[("B2C_SCOPE", scope)]);
        assert!(reasons(&read).contains(&("B2C_SCOPE", WarningReason::NoAccessToken)), "{scope}");
        let scopes = read.expect("a configuration").0.scopes;
        assert_eq!(scopes.last().map(String::as_str), Some(client));
        assert_eq!(scopes.iter().filter(|one| *one == "openid").count(), 1);
    }
    assert_eq!(reasons(&read(&[("B2C_SCOPE", client)])), USUAL);
}

#[test]
fn the_issuer_may_be_given_but_not_by_the_guides_formula() {
    let exact = "https://smiths.b2clogin.com/5d2c6e0a-7f43-4b8e-9a51-1c0de5a7e001/v2.0/";
    let (config, _) = read(&[("LUMINOUS_ISSUER", exact)]).expect("a configuration");
    assert_eq!(config.expected_issuer, ExpectedIssuer::Exact(exact.to_owned()));
    let formula = "https://smiths.b2clogin.com/smiths.onmicrosoft.com/B2C_1_signupsignin1/v2.0/";
    let read = read(&[("LUMINOUS_ISSUER", formula)]);
    assert!(reasons(&read).contains(&("LUMINOUS_ISSUER", WarningReason::IssuerNeverIssued)));
    let (config, _) = read.expect("a configuration");
    assert_eq!(config.expected_issuer, ExpectedIssuer::Discovered);
}

#[test]
fn our_own_variables_stand_beside_the_eight() {
    let (config, _) = read(&[
        ("LUMINOUS_API_CLIENT_ID", "c7d05b3e-19f4-4a82-8d6e-1c0de5a7e0b2"),
        ("LUMINOUS_CLAIM_FAMILY_ID", "extension_House"),
        ("LUMINOUS_CLAIM_ROLE", "extension_Rank"),
    ])
    .expect("a configuration");
    assert_eq!(config.audiences.accepted, ["c7d05b3e-19f4-4a82-8d6e-1c0de5a7e0b2"]);
    assert_eq!(config.claim_names.family_id, ["extension_House"]);
    assert_eq!(config.claim_names.role, ["extension_Rank"]);
}

#[test]
fn a_tenants_guid_is_used_where_it_is_known() {
    let guid = "5d2c6e0a-7f43-4b8e-9a51-1c0de5a7e001";
    let (config, _) = read(&[("B2C_TENANT_ID", guid)]).expect("a configuration");
    assert!(config.metadata_url().path().starts_with(&format!("/{guid}/")));
}

#[test]
fn an_external_id_authority_ignores_the_policy_and_says_so() {
    let read = read(&[("B2C_AUTHORITY", "https://smiths.ciamlogin.com/smiths.onmicrosoft.com/")]);
    assert!(reasons(&read).contains(&("B2C_SIGNIN_POLICY", WarningReason::PolicyUnused)));
    let (config, _) = read.expect("a configuration");
    assert!(matches!(config.authority, Authority::ExternalId { .. }));
}

#[test]
fn the_emulators_plain_http_needs_the_development_profile() {
    let loopback = "http://localhost:18455/smiths.onmicrosoft.com/";
    for profile in ["", "prod", "DEV"] {
        let refused = read(&[("B2C_AUTHORITY", loopback), ("LUMINOUS_PROFILE", profile)]);
        assert_eq!(refused, Err(ConfigError::ProfileNotDev { variable: "B2C_AUTHORITY" }));
    }
    let dev = [("B2C_AUTHORITY", loopback), ("LUMINOUS_PROFILE", "dev")];
    assert_eq!(read(&dev).expect("a configuration").0.transport, Transport::LoopbackHttp);
    let outside = [("B2C_AUTHORITY", "http://192.168.0.2/t/"), ("LUMINOUS_PROFILE", "dev")];
    assert!(matches!(read(&outside), Err(ConfigError::VariableInvalid { .. })));
    let https = read(&[("LUMINOUS_PROFILE", "dev")]).expect("a configuration").0;
    assert_eq!(https.transport, Transport::HttpsOnly);
}
