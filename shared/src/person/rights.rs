//! Permissions: one table from roles to rights, used by the rules and the UI.

use serde::{Deserialize, Serialize};

use super::Role;

/// A permission that a role can carry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Right {
    /// Accept a guest's request, release it, complete one's own, write a note.
    AnswerRequests,
    /// Create a request without a button.
    CreateRequests,
    /// Complete, release or hand over a request that somebody else has.
    TakeOverRequests,
    /// Cancel a request.
    CancelRequests,
    /// Assign, name and retire buttons, and make their credentials.
    AssignButtons,
    /// Create and change places.
    EditPlaces,
    /// Check guests in and out, and change them.
    EditGuests,
    /// Create and change members of the crew, and end their sessions.
    EditPeople,
    /// Read the activity of the whole site.
    ReadActivity,
    /// Change the site's settings.
    EditSite,
}

impl Right {
    /// Every right.
    pub const ALL: [Self; 10] = [
        Self::AnswerRequests,
        Self::CreateRequests,
        Self::TakeOverRequests,
        Self::CancelRequests,
        Self::AssignButtons,
        Self::EditPlaces,
        Self::EditGuests,
        Self::EditPeople,
        Self::ReadActivity,
        Self::EditSite,
    ];

    /// The right as the end of the sentence "Your role may not …".
    pub fn sentence(self) -> &'static str {
        match self {
            Self::AnswerRequests => "answer requests",
            Self::CreateRequests => "create requests",
            Self::TakeOverRequests => "take over what somebody else has",
            Self::CancelRequests => "cancel requests",
            Self::AssignButtons => "assign buttons",
            Self::EditPlaces => "change places",
            Self::EditGuests => "change guests",
            Self::EditPeople => "change the crew",
            Self::ReadActivity => "read the activity",
            Self::EditSite => "change the site's settings",
        }
    }
}

/// Whether a role carries a right.
pub fn allows(role: Role, right: Right) -> bool {
    use Right as R;
    match role {
        Role::Crew => matches!(right, R::AnswerRequests | R::CreateRequests | R::ReadActivity | R::CancelRequests),
        Role::Technician => matches!(right, R::AnswerRequests | R::CreateRequests | R::ReadActivity),
        Role::Supervisor | Role::Dispatcher => !matches!(right, R::EditPeople | R::EditSite),
        Role::Admin => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The expected table of rights, by role.
    #[test]
    fn the_table_of_rights() {
        let rows: Vec<String> = Right::ALL
            .iter()
            .map(|&right| {
                let marks: String = Role::ALL.iter().map(|&role| if allows(role, right) { 'x' } else { '.' }).collect();
                format!("{marks} {}", right.sentence())
            })
            .collect();
        // crew, supervisor, technician, dispatcher, admin
        assert_eq!(
            rows,
            [
                "xxxxx answer requests",
                "xxxxx create requests",
                ".x.xx take over what somebody else has",
                "xx.xx cancel requests",
                ".x.xx assign buttons",
                ".x.xx change places",
                ".x.xx change guests",
                "....x change the crew",
                "xxxxx read the activity",
                "....x change the site's settings",
            ]
        );
    }
}
