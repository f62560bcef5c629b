//! Somebody's hands on the virtual display: real keys and a real pointer, by way of the X server.

use anyhow::{Context as _, ensure};
use x11rb::connection::Connection as _;
use x11rb::protocol::xproto::{
    BUTTON_PRESS_EVENT, BUTTON_RELEASE_EVENT, ClientMessageEvent, ConnectionExt as _, EventMask,
    GetKeyboardMappingReply, InputFocus, KEY_PRESS_EVENT, KEY_RELEASE_EVENT, MOTION_NOTIFY_EVENT,
    MapState, Window,
};
use x11rb::protocol::xtest::ConnectionExt as _;
use x11rb::rust_connection::RustConnection;

/// Keysyms (X11 protocol, appendix A).
pub mod key {
    pub const TAB: u32 = 0xff09;
    pub const RETURN: u32 = 0xff0d;
    pub const ESCAPE: u32 = 0xff1b;
    pub const LEFT: u32 = 0xff51;
    pub const UP: u32 = 0xff52;
    pub const RIGHT: u32 = 0xff53;
    pub const DOWN: u32 = 0xff54;
    pub const PRINT: u32 = 0xff61;
    pub const INSERT: u32 = 0xff63;
    pub const MENU: u32 = 0xff67;
    pub const SHIFT: u32 = 0xffe1;
    pub const CONTROL: u32 = 0xffe3;
    pub const ALT: u32 = 0xffe9;
    pub const SUPER: u32 = 0xffeb;

    /// That of a Latin-1 character is its code.
    pub const fn letter(letter: char) -> u32 {
        letter as u32
    }

    /// F1 to F12.
    pub const fn function(number: u32) -> u32 {
        0xffbd + number
    }
}

/// Types `text` and Return into whatever has the keyboard.
pub fn type_line(display: &str, text: &str) -> anyhow::Result<()> {
    Hands::at(display)?.type_line(text)
}

/// Both hands.
pub struct Hands {
    connection: RustConnection,
    root: Window,
    size: (u16, u16),
    first_code: u8,
    keyboard: GetKeyboardMappingReply,
}

impl Hands {
    /// Those of whoever stands in front of `display`.
    pub fn at(display: &str) -> anyhow::Result<Self> {
        let (connection, number) = x11rb::connect(Some(display)).context("the display is gone")?;
        let setup = connection.setup();
        let screen = &setup.roots[number];
        let (root, size) = (screen.root, (screen.width_in_pixels, screen.height_in_pixels));
        let first_code = setup.min_keycode;
        let count = setup.max_keycode - first_code + 1;
        let keyboard = connection.get_keyboard_mapping(first_code, count)?.reply()?;
        Ok(Self { connection, root, size, first_code, keyboard })
    }

    /// Presses these keys one after the other, and lets go of them, the last one first.
    pub fn press(&self, keysyms: &[u32]) -> anyhow::Result<()> {
        match keysyms {
            [] => Ok(()),
            [first, rest @ ..] => self.holding(*first, || self.press(rest)),
        }
    }

    /// Does something while a key is held.
    pub fn holding(
        &self,
        keysym: u32,
        act: impl FnOnce() -> anyhow::Result<()>,
    ) -> anyhow::Result<()> {
        let (code, needs_shift) = self.code(keysym)?;
        ensure!(!needs_shift, "the key of {keysym:#x} is another one's");
        self.send(KEY_PRESS_EVENT, code, (0, 0))?;
        act()?;
        self.send(KEY_RELEASE_EVENT, code, (0, 0))
    }

    /// Types `text` and Return, as a barcode reader does as well.
    pub fn type_line(&self, text: &str) -> anyhow::Result<()> {
        for letter in text.chars() {
            let (code, needs_shift) = self.code(key::letter(letter))?;
            let tap = || {
                self.send(KEY_PRESS_EVENT, code, (0, 0))?;
                self.send(KEY_RELEASE_EVENT, code, (0, 0))
            };
            if needs_shift { self.holding(key::SHIFT, tap)? } else { tap()? }
        }
        self.press(&[key::RETURN])
    }

