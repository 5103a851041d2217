//! The crew: people, their roles and their rights.

mod rights;
mod secret;
mod verbs;

use serde::{Deserialize, Serialize};

use crate::EntityBody;
use crate::ids::PersonId;

pub use rights::{Right, allows};
pub use secret::{PASSWORD_CHARACTERS, PIN_DIGITS, check_secret};
pub use verbs::PersonVerb;

/// A person's role on board.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Answers guests' requests: stewardesses, stewards, butlers.
    Crew,
    /// Leads the crew: assigns buttons, takes over, cancels.
    Supervisor,
    /// Does repairs.
    Technician,
    /// Sees everything and sends people.
    Dispatcher,
    /// Sets up the site.
    Admin,
}

impl Role {
    /// Every role.
    pub const ALL: [Self; 5] = [Self::Crew, Self::Supervisor, Self::Technician, Self::Dispatcher, Self::Admin];

    /// The role's name on the wire and in the database.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Crew => "crew",
            Self::Supervisor => "supervisor",
            Self::Technician => "technician",
            Self::Dispatcher => "dispatcher",
            Self::Admin => "admin",
        }
    }
}

impl std::str::FromStr for Role {
    type Err = UnknownRole;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL.into_iter().find(|role| role.as_str() == text).ok_or_else(|| UnknownRole(text.to_owned()))
    }
}

/// Error: the text names no role.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("\"{0}\" is no role; roles are crew, supervisor, technician, dispatcher, admin")]
pub struct UnknownRole(String);

/// A member of the crew, as visible to everybody at the site.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Person {
    /// The person's id.
    pub id: PersonId,
    /// The name used for sign-in; unique at the site, regardless of case.
    pub name: String,
    /// The person's role.
    pub role: Role,
    /// Whether the person is on duty, as set by themselves.
    pub on_duty: bool,
    /// Whether the person is busy, so that calls don't ring, as set by themselves.
    #[serde(default)]
    pub busy: bool,
    /// Whether the person may sign in.
    pub active: bool,
}

impl EntityBody for Person {}

/// A reference to a person in another entity, with the name, so that "accepted by Siri" can be shown after they left.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct PersonRef {
    /// The person's id.
    pub id: PersonId,
    /// The person's name at the time.
    pub name: String,
}

impl Person {
    /// Makes a reference to this person for another entity.
    pub fn as_ref(&self) -> PersonRef {
        PersonRef { id: self.id, name: self.name.clone() }
    }
}

/// The actor of a command or event: a member of the crew, a button, or the server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Actor {
    /// A member of the crew.
    Person(Person),
    /// A button, by its own name or that of its place.
    Button {
        /// The button's name in the log.
        name: String,
    },
    /// The server: timers, retention, the administrator's command line.
    System,
}

impl Actor {
    /// Checks that the actor has a right. Buttons and the server have every right.
    ///
    /// # Errors
    /// Returns `not_allowed` with the right's name, or `not_active` for a person who may not sign in.
    pub fn need(&self, right: Right) -> Result<(), crate::Refusal> {
        use crate::{Code, Refusal};
        match self {
            Self::Person(person) if !person.active => Err(Refusal::not_active(person)),
            Self::Person(person) if !allows(person.role, right) => {
                Err(Refusal::new(Code::NotAllowed, format!("Your role may not {}.", right.sentence()))
                    .with("right", &right))
            }
            Self::Person(_) | Self::Button { .. } | Self::System => Ok(()),
        }
    }

    /// Whether the actor has the right.
    pub fn may(&self, right: Right) -> bool {
        self.need(right).is_ok()
    }

    /// The person, if the actor is a person.
    pub fn person(&self) -> Option<&Person> {
        match self {
            Self::Person(person) => Some(person),
            Self::Button { .. } | Self::System => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_role_reads_back_as_it_is_written() {
        for role in Role::ALL {
            assert_eq!(role.as_str().parse(), Ok(role));
            assert_eq!(serde_json::to_value(role).unwrap(), role.as_str());
        }
        assert!("captain".parse::<Role>().is_err());
    }
}
