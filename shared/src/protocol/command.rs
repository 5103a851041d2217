//! What a client wants done.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::Refusal;
use crate::call::About;
use crate::ids::{ButtonId, CallId, CommandId, EndpointId, GuestId, NoteId, PersonId, PlaceId, RequestId, StayId};
use crate::person::Role;
use crate::place::PlaceKind;
use crate::request::{Kind, Priority};
use crate::site::Settings;

/// What a client wants done. Sending it twice does it once: the id is the idempotency key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Command {
    /// Made by the client when the person acted.
    pub id: CommandId,
    /// When the person acted, by the client's clock; kept with the command, never trusted for order.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub made_at: Option<Timestamp>,
    /// A command before this one without which it makes no sense; refused with it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub depends_on: Option<CommandId>,
    /// What.
    #[serde(flatten)]
    pub verb: Verb,
}

/// What became of a command.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Outcome {
    /// Which command.
    pub id: CommandId,
    /// The number of the last entry it made; none when it changed nothing or was refused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seq: Option<u64>,
    /// The rules' "no"; none when it was done.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refusal: Option<Refusal>,
}

/// The verbs. Their rules are in `rules`; one file each in the server's `actions/`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Verb {
    /// Ask for something without a button.
    CreateRequest {
        /// The new request's id, made by the client.
        request_id: RequestId,
        /// Where.
        place_id: PlaceId,
        /// What sort.
        kind: Kind,
        /// Which service, for a service.
        #[serde(default)]
        #[cfg_attr(feature = "openapi", schema(max_length = 200))]
        service: Option<String>,
        /// How much it matters; by its kind when not given.
        #[serde(default)]
        priority: Option<Priority>,
        /// What is wanted, in words.
        #[serde(default)]
        #[cfg_attr(feature = "openapi", schema(max_length = 2000))]
        text: Option<String>,
    },
    /// Take a request.
    AcceptRequest {
        /// Which.
        request_id: RequestId,
    },
    /// Give a request back.
    ReleaseRequest {
        /// Which.
        request_id: RequestId,
    },
    /// Give a request to a colleague.
    HandOverRequest {
        /// Which.
        request_id: RequestId,
        /// To whom.
        to: PersonId,
    },
    /// Say that the guest was served.
    CompleteRequest {
        /// Which.
        request_id: RequestId,
    },
    /// Say that it came to nothing.
    CancelRequest {
        /// Which.
        request_id: RequestId,
        /// Why.
        #[serde(default)]
        #[cfg_attr(feature = "openapi", schema(max_length = 2000))]
        reason: Option<String>,
    },
    /// Write something on a request.
    NoteRequest {
        /// Which.
        request_id: RequestId,
        /// The new note's id, made by the client.
        note_id: NoteId,
        /// What to write.
        #[cfg_attr(feature = "openapi", schema(min_length = 1, max_length = 2000))]
        text: String,
    },
    /// Say where a button is; also moves it, and brings a retired one back.
    AssignButton {
        /// Which.
        button_id: ButtonId,
        /// Where it is.
        place_id: PlaceId,
        /// Its name, where the place alone doesn't tell.
        #[serde(default)]
        #[cfg_attr(feature = "openapi", schema(max_length = 200))]
        name: Option<String>,
    },
    /// Make a button known before its first press.
    CreateButton {
        /// The new button's id, made by the client.
        button_id: ButtonId,
        /// Its id on the wire.
        #[cfg_attr(feature = "openapi", schema(min_length = 1, max_length = 64))]
        device: String,
        /// Where it is.
        place_id: PlaceId,
        /// Its name.
        #[serde(default)]
        #[cfg_attr(feature = "openapi", schema(max_length = 200))]
        name: Option<String>,
    },
    /// Take a button out of use.
    RetireButton {
        /// Which.
        button_id: ButtonId,
    },
    /// Create a place, or change one that has the id already.
    SavePlace {
        /// The place's id, made by the client when it is new.
        place_id: PlaceId,
        /// What it stands in.
        #[serde(default)]
        parent_id: Option<PlaceId>,
        /// Its name.
        #[cfg_attr(feature = "openapi", schema(min_length = 1, max_length = 200))]
        name: String,
        /// What sort.
        kind: PlaceKind,
        /// Where it stands among its siblings.
        #[serde(default)]
        position: i32,
    },
    /// Switch a place's do-not-disturb.
    SetDoNotDisturb {
        /// Which.
        place_id: PlaceId,
        /// On or off.
        on: bool,
    },
    /// Create a guest, or change one that has the id already.
    SaveGuest {
        /// The guest's id, made by the client when they are new.
        guest_id: GuestId,
        /// How they like to be called.
        #[cfg_attr(feature = "openapi", schema(min_length = 1, max_length = 200))]
        name: String,
        /// What the crew should know.
        #[serde(default)]
        #[cfg_attr(feature = "openapi", schema(max_length = 2000))]
        notes: String,
    },
    /// Check a guest into a place.
    CheckIn {
        /// The new stay's id, made by the client.
        stay_id: StayId,
        /// Who.
        guest_id: GuestId,
        /// Where.
        place_id: PlaceId,
    },
    /// Check a guest out.
    CheckOut {
        /// Which stay ends.
        stay_id: StayId,
    },
    /// Create a member of the crew, or change one that has the id already. The secret travels by another door.
    SavePerson {
        /// The person's id, made by the client when they are new.
        person_id: PersonId,
        /// The name they sign in with.
        #[cfg_attr(feature = "openapi", schema(min_length = 1, max_length = 200))]
        name: String,
        /// What they do.
        role: Role,
        /// Whether they may sign in.
        #[serde(default = "yes")]
        active: bool,
    },
    /// Go on or off duty; for somebody else with the right to change the crew.
    SetDuty {
        /// Who.
        person_id: PersonId,
        /// On or off.
        on_duty: bool,
    },
    /// Change how the site is run.
    SaveSettings {
        /// All of them.
        settings: Settings,
    },
    /// Call a colleague. Where they are calling at this moment themselves, that call is answered instead.
    StartCall {
        /// The new call's id, made by the client.
        call_id: CallId,
        /// Whom.
        callee_id: PersonId,
        /// What about; its name is the site's to say.
        #[serde(default)]
        about: Option<About>,
        /// The run of the app that will speak; none for a client that has no voice.
        #[serde(default)]
        endpoint: Option<EndpointId>,
    },
    /// Answer a call that rings.
    AnswerCall {
        /// Which.
        call_id: CallId,
        /// The run of the app that will speak; none for a client that has no voice.
        #[serde(default)]
        endpoint: Option<EndpointId>,
    },
    /// Say no to a call that rings.
    RejectCall {
        /// Which.
        call_id: CallId,
    },
    /// Hang up: give up while it rings, say no while it rings, or end what was answered.
    EndCall {
        /// Which.
        call_id: CallId,
        /// Whether it broke off: the other side's voice is gone.
        #[serde(default)]
        dropped: bool,
    },
    /// Say that one has seen that one missed a call.
    SeeCall {
        /// Which.
        call_id: CallId,
    },
    /// Say that one doesn't want to be called, or does again.
    SetBusy {
        /// Who; nobody but oneself.
        person_id: PersonId,
        /// Busy or not.
        busy: bool,
    },
}

fn yes() -> bool {
    true
}
