//! The network client: executes the engine's network outputs and reports the results.
//!
//! | file | purpose |
//! |---|---|
//! | [`address`] | turns typed or scanned text into candidate server addresses |
//! | `tls` | the trusted CAs: Mozilla's roots built into the program, and a site's own CA |
//! | `http`, `answer` | HTTP requests, and the check that a response comes from a Crewbell server |
//! | `snapshot` | reads a site's snapshot as a stream |
//! | `voice` | cache of guests' recordings, for playback without a network |
//! | `socket`, `events` | the live socket, or the event stream in its place, one task each |
//! | `audio_line` | relays a call's audio over that socket where the network blocks UDP |
//!
//! Every failure is classified by [`Fault::is_transient`](crate::engine::Fault::is_transient). Only the Crewbell server
//! can refuse: a captive portal's page, a proxy's error and foreign JSON never count as a refusal. The same holds for
//! another Crewbell at the same address: the token is sent only to the installation that issued it (`Http::confirm`).

pub mod address;
mod answer;
mod audio_line;
mod events;
mod http;
mod snapshot;
mod socket;
mod tls;
mod voice;

pub use audio_line::{AudioEnd, AudioLine};
pub use http::{Activity, ApiClient, Http, Login, SignedIn};
pub use socket::{Socket, is_let_through};
pub use tls::trust;
pub use voice::VoiceCache;
