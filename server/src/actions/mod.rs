//! The only writers.
//!
//! An action declares its [read set](Action::reads), and [decides](Action::decide) in memory what to do; it never
//! touches the database. The site's [`Writer`] does the rest, the same for every action: begin, look up the command,
//! lock and load the read set, decide, save, append to the log, record the command's outcome, commit, wake the readers.
//!
//! A client's command is run by one action, [`Execute`]: it reads what the verb names and asks for, and decides by the
//! rule of `shared`. So a new verb needs no file here. An action that no client asks for (a press, a sign-in, the
//! archive) has its rule in its file here.
//!
//! # To add an entity
//! Its line in `shared::entities`; a migration; `db/<entity>.rs`, with its arms in `lock` and `save` of `store.rs`.
//! Everything else (log, sockets, sync, activity) carries it unchanged.

mod age_sessions;
mod archive_entries;
mod batch;
mod count_unrecognised;
mod create_site;
mod effects;
mod end_call;
mod execute;
mod export_activity;
mod hear_button;
mod keep_recording;
mod prove;
mod raise_request;
mod refusals;
mod see_people;
mod set_secret;
mod settle_button;
mod sign_in;
mod sign_out;
mod store;
mod tell_wrong_secrets;
mod too_old;
mod unit_of_work;
mod writer;

pub use age_sessions::AgeSessions;
pub use archive_entries::ArchiveEntries;
pub use count_unrecognised::CountUnrecognised;
pub use create_site::CreateSite;
pub use effects::{Answer, Effect, Effects};
pub use end_call::{DropCall, ExpireCall};
pub use execute::{Execute, digest};
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
pub use writer::{ActionError, ActionOutcome, Deps, Health, IdempotencyKey, Job, Refuse, Writer};

use crewbell_shared::Refusal;
use crewbell_shared::ids::PersonId;
use crewbell_shared::person::Actor;
use jiff::Timestamp;

use crate::clock::Ids;

/// An action: a change of a site.
pub trait Action: Send + Sync + std::fmt::Debug {
    /// Declares the entities that the decision reads; they are locked and loaded before it.
    fn reads(&self, reads: &mut ReadSet);

    /// Declares what the decision reads of the acting person, beside the person.
    fn reads_of_actor(&self, _actor: PersonId, _reads: &mut ReadSet) {}

    /// Decides what to do. Pure, except for new ids.
    ///
    /// # Errors
    /// Returns the rules' refusal; then nothing is done.
    fn decide(&self, unit: &UnitOfWork, ctx: &ActionContext<'_>) -> Result<Effects, Refusal>;
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
