//! T18: every route of the document, asked by every role of the family, by every role of another
//! family, by a display, by somebody without a family, and by nobody. What is expected comes from the one table in
//! `luminous-domain`; what comes back is written down as a snapshot beside it.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::time::Duration;

use luminous_domain::{ChallengeId, MemberId, NoteId, Permission, Role, WebSessionId};
use luminous_store::{NewChild, NewNote, NewWebSession};
use reqwest::Method;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::display::Display;
use crate::home::{Caller, Home, id as id_of};
use crate::link::stand_in::StandIn;
use crate::link::{challenge, link};
use crate::openapi::{document, operations};
use crate::rig::{Answer, Rig, Someone};

/// The routes without a person behind them: public, or with credentials of their own.
const OPEN: &[&str] = &[
    "/.well-known/luminous",
    "/healthz",
    "/readyz",
    "/version",
    "/metrics",
    "/connectors/b2c/claims",
    "/connectors/entra/token-issuance-start",
    "/.well-known/oauth-authorization-server",
    "/.well-known/jwks.json",
    "/oauth2/device_authorization",
    "/oauth2/token",
    "/oauth2/revoke",
    "/oauth2/introspect",
    "/oauth2/link_ticket",
];

/// Roles that people have.
fn roles() -> impl Iterator<Item = Role> {
    Role::ALL.iter().copied().filter(|role| role.is_for_people())
}

/// A route of the document.
struct Route {
    method: Method,
    path: String,
    /// `None`: any person.
    permission: Option<Permission>,
    /// Whether displays may ask too.
    is_for_displays: bool,
}

impl Route {
    fn all() -> Vec<Self> {
        let each = operations(&document()).into_iter().filter_map(|(method, path, operation)| {
            if OPEN.contains(&path.as_str()) {
                return None;
            }
            let scopes = operation["security"][0]["bearer"].as_array();
            let scopes = scopes.unwrap_or_else(|| panic!("{path}: neither open nor guarded"));
            let permission =
                scopes.first().map(|one| Permission::parse(one.as_str().unwrap()).unwrap());
            let others = operation["security"].as_array().unwrap().iter().skip(1);
            let is_for_displays = others.into_iter().any(|other| other.get("dpop").is_some());
            Some(Self { method: method.parse().unwrap(), path, permission, is_for_displays })
        });
        each.collect()
    }

    fn name(&self) -> String {
        format!("{} {}", self.method, self.path)
    }

    /// A body that the route accepts. A route that is not here fails the test: it must say what it
    /// takes.
    fn body(&self, scene: &Scene) -> Option<Value> {
        Some(match self.name().as_str() {
            "POST /api/families" => json!({ "name": "Another" }),
            "PATCH /api/families/{family_id}" => json!({ "name": "Lumen" }),
            "DELETE /api/families/{family_id}" => json!({ "name": scene.family_name }),
            "POST /api/families/{family_id}/members" => json!({ "name": "Mia" }),
            "PATCH /api/families/{family_id}/members/{member_id}" => json!({ "role": "teen" }),
            "PATCH /api/families/{family_id}/children/{member_id}" => json!({ "name": "Lou" }),
            "POST /api/families/{family_id}/invites" => json!({ "role": "adult" }),
            "POST /api/families/{family_id}/notes" => json!({ "text": "Milk" }),
            "POST /api/invites/preview" | "POST /api/invites/accept" => {
                json!({ "code": scene.code })
            }
            "POST /api/families/{family_id}/leave"
            | "POST /api/hub/ticket"
            | "POST /api/me/sign-out-everywhere"
            | "POST /api/devices/{device_id}/revoke"
            | "POST /api/devices/{device_id}/renew"
            | "POST /api/devices/{device_id}/undo" => {
                return None;
            }
            "PATCH /api/devices/{device_id}" => json!({ "name": "Hall" }),
            "POST /api/link/lookup" => json!({ "user_code": scene.next_code() }),
            "POST /api/link/confirm" => json!({
                "challenge": scene.challenge, "number": scene.number, "name": "Hall",
            }),
            "POST /api/link/decline" => json!({ "challenge": scene.challenge }),
            name if name.starts_with("GET ") || name.starts_with("DELETE ") => return None,
            name => panic!("what does {name} take?"),
        })
    }

