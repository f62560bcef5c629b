//! Something that another program has copied, for whoever pastes it (ICCCM 2.2).

use std::thread;

use anyhow::Context as _;
use x11rb::connection::Connection as _;
use x11rb::protocol::Event;
use x11rb::protocol::xproto::{
    Atom, AtomEnum, ConnectionExt as _, CreateWindowAux, EventMask, PropMode,
    SELECTION_NOTIFY_EVENT, SelectionNotifyEvent, SelectionRequestEvent, WindowClass,
};
use x11rb::rust_connection::RustConnection;
use x11rb::wrapper::ConnectionExt as _;

/// Copies this markup, also as what is marked with the mouse, for as long as the display is there.
pub fn offer(display: &str, markup: &'static str) -> anyhow::Result<()> {
    let (connection, number) = x11rb::connect(Some(display)).context("the display is gone")?;
    let atom = |name: &str| -> anyhow::Result<Atom> {
        Ok(connection.intern_atom(false, name.as_bytes())?.reply()?.atom)
    };
    let kinds = Kinds { list: atom("TARGETS")?, markup: atom("text/html")? };
    let clipboard = atom("CLIPBOARD")?;
    let window = connection.generate_id()?;
    let root = connection.setup().roots[number].root;
    let (kind, look) = (WindowClass::INPUT_OUTPUT, CreateWindowAux::new());
    connection.create_window(0, window, root, 0, 0, 1, 1, 0, kind, 0, &look)?.check()?;
    for selection in [clipboard, AtomEnum::PRIMARY.into()] {
        connection.set_selection_owner(window, selection, 0u32)?.check()?;
    }
    // Ends with the display.
    thread::spawn(move || {
        while let Ok(event) = connection.wait_for_event() {
            if let Event::SelectionRequest(request) = event
                && hand_over(&connection, &request, &kinds, markup).is_err()
            {
                return;
            }
        }
    });
    Ok(())
}

struct Kinds {
    list: Atom,
    markup: Atom,
}

fn hand_over(
    connection: &RustConnection,
    request: &SelectionRequestEvent,
    kinds: &Kinds,
    markup: &str,
) -> anyhow::Result<()> {
    let (window, property) = (request.requestor, request.property);
    if request.target == kinds.list {
        let list = [kinds.list, kinds.markup];
        connection.change_property32(PropMode::REPLACE, window, property, AtomEnum::ATOM, &list)?;
    } else {
        let (kind, text) = (request.target, markup.as_bytes());
        connection.change_property8(PropMode::REPLACE, window, property, kind, text)?;
    }
    let told = SelectionNotifyEvent {
        response_type: SELECTION_NOTIFY_EVENT,
        sequence: 0,
        time: request.time,
        requestor: window,
        selection: request.selection,
        target: request.target,
        property,
    };
    Ok(connection.send_event(false, window, EventMask::NO_EVENT, told)?.check()?)
}
