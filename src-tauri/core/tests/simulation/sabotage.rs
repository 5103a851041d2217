//! Ways in which an engine could be broken, one at a time.

/// What is broken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sabotage {
    /// A command is shown and sent without having been stored.
    DropSave,
    /// A command that is sent a second time has a new id.
    ResendWithoutId,
    /// The cursor moves one further than what was read.
    SkipCursor,
    /// A frame is applied though the one before it was missed.
    BelieveEveryFrame,
    /// A refusal is taken for a success.
    ForgetRefusal,
    /// Of what waits, the newest is sent first.
    SendNewestFirst,
    /// The server's log is taken for the one that was read, whatever its ids say.
    BelieveEveryLog,
    /// A call rings until a message says that it is over.
    RingUntilTold,
    /// A device rings on for a call that another has answered.
    RingOnWhenAnswered,
    /// A device speaks on over a call that is over, or another's.
    TalkOn,
    /// What was worth something only at the time waits for the next connection.
    KeepLiveVerbs,
    /// Whoever says first that the token is dead is believed.
    BelieveTheFirstNo,
    /// A command that is refused because somebody is no longer active is taken for the end of one's own sign-in.
    TakeNotActiveForSignedOut,
    /// A device whose core failed doesn't say anew what rings.
    KeepSilentAfterAFailure,
    /// A command that somebody in between refuses is taken for a network that is down.
    TakeBlockedForAway,
    /// No event stream is ever listened to.
    WaitForASocket,
    /// Nothing rings while nobody is on duty.
    LeaveTheOffDutyAlone,
    /// A request that somebody has never rings.
    RingForWhatIsOpen,
    /// A part of the shell that begins anew isn't told what it is to do.
    SayNothingAgain,
    /// Whoever welcomes a device is taken for the installation that it signed in to.
    BelieveEveryInstallation,
    /// Whoever is at the address is asked what the token is worth.
    AskEveryInstallation,
}