    /// The path into the family of the scene, to things that are there.
    fn filled(&self, scene: &Scene) -> String {
        let member = if self.path.contains("/children/") { scene.child } else { scene.spare };
        let path = self.path.replace("{family_id}", &scene.founder.family().to_string());
        let path = path.replace("{member_id}", &member.to_string());
        let path = path.replace("{device_id}", &scene.device);
        let path = path.replace("{note_id}", &scene.note.to_string());
        let path = path.replace("{session_id}", &scene.session.to_string());
        let path = path.replace("{invite_id}", &scene.invite);
        assert!(!path.contains('{'), "{path}: what is it filled with?");
        path
    }

    /// What the table says to somebody with `role` in the family.
    fn expected_inside(&self, role: Role, proved: bool) -> &'static str {
        match self.permission {
            Some(permission) if !role.may(permission) => "403 authz.role_missing",
            Some(permission) if permission.needs_step_up() && !proved => {
                "401 session.step_up_required"
            }
            None if self.joins() => "409 family.already_member",
            _ => "2",
        }
    }

    /// What it says to a person who is not.
    fn expected_outside(&self, in_another: Option<Role>) -> &'static str {
        if let (Some(role), false) = (in_another, self.path.contains("{family_id}"))
            && let Some(permission) = self.permission
        {
            return self.expected_of_own(role, permission);
        }
        let in_another = in_another.is_some();
        match self.permission {
            Some(_) => "403 authz.family_mismatch",
            None if in_another && self.joins() => "409 family.already_member",
            // Somebody else's session is not there.
            None if self.path.contains("{session_id}") => "404 resource.not_found",
            None => "2",
        }
    }

    /// What it says to somebody of another family where the path names none: it is about their own,
    /// in which the things of this one are not.
    fn expected_of_own(&self, role: Role, permission: Permission) -> &'static str {
        match self.path.as_str() {
            _ if !role.may(permission) => "403 authz.role_missing",
            "/api/link/confirm" | "/api/link/decline" => "404 device.code_invalid",
            path if path.contains("{device_id}") => "404 resource.not_found",
            _ => "2",
        }
    }

    /// What it says to a display of the family.
    fn expected_of_display(&self) -> &'static str {
        let may = self.permission.is_some_and(|permission| Role::Display.may(permission));
        assert!(may || !self.is_for_displays, "{}: the table says no", self.name());
        if self.is_for_displays { "2" } else { "401 token.missing" }
    }

    /// Whether it is for people without a family only.
    fn joins(&self) -> bool {
        matches!(self.name().as_str(), "POST /api/families" | "POST /api/invites/accept")
    }
}

/// A family with one of everything that a path can name, and the caller in it.
struct Scene {
    founder: Someone,
    family_name: String,
    caller: Someone,
    spare: MemberId,
    child: MemberId,
    note: NoteId,
    session: WebSessionId,
    invite: String,
    code: String,
    device: String,
    /// Displays that wait, one for each who asks: whoever types a code has it for themselves.
    waiting: RefCell<Vec<StandIn>>,
    /// What the caller is asked about another one.
    challenge: ChallengeId,
    number: String,
}

impl Scene {
    async fn of(home: &Home, role: Role, number: usize) -> Self {
        let rig = &home.rig;
        let called = |who: &str| home.person(&format!("{who} {number}"));
        let founder = rig.found(called("Founder")).await;
        let caller = rig.take_in(&founder, called("Caller"), role).await;
        let spare = rig.take_in(&founder, called("Spare"), Role::Adult).await;
        let (_, host) = rig.arrive(&founder).await;
        let (account, act) = rig.arrive(&caller).await;
        let (family, id) = (founder.family(), Uuid::from_u128(number as u128 + 1));
        let child = NewChild { id: MemberId::from_uuid(id), family, name: "Kid".to_owned() };
        let note = NewNote {
            id: NoteId::from_uuid(id),
            family,
            text: "Hi".to_owned(),
            author: caller.place().member,
            lifetime: None,
        };
        let session = NewWebSession {
            id: WebSessionId::from_uuid(id),
            token: [number as u8; 32].map(|byte| byte ^ (number >> 8) as u8),
            account,
            user_agent: "A browser".to_owned(),
            auth_time: None,
            is_email_unverified: false,
            idle: Duration::from_secs(3600),
            lifetime: Duration::from_secs(3600),
        };
        let mut waiting = Vec::new();
        for _ in 0..4 {
            waiting.push(StandIn::new(rig).await);
        }
        let asked = StandIn::new(rig).await;
        let (challenge, number) = match role.may(Permission::DevicesLink) {
            true => {
                let challenge = challenge(&home.with(&caller), &asked).await;
                (id_of(&challenge["challenge"]), asked.number(rig).await)
            }
            false => (ChallengeId::from_uuid(id), "00".to_owned()),
        };
        let invites = format!("/api/families/{family}/invites");
        let made = home.with(&founder).post(&invites, json!({ "role": "teen" })).await.json();
        Self {
            family_name: founder.place().family.name.clone(),
            spare: spare.place().member,
            child: rig.store.add_child(&child, founder.place().member, &host).await.unwrap().id,
            note: rig.store.post_note(&note, &act).await.unwrap().id,
            session: rig.store.open_session(&session, None, &act).await.unwrap().id,
            invite: made["invite"]["id"].as_str().unwrap().to_owned(),
            code: made["code"].as_str().unwrap().to_owned(),
            device: link(home, &founder, &StandIn::new(rig).await).await["id"]
                .as_str()
                .unwrap()
                .to_owned(),
            waiting: RefCell::new(waiting),
            challenge,
            number,
            founder,
            caller,
        }
    }

