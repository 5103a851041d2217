//! A request in detail: what happened, notes, handing over, the voice message.
