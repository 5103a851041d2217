//! Call signalling of a connection, and relayed voice where UDP is blocked.

use std::num::NonZeroU32;

use axum::body::Bytes;
use axum::extract::ws::Message;
use crewbell_shared::ids::{CallId, EndpointId};
use crewbell_shared::protocol::live::{FromServer, Signal};
use crewbell_shared::{Code, Refusal};
use governor::{DefaultDirectRateLimiter, Quota, RateLimiter};

use super::switchboard::{EndpointGuard, LARGEST_SIGNAL, SIGNAL_RATE};
use crate::auth::SignedIn;

/// Rate limit of voice packets, and burst size. Opus has 50 a second.
const PACKET_RATE: Quota = Quota::per_second(NonZeroU32::new(120).unwrap());

/// The call signalling of a connection.
#[derive(Debug)]
pub(super) struct CallSignalling<'a> {
    who: &'a SignedIn,
    /// None for a client without an endpoint in its `hello`: it has no voice.
    plug: Option<EndpointGuard<'a>>,
    signals: DefaultDirectRateLimiter,
    packets: DefaultDirectRateLimiter,
}

impl<'a> CallSignalling<'a> {
    pub(super) fn new(who: &'a SignedIn, endpoint: Option<EndpointId>) -> Self {
        let plug = endpoint.map(|endpoint| who.site.switchboard.plug_in((who.person.id, endpoint)));
        Self { who, plug, signals: RateLimiter::direct(SIGNAL_RATE), packets: RateLimiter::direct(PACKET_RATE) }
    }

    /// Waits for the next message to send to the client. Cancel-safe.
    pub(super) async fn next(&mut self) -> Message {
        match &mut self.plug {
            Some(plug) => plug.next().await,
            None => std::future::pending().await,
        }
    }

    /// Forwards a signal from the client to the other end. Returns the frame that refuses it, if it is refused.
    pub(super) async fn signal(
        &mut self,
        call_id: CallId,
        said: Result<(EndpointId, Signal), Refusal>,
    ) -> Option<FromServer> {
        let handed_on = match said {
            _ if self.signals.check().is_err() => Err(Refusal::new(Code::SlowDown, "Too many signals.")),
            Ok((to, signal)) => self.hand_on(call_id, to, signal).await,
            Err(refusal) => Err(refusal),
        };
        match handed_on {
            Ok(()) => {
                metrics::counter!("call_signals_total").increment(1);
                None
            }
            Err(refusal) => {
                metrics::counter!("call_signals_refused_total", "why" => refusal.code.as_str()).increment(1);
                Some(FromServer::SignalRefused { call_id, refusal })
            }
        }
    }

    async fn hand_on(&self, call_id: CallId, to: EndpointId, signal: Signal) -> Result<(), Refusal> {
        let Some(plug) = &self.plug else {
            return Err(Refusal::new(Code::NotYourCall, "This socket said no endpoint in its `hello`."));
        };
        if signal == Signal::Unknown {
            return Err(Refusal::invalid("signal", "This server knows no such signal."));
        }
        let switchboard = &self.who.site.switchboard;
        switchboard.until(self.who.site.recent.head()).await;
        switchboard.signal(plug.end(), call_id, to, signal)
    }

    /// Forwards a voice packet from the client. A packet that can't be forwarded is counted and dropped.
    pub(super) fn voice(&mut self, message: Bytes) {
        let handed_on = match &self.plug {
            _ if self.packets.check().is_err() => Err("slow_down"),
            Some(plug) => self.who.site.switchboard.voice(plug.end(), message),
            None => Err("no_endpoint"),
        };
        match handed_on {
            Ok(()) => metrics::counter!("call_packets_total").increment(1),
            Err(why) => metrics::counter!("call_packets_dropped_total", "why" => why).increment(1),
        }
    }
}

/// Returns the refusal of a signal that is too large.
pub(super) fn too_large() -> Refusal {
    Refusal::new(Code::TooLarge, "A signal is 16 KiB at most.").with("limit", &LARGEST_SIGNAL)
}