    /// The code of a display that nobody has looked up.
    fn next_code(&self) -> String {
        self.waiting.borrow_mut().pop().unwrap().code.grouped()
    }

    async fn ask(&self, route: &Route, caller: &Caller<'_>) -> String {
        let answer = caller.send(route.method.clone(), &route.filled(self), route.body(self)).await;
        answer.outcome()
    }
}

/// What came back for one route: who asked, and how it ended.
type Row = BTreeMap<String, String>;

#[tokio::test]
async fn t18_every_route_obeys_the_table_for_every_role_in_every_place() {
    // A display hangs in each scene.
    let rig = Rig::with(|config, _| config.displays.codes_per_address_per_hour = 0).await;
    let home = Home { rig };
    let strangers = strangers(&home).await;
    let outsider = home.person("Outsider");
    let mut matrix = String::new();
    let mut number = 0;
    for route in Route::all() {
        let mut row = Row::new();
        for role in roles() {
            number += 1;
            let scene = Scene::of(&home, role, number).await;
            // First those who change nothing, then those who do.
            let nobody = scene.ask(&route, &home.anonymous()).await;
            expect(&mut row, &route, "nobody", &nobody, "401 token.missing");
            let stranger = scene.ask(&route, &home.proved(&strangers[&role])).await;
            let expected = route.expected_outside(Some(role));
            expect(&mut row, &route, &format!("{role} of another family"), &stranger, expected);
            for (how, proved) in [("", false), (" with a second factor", true)] {
                let caller =
                    if proved { home.proved(&scene.caller) } else { home.with(&scene.caller) };
                let expected = route.expected_inside(role, proved);
                if proved && expected == route.expected_inside(role, false) {
                    continue;
                }
                let answer = scene.ask(&route, &caller).await;
                expect(&mut row, &route, &format!("{role}{how}"), &answer, expected);
            }
        }
        number += 1;
        let scene = Scene::of(&home, Role::Adult, number).await;
        let answer = scene.ask(&route, &home.proved(&outsider)).await;
        expect(
            &mut row,
            &route,
            "somebody without a family",
            &answer,
            route.expected_outside(None),
        );
        let display = Display::linked(&home.rig, &scene.founder).await;
        let request = display.ask(&home.rig, route.method.clone(), &route.filled(&scene));
        let body = route.body(&scene);
        let request = if let Some(body) = body { request.json(&body) } else { request };
        let answer = Answer::of(request).await.outcome();
        expect(&mut row, &route, "a display", &answer, route.expected_of_display());
        if row["somebody without a family"].starts_with('2') && route.joins() {
            leave(&home, &outsider).await;
        }
        home.rig.pass(Duration::from_secs(1));
        assert!(
            row.values().any(|outcome| outcome.starts_with('2')),
            "{}: nobody got through",
            route.name()
        );
        write_row(&mut matrix, &route, &row);
    }
    insta::assert_snapshot!(matrix);
}

/// One of each role in a family that is nobody's of the others.
async fn strangers(home: &Home) -> BTreeMap<Role, Someone> {
    let founder = home.rig.found(home.person("Stranger")).await;
    let mut strangers = BTreeMap::new();
    for role in roles() {
        let stranger = home.person(&format!("Strange {role}"));
        strangers.insert(role, home.rig.take_in(&founder, stranger, role).await);
    }
    strangers
}

