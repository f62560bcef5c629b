//! What `/link` shows at each step.

use askama::Template;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::Response;
use luminous_store::Device;
use luminous_wire::api::LinkChallenge;

use super::{NoPlace, Yes, photograph};
use crate::input;
use crate::problem::ApiError;
use crate::state::AppState;
use crate::views::UNDO_WINDOW;
use crate::web::page::{Action, Frame, Tone, render};
use crate::web::visitor::{SignedIn, Visitor};
use crate::web::words::link::LinkWords;
use crate::web::words::{Message, fill};

/// The longest code that is shown again, in characters.
const TYPED_MOST: usize = 64;

/// Who looks, and through what.
#[derive(Clone, Copy)]
pub(super) struct Pages<'a> {
    pub(super) state: &'a AppState,
    pub(super) visitor: &'a Visitor,
    pub(super) person: &'a SignedIn,
}

#[derive(Template)]
#[template(path = "link.html")]
struct Ask {
    frame: Frame,
    l: &'static LinkWords,
    csrf: String,
    /// What was typed, to be mended. Never what an address says.
    typed: String,
    fault: Option<&'static str>,
}

#[derive(Template)]
#[template(path = "link_scanned.html")]
struct Scanned {
    frame: Frame,
    l: &'static LinkWords,
    csrf: String,
}

#[derive(Template)]
#[template(path = "link_far.html")]
struct Far {
    frame: Frame,
    l: &'static LinkWords,
    csrf: String,
    display: Display,
    code: String,
}

#[derive(Template)]
#[template(path = "link_question.html")]
struct Question {
    frame: Frame,
    l: &'static LinkWords,
    csrf: String,
    display: Display,
    former: Option<String>,
    name: String,
    room: String,
    number_fault: bool,
    name_fault: bool,
}

#[derive(Template)]
#[template(path = "link_done.html")]
struct Done {
    frame: Frame,
    l: &'static LinkWords,
    csrf: String,
    title: String,
    room: Option<String>,
    display: String,
    undoable: bool,
}

/// What a display says of itself, and what we know of it.
struct Display {
    challenge: String,
    name: String,
    model: String,
    version: String,
    shown: String,
    same_network: bool,
}

