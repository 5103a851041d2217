//! Conversion of the library's statistics.

use std::sync::Arc;
use std::time::Instant;

use rtc::peer_connection::transport::RTCIceCandidateType;
use rtc::statistics::StatsSelector;
use rtc::statistics::report::RTCStatsReportEntry as Entry;
use webrtc::peer_connection::PeerConnection;
use webrtc::rtp_transceiver::RtpSender;

use super::reports::Report;
use crate::session::{Kind, Stats};

/// RTP timestamp units in a millisecond at 48 kHz; the library's unit of jitter.
const UNITS_PER_MS: f64 = 48.0;

pub(super) async fn stats(connection: &dyn PeerConnection, sender: &Arc<dyn RtpSender>, theirs: Report) -> Stats {
    let report = connection.get_stats(Instant::now(), StatsSelector::None).await;
    let rtt_ms = theirs.rtt.map(|rtt| rtt.as_secs_f32() * 1000.0);
    let Report { lost_fraction, reported, .. } = theirs;
    let mut stats = Stats { kind: kind(sender).await, lost_fraction, reported, rtt_ms, ..Stats::default() };
    for entry in report.iter() {
        if let Entry::InboundRtp(inbound) = entry {
            let counted = &inbound.received_rtp_stream_stats;
            stats.received = counted.packets_received;
            stats.jitter_ms = Some(narrow(counted.jitter / UNITS_PER_MS));
            stats.missed_fraction = missed(counted.packets_received, counted.packets_lost);
        } else if let Entry::OutboundRtp(outbound) = entry {
            stats.sent = outbound.sent_rtp_stream_stats.packets_sent;
        } else if let Entry::IceCandidatePair(pair) = entry
            && pair.nominated
            && pair.current_round_trip_time > 0.0
        {
            // ICE measures it before the first RTCP report.
            stats.rtt_ms = stats.rtt_ms.or(Some(narrow(pair.current_round_trip_time * 1000.0)));
        }
    }
    stats
}

/// The type of the local candidate in the selected pair.
async fn kind(sender: &Arc<dyn RtpSender>) -> Option<Kind> {
    let transport = sender.transport().await.ok()??;
    let pair = transport.ice_transport().get_selected_candidate_pair().await.ok()??;
    let kinds = [
        (RTCIceCandidateType::Host, Kind::Host),
        (RTCIceCandidateType::Srflx, Kind::Srflx),
        (RTCIceCandidateType::Prflx, Kind::Srflx),
        (RTCIceCandidateType::Relay, Kind::Relay),
    ];
    kinds.into_iter().find(|(theirs, _)| *theirs == pair.local().typ).map(|(_, ours)| ours)
}

#[expect(clippy::cast_precision_loss, reason = "no call has that many packets")]
fn missed(received: u64, lost: i64) -> Option<f32> {
    let lost = lost.max(0) as f64;
    let all = received as f64 + lost;
    (all > 0.0).then(|| narrow(lost / all))
}

#[expect(clippy::cast_possible_truncation, reason = "nobody reads so many digits")]
fn narrow(figure: f64) -> f32 {
    figure as f32
}
