//! What is kept, as it is shown: the one place where a row becomes a body.

use std::time::Duration;

use luminous_domain::{Permission, Timestamp};
use luminous_store::{
    AccountExport, Actor, AuditRow, Device, DeviceState, Family, Invite, Member, MemberState,
    Membership, Network, Note, Offer, WallContent, WebSession,
};
use luminous_wire::api;

use crate::routes::me::me;

/// Unix time in ms, as all times on the wire.
fn ms(at: Timestamp) -> i64 {
    at.as_millisecond()
}

/// A family.
#[must_use]
pub fn family(family: &Family) -> api::FamilyView {
    api::FamilyView {
        id: family.id,
        name: family.name.clone(),
        created_at_ms: ms(family.created_at),
    }
}

/// A member, as `viewer` may see them: addresses and "last seen" are for who manages members, and
/// for oneself.
#[must_use]
pub fn member(member: Member, viewer: &Membership) -> api::MemberView {
    let is_me = member.id == viewer.member;
    let sees_all = is_me || viewer.role.may(Permission::MembersManage);
    api::MemberView {
        id: member.id,
        name: member.name,
        role: member.role,
        state: member_state(member.state),
        managed: member.account.is_none(),
        email: member.email.filter(|_| sees_all),
        joined_at_ms: ms(member.joined_at),
        last_seen_at_ms: member.last_seen_at.filter(|_| sees_all).map(ms),
        is_me,
    }
}

/// A member, as a display may see them: who they are, and nothing about them.
#[must_use]
pub fn member_on_wall(member: Member) -> api::MemberView {
    api::MemberView {
        id: member.id,
        name: member.name,
        role: member.role,
        state: member_state(member.state),
        managed: member.account.is_none(),
        email: None,
        joined_at_ms: ms(member.joined_at),
        last_seen_at_ms: None,
        is_me: false,
    }
}

/// Whether a membership counts.
#[must_use]
pub fn member_state(state: MemberState) -> api::MemberState {
    match state {
        MemberState::Active => api::MemberState::Active,
        MemberState::Deactivated => api::MemberState::Deactivated,
    }
}

/// An invitation, without its code.
#[must_use]
pub fn invite(invite: Invite) -> api::InviteView {
    api::InviteView {
        id: invite.id,
        role: invite.role,
        invited_by: invite.invited_by_name,
        created_at_ms: ms(invite.created_at),
        expires_at_ms: ms(invite.expires_at),
    }
}

/// What an invitation offers to who has its code.
#[must_use]
pub fn offer(offer: Offer) -> api::InvitePreview {
    api::InvitePreview {
        family_name: offer.family_name,
        invited_by: offer.invite.invited_by_name,
        role: offer.invite.role,
        expires_at_ms: ms(offer.invite.expires_at),
    }
}

/// A note, as `viewer` sees it.
#[must_use]
pub fn note(note: Note, viewer: &Membership) -> api::NoteView {
    let mine = note.author == Some(viewer.member) && viewer.role.may(Permission::NotesPost);
    let removable = mine || viewer.role.may(Permission::NotesModerate);
    note_view(note, removable)
}

/// A note, as a display sees it.
#[must_use]
pub fn note_on_wall(note: Note) -> api::NoteView {
    note_view(note, false)
}

/// A browser session.
#[must_use]
pub fn session(session: WebSession) -> api::WebSessionView {
    api::WebSessionView {
        id: session.id,
        user_agent: session.user_agent,
        created_at_ms: ms(session.created_at),
        last_seen_at_ms: ms(session.last_seen_at),
    }
}

/// For how long whoever may link displays can take a link back without proving a second factor.
pub const UNDO_WINDOW: Duration = Duration::from_secs(24 * 3600);

/// A display that was heard of within this time counts as online: it may be connected to another
/// replica, which notes it as often.
pub const HEARD_OF_LATELY: Duration = Duration::from_secs(360);

