"""Descriptions as objects: tstrans.webrtc.sdp."""

import pytest
from tstrans.webrtc import sdp
from tstrans.webrtc.rtcrtpparameters import RTCRtcpFeedback, RTCRtpCodecParameters

BROWSER = """v=0
o=- 5103241217 2 IN IP4 127.0.0.1
s=-
t=0 0
a=group:BUNDLE a v
a=msid-semantic: WMS stream
m=audio 45076 UDP/TLS/RTP/SAVPF 111 0 126
c=IN IP4 192.0.2.58
a=rtcp:9 IN IP4 0.0.0.0
a=candidate:1 1 udp 2122262783 2001:db8::3c 38475 typ host generation 0 network-id 2
a=candidate:2 1 udp 1677729535 203.0.113.4 5001 typ srflx raddr 192.0.2.58 rport 5000
a=candidate:3 1 tcp 1518283007 192.0.2.58 9 typ host tcptype active
a=ice-ufrag:5+Ix
a=ice-pwd:uK8IlylxzDMUhrkVzdmj0M+v
a=ice-options:trickle
a=fingerprint:sha-256 6B:8B
a=setup:actpass
a=mid:a
a=extmap:1 urn:ietf:params:rtp-hdrext:ssrc-audio-level
a=extmap:2/sendonly urn:ietf:params:rtp-hdrext:sdes:mid
a=sendrecv
a=msid:stream track-a
a=rtcp-mux
a=fmtp:111 minptime=10;useinbandfec=1
a=rtpmap:111 opus/48000/2
a=rtcp-fb:111 transport-cc
a=rtpmap:0 PCMU/8000
a=rtpmap:126 telephone-event/8000
a=fmtp:126 0-15
a=ssrc:1944796561 cname:/vC4
a=ssrc:1944796561 msid:stream track-a
m=video 9 UDP/TLS/RTP/SAVPF 96 97
c=IN IP6 2001:db8::1
a=setup:active
a=fingerprint:sha-256 30:4A
a=mid:v
a=sendonly
a=end-of-candidates
a=rtcp-fb:* goog-remb
a=rtcp-fb:96 nack pli
a=rtpmap:96 VP8/90000
a=rtpmap:97 rtx/90000
a=fmtp:97 apt=96
a=ssrc-group:FID 11 12
a=ssrc:11 cname:x
a=ssrc:12 cname:x
"""


def lines(text):
    return text.replace("\n", "\r\n")


def test_a_browser_offer():
    d = sdp.SessionDescription.parse(lines(BROWSER))
    assert (d.version, d.name, d.time, d.host, d.type) == (0, "-", "0 0", None, None)
    assert [str(g) for g in d.group] == ["BUNDLE a v"]
    assert d.msid_semantic == [sdp.GroupDescription("WMS", ["stream"])]
    audio, video = d.media
    assert (audio.kind, audio.port, audio.host, audio.fmt) == ("audio", 45076, "192.0.2.58", [111, 0, 126])
    assert (audio.rtcp_port, audio.rtcp_host, audio.rtcp_mux) == (9, "0.0.0.0", True)
    assert (audio.direction, audio.rtp.muxId, audio.ice_options) == ("sendrecv", "a", "trickle")
    assert audio.rtp.codecs[0] == RTCRtpCodecParameters(
        "audio/opus", 48000, 2, 111, [RTCRtcpFeedback("transport-cc")], {"minptime": 10, "useinbandfec": 1}
    )
    assert audio.rtp.codecs[1].channels == 1
    assert audio.rtp.codecs[2].parameters == {"0-15": None}
    assert [(e.id, e.uri[-3:]) for e in audio.rtp.headerExtensions] == [(1, "vel"), (2, "mid")]
    assert [(c.type, c.protocol, c.relatedPort, c.tcpType) for c in audio.ice_candidates] == [
        ("host", "udp", None, None),
        ("srflx", "udp", 5000, None),
        ("host", "tcp", None, "active"),
    ]
    assert not audio.ice_candidates_complete
    assert audio.dtls.role == "auto"
    assert audio.ssrc == [sdp.SsrcDescription(1944796561, cname="/vC4", msid="stream track-a")]
    assert d.webrtc_track_id(audio) == "track-a"
    assert (video.dtls.role, video.direction, video.ice.usernameFragment) == ("client", "sendonly", None)
    assert video.ice_candidates_complete
    vp8, rtx = video.rtp.codecs
    assert (vp8.channels, str(vp8), rtx.parameters) == (None, "VP8/90000", {"apt": 96})
    assert [f.type for f in vp8.rtcpFeedback] == ["goog-remb", "nack"]
    assert video.ssrc_group == [sdp.GroupDescription("FID", [11, 12])]
    assert d.webrtc_track_id(video) is None


def test_written_and_read_again():
    text = str(sdp.SessionDescription.parse(BROWSER))
    assert str(sdp.SessionDescription.parse(text)) == text
    assert text.count("\r\n") == text.count("\n")
    assert "a=rtcp-fb:97 goog-remb\r\na=fmtp:97 apt=96\r\n" in text
    assert "a=extmap:2 urn:ietf:params:rtp-hdrext:sdes:mid\r\n" in text
    assert "c=IN IP6 2001:db8::1\r\na=sendonly\r\n" in text