impl Pages<'_> {
    fn w(&self) -> &'static LinkWords {
        self.visitor.language.link_words()
    }

    fn frame(&self) -> (Frame, &'static LinkWords, String) {
        (Frame::new(self.visitor.language), self.w(), self.person.csrf(self.state.web()))
    }

    /// Step 1: the code.
    pub(super) fn ask(&self, typed: &str, fault: Option<&'static str>) -> Response {
        let (frame, l, csrf) = self.frame();
        let status = if fault.is_some() { StatusCode::BAD_REQUEST } else { StatusCode::OK };
        let typed = typed.chars().take(TYPED_MOST).collect();
        render(self.state.web(), &Ask { frame, l, csrf, typed, fault }, status)
    }

    /// Step 1 of who came with the camera. Nothing has been looked up: loading a page changes nothing.
    pub(super) fn scanned(&self) -> Response {
        let (frame, l, csrf) = self.frame();
        render(self.state.web(), &Scanned { frame, l, csrf }, StatusCode::OK)
    }

    /// Between: the display is in another network.
    pub(super) fn far(&self, challenge: &LinkChallenge, code: &str) -> Response {
        let (frame, l, csrf) = self.frame();
        let (display, code) = (self.display(challenge), code.to_owned());
        render(self.state.web(), &Far { frame, l, csrf, display, code }, StatusCode::OK)
    }

    /// Step 2: is it this one, which number, what to call it. `form` is what has to be mended.
    pub(super) fn question(&self, challenge: &LinkChallenge, form: Option<&Yes>) -> Response {
        let (frame, l, csrf) = self.frame();
        let former = challenge.former.as_ref();
        let (name, room) = match (form, former) {
            (Some(form), _) => (form.name.clone(), form.room.clone()),
            (None, Some(former)) => (former.name.clone(), former.room.clone().unwrap_or_default()),
            (None, None) => (String::new(), String::new()),
        };
        let is_bad_room = |room: &str| !room.trim().is_empty() && input::room(room).is_err();
        let page = Question {
            display: self.display(challenge),
            former: former.map(|former| fill(l.former, &former.name)),
            number_fault: form.is_some_and(|form| !is_number(&form.number)),
            name_fault: form
                .is_some_and(|form| input::name(&form.name).is_err() || is_bad_room(&form.room)),
            name,
            room,
            frame,
            l,
            csrf,
        };
        let status = if form.is_some() { StatusCode::BAD_REQUEST } else { StatusCode::OK };
        render(self.state.web(), &page, status)
    }

    /// Step 3: done, and the way back.
    pub(super) fn done(&self, device: Device) -> Response {
        let (frame, l, csrf) = self.frame();
        let age = self.state.clock().now().as_second() - device.linked_at.as_second();
        let page = Done {
            title: fill(l.done.title, &device.name),
            room: device.room,
            display: device.id.to_string(),
            undoable: u64::try_from(age).is_ok_and(|age| age < UNDO_WINDOW.as_secs()),
            frame,
            l,
            csrf,
        };
        render(self.state.web(), &page, StatusCode::OK)
    }

    pub(super) fn declined(&self) -> Response {
        self.end(StatusCode::OK, Tone::Plain, self.w().declined)
    }

    pub(super) fn undone(&self) -> Response {
        self.end(StatusCode::OK, Tone::Plain, self.w().undone)
    }

    /// The question cannot be answered any more.
    pub(super) fn over(&self) -> Response {
        self.end(StatusCode::NOT_FOUND, Tone::Plain, self.w().over)
    }

    /// Why nothing is linked from where the person stands.
    pub(super) fn no_place(&self, why: &NoPlace<'_>) -> Response {
        match why {
            NoPlace::NoFamily => self.no_family(),
            NoPlace::SwitchedOff(family) => self.switched_off(family),
            NoPlace::RoleMissing => self.adults_only(),
            NoPlace::EmailUnverified => self.email_unverified(),
        }
    }

    fn no_family(&self) -> Response {
        let w = self.visitor.language.words();
        let actions = vec![Action::new("/join", w.enter_code), Action::new("/", w.home)];
        let words = (Tone::Plain, self.w().no_family);
        self.visitor.say(self.state, StatusCode::CONFLICT, words, actions)
    }

    fn switched_off(&self, family: &str) -> Response {
        let (frame, ..) = self.frame();
        let (title, text) = (frame.w.place_off.title, fill(frame.w.place_off.text, family));
        self.say(StatusCode::FORBIDDEN, (Tone::Plain, title, text), self.home())
    }

    /// Signing in again is what tells us that it was confirmed.
    fn email_unverified(&self) -> Response {
        let mut actions = vec![Action::new("/login?return_to=/link", self.w().sign_in_again)];
        actions.extend(self.home());
        let words = (Tone::Plain, self.w().email_unverified);
        self.visitor.say(self.state, StatusCode::FORBIDDEN, words, actions)
    }

    fn adults_only(&self) -> Response {
        let words = (Tone::Plain, self.w().adults_only);
        self.visitor.say(self.state, StatusCode::FORBIDDEN, words, self.home())
    }

    /// The code was not found, or not looked for. `code` is what was typed, empty for a photograph.
    pub(super) fn not_found(&self, code: &str, error: &ApiError) -> Response {
        match error {
            ApiError::DeviceCodeFormat => self.ask(code, Some(self.w().code_format)),
            ApiError::DeviceCodeInvalid if code.is_empty() => {
                self.end(StatusCode::NOT_FOUND, Tone::Plain, self.w().qr_over)
            }
            ApiError::DeviceCodeInvalid => self.ask(code, Some(self.w().code_unknown)),
            other => self.refused(other),
        }
    }

    /// Whatever else was not done.
    pub(super) fn refused(&self, error: &ApiError) -> Response {
        let w = self.w();
        match error {
            ApiError::DeviceCodeInvalid => self.over(),
            ApiError::DeviceConfirmMismatch => self.end(StatusCode::CONFLICT, Tone::Bad, w.burned),
            ApiError::DeviceRateLimited { retry_after_s } => self.locked(*retry_after_s),
            ApiError::DeviceProximityRequired => {
                self.end(StatusCode::FORBIDDEN, Tone::Bad, w.near_only)
            }
            ApiError::RoleMissing(_) => self.adults_only(),
            ApiError::NotFound => self.end(StatusCode::NOT_FOUND, Tone::Plain, w.not_undone),
            ApiError::TooMany => self.end(StatusCode::CONFLICT, Tone::Plain, w.full),
            other => self.visitor.failed(self.state, other),
        }
    }

    /// D6: who waits, waits; who has the display before them photographs it.
    fn locked(&self, retry_after_s: u64) -> Response {
        let w = self.w();
        let text = fill(w.locked.text, w.wait(retry_after_s));
        let words = (Tone::Bad, w.locked.title, text);
        let mut response = self.say(StatusCode::TOO_MANY_REQUESTS, words, self.home());
        let header = HeaderValue::from(retry_after_s);
        response.headers_mut().insert(header::RETRY_AFTER, header);
        response
    }

    /// An end of this one, from where one begins anew. The photograph is used up.
    fn end(&self, status: StatusCode, tone: Tone, message: Message) -> Response {
        let mut actions = vec![Action::new("/link", self.w().start)];
        actions.extend(self.home());
        let mut response = self.visitor.say(self.state, status, (tone, message), actions);
        photograph::forget(self.state, &mut response);
        response
    }

    fn home(&self) -> Vec<Action> {
        vec![Action::new("/", self.visitor.language.words().home)]
    }

    fn say(
        &self,
        status: StatusCode,
        (tone, title, text): (Tone, &'static str, String),
        actions: Vec<Action>,
    ) -> Response {
        self.visitor.say_filled(self.state, status, (tone, title, text), actions)
    }

    fn display(&self, challenge: &LinkChallenge) -> Display {
        Display {
            challenge: challenge.challenge.to_string(),
            name: challenge.device_name.clone(),
            model: challenge.device_model.clone(),
            version: challenge.app_version.clone(),
            shown: self.w().shown_for(challenge.minutes_shown),
            same_network: challenge.same_network,
        }
    }
}

fn is_number(typed: &str) -> bool {
    luminous_domain::MatchNumber::parse(typed).is_some()
}
