//! The family's affairs: one function for each thing a person can do. All fail as
//! [`crate::family`] says.

use luminous_domain::{DeviceId, InviteId, MemberId, NoteId};
use luminous_wire::api::{
    AcceptInvite, AddChild, ChangeDevice, ChangeMember, ConfirmLink, CreateFamily, CreateInvite,
    CreatedInvite, DeclineLink, DeleteFamily, DeviceList, DeviceView, InviteList, InvitePreview,
    LinkChallenge, LookUpLink, Me, MemberList, NoteList, PostNote, PreviewInvite, RenameFamily,
};
use luminous_wire::{AppError, SignOutScope};
use serde::de::DeserializeOwned;

use super::{Session, lock};
use crate::error::internal;
use crate::family::{Call, read};

impl Session {
    /// Creates a family with who is signed in as its owner.
    pub async fn create_family(&self, request: &CreateFamily) -> Result<Me, AppError> {
        let call = self.once(Call::post(["api", "families"], request))?;
        self.become_member(&call).await
    }

    /// Gives the family another name.
    pub async fn rename_family(&self, request: &RenameFamily) -> Result<(), AppError> {
        let call = Call::patch(self.place(&[]).await?, request);
        self.perform(&call).await?;
        self.load_family().await.map(drop)
    }

    /// Leaves the family; the last owner cannot.
    pub async fn leave_family(&self) -> Result<(), AppError> {
        let call = Call::post_nothing(self.place(&["leave"]).await?);
        self.become_outsider(&call).await
    }

    /// Deletes the family for good.
    pub async fn delete_family(&self, request: &DeleteFamily) -> Result<(), AppError> {
        let call = Call::delete(self.place(&[]).await?).with(request).of_administration();
        self.become_outsider(&call).await
    }

    /// Who belongs to the family.
    pub async fn list_members(&self) -> Result<MemberList, AppError> {
        self.ask(&Call::get(self.place(&["members"]).await?)).await
    }

    /// Adds a child without an account.
    pub async fn add_child(&self, request: &AddChild) -> Result<(), AppError> {
        let call = self.once(Call::post(self.place(&["members"]).await?, request))?;
        self.perform(&call).await.map(drop)
    }

    /// Changes a member's name, role or state.
    pub async fn change_member(
        &self,
        id: MemberId,
        request: &ChangeMember,
    ) -> Result<(), AppError> {
        let place = self.place(&["members", &id.to_string()]).await?;
        self.perform(&Call::patch(place, request).of_administration()).await.map(drop)
    }

    /// Gives a child without an account another name.
    pub async fn rename_child(&self, id: MemberId, name: String) -> Result<(), AppError> {
        let place = self.place(&["children", &id.to_string()]).await?;
        self.perform(&Call::patch(place, &AddChild { name })).await.map(drop)
    }

    /// Removes a member, or with `child` the profile of a child without an account.
    pub async fn remove_member(&self, id: MemberId, child: bool) -> Result<(), AppError> {
        let whose = if child { "children" } else { "members" };
        let call = Call::delete(self.place(&[whose, &id.to_string()]).await?);
        let call = if child { call } else { call.of_administration() };
        self.perform(&call).await.map(drop)
    }

    /// What an invitation offers.
    pub async fn preview_invite(&self, request: &PreviewInvite) -> Result<InvitePreview, AppError> {
        self.ask(&Call::post(["api", "invites", "preview"], request)).await
    }

    /// Joins the family of an invitation.
    pub async fn accept_invite(&self, request: &AcceptInvite) -> Result<Me, AppError> {
        let call = self.once(Call::post(["api", "invites", "accept"], request))?;
        self.become_member(&call).await
    }

    /// The invitations that can still be accepted.
    pub async fn list_invites(&self) -> Result<InviteList, AppError> {
        self.ask(&Call::get(self.place(&["invites"]).await?)).await
    }

    /// Makes an invitation. One that gives power over others is an act of administration.
    pub async fn create_invite(&self, request: &CreateInvite) -> Result<CreatedInvite, AppError> {
        let call = self.once(Call::post(self.place(&["invites"]).await?, request))?;
        let privileged = request.role.is_privileged();
        self.ask(&if privileged { call.of_administration() } else { call }).await
    }

    /// Takes an invitation back.
    pub async fn withdraw_invite(&self, id: InviteId) -> Result<(), AppError> {
        let place = self.place(&["invites", &id.to_string()]).await?;
        self.perform(&Call::delete(place)).await.map(drop)
    }

    /// The notes on the wall.
    pub async fn list_notes(&self) -> Result<NoteList, AppError> {
        self.ask(&Call::get(self.place(&["notes"]).await?)).await
    }