/// Makes somebody who got into a family an outsider again.
async fn leave(home: &Home, outsider: &Someone) {
    let me = home.with(outsider).get("/api/me").await.json();
    let family = me["membership"]["family"].clone();
    let path = format!("/api/families/{}", family["id"].as_str().unwrap());
    let left = match me["membership"]["role"].as_str() {
        Some("owner") => {
            let name = json!({ "name": family["name"] });
            home.proved(outsider).send(Method::DELETE, &path, Some(name)).await
        }
        _ => home.with(outsider).post(&format!("{path}/leave"), json!({})).await,
    };
    assert_eq!(left.outcome(), "204");
}

fn expect(row: &mut Row, route: &Route, who: &str, outcome: &str, expected: &str) {
    let same = if expected == "2" { outcome.starts_with('2') } else { outcome == expected };
    assert!(same, "{} by {who}: {outcome}, expected {expected}", route.name());
    if let Some(before) = row.insert(who.to_owned(), outcome.to_owned()) {
        assert_eq!(before, outcome, "{} by {who}", route.name());
    }
}

/// Outcomes, and who met each.
fn write_row(matrix: &mut String, route: &Route, row: &Row) {
    let permission = route.permission.map_or("a person", Permission::as_str);
    writeln!(matrix, "{} [{permission}]", route.name()).unwrap();
    let outcomes: BTreeSet<_> = row.values().collect();
    for outcome in outcomes {
        let who: BTreeSet<_> =
            row.iter().filter(|(_, met)| *met == outcome).map(|(who, _)| who.clone()).collect();
        writeln!(matrix, "  {outcome}: {}", together(who).join(", ")).unwrap();
    }
}

/// All roles of one place in one word.
fn together(mut who: BTreeSet<String>) -> Vec<String> {
    let mut words = Vec::new();
    for (place, word) in
        [("", "everybody inside"), (" of another family", "everybody of another family")]
    {
        let all: BTreeSet<_> = roles().map(|role| format!("{role}{place}")).collect();
        if all.is_subset(&who) {
            who = &who - &all;
            words.push(word.to_owned());
        }
    }
    words.extend(who);
    words
}

#[test]
fn t18_the_matrix_is_of_every_route_of_the_document() {
    let all: BTreeSet<_> = operations(&document())
        .into_iter()
        .map(|(method, path, _)| format!("{method} {path}"))
        .collect();
    let asked: BTreeSet<_> = Route::all().iter().map(Route::name).collect();
    let open = OPEN.iter().copied().collect::<BTreeSet<_>>();
    let left: Vec<_> = all
        .difference(&asked)
        .filter(|name| !open.contains(name.split(' ').next_back().unwrap()))
        .collect();
    assert!(left.is_empty(), "{left:?}");
    // And of every route that the page lists, but for those of browsers.
    let page = include_str!("../../src/routes.rs");
    let listed: BTreeSet<_> = page
        .lines()
        .filter_map(|line| line.strip_prefix("//! | ")?.split('|').next())
        .flat_map(|routes| routes.split(['`', ' ', ',']))
        .filter(|word| word.starts_with("/api/") || OPEN.contains(word))
        .collect();
    let documented: BTreeSet<_> =
        all.iter().map(|name| name.split(' ').next_back().unwrap()).collect();
    assert_eq!(documented, listed);
}

#[tokio::test]
async fn t18_routes_without_a_person_are_open_or_take_their_own_credentials_only() {
    let rig = Rig::with(|config, _| {
        crate::connectors::with_b2c(config);
        crate::connectors::with_entra(config);
        let token = config.key_file.with_file_name("metrics-token");
        std::fs::write(&token, "a token of its own").unwrap();
        config.metrics.token_file = Some(token.clone());
        config.displays.introspection_token_file = Some(token);
    })
    .await;
    let token = rig.fresh_token(&rig.owner("olga").await);
    let mut met = BTreeSet::new();
    for (method, path, operation) in operations(&document()) {
        if path.starts_with("/api/") {
            continue;
        }
        let ask = || rig.request(method.parse().unwrap(), &path);
        let expected = match operation["security"][0].as_object().unwrap().keys().next() {
            None => 200,
            // An empty form, to which nobody's token adds anything.
            Some(scheme) if scheme == "dpop" => 400,
            Some(_) => 401,
        };
        for request in [ask(), ask().bearer_auth(&token)] {
            let status = Answer::of(request).await.status.as_u16();
            assert_eq!(status, expected, "{method} {path}");
        }
        met.insert(path);
    }
    assert_eq!(met, OPEN.iter().map(ToString::to_string).collect());
}
