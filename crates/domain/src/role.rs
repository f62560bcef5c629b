//! Who may do what in a family: the one table, read by everyone.

use serde::{Deserialize, Serialize};

// The text is a `tt`: as a `literal` it would reach other derives wrapped, and the OpenAPI document
// would list the variants by their Rust names.
macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($(#[$line:meta])* $variant:ident = $text:tt,)* }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
        #[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
        pub enum $name {
            $($(#[$line])* #[serde(rename = $text)] $variant,)*
        }

        impl $name {
            /// All of them.
            pub const ALL: &[Self] = &[$(Self::$variant),*];

            /// As it is written down.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $text,)* }
            }

            /// The one that is written down so.
            #[must_use]
            pub fn parse(text: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|one| one.as_str() == text)
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.as_str())
            }
        }
    };
}

words! {
    /// A place in a family.
    Role {
        /// Answers for the family; there is always at least one.
        Owner = "owner",
        /// Runs the family's affairs.
        Admin = "admin",
        /// A grown-up.
        Adult = "adult",
        /// Nearly a grown-up.
        Teen = "teen",
        /// A child, with or without an account.
        Child = "child",
        /// Looks after somebody: a grandparent, a nanny.
        Caregiver = "caregiver",
        /// A screen on the wall. Never a person's.
        Display = "display",
    }
}

words! {
    /// Something that somebody may or may not do in their own family.
    Permission {
        /// Read the family's name.
        FamilyRead = "family.read",
        /// Rename the family.
        FamilyRename = "family.rename",
        /// Delete the family for good.
        FamilyDelete = "family.delete",
        /// Read who belongs to it.
        MembersRead = "members.read",
        /// Change roles, deactivate and remove members.
        MembersManage = "members.manage",
        /// Add children without an account, and change their profiles.
        ChildrenManage = "children.manage",
        /// Make, list and withdraw invitations.
        InvitesManage = "invites.manage",
        /// Read the notes on the wall.
        NotesRead = "notes.read",
        /// Put a note on the wall, and take one's own down.
        NotesPost = "notes.post",
        /// Take down anybody's note.
        NotesModerate = "notes.moderate",
        /// See the displays and how they are.
        DevicesRead = "devices.read",
        /// Link a display.
        DevicesLink = "devices.link",
        /// Rename, move and revoke displays.
        DevicesManage = "devices.manage",
        /// Read the audit log.
        AuditRead = "audit.read",
    }
}

impl Role {
    /// The table: everything that this role may do.
    #[must_use]
    pub const fn permissions(self) -> &'static [Permission] {
        use Permission::{
            AuditRead, ChildrenManage, DevicesLink, DevicesManage, DevicesRead, FamilyRead,
            FamilyRename, InvitesManage, MembersManage, MembersRead, NotesModerate, NotesPost,
            NotesRead,
        };
        match self {
            Self::Owner => Permission::ALL,
            Self::Admin => &[
                FamilyRead,
                FamilyRename,
                MembersRead,
                MembersManage,
                ChildrenManage,
                InvitesManage,
                NotesRead,
                NotesPost,
                NotesModerate,
                DevicesRead,
                DevicesLink,
                DevicesManage,
                AuditRead,
            ],
            Self::Adult => &[
                FamilyRead,
                MembersRead,
                ChildrenManage,
                NotesRead,
                NotesPost,
                NotesModerate,
                DevicesRead,
                DevicesLink,
            ],
            Self::Teen | Self::Caregiver => {
                &[FamilyRead, MembersRead, NotesRead, NotesPost, DevicesRead]
            }
            Self::Child => &[FamilyRead, MembersRead, NotesRead, NotesPost],
            Self::Display => &[FamilyRead, MembersRead, NotesRead],
        }
    }

    /// Whether this role may do it.
    #[must_use]
    pub fn may(self, permission: Permission) -> bool {
        self.permissions().contains(&permission)
    }

    /// Whether a person can have this role; [`Role::Display`] is a device's.
    #[must_use]
    pub const fn is_for_people(self) -> bool {
        !matches!(self, Self::Display)
    }

    /// Whether somebody with this role may give `other` to somebody, or take it away. Only owners
    /// make and unmake owners; nobody makes a person a display.
    #[must_use]
    pub fn may_grant(self, other: Self) -> bool {
        other.is_for_people()
            && self.may(Permission::MembersManage)
            && (self == Self::Owner || other != Self::Owner)
    }

    /// Whether this role rules over others, so that giving it away is an act of administration.
    #[must_use]
    pub fn is_privileged(self) -> bool {
        self.may(Permission::MembersManage)
    }
}

impl Permission {
    /// Whether using it changes what somebody else has, so that the person must have proved lately
    /// and with a second factor who they are (RFC 9470).
    #[must_use]
    pub const fn needs_step_up(self) -> bool {
        matches!(self, Self::FamilyDelete | Self::MembersManage | Self::DevicesManage)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_as_it_was_agreed() {
        let table: Vec<String> = Role::ALL
            .iter()
            .map(|role| {
                let may: Vec<_> = role.permissions().iter().map(|one| one.as_str()).collect();
                format!("{role}: {}", may.join(" "))
            })
            .collect();
        insta::assert_snapshot!(table.join("\n"));
    }

    #[test]
    fn only_an_owner_makes_or_unmakes_an_owner_and_nobody_makes_a_display() {
        let grants = |role: Role| -> Vec<&str> {
            Role::ALL.iter().filter(|&&to| role.may_grant(to)).map(|to| to.as_str()).collect()
        };
        assert_eq!(grants(Role::Owner), ["owner", "admin", "adult", "teen", "child", "caregiver"]);
        assert_eq!(grants(Role::Admin), ["admin", "adult", "teen", "child", "caregiver"]);
        for &role in Role::ALL.iter().filter(|role| !role.is_privileged()) {
            assert!(grants(role).is_empty(), "{role} grants nothing");
        }
    }

    #[test]
    fn v19_a_role_that_is_not_one_of_these_is_none() {
        assert_eq!(Role::parse("admin"), Some(Role::Admin));
        for text in ["Admin", "root", "", "admin "] {
            assert_eq!(Role::parse(text), None, "{text:?}");
        }
    }
}
