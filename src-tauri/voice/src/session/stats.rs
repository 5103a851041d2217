//! How a connection does, in figures.

/// How a connection does. What isn't known yet is `None`: reports come once a second.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Stats {
    /// To the other side and back, in milliseconds.
    pub rtt_ms: Option<f32>,
    /// How unevenly the other side's packets arrive here, in milliseconds (RFC 3550, 6.4.1).
    pub jitter_ms: Option<f32>,
    /// What of our packets the other side missed lately, from 0 to 1 (RFC 3550, 6.4.1).
    pub lost_fraction: Option<f32>,
    /// The same from the beginning, to be compared with what it was earlier.
    pub reported: Option<Reported>,
    /// What of the other side's packets was missed here, from 0 to 1, over the whole call.
    pub missed_fraction: Option<f32>,
    /// By what kind of own address packets leave.
    pub kind: Option<Kind>,
    /// Packets that left.
    pub sent: u64,
    /// Packets that came.
    pub received: u64,
}

/// What the other side has reported of our packets (RFC 3550, 6.4.1). What went over the live socket counts as missed: only
/// the difference of two reports of one stay on UDP means something.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Reported {
    /// The highest sequence number that came, extended: it grows by one with each packet that was due.
    pub expected: u32,
    /// How many of them were missed so far; fewer than none, when more came twice.
    pub missed: i32,
}

/// The kind of an address (RFC 8445, 5.1.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Of an interface of this device.
    Host,
    /// Of a router in front of this device, by STUN; or one that only the other side saw.
    Srflx,
    /// Of a TURN server.
    Relay,
}
