//! The configuration: its example, its rules, where it comes from.

use luminous_server::config::{Config, Limits, Profile, load};
use tempfile::TempDir;

use crate::rig;

/// A configuration that a real installation might have.
fn production(folder: &TempDir) -> Config {
    let mut config = rig::config(folder, "https://family.example.org");
    config.profile = Profile::Prod;
    config.issuers[0].address =
        "https://contoso.b2clogin.com/contoso.onmicrosoft.com/B2C_1_signupsignin1".to_owned();
    config
}

fn refusal(change: impl FnOnce(&mut Config)) -> String {
    let folder = tempfile::tempdir().unwrap();
    let mut config = production(&folder);
    config.check().expect("a good configuration");
    change(&mut config);
    config.check().expect_err("a bad configuration").to_string()
}

#[test]
fn the_annotated_example_can_be_used_as_it_stands() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("server.toml");
    std::fs::write(&file, Config::example()).unwrap();
    let config = load(Some(&file), &[]).unwrap();
    config.check().unwrap();
    assert_eq!(config.issuers[0].hints[0].domain_hint, "google.com");
    insta::assert_snapshot!(Config::example());
}

#[test]
fn what_the_example_comments_out_can_be_used_too() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("server.toml");
    let setting =
        |line: &str| line.strip_prefix("# ").filter(|rest| rest.contains(" = ")).is_some();
    let all: Vec<String> = Config::example()
        .lines()
        .map(|line| if setting(line) { line[2..].to_owned() } else { line.to_owned() })
        .collect();
    std::fs::write(&file, all.join("\n")).unwrap();
    let config = load(Some(&file), &[]).unwrap();
    config.check().unwrap();
    assert_eq!(config.issuers[0].step_up_policy.as_deref(), Some("B2C_1_mfa1"));
}

#[test]
fn t29_production_refuses_plain_http_and_issuers_of_this_machine_and_names_the_setting() {
    for (address, expected) in [
        (
            "http://localhost:18455/luminousdemo.onmicrosoft.com/B2C_1_signupsignin1",
            "setting `issuers[0].address`: plain http is not allowed for localhost:18455",
        ),
        (
            "https://localhost:18455/luminousdemo.onmicrosoft.com/B2C_1_signupsignin1",
            "setting `issuers[0].address`: an issuer of this machine needs profile = \"dev\"",
        ),
        (
            "https://127.0.0.1/luminousdemo.onmicrosoft.com/B2C_1_signupsignin1",
            "setting `issuers[0].address`: an issuer of this machine needs profile = \"dev\"",
        ),
    ] {
        assert_eq!(refusal(|config| config.issuers[0].address = address.to_owned()), expected);
    }
    for host in [
        "0.0.0.0",
        "localhost.",
        "b2c.localhost",
        "[::ffff:127.0.0.1]",
        "[::]",
        "127.8.9.1",
        "2130706433",
    ] {
        let address = format!("https://{host}/luminousdemo.onmicrosoft.com/B2C_1_signupsignin1");
        assert_eq!(
            refusal(|config| config.issuers[0].address = address),
            "setting `issuers[0].address`: an issuer of this machine needs profile = \"dev\"",
            "{host}"
        );
    }
    let plain =
        refusal(|config| config.public_url = Some("http://family.example.org".parse().unwrap()));
    assert_eq!(plain, "setting `public_url`: it must be https");
}

#[test]
fn each_missing_setting_is_named() {
    assert_eq!(refusal(|config| config.public_url = None), "setting `public_url`: it is missing");
    assert_eq!(
        refusal(|config| config.issuers.clear()),
        "setting `issuers`: at least one is needed"
    );
    assert_eq!(
        refusal(|config| config.issuers[0].audiences.clear()),
        "setting `issuers[0].audiences`: at least one is needed"
    );
    assert_eq!(
        refusal(|config| config.issuers[0].web_client_secret_file = None),
        "setting `issuers[0].web_client_secret_file`: it goes together with web_client_id"
    );
    assert_eq!(
        refusal(|config| config.issuers[0].step_up_policy = Some("nonsense".to_owned())),
        "setting `issuers[0].step_up_policy`: it is not a policy of this provider"
    );
    assert_eq!(
        refusal(|config| config.public_url = Some("https://family.example.org/x".parse().unwrap())),
        "setting `public_url`: it must be an address without a path"
    );
}

#[test]
fn a_setting_nobody_knows_or_of_the_wrong_kind_is_refused_by_name() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("server.toml");
    for (text, named) in [
        ("public_uri = \"https://family.example.org\"", "public_uri"),
        ("[limits]\nbody_bytes = \"many\"", "limits.body_bytes"),
        ("listen = \"everywhere\"", "listen"),
    ] {
        std::fs::write(&file, text).unwrap();
        let refused = load(Some(&file), &[]).unwrap_err().to_string();
        assert!(refused.contains(named), "{refused}");
    }
    let missing = load(Some(&folder.path().join("none.toml")), &[]).unwrap_err().to_string();
    assert!(missing.contains("none.toml"), "{missing}");
}

#[test]
fn a_limit_that_would_leave_nothing_to_answer_is_refused_by_name() {
    for (setting, break_it) in [
        ("body_bytes", (|limits| limits.body_bytes = 1023) as fn(&mut Limits)),
        ("header_bytes", |limits| limits.header_bytes = 8191),
        ("request_seconds", |limits| limits.request_seconds = 0),
        ("request_seconds", |limits| limits.request_seconds = u64::MAX),
        ("concurrent_requests", |limits| limits.concurrent_requests = 0),
        ("connections", |limits| limits.connections = 0),
        ("connections", |limits| limits.connections = usize::MAX),
    ] {
        let refused = refusal(|config| break_it(&mut config.limits));
        assert!(
            refused.starts_with(&format!("setting `limits.{setting}`: it must be")),
            "{refused}"
        );
    }
}

#[test]
fn the_example_trusts_no_proxy() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("server.toml");
    std::fs::write(&file, Config::example()).unwrap();
    assert!(load(Some(&file), &[]).unwrap().trusted_proxies.is_empty());
}
