//! Deliberate faults of an engine, injected one at a time.

/// An injected fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sabotage {
    /// A command is shown and sent without being stored.
    DropSave,
    /// A command is resent under a new id.
    ResendWithoutId,
    /// The cursor moves one entry further than was read.
    SkipCursor,
    /// A frame is applied although the one before it was missed.
    BelieveEveryFrame,
    /// A refusal is treated as a success.
    ForgetRefusal,
    /// The newest waiting command is sent first.
    SendNewestFirst,
    /// The server's log is taken for the one that was read, in spite of different ids.
    BelieveEveryLog,
    /// A call rings until a message ends it, without a timer.
    RingUntilTold,
    /// A device continues to ring for a call that another has answered.
    RingOnWhenAnswered,
    /// A device continues to talk in a call that is over, or another's.
    TalkOn,
    /// A command with only a live effect waits for the next connection.
    KeepLiveVerbs,
    /// The first rejection of the token is believed.
    BelieveTheFirstNo,
    /// A command refused with `not_active` is taken for the end of one's own session.
    TakeNotActiveForSignedOut,
    /// A device whose core failed doesn't emit its alerts again.
    KeepSilentAfterAFailure,
    /// A rejection by an intermediary is taken for a network failure.
    TakeBlockedForAway,
    /// An event stream is never used.
    WaitForASocket,
    /// Nothing rings while everybody is off duty.
    LeaveTheOffDutyAlone,
    /// An accepted request never rings.
    RingForWhatIsOpen,
    /// A restarted part of the shell doesn't receive its state again.
    SayNothingAgain,
    /// Any installation that sends `welcome` is accepted.
    BelieveEveryInstallation,
    /// The token is validated with any installation at the address.
    AskEveryInstallation,
}
