//! The crew: who they are, and what their role lets them do.

mod rights;
mod secret;

use serde::{Deserialize, Serialize};

use crate::ids::PersonId;

pub use rights::{Right, allows};
pub use secret::{PASSWORD_CHARACTERS, PIN_DIGITS, check_secret};

/// What somebody does on board.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Answers guests: stewardesses, stewards, butlers.
    Crew,
    /// Leads the crew: assigns buttons, takes over, cancels.
    Supervisor,
    /// Mends things.
    Technician,
    /// Sees everything and sends people.
    Dispatcher,
    /// Sets the site up.
    Admin,
}

impl Role {
    /// Every role.
    pub const ALL: [Self; 5] = [Self::Crew, Self::Supervisor, Self::Technician, Self::Dispatcher, Self::Admin];

    /// The role as it crosses a wire and stands in the database.
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

/// The text is no role.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("\"{0}\" is no role; roles are crew, supervisor, technician, dispatcher, admin")]
pub struct UnknownRole(String);

/// A member of the crew, as everybody at the site may see them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Person {
    /// Who.
    pub id: PersonId,
    /// The name they sign in with; unique at the site, whatever its case.
    pub name: String,
    /// What they do.
    pub role: Role,
    /// Whether they are on duty, as they said themselves.
    pub on_duty: bool,
    /// Whether they don't want to be called, as they said themselves.
    #[serde(default)]
    pub busy: bool,
    /// Whether they may sign in at all.
    pub active: bool,
}

/// Somebody named in another noun: enough to show "accepted by Siri" for ever, also after they left.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct PersonRef {
    /// Who.
    pub id: PersonId,
    /// Their name at the time.
    pub name: String,
}

impl Person {
    /// Names this person in another noun.
    pub fn as_ref(&self) -> PersonRef {
        PersonRef { id: self.id, name: self.name.clone() }
    }
}

/// Who does something: a member of the crew, a button, or the server itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Actor {
    /// A member of the crew.
    Person(Person),
    /// A button, by the name of its place or its own.
    Button {
        /// How it is called in the log.
        name: String,
    },
    /// The server: timers, retention, the administrator's command line.
    System,
}

impl Actor {
    /// Refuses unless the actor has the right. Buttons and the server itself ask no one.
    ///
    /// # Errors
    /// `not_allowed` with the right's name; `not_active` for a person who may no longer sign in.
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

    /// The person, where it is one.
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
