//! The only writers. One file per verb.
//!
//! An action declares its [read set](Action::reads), and [decides](Action::decide) in memory what to do; it never
//! touches the database. The site's [`Writer`] does the rest, the same for every action: begin, look up the command,
//! lock and load the read set, decide, save, append to the log, record the command's outcome, commit, wake the readers.
//!
//! # To add a verb
//! 1. Its variant in `shared::protocol::Verb` and its rule in `shared::rules`, as described there: an offline app
//!    decides by the same rule.
//! 2. A file here with a struct that is an [`Action`]: the rule's read set, and a call of the rule on the
//!    [`ActionContext::case`]; and its arm in `verbs.rs`.
//! 3. Its endpoint in `http/`, three lines; its story in `tests/`.
//!
//! An action that no client asks for (a press, a sign-in, the archive) has its rule in its file here.
//!
//! # To add an entity
//! Its type in `shared`, in `Entity` and in `rules::Sight`; a migration; `db/<entity>.rs`; a table in [`UnitOfWork`] with
//! its line in `load` and in `save`. Everything else (log, sockets, sync, activity) carries it unchanged.

mod accept_request;
mod age_sessions;
mod answer_call;
mod archive_entries;
mod assign_button;
mod batch;
mod cancel_request;
mod check_in;
mod check_out;
mod complete_request;
mod count_unheard;
mod create_button;
mod create_request;
mod create_site;
mod drop_call;
mod effects;
mod end_call;
mod expire_call;
mod export_activity;
mod hand_over_request;
mod hear_button;
mod keep_recording;
mod note_request;
mod prove;
mod raise_request;
mod refusals;
mod reject_call;
mod release_request;
mod retire_button;
mod save_guest;
mod save_person;
mod save_place;
mod save_settings;
mod see_call;
mod see_people;
mod set_busy;
mod set_do_not_disturb;
mod set_duty;
mod set_secret;
mod settle_button;
mod sign_in;
mod sign_out;
mod start_call;
mod store;
mod tell_wrong_secrets;
mod too_old;
mod unit_of_work;
mod verbs;
mod writer;

pub use age_sessions::AgeSessions;
pub use archive_entries::ArchiveEntries;
pub use count_unheard::CountUnheard;
pub use create_site::CreateSite;
pub use drop_call::DropCall;
pub use effects::{Answer, Effect, Effects};
pub use expire_call::ExpireCall;
pub use export_activity::ExportActivity;
pub use hear_button::HearButton;
pub use keep_recording::KeepRecording;
pub use prove::Prove;
pub use raise_request::RaiseRequest;
pub use see_people::SeePeople;
pub use set_secret::{ChangeOwnSecret, SetButtonSecret, SetJoinCode, SetPersonSecret};
pub use settle_button::SettleButton;
pub use sign_in::{SignIn, SignInWithSecret};
pub use sign_out::SignOut;
pub use tell_wrong_secrets::TellWrongSecrets;
pub use unit_of_work::{ReadSet, UnitOfWork};
pub use verbs::{action, digest};
pub use writer::{ActionError, ActionOutcome, Deps, Health, IdempotencyKey, Job, Refuse, Writer};

use crewbell_shared::Refusal;
use crewbell_shared::ids::PersonId;
use crewbell_shared::person::Actor;
use crewbell_shared::rules::DecisionContext;
use jiff::Timestamp;

use crate::clock::Ids;

/// An action: a change of a site.
pub trait Action: Send + Sync + std::fmt::Debug {
    /// Declares the entities that the decision reads; they are locked and loaded before it.
    fn reads(&self, wants: &mut ReadSet);

    /// Declares what the decision reads of the acting person, beside the person.
    fn reads_of_actor(&self, _actor: PersonId, _wants: &mut ReadSet) {}

    /// Decides what to do. Pure, except for new ids.
    ///
    /// # Errors
    /// Returns the rules' refusal; then nothing is done.
    fn decide(&self, world: &UnitOfWork, moment: &ActionContext<'_>) -> Result<Effects, Refusal>;
}

/// Context of a decision: the time, the actor, and the source of new ids.
#[derive(Clone, Copy, Debug)]
pub struct ActionContext<'a> {
    /// The time of the decision.
    pub at: Timestamp,
    /// The actor.
    pub actor: &'a Actor,
    /// Generator of ids.
    pub ids: &'a Ids,
}

impl ActionContext<'_> {
    /// Returns the context for the rules that server and clients share.
    pub fn case<'a>(&'a self, world: &'a UnitOfWork) -> DecisionContext<'a> {
        DecisionContext { view: world, actor: self.actor, at: self.at }
    }
}
