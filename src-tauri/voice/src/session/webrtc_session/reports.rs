//! Access to the other side's RTCP receiver reports (RFC 3550, 6.4), which the library reads but doesn't expose.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use rtc::interceptor::{Interceptor, Packet, StreamInfo, TaggedPacket};
use rtc::rtcp::receiver_report::ReceiverReport;
use rtc::rtcp::reception_report::ReceptionReport;
use rtc::rtcp::sender_report::SenderReport;
use rtc::sansio::Protocol;
use rtc::shared::error::Error;

use crate::session::Reported;

/// The number of own sender reports kept for matching: five seconds.
const MOST: usize = 5;

/// Time units per second in a report block.
const UNITS: f64 = 65_536.0;

/// The other side's last report.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Report {
    /// The loss rate since the report before, from 0 to 1.
    pub(super) lost_fraction: Option<f32>,
    /// The cumulative loss.
    pub(super) reported: Option<Reported>,
    /// The round-trip time.
    pub(super) rtt: Option<Duration>,
}

/// The last report, shared with the interceptor.
#[derive(Clone, Debug, Default)]
pub(super) struct Reports {
    last: Arc<Mutex<Report>>,
}

impl Reports {
    pub(super) fn last(&self) -> Report {
        *self.last.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Makes the interceptor, to be placed next to the wire.
    pub(super) fn listener(&self) -> Listener {
        Listener {
            reports: self.clone(),
            ssrc: None,
            sent: VecDeque::new(),
            inward: VecDeque::new(),
            outward: VecDeque::new(),
        }
    }
}

/// An interceptor that only observes packets.
pub(super) struct Listener {
    reports: Reports,
    /// The SSRC of the sent stream.
    ssrc: Option<u32>,
    /// Own sender reports: the identifier by which the other side refers to them, and when they were sent.
    sent: VecDeque<(u32, Instant)>,
    inward: VecDeque<TaggedPacket>,
    outward: VecDeque<TaggedPacket>,
}

impl Listener {
    fn hear(&mut self, report: &ReceptionReport, now: Instant) {
        if Some(report.ssrc) != self.ssrc {
            return;
        }
        let rtt = self.sent.iter().find(|(name, _)| *name == report.last_sender_report).map(|(_, left)| {
            let held = Duration::from_secs_f64(f64::from(report.delay) / UNITS);
            now.saturating_duration_since(*left).saturating_sub(held)
        });
        let mut last = self.reports.last.lock().unwrap_or_else(PoisonError::into_inner);
        last.lost_fraction = Some(f32::from(report.fraction_lost) / 256.0);
        // The field has 24 bits, including the sign.
        let missed = (report.total_lost << 8).cast_signed() >> 8;
        last.reported = Some(Reported { expected: report.last_sequence_number, missed });
        last.rtt = rtt.or(last.rtt);
    }
}

impl Protocol<TaggedPacket, TaggedPacket, ()> for Listener {
    type Rout = TaggedPacket;
    type Wout = TaggedPacket;
    type Eout = ();
    type Error = Error;
    type Time = Instant;

    fn handle_read(&mut self, packet: TaggedPacket) -> Result<(), Error> {
        if let Packet::Rtcp(reports) = &packet.message.packet {
            for report in reports {
                let report = report.as_any();
                let ours = report.downcast_ref::<ReceiverReport>().map(|report| &report.reports);
                let ours = ours.or_else(|| report.downcast_ref::<SenderReport>().map(|report| &report.reports));
                ours.into_iter().flatten().for_each(|block| self.hear(block, packet.now));
            }
        }
        self.inward.push_back(packet);
        Ok(())
    }

    fn poll_read(&mut self) -> Option<TaggedPacket> {
        self.inward.pop_front()
    }

    fn handle_write(&mut self, packet: TaggedPacket) -> Result<(), Error> {
        if let Packet::Rtcp(reports) = &packet.message.packet {
            for report in reports {
                if let Some(report) = report.as_any().downcast_ref::<SenderReport>() {
                    // The middle 32 bits of the NTP time identify the report in the response.
                    #[expect(clippy::cast_possible_truncation, reason = "the middle 32 bits are wanted")]
                    self.sent.push_back(((report.ntp_time >> 16) as u32, packet.now));
                    if self.sent.len() > MOST {
                        self.sent.pop_front();
                    }
                }
            }
        }
        self.outward.push_back(packet);
        Ok(())
    }

    fn poll_write(&mut self) -> Option<TaggedPacket> {
        self.outward.pop_front()
    }

    fn handle_timeout(&mut self, _: Instant) -> Result<(), Error> {
        Ok(())
    }

    fn poll_timeout(&mut self) -> Option<Instant> {
        None
    }
}

impl Interceptor for Listener {
    fn bind_local_stream(&mut self, info: &StreamInfo) {
        self.ssrc = Some(info.ssrc);
    }

    fn unbind_local_stream(&mut self, _: &StreamInfo) {}

    fn bind_remote_stream(&mut self, _: &StreamInfo) {}

    fn unbind_remote_stream(&mut self, _: &StreamInfo) {}
}

#[cfg(test)]
mod tests {
    use super::*;
    use rtc::interceptor::AttributedPacket;
    use rtc::shared::TransportContext;

    fn rtcp(report: impl rtc::rtcp::Packet + 'static, now: Instant) -> TaggedPacket {
        let message = AttributedPacket::new(Packet::Rtcp(vec![Box::new(report)]));
        TaggedPacket { now, transport: TransportContext::default(), message }
    }

    #[test]
    fn the_way_there_and_back_is_without_the_time_that_the_other_side_held_the_report() {
        let start = Instant::now();
        let reports = Reports::default();
        let mut listener = reports.listener();
        listener.ssrc = Some(7);
        let ours = SenderReport { ssrc: 7, ntp_time: 0x0011_2233_4455_6677, ..SenderReport::default() };
        listener.handle_write(rtcp(ours, start)).unwrap();
        let block = ReceptionReport {
            ssrc: 7,
            fraction_lost: 64,
            total_lost: 0xff_fffe,
            last_sequence_number: 0x1_0007,
            last_sender_report: 0x2233_4455,
            delay: 65_536 / 2,
            ..ReceptionReport::default()
        };
        let theirs = ReceiverReport { reports: vec![block], ..ReceiverReport::default() };
        listener.handle_read(rtcp(theirs, start + Duration::from_millis(580))).unwrap();
        let rtt = Some(Duration::from_millis(80));
        let reported = Some(Reported { expected: 0x1_0007, missed: -2 });
        assert_eq!(reports.last(), Report { lost_fraction: Some(0.25), reported, rtt });
        assert!(listener.poll_read().is_some() && listener.poll_write().is_some(), "what was heard goes on");
    }

    #[test]
    fn a_report_about_another_stream_is_not_ours() {
        let reports = Reports::default();
        let mut listener = reports.listener();
        listener.ssrc = Some(7);
        let block = ReceptionReport { ssrc: 8, fraction_lost: 64, ..ReceptionReport::default() };
        listener.hear(&block, Instant::now());
        assert_eq!(reports.last(), Report::default());
    }
}
