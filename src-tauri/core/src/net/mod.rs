//! The network: does what the engine asks, and says what came of it.
//!
//! | file | what |
//! |---|---|
//! | [`address`] | from what a person types or scans to where a server may be |
//! | `tls` | whom a device trusts: the world's roots by the program's own list, and a ship's own CA |
//! | `http`, `answer` | asking, and telling our server's answer from that of whoever else answers |
//! | `snapshot` | the site whole, read as it arrives |
//! | `voice` | what guests said, kept so that it plays again without a network |
//! | `socket`, `events` | the live socket, or the event stream in its place, one task each |
//! | `audio_line` | a call's voice over that socket, where the network lets no UDP through |
//!
//! The one question about whatever goes wrong is [`Fault::is_transient`](crate::engine::Fault::is_transient). A hotel's
//! sign-in page, a proxy's error and a stranger's JSON are never a refusal: only our own server says no. Another Crewbell
//! at the same address is a stranger, too: the token is sent only to the installation that it is from (`Http::confirm`).

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
pub use http::{Activity, Door, Http, Login, SignedIn};
pub use socket::{Socket, is_let_through};
pub use tls::trust;
pub use voice::VoiceCache;
