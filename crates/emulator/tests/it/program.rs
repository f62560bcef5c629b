//! The program: its lines, its refusals, its end.

use std::io::{BufRead as _, BufReader, Read as _};
use std::process::{Child, Command, Output, Stdio};

use crate::client::{EMAIL, http};

fn program() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_luminous-emulator"));
    command.arg("serve").env_remove("RUST_LOG");
    command
}

/// A started program, ended with the test.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Starts it and answers the address of its first line.
fn start(arguments: &[&str]) -> (Running, String) {
    let mut command = program();
    command.args(["--listen", "127.0.0.1:0"]).args(arguments);
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let address = line.trim().strip_prefix("listening on ").unwrap().to_owned();
    (Running(child), address)
}

fn run(arguments: &[&str]) -> Output {
    program().args(arguments).output().unwrap()
}

#[tokio::test]
async fn it_serves_until_it_is_told_to_end() {
    let (mut running, address) = start(&["--issuer-form", "tfp"]);
    let path = crate::client::metadata_path();
    let response = http().get(format!("{address}{path}")).send().await.unwrap();
    let document: serde_json::Value = response.json().await.unwrap();
    assert!(document["issuer"].as_str().unwrap().contains("/tfp/"));
    let id = running.0.id().to_string();
    assert!(Command::new("kill").args(["-TERM", &id]).status().unwrap().success());
    assert!(running.0.wait().unwrap().success(), "it ends in order");
}

#[tokio::test]
async fn the_control_secret_comes_from_a_file_and_s9_is_never_logged() {
    let file = std::env::temp_dir().join(format!("luminous-secret-{}", uuid::Uuid::new_v4()));
    std::fs::write(&file, "the-secret-of-a-file\n").unwrap();
    let (mut running, address) = start(&["--control-secret-file", file.to_str().unwrap()]);
    std::fs::remove_file(&file).unwrap();
    let made = serde_json::json!({
        "command": "create_user", "email": EMAIL, "name": "Ana", "password": "Canary-password-1"
    });
    let request = http()
        .post(format!("{address}emulator/control"))
        .header("x-emulator-control", "the-secret-of-a-file");
    assert_eq!(request.json(&made).send().await.unwrap().status(), 200);
    let secret_query = format!("{address}oidc/authorize?state=canary-state&code=canary-code");
    http().get(secret_query).send().await.unwrap();

    let id = running.0.id().to_string();
    Command::new("kill").args(["-TERM", &id]).status().unwrap();
    running.0.wait().unwrap();
    let mut log = String::new();
    running.0.stderr.take().unwrap().read_to_string(&mut log).unwrap();
    assert!(log.contains("/oidc/authorize"), "the log was read: {log}");
    assert!(!log.to_lowercase().contains("canary") && !log.contains("the-secret-of-a-file"));
}

#[test]
fn the_variables_are_printed_without_starting_anything() {
    // The port is taken, and that does not matter.
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port();
    let printed = run(&["--listen", &format!("127.0.0.1:{port}"), "--print-env"]);
    assert!(printed.status.success());
    let text = String::from_utf8(printed.stdout).unwrap();
    assert_eq!(text.lines().count(), 13);
    assert!(text.contains("\nB2C_MFA_POLICY=B2C_1_mfa1\nB2C_WEB_CLIENT_ID="));
    let authority = "B2C_AUTHORITY=http://localhost:PORT/luminousdemo.onmicrosoft.com/";
    assert!(text.lines().any(|line| line == authority.replace("PORT", &port.to_string())));
}

#[tokio::test]
async fn the_connectors_credentials_come_from_a_file_of_one_line() {
    let file = std::env::temp_dir().join(format!("luminous-connector-{}", uuid::Uuid::new_v4()));
    let options = ["--connector-url", "http://localhost:1/", "--connector-credentials-file"];
    let mut arguments = options.to_vec();
    arguments.push(file.to_str().unwrap());
    for bad in ["no-colon", ":password", "user:password\nmore"] {
        std::fs::write(&file, bad).unwrap();
        let refused = run(&arguments);
        let text = String::from_utf8_lossy(&refused.stderr).into_owned();
        assert!(!refused.status.success() && text.contains("one line"), "{bad}: {text}");
        assert!(!text.contains("no-colon") && !text.contains("more"), "{text}");
    }
    std::fs::write(&file, "b2c:pass:word\n").unwrap();
    let (running, address) = start(&arguments);
    std::fs::remove_file(&file).unwrap();
    assert_eq!(http().get(address).send().await.unwrap().status(), 200);
    drop(running);
}

#[test]
fn what_cannot_be_is_refused_with_a_reason() {
    let empty = std::env::temp_dir().join(format!("luminous-empty-{}", uuid::Uuid::new_v4()));
    std::fs::write(&empty, "\n").unwrap();
    for (arguments, reason) in [
        (["--listen", "0.0.0.0:0"], "is not a loopback address"),
        (["--listen=127.0.0.1:0", "--print-env"], "needs a fixed port"),
        (["--control-secret-file", "/nowhere/secret"], "cannot be read"),
        (["--control-secret-file", empty.to_str().unwrap()], "is empty"),
        (["--connector-url", "http://localhost:1/"], "--connector-credentials-file"),
        (["--issuance-url", "http://localhost:1/"], "--issuance-audience"),
    ] {
        let refused = run(&arguments);
        assert!(!refused.status.success(), "{arguments:?}");
        let text = String::from_utf8_lossy(&refused.stderr).into_owned();
        assert!(text.contains(reason), "{arguments:?}: {text}");
    }
    std::fs::remove_file(empty).unwrap();
}
