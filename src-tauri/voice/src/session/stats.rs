//! Statistics of a connection.

/// The statistics of a connection. Unknown values are `None`: reports come once a second.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Stats {
    /// The round-trip time in milliseconds.
    pub rtt_ms: Option<f32>,
    /// The interarrival jitter of received packets, in milliseconds (RFC 3550, 6.4.1).
    pub jitter_ms: Option<f32>,
    /// The recent loss rate of sent packets, from 0 to 1 (RFC 3550, 6.4.1).
    pub lost_fraction: Option<f32>,
    /// The cumulative loss of sent packets.
    pub reported: Option<Reported>,
    /// The loss rate of received packets over the whole call, from 0 to 1.
    pub missed_fraction: Option<f32>,
    /// The type of the local candidate in use.
    pub kind: Option<Kind>,
    /// The number of packets sent.
    pub sent: u64,
    /// The number of packets received.
    pub received: u64,
}

/// The other side's report on sent packets (RFC 3550, 6.4.1). Packets sent over the live socket count as lost, so only
/// the difference of two reports during uninterrupted use of UDP is meaningful.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Reported {
    /// The extended highest sequence number received: it grows by one with each expected packet.
    pub expected: u32,
    /// The cumulative number of lost packets; negative if there were more duplicates.
    pub missed: i32,
}

/// The type of a candidate (RFC 8445, 5.1.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Host: an interface of this device.
    Host,
    /// Server-reflexive: an address of a NAT router, found by STUN; also peer-reflexive ones.
    Srflx,
    /// Relayed: an address of a TURN server.
    Relay,
}
