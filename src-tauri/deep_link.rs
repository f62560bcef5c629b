//! `family.luminous.app://auth/callback`: an untrusted address in, a parsed redirect handed to the
//! waiting sign-in out.
//!
//! Any program or web page can send such a link. It is therefore never logged, never brings the
//! window to the front by itself, and is judged by the session alone: what does not carry the state
//! of a waiting sign-in has no effect.

use tauri::{AppHandle, Manager, Runtime};
use tauri_plugin_deep_link::DeepLinkExt;
use url::Url;

use crate::state::AppState;
use crate::windows;

/// The scheme of our deep link.
pub const SCHEME: &str = "family.luminous.app";

/// Listens for redirects, and takes the one the app was started with.
///
/// The plugin announces the launch address before anybody can listen, so it is asked first; the
/// session knows a redirect that comes twice by its state.
///
/// # Errors
/// When the plugin cannot say what the app was started with.
pub fn listen<R: Runtime>(app: &AppHandle<R>) -> anyhow::Result<()> {
    if let Some(urls) = app.deep_link().get_current()? {
        receive(app, &urls);
    }
    let handle = app.clone();
    app.deep_link().on_open_url(move |event| receive(&handle, &event.urls()));
    Ok(())
}

fn receive<R: Runtime>(app: &AppHandle<R>, urls: &[Url]) {
    let state = app.state::<AppState>();
    for url in urls {
        state.redirect_received(url.as_str().as_bytes());
    }
}

/// A second instance was started and is about to leave. When a person started it, they want to see
/// the window; when a browser did, the redirect already went its way to [`receive`].
#[expect(clippy::needless_pass_by_value, reason = "the plugin hands the arguments over so")]
pub fn second_instance<R: Runtime>(app: &AppHandle<R>, arguments: Vec<String>, _folder: String) {
    if !carries_a_link(&arguments) {
        windows::bring_to_front(app);
    }
}

fn carries_a_link(arguments: &[String]) -> bool {
    arguments.iter().skip(1).any(|argument| {
        argument.split_once(':').is_some_and(|(scheme, _)| scheme.eq_ignore_ascii_case(SCHEME))
    })
}

#[cfg(test)]
mod tests {
    use super::carries_a_link;

    fn arguments(list: &[&str]) -> Vec<String> {
        list.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn a_link_among_the_arguments_is_seen_whatever_its_case() {
        assert!(carries_a_link(&arguments(&["luminous", "Family.Luminous.App://auth/callback"])));
    }

    #[test]
    fn a_plain_second_start_is_a_person_who_wants_the_window() {
        assert!(!carries_a_link(&arguments(&["luminous"])));
        assert!(!carries_a_link(&arguments(&["family.luminous.app://is-the-program-name"])));
    }
}
