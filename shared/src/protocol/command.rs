//! Commands: the envelope, the verb and the outcome.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{object, object_or_null};
use crate::Refusal;
use crate::call::About;
use crate::ids::{ButtonId, CallId, CommandId, EndpointId, GuestId, NoteId, PersonId, PlaceId, RequestId, StayId};
use crate::person::Role;
use crate::place::PlaceKind;
use crate::request::{Kind, Priority};
use crate::site::SiteSettings;

/// A client's command: the envelope of a verb. Sending it twice executes it once, because the id is the idempotency
/// key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Command {
    /// The command's id, made by the client when the person acted.
    pub id: CommandId,
    /// The time when the person acted, by the client's clock; stored with the command, never used for ordering.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub made_at: Option<Timestamp>,
    /// The id of an earlier command that this one depends on; if that is refused, so is this one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub depends_on: Option<CommandId>,
    /// The operation.
    #[serde(flatten)]
    pub verb: Verb,
}

/// The result of a command.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Outcome {
    /// The command's id.
    pub id: CommandId,
    /// The number of the last entry that it appended; none if it changed nothing or was refused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seq: Option<u64>,
    /// The refusal; none if it succeeded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refusal: Option<Refusal>,
}

/// The operations that a client can command. Their rules are in `rules`; the server has a file for each in `actions/`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Verb {
    /// Creates a request without a button.
    CreateRequest {
        /// The new request's id, made by the client.
        request_id: RequestId,
        /// The place that the request is for.
        place_id: PlaceId,
        /// The request's kind.
        kind: Kind,
        /// The service's code, if the kind is a service.
        #[serde(default)]
        #[cfg_attr(feature = "openapi", schema(max_length = 200))]
        service: Option<String>,
        /// The priority; by default that of the kind or service.
        #[serde(default)]
        priority: Option<Priority>,
        /// The request's text.
        #[serde(default)]
        #[cfg_attr(feature = "openapi", schema(max_length = 2000))]
        text: Option<String>,
    },
    /// Accepts a request.
    AcceptRequest {
        /// The request's id.
        request_id: RequestId,
    },
    /// Releases an accepted request.
    ReleaseRequest {
        /// The request's id.
        request_id: RequestId,
    },
    /// Hands a request over to a colleague.
    HandOverRequest {
        /// The request's id.
        request_id: RequestId,
        /// The colleague.
        to: PersonId,
    },
    /// Completes a request: the guest was served.
    CompleteRequest {
        /// The request's id.
        request_id: RequestId,
    },
    /// Cancels a request.
    CancelRequest {
        /// The request's id.
        request_id: RequestId,
        /// The reason.
        #[serde(default)]
        #[cfg_attr(feature = "openapi", schema(max_length = 2000))]
        reason: Option<String>,
    },
    /// Adds a note to a request.
    NoteRequest {
        /// The request's id.
        request_id: RequestId,
        /// The new note's id, made by the client.
        note_id: NoteId,
        /// The note's text.
        #[cfg_attr(feature = "openapi", schema(min_length = 1, max_length = 2000))]
        text: String,
    },
    /// Assigns a button to a place; also moves it or reactivates a retired one.
    AssignButton {
        /// The button's id.
        button_id: ButtonId,
        /// The place.
        place_id: PlaceId,
        /// The button's name, if the place alone doesn't identify it.
        #[serde(default)]
        #[cfg_attr(feature = "openapi", schema(max_length = 200))]
        name: Option<String>,
    },
    /// Creates a button before its first press.
    CreateButton {
        /// The new button's id, made by the client.
        button_id: ButtonId,
        /// The button's device id on the wire.
        #[cfg_attr(feature = "openapi", schema(min_length = 1, max_length = 64))]
        device: String,
        /// The place.
        place_id: PlaceId,
        /// Its name.
        #[serde(default)]
        #[cfg_attr(feature = "openapi", schema(max_length = 200))]
        name: Option<String>,
    },
    /// Retires a button.
    RetireButton {
        /// The button's id.
        button_id: ButtonId,
    },
    /// Creates a place, or changes the one with that id.
    SavePlace {
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
    },
    /// Switches a place's do-not-disturb.
    SetDoNotDisturb {
        /// The place's id.
        place_id: PlaceId,
        /// On or off.
        on: bool,
    },
    /// Creates a guest, or changes the one with that id.
    SaveGuest {
        /// The guest's id, made by the client when they are new.
        guest_id: GuestId,
        /// The name that the guest prefers.
        #[cfg_attr(feature = "openapi", schema(min_length = 1, max_length = 200))]
        name: String,
        /// Notes for the crew.
        #[serde(default)]
        #[cfg_attr(feature = "openapi", schema(max_length = 2000))]
        notes: String,
    },
    /// Checks a guest into a place.
    CheckIn {
        /// The new stay's id, made by the client.
        stay_id: StayId,
        /// The guest.
        guest_id: GuestId,
        /// The place.
        place_id: PlaceId,
    },
    /// Checks a guest out.
    CheckOut {
        /// The id of the stay that ends.
        stay_id: StayId,
    },
    /// Creates a member of the crew, or changes the one with that id. The secret is set by another endpoint.
    SavePerson {
        /// The person's id, made by the client when they are new.
        person_id: PersonId,
        /// The name used for sign-in.
        #[cfg_attr(feature = "openapi", schema(min_length = 1, max_length = 200))]
        name: String,
        /// The person's role.
        role: Role,
        /// Whether the person may sign in.
        #[serde(default = "yes")]
        active: bool,
    },
    /// Goes on or off duty; setting somebody else's duty needs the right to take over.
    SetDuty {
        /// The person.
        person_id: PersonId,
        /// On or off.
        on_duty: bool,
    },
    /// Changes the site's settings.
    SaveSettings {
        /// All settings.
        #[serde(deserialize_with = "object")]
        settings: SiteSettings,
    },
    /// Calls a colleague. If the colleague is calling the caller at that moment, that call is answered instead.
    StartCall {
        /// The new call's id, made by the client.
        call_id: CallId,
        /// The person to call.
        callee_id: PersonId,
        /// The subject of the call; the server sets its name.
        #[serde(default, deserialize_with = "object_or_null")]
        about: Option<About>,
        /// The app's endpoint for the audio; none for a client without voice.
        #[serde(default)]
        endpoint: Option<EndpointId>,
    },
    /// Answers a ringing call.
    AnswerCall {
        /// The call's id.
        call_id: CallId,
        /// The app's endpoint for the audio; none for a client without voice.
        #[serde(default)]
        endpoint: Option<EndpointId>,
    },
    /// Rejects a ringing call.
    RejectCall {
        /// The call's id.
        call_id: CallId,
    },
    /// Ends a call: cancels or rejects it while it rings, hangs up once it was answered.
    EndCall {
        /// The call's id.
        call_id: CallId,
        /// Whether the connection was lost: the other side's audio is gone.
        #[serde(default)]
        dropped: bool,
    },
    /// Marks a missed call as seen.
    SeeCall {
        /// The call's id.
        call_id: CallId,
    },
    /// Sets whether a person is busy, so that calls don't ring.
    SetBusy {
        /// The person; only oneself is allowed.
        person_id: PersonId,
        /// Busy or not.
        busy: bool,
    },
}

fn yes() -> bool {
    true
}
