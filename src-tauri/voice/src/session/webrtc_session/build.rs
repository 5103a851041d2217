//! Configuration of the WebRTC library for one call.

use std::sync::Arc;
use std::time::Duration;

use rtc::ice::mdns::MulticastDnsMode;
use rtc::interceptor::Slot;
use rtc::media_stream::MediaStreamTrack;
use rtc::peer_connection::configuration::media_engine::MIME_TYPE_OPUS;
use rtc::rtp_transceiver::rtp_sender::{
    RTCRtpCodec, RTCRtpCodecParameters, RTCRtpCodingParameters, RTCRtpEncodingParameters, RtpCodecKind,
};
use webrtc::error::Result;
use webrtc::peer_connection::{
    MediaEngine, PeerConnection, PeerConnectionBuilder, RTCConfigurationBuilder, RTCIceServer, RTCIceTransportPolicy,
    Registry, SettingEngine, SettingEngineBuilder, configure_rtcp_reports,
};
use webrtc::runtime::{Runtime, TokioRuntime};

use super::handler::Handler;
use super::reports::Reports;
use crate::session::impairment::Rough;
use crate::session::{IceServer, Options};

/// The time without received data after which a connection counts as disconnected. Another second would exceed the
/// three in which a call must move to another network.
const DISCONNECTED_AFTER: Duration = Duration::from_secs(2);

/// The time after which ICE fails. It can be long, because packets go over the socket meanwhile.
const FAILED_AFTER: Duration = Duration::from_secs(20);

/// The keepalive interval: three keepalives may be lost before a connection counts as disconnected.
const KEEP_ALIVE: Duration = Duration::from_millis(500);

/// The interval and the number of connectivity checks, with the same total time as the library's default of 7 at 200
/// ms. Responses through TURN are processed only when the library next wakes, so the default would make such calls take
/// three seconds to connect.
const CHECK_INTERVAL: Duration = Duration::from_millis(50);
const CHECKS: u16 = 28;

/// The waiting times before relayed and server-reflexive candidates are accepted. The library's two seconds for relayed
/// ones would let the fallback to the socket come before TURN.
const RELAY_WAIT: Duration = Duration::from_millis(500);
const SRFLX_WAIT: Duration = Duration::from_millis(200);

/// Makes a connection with Opus as the only codec, and RTCP reports as the only extension.
pub(super) async fn connection(
    options: Options,
    handler: Handler,
    reports: &Reports,
) -> Result<Arc<dyn PeerConnection>> {
    let mut media = MediaEngine::default();
    let opus = RTCRtpCodecParameters { rtp_codec: opus(), payload_type: 111 };
    media.register_codec(opus, RtpCodecKind::Audio)?;

    let policy = if options.relay_only { RTCIceTransportPolicy::Relay } else { RTCIceTransportPolicy::All };
    let configuration = RTCConfigurationBuilder::default()
        .with_ice_servers(options.ice_servers.into_iter().filter_map(usable).collect())
        .with_ice_transport_policy(policy)
        .build();
    let runtime: Arc<dyn Runtime> = match options.weather {
        Some(weather) => Arc::new(Rough::new(weather)),
        None => Arc::new(TokioRuntime),
    };
    // Slot 0 is next to the wire, so it sees the packets as sent and received.
    let extras = configure_rtcp_reports(Registry::new()).with(Slot::from(0), reports.listener());
    let building = PeerConnectionBuilder::new()
        .with_media_engine(media)
        .with_interceptor_registry(extras)
        .with_setting_engine(settings())
        .with_configuration(configuration)
        .with_runtime(runtime)
        .with_handler(Arc::new(handler))
        .with_udp_addrs(vec![options.addresses])
        .build();
    let connection = Box::pin(building).await?;
    Ok(Arc::new(connection))
}

fn settings() -> SettingEngine {
    SettingEngineBuilder::new()
        // Candidates are plain addresses, and without multicast the mDNS socket can't even be opened.
        .with_multicast_dns_mode(MulticastDnsMode::Disabled)
        // New sockets at each restart, because those of the previous network are dead.
        .with_discard_local_candidates_during_ice_restart(true)
        .with_ice_timeouts(Some(DISCONNECTED_AFTER), Some(FAILED_AFTER), Some(KEEP_ALIVE))
        .with_ice_connection_attempts(Some(CHECK_INTERVAL), Some(CHECKS))
        // The other side's first check often comes before its candidate; waiting would cost a second.
        .with_prflx_acceptance_min_wait(Some(Duration::ZERO))
        .with_srflx_acceptance_min_wait(Some(SRFLX_WAIT))
        .with_relay_acceptance_min_wait(Some(RELAY_WAIT))
        .build()
}

/// Filters out URLs that the library doesn't support, so that they don't make the call fail.
fn usable(server: IceServer) -> Option<RTCIceServer> {
    let is_udp = |url: &String| {
        let over_tcp = url.contains("transport=tcp");
        url.starts_with("stun:") || (url.starts_with("turn:") && !over_tcp && !server.username.is_empty())
    };
    let urls: Vec<String> = server.urls.iter().filter(|url| is_udp(url)).cloned().collect();
    (!urls.is_empty()).then_some(RTCIceServer { urls, username: server.username, credential: server.credential })
}

/// RFC 7587 (7) requires two channels in the description of mono, too.
fn opus() -> RTCRtpCodec {
    RTCRtpCodec {
        mime_type: MIME_TYPE_OPUS.to_owned(),
        clock_rate: 48_000,
        channels: 2,
        sdp_fmtp_line: "minptime=10;useinbandfec=1;usedtx=1".to_owned(),
        rtcp_feedback: Vec::new(),
    }
}

/// The only track that is sent.
pub(super) fn track(ssrc: u32) -> MediaStreamTrack {
    let coding = RTCRtpEncodingParameters {
        rtp_coding_parameters: RTCRtpCodingParameters { ssrc: Some(ssrc), ..RTCRtpCodingParameters::default() },
        codec: opus(),
        ..RTCRtpEncodingParameters::default()
    };
    let name = |what: &str| format!("crewbell-{what}");
    MediaStreamTrack::new(name("call"), name("voice"), name("voice"), RtpCodecKind::Audio, vec![coding])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn server(urls: &[&str], username: &str) -> IceServer {
        let urls = urls.iter().map(|&url| url.to_owned()).collect();
        IceServer { urls, username: username.to_owned(), credential: "secret".to_owned() }
    }

    #[test]
    fn urls_that_cannot_be_used_do_not_cost_the_call() {
        let urls = ["turn:a?transport=tcp", "turns:a", "turn:a?transport=udp", "https://a"];
        assert_eq!(usable(server(&urls, "me")).unwrap().urls, ["turn:a?transport=udp"]);
        assert!(usable(server(&["turn:a"], "")).is_none());
        assert_eq!(usable(server(&["stun:a"], "")).unwrap().urls, ["stun:a"]);
    }
}
