//! The desktop app: the only crate that knows Tauri.
//!
//! It wires real ports ([`ports`]) into `luminous-auth`'s session and lets one window draw it
//! ([`windows`], [`commands`]); started as a wall display ([`kiosk`]) it does the same for
//! `luminous-auth`'s display. It decides nothing about sign-in or linking itself. Everything is generic
//! over Tauri's runtime, so that the tests drive the real context with the mock runtime.
//! Start reading at [`run`].

pub mod cli;
pub mod commands;
pub mod config;
pub mod deep_link;
pub mod ending;
pub mod export;
pub mod kiosk;
pub mod logging;
pub mod page;
pub mod platform;
pub mod ports;
pub mod state;
pub mod windows;

#[cfg(feature = "demo")]
pub mod demo;

use tauri::Runtime;

use crate::cli::{Command, Options};
use crate::state::AppState;

/// Chooses aws-lc-rs for TLS, once per process and before anything else needs it: a second provider
/// in the tree would otherwise make the choice ambiguous at run time.
pub fn use_one_crypto_provider() {
    // An error means that a provider is installed already, which is what is wanted.
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
}

/// Opens the window that was asked for and stays until it is closed.
///
/// # Errors
/// When the window system refuses, or the app cannot keep its own files.
pub fn run(mut options: Options) -> anyhow::Result<()> {
    match options.command.take() {
        None => run_desktop(options),
        Some(Command::Kiosk(options)) => kiosk::run(options),
    }
}

fn run_desktop(options: Options) -> anyhow::Result<()> {
    let app = with_commands(tauri::Builder::default())
        // First of all plugins: a second instance must hand over its deep link and leave before
        // anything of it touches the keyring or the state file.
        .plugin(tauri_plugin_single_instance::init(deep_link::second_instance))
        .plugin(tauri_plugin_deep_link::init())
        .setup(move |app| {
            if let Err(error) = state::start(app.handle(), &options) {
                // An error handed to Tauri here becomes a panic; a person gets a sentence instead.
                tracing::error!("Luminous cannot start: {error:#}");
                app.handle().cleanup_before_exit();
                std::process::exit(1);
            }
            Ok(())
        })
        .build(context())?;
    ending::when_asked(app.handle());
    app.run(|app, event| {
        if matches!(event, tauri::RunEvent::Exit) {
            state::stop(app);
        }
    });
    Ok(())
}

/// What `tauri.conf.json`, the capabilities and the built UI say, compiled in.
#[must_use]
pub fn context<R: Runtime>() -> tauri::Context<R> {
    tauri::generate_context!()
}

/// The commands of all windows; `commands.in` names the same ones to the access control list.
pub fn with_commands<R: Runtime>(builder: tauri::Builder<R>) -> tauri::Builder<R> {
    builder.invoke_handler(tauri::generate_handler![
        commands::account::export_my_data,
        commands::account::sign_out_everywhere,
        commands::devices::change_device,
        commands::devices::list_devices,
        commands::devices::renew_device,
        commands::devices::revoke_device,
        commands::devices::undo_link,
        commands::family::create_family,
        commands::family::delete_family,
        commands::family::leave_family,
        commands::family::load_family,
        commands::family::rename_family,
        commands::family::watch_family,
        commands::invites::accept_invite,
        commands::invites::create_invite,
        commands::invites::list_invites,
        commands::invites::preview_invite,
        commands::invites::withdraw_invite,
        commands::kiosk::kiosk_snapshot,
        commands::kiosk::retry_kiosk_storage,
        commands::kiosk::show_code,
        commands::kiosk::watch_kiosk,
        commands::link::confirm_link,
        commands::link::decline_link,
        commands::link::look_up_link,
        commands::members::add_child,
        commands::members::change_member,
        commands::members::list_members,
        commands::members::remove_member,
        commands::members::rename_child,
        commands::notes::list_notes,
        commands::notes::post_note,
        commands::notes::remove_note,
        commands::session::retry_storage,
        commands::session::screen_drawn,
        commands::session::session_snapshot,
        commands::session::sign_out,
        commands::session::use_memory_only,
        commands::session::watch_session,
        commands::settings::connect,
        commands::settings::disconnect,
        commands::settings::load_settings,
        commands::settings::save_settings,
        commands::sign_in::begin_sign_in,
        commands::sign_in::cancel_sign_in,
        commands::sign_in::cancel_step_up,
        commands::sign_in::open_browser_again,
        commands::sign_in::sign_in_link,
    ])
}

/// What a command needs, as Tauri hands it over.
type Shared<'a> = tauri::State<'a, AppState>;
