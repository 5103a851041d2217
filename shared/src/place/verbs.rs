//! The verbs of places and their rules: the tree of decks and cabins, and do-not-disturb.

use super::{Place, PlaceKind};
use crate::Refusal;
use crate::ids::PlaceId;
use crate::person::Right;
use crate::protocol::{VerbMeta, VerbSet, verbs};
use crate::rules::{Change, Decision, DecisionContext, Lookup, name, saved};

verbs! {
    /// The operations on a place.
    pub enum PlaceVerb {
        /// Creates a place, or changes the one with that id. What is left out goes to its default.
        Save = "save_place" {
            /// The place's id, made by the client when it is new.
            place_id: PlaceId,
            /// The parent in the tree.
            #[serde(default)]
            parent_id: Option<PlaceId>,
            /// Its name.
            #[cfg_attr(feature = "openapi", schema(min_length = 1, max_length = 200))]
            name: String,
            /// The place's kind.
            kind: PlaceKind,
            /// The sort position among its siblings.
            #[serde(default)]
            position: i32,
        }
        /// Switches a place's do-not-disturb. It is shown, and never suppresses a press.
        SetDoNotDisturb = "set_do_not_disturb" {
            /// The place's id.
            place_id: PlaceId,
            /// On or off.
            on: bool,
        }
    }
}

impl VerbSet for PlaceVerb {
    fn meta(&self) -> VerbMeta {
        match self {
            Self::Save { place_id, parent_id, .. } => {
                parent_id.iter().fold(VerbMeta::of(*place_id), |meta, parent| meta.with(*parent)).by(Right::EditPlaces)
            }
            Self::SetDoNotDisturb { place_id, .. } => VerbMeta::of(*place_id).by(Right::AnswerRequests),
        }
    }

    fn decide(&self, ctx: &DecisionContext<'_>) -> Decision {
        match self {
            Self::Save { place_id, parent_id, name, kind, position } => {
                ctx.save_place(*place_id, *parent_id, name, *kind, *position)
            }
            Self::SetDoNotDisturb { place_id, on } => ctx.set_do_not_disturb(*place_id, *on),
        }
    }
}

impl DecisionContext<'_> {
    /// Creates or changes a place.
    pub fn save_place(
        &self,
        id: PlaceId,
        parent_id: Option<PlaceId>,
        called: &str,
        kind: PlaceKind,
        position: i32,
    ) -> Decision {
        if let Some(parent) = parent_id {
            // One level suffices for ships and hotels, and excludes cycles.
            let parent = self.known(parent)?;
            if parent.kind != PlaceKind::Deck || parent.parent_id.is_some() || parent.id == id {
                return Err(Refusal::invalid("parent_id", "A place stands in a deck or floor, or in nothing."));
            }
        }
        if kind == PlaceKind::Deck && parent_id.is_some() {
            return Err(Refusal::invalid("parent_id", "A deck stands in nothing."));
        }
        let before = self.view.get(id);
        let place = Place {
            id,
            parent_id,
            name: name("name", called)?,
            kind,
            position,
            do_not_disturb: before.is_some_and(|place| place.do_not_disturb),
        };
        Ok(saved(before, place, "place_created", "place_changed"))
    }

    /// Switches a place's do-not-disturb; done by the crew.
    pub fn set_do_not_disturb(&self, id: PlaceId, on: bool) -> Decision {
        let before = self.known(id)?;
        if before.do_not_disturb == on {
            return Ok(Vec::new());
        }
        let kind = if on { "do_not_disturb_set" } else { "do_not_disturb_cleared" };
        Ok(vec![Change::new(Place { do_not_disturb: on, ..before.clone() }, kind)])
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{Yacht, at, by, cabin, dana, deck, id};

    fn decided(
        yacht: &mut Yacht,
        rule: impl Fn(&DecisionContext<'_>) -> Decision,
    ) -> Result<Vec<&'static str>, Refusal> {
        let changes = rule(&DecisionContext { view: yacht, actor: &by(&dana()), at: at(60) })?;
        Ok(yacht.apply(changes))
    }

    #[test]
    fn a_place_is_created_then_changed_then_as_it_was() {
        let mut yacht = Yacht::default();
        let mut save = |called: &str| {
            let save = |ctx: &DecisionContext<'_>| ctx.save_place(id(8), Some(deck().id), called, PlaceKind::Cabin, 8);
            decided(&mut yacht, save).unwrap()
        };
        assert_eq!(save("Cabin 8"), ["place_created"]);
        assert_eq!(save("Cabin Eight"), ["place_changed"]);
        assert_eq!(save(" Cabin Eight "), [""; 0]);
    }

    #[test]
    fn a_place_stands_in_a_deck_and_a_deck_in_nothing() {
        let mut yacht = Yacht::default();
        let mut save = |number, parent, kind| {
            let place = decided(&mut yacht, |ctx| ctx.save_place(id(number), Some(parent), "Here", kind, 0));
            place.unwrap_err().details["field"].clone()
        };
        assert_eq!(save(8, cabin().id, PlaceKind::Cabin), "parent_id");
        assert_eq!(save(8, deck().id, PlaceKind::Deck), "parent_id");
        assert_eq!(save(4, deck().id, PlaceKind::Cabin), "parent_id", "the deck itself");
    }

    #[test]
    fn a_new_name_disturbs_nobody() {
        let mut yacht = Yacht::default();
        let set = |ctx: &DecisionContext<'_>| ctx.set_do_not_disturb(cabin().id, true);
        assert_eq!(decided(&mut yacht, set).unwrap(), ["do_not_disturb_set"]);
        assert_eq!(decided(&mut yacht, set).unwrap(), [""; 0], "it is set already");
        let save = |ctx: &DecisionContext<'_>| ctx.save_place(cabin().id, None, "Owner", PlaceKind::Cabin, 1);
        assert_eq!(decided(&mut yacht, save).unwrap(), ["place_changed"]);
        assert!(yacht.get(cabin().id).unwrap().do_not_disturb);
        let clear = |ctx: &DecisionContext<'_>| ctx.set_do_not_disturb(cabin().id, false);
        assert_eq!(decided(&mut yacht, clear).unwrap(), ["do_not_disturb_cleared"]);
    }
}
