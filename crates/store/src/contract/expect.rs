//! The audit lines that each change writes, and what the traits leave open.
//!
//! | action | family | subject | subject name | detail |
//! |---|---|---|---|---|
//! | `account.created` | - | - | - | - |
//! | `account.signed_out_everywhere` | the account's, if any | - | - | - |
//! | `family.created` | it | - | its name | - |
//! | `family.renamed` | it | - | the old name | the new name |
//! | `family.deleted` | it | - | its name | - |
//! | `member.child_added` | theirs | member | name | - |
//! | `member.renamed` | theirs | member | the old name | the new name |
//! | `member.role_changed` | theirs | member | name | the new role |
//! | `member.deactivated`, `member.reactivated` | theirs | member | name | - |
//! | `member.removed`, `member.left` | theirs | member | name | their role |
//! | `invite.created`, `invite.withdrawn`, `invite.accepted` | theirs | invitation | - | the role |
//! | `note.posted`, `note.removed` | theirs | note | - | - |
//! | `device.code_claimed`, `device.declined` | the claimant's | link | what it calls itself | - |
//! | `device.confirm_mismatch` (1) | the claimant's | link | what it calls itself | - |
//! | `device.code_sprayed` (1) | the claimant's, if any | link | what it calls itself | - |
//! | `device.linked` | the claimant's | device | the name it was given | the room, if any |
//! | `device.signed_in` (2) | its | device | name | - |
//! | `device.signed_out` | its | device | name | - |
//! | `device.signed_out` | the former family | device | its name there | `linked_elsewhere` |
//! | `device.token_reused` (1) | its | device | name | - |
//! | `device.renamed` | its | device | the old name | the new name |
//! | `device.moved` | its | device | name | the new room, if any |
//! | `device.revoked`, `device.undone`, `device.renewed` | its | device | name | - |
//! | `session.opened`, `session.ended` | the account's, if any | session | - | - |
//!
//! The actor is the one of the [`Act`](crate::Act); of `account.created` it is the new account.
//! The name in `subject name` is the one before the change. Outcomes are `ok`. What is refused
//! writes nothing by itself. (1) The outcome is the action itself: these are alarms, by the one who
//! set them off; of `device.code_sprayed` that is the system, so that no stranger's name gets into a
//! family's log. (2) The outcome is `access_denied` when whoever confirmed it no longer may. What a
//! display does has the display as its actor, by the name the family gave it.
//!
//! Events, one for each write that is not refused (none of `create_family`: nobody listens yet):
//!
//! | write | event | subject |
//! |---|---|---|
//! | `add_child`, `accept_invite`, `remove_member`, `leave_family` | `members_changed` | member |
//! | `change_member`, and `arrive` with another name that the member's follows, if it changes anything | `members_changed` | member |
//! | `rename_family`, `delete_family` | `family_changed` | - |
//! | `post_note`, `remove_note` | `notes_changed` | note |
//! | `confirm_link` | `device_linked` | device |
//! | `redeem_link` the first time, or when it is denied because of who confirmed | `devices_changed` | device |
//! | `change_device` if it changes anything, `renew_device` | `devices_changed` | device |
//! | `begin_link` that ends a confirmed wish of the same key | `devices_changed` | device |
//! | `revoke_device`, `undo_link`, `give_back_token`, a link in another family | `device_revoked` | device |
//! | reuse of a token | `device_revoked`, for `reuse` | device |
//!
//! Further:
//! - Refused in this order: the thing is not there (`NotFound`, `InviteInvalid`), whoever does it
//!   may not (`RoleMissing`, also when they are not an active member of this family), the account
//!   is elsewhere (`AlreadyMember`), `LastOwner`, `TooMany`.
//! - `change_member` asks for the right to each thing that is named, changed or not; a line is
//!   written only for what changed. Renaming touches `standing_changed_at` of nobody.
//! - `create_family` with an id that somebody else's family has, or for an account that does not
//!   exist, is `NotFound`; `add_child` into a family that is not there too.
//! - An invitation whose maker may no longer give its role is not offered (and not accepted); it is
//!   still listed, so that it can be withdrawn. It goes with its maker's membership.
//! - A note's author must be an active member, otherwise `NotFound`.
//! - A pending sign-in that another browser asks for stays for the one that began it.
//! - `resume_session` writes "last used" only when a minute has passed since, so idleness is
//!   counted from that mark.
//! - A place in a family that was switched off is still the account's one place.

use crate::audit::{Actor, AuditFilter, AuditRow};
use crate::contract::Bench;
use crate::contract::people::Home;

/// What a test compares of a line: action, subject, subject name, detail.
pub type Line = (String, Option<String>, Option<String>, Option<String>);

/// The line with these words.
pub fn line(
    action: &str,
    subject: Option<String>,
    subject_name: Option<&str>,
    detail: Option<&str>,
) -> Line {
    (action.to_owned(), subject, subject_name.map(str::to_owned), detail.map(str::to_owned))
}

/// The family's newest lines, the newest first.
pub async fn newest(bench: &Bench, home: &Home, limit: u32) -> Vec<AuditRow> {
    bench.store.audit(home.family, &AuditFilter::default(), limit).await.unwrap()
}

/// The family's one newest line, as its words; checks that `who` did it and that it is no refusal.
pub async fn last_line(bench: &Bench, home: &Home, who: &Actor) -> Line {
    let row = newest(bench, home, 1).await.into_iter().next().expect("the log is empty");
    assert_eq!(&row.act.actor, who, "{row:?}");
    assert_eq!(row.outcome, "ok");
    assert_eq!(row.at, bench.time.now().await);
    words(row)
}

/// How many lines the family has; a refusal must leave it as it was.
pub async fn count(bench: &Bench, home: &Home) -> usize {
    newest(bench, home, 1000).await.len()
}

/// What is compared.
pub fn words(row: AuditRow) -> Line {
    (row.action, row.subject, row.subject_name, row.detail)
}