    /// Puts a note on the wall.
    pub async fn post_note(&self, request: &PostNote) -> Result<(), AppError> {
        let call = self.once(Call::post(self.place(&["notes"]).await?, request))?;
        self.perform(&call).await.map(drop)
    }

    /// Takes a note down.
    pub async fn remove_note(&self, id: NoteId) -> Result<(), AppError> {
        let place = self.place(&["notes", &id.to_string()]).await?;
        self.perform(&Call::delete(place)).await.map(drop)
    }

    /// The family's displays.
    pub async fn list_devices(&self) -> Result<DeviceList, AppError> {
        self.ask(&Call::get(self.place(&["devices"]).await?)).await
    }

    /// Finds the display that shows a code. It shows a number from then on, which only who stands
    /// before it can read.
    pub async fn look_up_link(&self, request: &LookUpLink) -> Result<LinkChallenge, AppError> {
        self.ask(&Call::post(["api", "link", "lookup"], request)).await
    }

    /// Takes the display into the family. One wrong number burns its code, so an answer that was lost
    /// is asked for again and never guessed at.
    pub async fn confirm_link(&self, request: &ConfirmLink) -> Result<DeviceView, AppError> {
        let call = self.once(Call::post(["api", "link", "confirm"], request))?;
        self.ask(&call).await
    }

    /// Sends the display away.
    pub async fn decline_link(&self, request: &DeclineLink) -> Result<(), AppError> {
        self.perform(&Call::post(["api", "link", "decline"], request)).await.map(drop)
    }

    /// Gives a display another name or room.
    pub async fn change_device(
        &self,
        id: DeviceId,
        request: &ChangeDevice,
    ) -> Result<(), AppError> {
        let call = Call::patch(["api", "devices", &id.to_string()], request);
        self.perform(&call.of_administration()).await.map(drop)
    }

    /// Takes a display off the wall: it wipes what it shows and shows a code.
    pub async fn revoke_device(&self, id: DeviceId) -> Result<(), AppError> {
        self.perform(&of_device(id, "revoke").of_administration()).await.map(drop)
    }

    /// Lets a display stay for another term.
    pub async fn renew_device(&self, id: DeviceId) -> Result<(), AppError> {
        self.perform(&of_device(id, "renew").of_administration()).await.map(drop)
    }

    /// Takes back that a display was linked, within a day of it. Whoever may link may do so, without
    /// a second factor: the faster it can be undone, the better.
    pub async fn undo_link(&self, id: DeviceId) -> Result<(), AppError> {
        self.perform(&of_device(id, "undo")).await.map(drop)
    }

    /// Everything the family server keeps about who is signed in, as readable JSON. What this app
    /// does not know of it is there too.
    pub async fn export_my_data(&self) -> Result<String, AppError> {
        let call = Call::get(["api", "me", "export"]).large();
        let everything: serde_json::Value = self.ask(&call).await?;
        serde_json::to_string_pretty(&everything).map_err(internal)
    }

    /// Ends every sign-in of this person, at the family server and here, then at the provider.
    pub async fn sign_out_everywhere(&self) -> Result<(), AppError> {
        self.perform(&Call::post_nothing(["api", "me", "sign-out-everywhere"])).await?;
        self.ask_anew_next();
        self.sign_out(SignOutScope::AndProvider).await
    }

    async fn ask<T: DeserializeOwned>(&self, call: &Call) -> Result<T, AppError> {
        read(&self.perform(call).await?)
    }

    /// The address of something of the family.
    async fn place(&self, rest: &[&str]) -> Result<Vec<String>, AppError> {
        let family = self.family_id().await?.to_string();
        let start = ["api", "families", &family];
        Ok(start.iter().chain(rest).map(|&part| part.to_owned()).collect())
    }

    /// With the key that tells one wish from the same wish asked for twice.
    fn once(&self, call: Call) -> Result<Call, AppError> {
        let mut random = [0; 16];
        self.inner.ports.entropy.fill(&mut random).map_err(internal)?;
        let fresh = uuid::Builder::from_random_bytes(random).into_uuid();
        let wish = call.wish(self.state().epoch);
        let key = lock(&self.inner.wishes).key(wish, fresh);
        Ok(call.once(key))
    }

    /// The wish has its verdict: the same one asked for now is another.
    pub(super) fn forget_key(&self, call: &Call) {
        if let Some(key) = call.key() {
            lock(&self.inner.wishes).settle(key);
        }
    }
}

/// What is done to a display, beyond changing its words.
fn of_device(id: DeviceId, act: &str) -> Call {
    Call::post_nothing(["api", "devices", &id.to_string(), act])
}