/// A wall display as of `now`, which is connected to this replica or not; `None` for one that was
/// revoked.
#[must_use]
pub fn device(device: Device, is_connected: bool, now: Timestamp) -> Option<api::DeviceView> {
    let state = match device.state {
        DeviceState::Pending => api::DeviceState::Pending,
        DeviceState::Active => api::DeviceState::Active,
        DeviceState::Expired => api::DeviceState::Expired,
        DeviceState::Revoked => return None,
    };
    let heard_of_lately = device
        .last_seen_at
        .is_some_and(|last| ms(now) <= ms(last).saturating_add(HEARD_OF_LATELY.as_millis() as i64));
    let online = device.state == DeviceState::Active && (is_connected || heard_of_lately);
    let undo_until_ms = ms(device.linked_at).saturating_add(UNDO_WINDOW.as_millis() as i64);
    Some(api::DeviceView {
        id: device.id,
        name: device.name,
        room: device.room,
        model: device.described.model,
        app_version: device.described.app_version,
        state,
        online,
        linked_by_name: device.linked_by_name,
        linked_at_ms: ms(device.linked_at),
        undo_until_ms: Some(undo_until_ms).filter(|&until| ms(now) <= until),
        expires_at_ms: ms(device.expires_at),
        last_seen_at_ms: device.last_seen_at.map(ms),
    })
}

/// For how long the family is told of a display that was ended because its sign-in came back.
pub const REUSE_TOLD: Duration = Duration::from_secs(7 * 24 * 3600);

/// A display that was ended so; `None` for any other.
#[must_use]
pub fn ended(device: Device) -> Option<api::EndedDisplay> {
    let ended_at_ms = ms(device.reused_at?);
    Some(api::EndedDisplay { id: device.id, name: device.name, room: device.room, ended_at_ms })
}

/// What a wall shows: of the members the active ones, by name only. `place` is the display's own.
#[must_use]
pub fn wall(wall: WallContent, place: Option<api::WallPlace>) -> api::WallView {
    let members = wall.members.into_iter().filter(|member| member.state == MemberState::Active);
    let members = members.map(|member| api::WallMember { id: member.id, name: member.name });
    api::WallView {
        family_id: wall.family.id,
        family_name: wall.family.name,
        device: place,
        members: members.collect(),
        notes: wall.notes.into_iter().map(wall_note).collect(),
        seq: wall.seq,
    }
}

/// A line of the audit log.
#[must_use]
pub fn audit(row: AuditRow) -> api::AuditEntry {
    api::AuditEntry {
        id: row.id,
        at_ms: ms(row.at),
        actor: actor(row.act.actor),
        action: row.action,
        subject: row.subject,
        subject_name: row.subject_name,
        outcome: row.outcome,
        network: match row.act.network {
            Network::Loopback => "loopback",
            Network::Private => "private",
            Network::Public => "public",
        }
        .to_owned(),
        detail: row.detail,
    }
}

/// Everything kept about one person.
#[must_use]
pub fn export(kept: AccountExport) -> api::Export {
    let person = &kept.standing.account.person;
    api::Export {
        exported_at_ms: ms(kept.exported_at),
        me: me(&kept.standing),
        tenant: person.tenant.as_str().to_owned(),
        object: person.object.as_str().to_owned(),
        first_seen_at_ms: ms(kept.standing.account.created_at),
        notes: kept.notes.into_iter().map(|note| note_view(note, true)).collect(),
        sessions: kept.sessions.into_iter().map(session).collect(),
        audit: kept.audit.into_iter().map(audit).collect(),
    }
}

fn note_view(note: Note, removable: bool) -> api::NoteView {
    api::NoteView {
        id: note.id,
        text: note.text,
        author: note.author,
        author_name: note.author_name,
        posted_at_ms: ms(note.posted_at),
        expires_at_ms: note.expires_at.map(ms),
        removable,
    }
}

fn wall_note(note: Note) -> api::WallNote {
    api::WallNote {
        id: note.id,
        text: note.text,
        author: note.author,
        author_name: note.author_name,
        posted_at_ms: ms(note.posted_at),
        expires_at_ms: note.expires_at.map(ms),
    }
}

fn actor(actor: Actor) -> api::AuditActor {
    let (kind, id, name) = match actor {
        Actor::Account { id, name } => ("account", Some(id.to_string()), name),
        Actor::Display { id, name } => ("display", Some(id.to_string()), name),
        Actor::Connector => ("connector", None, String::new()),
        Actor::System => ("system", None, String::new()),
    };
    api::AuditActor { kind: kind.to_owned(), id, name }
}
