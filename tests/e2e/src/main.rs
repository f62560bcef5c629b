//! The end-to-end driver as a program; see the library for what it does.

fn main() -> std::process::ExitCode {
    match run() {
        Ok(()) => std::process::ExitCode::SUCCESS,
        Err(error) => {
            complain(&error);
            std::process::ExitCode::FAILURE
        }
    }
}

#[cfg(target_os = "linux")]
use luminous_e2e::run;

#[cfg(not(target_os = "linux"))]
fn run() -> anyhow::Result<()> {
    anyhow::bail!("the real window can be driven on Linux only: no other system has its driver")
}

#[expect(clippy::print_stderr, reason = "why it failed is for the person who started it")]
fn complain(error: &anyhow::Error) {
    eprintln!("stopped: {error:#}");
}
