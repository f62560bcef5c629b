//! WebKitGTK on a wall: nothing that opens beside the page, and a page that comes back.

use std::time::Duration;

use gtk::gdk::ModifierType;
use gtk::gdk::keys::{Key, constants as key};
use gtk::glib::{self, Propagation};
use gtk::prelude::WidgetExt;
use tauri::{Runtime, WebviewWindow};
use webkit2gtk::{PermissionRequestExt, WebView, WebViewExt};

/// Between the end of the page's process and the next one: a page that cannot run must not take the
/// whole processor with it.
const PAUSE: Duration = Duration::from_secs(1);

pub(in super::super) fn keep_on_the_wall<R: Runtime>(window: &WebviewWindow<R>) {
    let kept = window.with_webview(|webview| {
        let view = webview.inner();
        open_nothing(&view);
        filter_keys(&view);
        come_back(&view);
    });
    if let Err(error) = kept {
        tracing::error!(%error, "the page is not kept on the wall");
    }
}

/// No menu, no dialog, no file, no permission and nothing dropped (X1, X2). `true` says that it has
/// been dealt with.
fn open_nothing(view: &WebView) {
    view.connect_context_menu(|_, _, _, _| true);
    view.connect_print(|_, _| true);
    view.connect_script_dialog(|_, _| true);
    view.connect_run_file_chooser(|_, request| {
        use webkit2gtk::FileChooserRequestExt as _;
        request.cancel();
        true
    });
    view.connect_permission_request(|_, request| {
        request.deny();
        true
    });
    view.drag_dest_unset();
}

fn filter_keys(view: &WebView) {
    view.connect_key_press_event(|_, event| match is_for_the_page(event.keyval(), event.state()) {
        true => Propagation::Proceed,
        false => Propagation::Stop,
    });
}

/// The page has nothing to type into: going to a button and pressing it is all that keys do there.
/// Neither a chord nor what a barcode reader types gets further (X1, X5).
fn is_for_the_page(pressed: Key, held: ModifierType) -> bool {
    let chord = ModifierType::CONTROL_MASK
        | ModifierType::MOD1_MASK
        | ModifierType::SUPER_MASK
        | ModifierType::META_MASK
        | ModifierType::HYPER_MASK;
    let known = [key::Tab, key::ISO_Left_Tab, key::Return, key::KP_Enter, key::space];
    !held.intersects(chord) && known.contains(&pressed)
}

/// The page's process ended: it was killed, or ran out of memory (X3).
fn come_back(view: &WebView) {
    view.connect_web_process_terminated(|view, reason| {
        tracing::error!(?reason, "the page's process ended; it is started again");
        let view = view.clone();
        glib::timeout_add_local_once(PAUSE, move || view.reload());
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn x1_no_chord_and_no_function_key_reaches_the_page() {
        let none = ModifierType::empty();
        for pressed in [key::F1, key::F5, key::F11, key::F12, key::Menu, key::Print, key::Escape] {
            assert!(!is_for_the_page(pressed, none), "{pressed:?}");
        }
        for pressed in [key::p, key::s, key::o, key::f, key::w, key::plus, key::minus, key::_0] {
            assert!(!is_for_the_page(pressed, ModifierType::CONTROL_MASK), "{pressed:?}");
        }
        let inspect = ModifierType::CONTROL_MASK | ModifierType::SHIFT_MASK;
        assert!(!is_for_the_page(key::I, inspect));
        for held in [ModifierType::CONTROL_MASK, ModifierType::MOD1_MASK, ModifierType::SUPER_MASK]
        {
            assert!(!is_for_the_page(key::Return, held), "{held:?}");
        }
    }

    #[test]
    fn x5_what_a_barcode_reader_types_goes_nowhere() {
        for pressed in [key::a, key::colon, key::slash, key::_1, key::A] {
            assert!(!is_for_the_page(pressed, ModifierType::SHIFT_MASK), "{pressed:?}");
        }
    }

    #[test]
    fn a_button_can_be_reached_and_pressed() {
        for pressed in [key::Tab, key::Return, key::KP_Enter, key::space] {
            assert!(is_for_the_page(pressed, ModifierType::empty()), "{pressed:?}");
        }
        assert!(is_for_the_page(key::ISO_Left_Tab, ModifierType::SHIFT_MASK));
        assert!(is_for_the_page(key::Return, ModifierType::LOCK_MASK), "caps lock is no chord");
    }
}
