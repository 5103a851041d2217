//! The verbs of an entity: what all of them have in common.

use crate::entities::Verb;
use crate::ids::PersonId;
use crate::person::Right;
use crate::rules::{Decision, DecisionContext, Query};
use crate::{EntityId, EntityKey};

/// The verbs of one entity: their metadata as a table, and their rules.
pub trait VerbSet {
    /// The verb's metadata.
    fn meta(&self) -> VerbMeta;

    /// What the rule reads beside the subject, the references and the actor.
    fn queries(&self, _actor: Option<PersonId>) -> Vec<Query> {
        Vec::new()
    }

    /// Decides by the verb's rule. The right in the metadata was checked before.
    ///
    /// # Errors
    /// Returns the rule's refusal; then nothing changes.
    fn decide(&self, ctx: &DecisionContext<'_>) -> Decision;
}

/// A verb's metadata: what it is about, and who may give it.
///
/// A client's outbox derives from the subject and the references which commands depend on which: a check-in on the
/// creation of its guest, an accept on the creation of its request.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct VerbMeta {
    /// The entity that the verb changes; none for the site itself, which needs no id.
    pub subject: Option<EntityKey>,
    /// Whether the verb always creates its subject, under an id that is new. A `save_…` creates its subject only if it
    /// doesn't exist, so this is false for it.
    pub creates: bool,
    /// The entities that the verb references beside its subject. Each must exist for the verb to succeed.
    pub references: Vec<EntityKey>,
    /// The right that it takes in every case. Where the right depends on the subject's state, the rule checks it.
    pub right: Option<Right>,
    /// Whether the verb is valid only at the moment, so that it can't be queued. A device without a connection refuses
    /// it (`no_connection`) and never stores it.
    pub live: bool,
}

impl VerbMeta {
    /// Of a verb that changes an entity.
    pub fn of(subject: impl EntityId) -> Self {
        Self { subject: Some(subject.into()), ..Self::default() }
    }

    /// Of a verb that always creates its entity.
    pub fn creating(subject: impl EntityId) -> Self {
        Self { creates: true, ..Self::of(subject) }
    }

    /// Adds an entity that must exist.
    #[must_use]
    pub fn with(mut self, reference: impl Into<EntityKey>) -> Self {
        self.references.push(reference.into());
        self
    }

    /// Sets the right that it always takes.
    #[must_use]
    pub fn by(self, right: Right) -> Self {
        Self { right: Some(right), ..self }
    }

    /// Makes it valid only at the moment.
    #[must_use]
    pub fn live(self) -> Self {
        Self { live: true, ..self }
    }
}

impl Verb {
    /// The entity that the verb changes; none for the site itself, which needs no id.
    pub fn subject(&self) -> Option<EntityKey> {
        self.meta().subject
    }

    /// Whether the verb is valid only at the moment; see [`VerbMeta::live`].
    pub fn is_live(&self) -> bool {
        self.meta().live
    }
}

/// Declares the verbs of an entity: an enum whose variants are named for the wire, with the field `type` beside their
/// own.
macro_rules! verbs {
    (
        $(#[$doc:meta])*
        pub enum $set:ident {
            $($(#[$about:meta])* $verb:ident = $name:tt {
                $($(#[$field_about:meta])* $field:ident: $ty:ty,)*
            })+
        }
    ) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
        #[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
        #[serde(tag = "type")]
        pub enum $set {
            $($(#[$about])* #[serde(rename = $name)] $verb { $($(#[$field_about])* $field: $ty,)* },)+
        }

        impl $set {
            /// The names of the verbs on the wire.
            pub const NAMES: &'static [&'static str] = &[$($name),+];

            /// The verb's name on the wire.
            pub fn name(&self) -> &'static str {
                match self { $(Self::$verb { .. } => $name,)+ }
            }
        }
    };
}

pub(crate) use verbs;