    /// Clicks with a button of the pointer: 1 is the left one, 2 the middle one, 3 the right one, and
    /// 4 and 5 are the wheel.
    pub fn click(&self, button: u8, at: (i16, i16)) -> anyhow::Result<()> {
        self.move_to(at)?;
        self.send(BUTTON_PRESS_EVENT, button, (0, 0))?;
        self.send(BUTTON_RELEASE_EVENT, button, (0, 0))
    }

    /// Drags with the left button, as one marks text.
    pub fn drag(&self, from: (i16, i16), to: (i16, i16)) -> anyhow::Result<()> {
        self.hold(from)?;
        self.move_to((from.0.midpoint(to.0), from.1.midpoint(to.1)))?;
        self.move_to(to)?;
        self.let_go()
    }

    /// Presses the left button and keeps it pressed.
    pub fn hold(&self, at: (i16, i16)) -> anyhow::Result<()> {
        self.move_to(at)?;
        self.send(BUTTON_PRESS_EVENT, 1, (0, 0))
    }

    /// Lets go of it.
    pub fn let_go(&self) -> anyhow::Result<()> {
        self.send(BUTTON_RELEASE_EVENT, 1, (0, 0))
    }

    fn move_to(&self, at: (i16, i16)) -> anyhow::Result<()> {
        self.send(MOTION_NOTIFY_EVENT, 0, at)
    }

    /// Gives the keyboard to a window, as a window manager would.
    pub fn take_keyboard(&self, window: Window) -> anyhow::Result<()> {
        Ok(self.connection.set_input_focus(InputFocus::PARENT, window, 0u32)?.check()?)
    }

    /// Every window that can be seen, the lowest first.
    pub fn windows(&self) -> anyhow::Result<Vec<Window>> {
        let mut seen = Vec::new();
        for window in self.connection.query_tree(self.root)?.reply()?.children {
            let state = self.connection.get_window_attributes(window)?.reply();
            if state.is_ok_and(|state| state.map_state == MapState::VIEWABLE) {
                seen.push(window);
            }
        }
        Ok(seen)
    }

    /// The window above all others, if it covers the whole screen.
    pub fn whole_screen(&self) -> anyhow::Result<Window> {
        let window = *self.windows()?.last().context("there is no window")?;
        let place = self.connection.get_geometry(window)?.reply()?;
        let covers = (place.x, place.y) == (0, 0) && (place.width, place.height) == self.size;
        ensure!(covers, "the window above all others leaves some of the screen: {place:?}");
        Ok(window)
    }

    /// Asks a window to close, as the cross in its frame and most window managers' Alt+F4 do (ICCCM
    /// 4.2.8.1).
    pub fn ask_to_close(&self, window: Window) -> anyhow::Result<()> {
        let atom = |name: &str| -> anyhow::Result<u32> {
            Ok(self.connection.intern_atom(false, name.as_bytes())?.reply()?.atom)
        };
        let data = [atom("WM_DELETE_WINDOW")?, 0, 0, 0, 0];
        let event = ClientMessageEvent::new(32, window, atom("WM_PROTOCOLS")?, data);
        Ok(self.connection.send_event(false, window, EventMask::NO_EVENT, event)?.check()?)
    }

    /// The key that carries this, and whether it does so only together with Shift.
    fn code(&self, keysym: u32) -> anyhow::Result<(u8, bool)> {
        let per_code = usize::from(self.keyboard.keysyms_per_keycode);
        let carried = |column: usize| {
            let mut keys = self.keyboard.keysyms.chunks(per_code);
            keys.position(|keysyms| keysyms.get(column) == Some(&keysym))
        };
        let plain = carried(0).map(|index| (index, false));
        let (index, needs_shift) = plain
            .or_else(|| carried(1).map(|index| (index, true)))
            .with_context(|| format!("the keyboard has no key for {keysym:#x}"))?;
        Ok((self.first_code + u8::try_from(index)?, needs_shift))
    }

    fn send(&self, event: u8, detail: u8, (x, y): (i16, i16)) -> anyhow::Result<()> {
        Ok(self.connection.xtest_fake_input(event, detail, 0, self.root, x, y, 0)?.check()?)
    }
}