def test_session_attributes_hold_for_all_sections():
    d = sdp.SessionDescription.parse(
        "v=0\ns=x\nc=IN IP4 192.0.2.1\na=ice-lite\na=ice-ufrag:u\na=ice-pwd:p\na=fingerprint:sha-256 AA\n"
        "a=setup:actpass\nm=application 45791 DTLS/SCTP 5000\na=sctpmap:5000 webrtc-datachannel 256\n"
        "m=application 9 UDP/DTLS/SCTP webrtc-datachannel\na=sctp-port:5000\na=max-message-size:65536\n"
        "a=setup:passive\na=fingerprint:sha-256 BB\n"
    )
    old, new = d.media
    assert d.host == "192.0.2.1"
    assert old.sctpmap == {5000: "webrtc-datachannel 256"}
    assert (new.sctp_port, new.sctpCapabilities.maxMessageSize) == (5000, 65536)
    assert (old.ice.iceLite, old.ice.password, new.ice.usernameFragment) == (True, "p", "u")
    assert [f.value for f in old.dtls.fingerprints] == ["AA"]
    assert ([f.value for f in new.dtls.fingerprints], new.dtls.role) == (["AA", "BB"], "server")
    assert "a=ice-lite\r\n" in str(d)


@pytest.mark.parametrize(
    "text",
    [
        "v=x",
        "c=nowhere",
        "m=audio",
        "m=audio nine RTP/AVP 0",
        "m=audio 9 RTP/AVP zero",
        "m=audio 9 RTP/AVP 0\na=rtpmap:0",
        "m=audio 9 RTP/AVP 0\na=rtpmap:0 PCMU/fast",
        "m=audio 9 RTP/AVP 0\na=ssrc:1",
        "m=audio 9 RTP/AVP 0\na=ssrc:one cname:x",
        "m=audio 9 RTP/AVP 0\na=candidate:1",
        "m=audio 9 RTP/AVP 0\na=setup:maybe",
        "m=audio 9 RTP/AVP 0\na=extmap:1",
        "m=audio 9 RTP/AVP 0\na=fingerprint:sha-256",
        "m=audio 9 RTP/AVP 0\na=ssrc-group:FID a",
        "m=audio 9 RTP/AVP 0\na=rtcp:9 IN",
        "m=video 9 RTP/AVP 99\na=rtpmap:99 rtx/90000\na=fmtp:99 apt=x",
    ],
)
def test_what_does_not_hold_together(text):
    with pytest.raises(ValueError):
        sdp.SessionDescription.parse(text)


@pytest.mark.parametrize(
    ("text", "profile", "level"),
    [
        ("42e01f", "PROFILE_CONSTRAINED_BASELINE", "LEVEL3_1"),
        ("42001f", "PROFILE_BASELINE", "LEVEL3_1"),
        ("4d801f", "PROFILE_CONSTRAINED_BASELINE", "LEVEL3_1"),
        ("4d0033", "PROFILE_MAIN", "LEVEL5_1"),
        ("640028", "PROFILE_HIGH", "LEVEL4"),
        ("640c1f", "PROFILE_CONSTRAINED_HIGH", "LEVEL3_1"),
        ("42f00b", "PROFILE_CONSTRAINED_BASELINE", "LEVEL1_B"),
        ("42e00b", "PROFILE_CONSTRAINED_BASELINE", "LEVEL1_1"),
        ("f4001f", "PROFILE_PREDICTIVE_HIGH_444", "LEVEL3_1"),
    ],
)
def test_h264_profiles(text, profile, level):
    got = sdp.parse_h264_profile_level_id(text)
    assert (got[0].name, got[1].name) == (profile, level)


@pytest.mark.parametrize("text", ["", "42e0", "42e0zz", "42e0ff", "6e001f", "42e01f00"])
def test_h264_profiles_that_are_none(text):
    with pytest.raises(ValueError):
        sdp.parse_h264_profile_level_id(text)


def test_addresses():
    assert sdp.ipaddress_to_sdp(sdp.ipaddress_from_sdp("IN IP6 ::1")) == "IN IP6 ::1"
    for text in ("", "IN IP4", "OUT IP4 192.0.2.1", "IN IP5 192.0.2.1"):
        with pytest.raises(ValueError):
            sdp.ipaddress_from_sdp(text)
    with pytest.raises(ValueError):
        sdp.ipaddress_to_sdp("a.example")


def test_our_own_descriptions_read():
    import asyncio

    from tstrans.webrtc import AudioStreamTrack, RTCPeerConnection, VideoStreamTrack

    async def main():
        pc = RTCPeerConnection()
        pc.addTrack(AudioStreamTrack())
        pc.addTrack(VideoStreamTrack())
        pc.createDataChannel("x")
        await pc.setLocalDescription()
        text = pc.localDescription.sdp
        d = sdp.SessionDescription.parse(text)
        assert [m.kind for m in d.media] == ["audio", "video", "application"]
        assert sorted(str(d).splitlines()) == sorted(text.splitlines())
        await pc.close()

    asyncio.run(main())
