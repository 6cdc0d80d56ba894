# ruff: noqa: E501
"""Questions of descriptions."""

import re

from webrtc_ask import Logged, ask, atell, clean, raised, rtc, sdp, shut, tell

# Descriptions of others.


CHROME = """v=0
o=- 863426017819471768 2 IN IP4 127.0.0.1
s=-
t=0 0
a=group:BUNDLE 0 1 2
a=extmap-allow-mixed
a=msid-semantic: WMS 7a2f3f1c
m=audio 45076 UDP/TLS/RTP/SAVPF 111 63 9 0 8 13 110 126
c=IN IP4 192.168.99.58
a=rtcp:9 IN IP4 0.0.0.0
a=candidate:2665802302 1 udp 2122262783 2a02:a03f:3eb0:e000:b0aa:d60a:cff2:933c 38475 typ host generation 0 network-id 2
a=candidate:1039001212 1 udp 2122194687 192.168.99.58 45076 typ host generation 0 network-id 1
a=ice-ufrag:5+Ix
a=ice-pwd:uK8IlylxzDMUhrkVzdmj0M+v
a=ice-options:trickle
a=fingerprint:sha-256 6B:8B:5D:EA:59:04:20:23:29:C8:87:1C:CC:87:32:BE:DD:8C:66:A5:8E:50:55:EA:8C:D3:B6:5C:09:5E:D6:BC
a=setup:actpass
a=mid:0
a=extmap:1 urn:ietf:params:rtp-hdrext:ssrc-audio-level
a=extmap:2 http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time
a=extmap:3 http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01
a=extmap:4 urn:ietf:params:rtp-hdrext:sdes:mid
a=sendrecv
a=msid:7a2f3f1c 5e4dd0b5
a=rtcp-mux
a=rtpmap:111 opus/48000/2
a=rtcp-fb:111 transport-cc
a=fmtp:111 minptime=10;useinbandfec=1
a=rtpmap:63 red/48000/2
a=fmtp:63 111/111
a=rtpmap:9 G722/8000
a=rtpmap:0 PCMU/8000
a=rtpmap:8 PCMA/8000
a=rtpmap:13 CN/8000
a=rtpmap:110 telephone-event/48000
a=rtpmap:126 telephone-event/8000
a=ssrc:1944796561 cname:oqZGBuYyXcUjXxRE
a=ssrc:1944796561 msid:7a2f3f1c 5e4dd0b5
m=video 34955 UDP/TLS/RTP/SAVPF 96 97 102 103 104 105 106 107 45 46 98 99 116 117
c=IN IP4 10.101.2.66
a=rtcp:9 IN IP4 0.0.0.0
a=ice-ufrag:5+Ix
a=ice-pwd:uK8IlylxzDMUhrkVzdmj0M+v
a=ice-options:trickle
a=fingerprint:sha-256 6B:8B:5D:EA:59:04:20:23:29:C8:87:1C:CC:87:32:BE:DD:8C:66:A5:8E:50:55:EA:8C:D3:B6:5C:09:5E:D6:BC
a=setup:actpass
a=mid:1
a=extmap:14 urn:ietf:params:rtp-hdrext:toffset
a=extmap:2 http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time
a=extmap:13 urn:3gpp:video-orientation
a=extmap:3 http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01
a=extmap:4 urn:ietf:params:rtp-hdrext:sdes:mid
a=extmap:10 urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id
a=sendrecv
a=msid:7a2f3f1c 420c6f28
a=rtcp-mux
a=rtcp-rsize
a=rtpmap:96 VP8/90000
a=rtcp-fb:96 goog-remb
a=rtcp-fb:96 transport-cc
a=rtcp-fb:96 ccm fir
a=rtcp-fb:96 nack
a=rtcp-fb:96 nack pli
a=rtpmap:97 rtx/90000
a=fmtp:97 apt=96
a=rtpmap:102 H264/90000
a=rtcp-fb:102 goog-remb
a=rtcp-fb:102 nack
a=rtcp-fb:102 nack pli
a=fmtp:102 level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42001f
a=rtpmap:103 rtx/90000
a=fmtp:103 apt=102
a=rtpmap:104 H264/90000
a=rtcp-fb:104 nack
a=fmtp:104 level-asymmetry-allowed=1;packetization-mode=0;profile-level-id=42001f
a=rtpmap:105 rtx/90000
a=fmtp:105 apt=104
a=rtpmap:106 H264/90000
a=rtcp-fb:106 nack pli
a=fmtp:106 level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42e01f
a=rtpmap:107 rtx/90000
a=fmtp:107 apt=106
a=rtpmap:45 AV1/90000
a=rtpmap:46 rtx/90000
a=fmtp:46 apt=45
a=rtpmap:98 VP9/90000
a=fmtp:98 profile-id=0
a=rtpmap:99 rtx/90000
a=fmtp:99 apt=98
a=rtpmap:116 red/90000
a=rtpmap:117 rtx/90000
a=fmtp:117 apt=116
a=ssrc-group:FID 1845476211 3305256354
a=ssrc:1845476211 cname:oqZGBuYyXcUjXxRE
a=ssrc:3305256354 cname:oqZGBuYyXcUjXxRE
m=application 45791 UDP/DTLS/SCTP webrtc-datachannel
c=IN IP4 192.168.99.58
a=ice-ufrag:5+Ix
a=ice-pwd:uK8IlylxzDMUhrkVzdmj0M+v
a=fingerprint:sha-256 6B:8B:5D:EA:59:04:20:23:29:C8:87:1C:CC:87:32:BE:DD:8C:66:A5:8E:50:55:EA:8C:D3:B6:5C:09:5E:D6:BC
a=setup:actpass
a=mid:2
a=sctp-port:5000
a=max-message-size:262144
""".replace("\n", "\r\n")

CHANGES = {
    "as it is": [],
    "lf": [("\r\n", "\n")],
    "no ufrag": [("a=ice-ufrag:5+Ix\r\n", "")],
    "no pwd": [("a=ice-pwd:uK8IlylxzDMUhrkVzdmj0M+v\r\n", "")],
    "no mux": [("a=rtcp-mux\r\n", "")],
    "setup active": [("actpass", "active")],
    "setup passive": [("actpass", "passive")],
    "setup holdconn": [("actpass", "holdconn")],
    "no setup": [("a=setup:actpass\r\n", "")],
    "no fingerprint": [(re.compile("a=fingerprint.*?\r\n"), "")],
    "md5 fingerprint": [("sha-256", "md5")],
    "no mid": [(re.compile("a=mid:.\r\n"), "")],
    "same mid": [("a=mid:1", "a=mid:0")],
    "named mids": [
        ("a=mid:0", "a=mid:audio"),
        ("a=mid:1", "a=mid:video"),
        ("a=mid:2", "a=mid:data"),
        ("BUNDLE 0 1 2", "BUNDLE audio video data"),
    ],
    "no bundle": [("a=group:BUNDLE 0 1 2\r\n", "")],
    "partial bundle": [("BUNDLE 0 1 2", "BUNDLE 0 1")],
    "audio sendonly": [("a=sendrecv", "a=sendonly")],
    "recvonly": [("a=sendrecv", "a=recvonly")],
    "inactive": [("a=sendrecv", "a=inactive")],
    "no direction": [("a=sendrecv\r\n", "")],
    "no msid": [(re.compile("a=msid:.*?\r\n"), "")],
    "no ssrc": [(re.compile("a=ssrc.*?\r\n"), "")],
    "no extmap": [(re.compile("a=extmap:.*?\r\n"), "")],
    "no codecs": [(re.compile("a=rtpmap:.*?\r\n"), "")],
    "av1 only": [("VP8", "AV1"), ("H264", "VP9")],
    "no h264": [("H264", "H263")],
    "no vp8": [("VP8", "VP9")],
    "high profile": [("42001f", "640c1f"), ("42e01f", "640c1f")],
    "no level": [("profile-level-id=42001f", "x=1"), ("profile-level-id=42e01f", "x=1")],
    "mode 0": [("packetization-mode=1", "packetization-mode=0")],
    "ice lite": [("a=group", "a=ice-lite\r\na=group")],
    "rtp avp": [("UDP/TLS/RTP/SAVPF", "RTP/AVP")],
    "port 0": [("m=video 34955", "m=video 0")],
    "audio port 0": [("m=audio 45076", "m=audio 0")],
    "old data": [
        ("UDP/DTLS/SCTP webrtc-datachannel", "DTLS/SCTP 5000"),
        ("a=sctp-port:5000", "a=sctpmap:5000 webrtc-datachannel 256"),
    ],
    "no sctp-port": [("a=sctp-port:5000\r\n", "")],
    "small messages": [("max-message-size:262144", "max-message-size:1000")],
    "no max": [("a=max-message-size:262144\r\n", "")],
    "unknown kind": [("m=audio", "m=text")],
    "broken candidate": [("udp 2122194687", "udp x")],
    "broken port": [("m=video 34955", "m=video x")],
    "broken rtpmap": [("rtpmap:96 VP8/90000", "rtpmap:96")],
    "broken rtpmap 2": [("rtpmap:96 VP8/90000", "rtpmap:x VP8/90000")],
    "broken fmtp": [("a=fmtp:97 apt=96", "a=fmtp:97")],
    "broken extmap": [("a=extmap:4 ", "a=extmap:x ")],
    "lower case": [("rtpmap:96 VP8", "rtpmap:96 vp8"), ("opus/", "OPUS/")],
    "static pcmu without rtpmap": [("a=rtpmap:0 PCMU/8000\r\n", "")],
    "other version": [("v=0", "v=1")],
    "no origin": [(re.compile("o=.*?\r\n"), "")],
    "cut": [(re.compile("a=setup.*", re.S), "")],
    "empty": [(re.compile(".*", re.S), "")],
    "trickle": [(re.compile("a=candidate.*?\r\n"), "")],
}


def changed(text, changes):
    for old, new in changes:
        text = old.sub(new, text) if isinstance(old, re.Pattern) else text.replace(old, new)
    return text


@ask
async def descriptions_of_a_browser():
    out = {}
    for name, changes in CHANGES.items():
        for adds in (False, True):
            b = Logged()
            if adds:
                b.pc.addTrack(rtc.AudioStreamTrack())
                b.pc.addTrack(rtc.VideoStreamTrack())
            r = out[f"{name} {adds}"] = [
                await atell(
                    b.pc.setRemoteDescription(rtc.RTCSessionDescription(changed(CHROME, changes), "offer"))
                )
            ]
            r += (
                [b.log[:], b.transceivers(), [clean(t.id) for t in b.tracks], b.pc.signalingState]
                if not isinstance(r[0], list)
                else []
            )
            try:
                if isinstance(r[0], list):
                    continue  # refused
                a = await b.pc.createAnswer()
                r.append(clean(a.sdp))
            except Exception as e:
                r.append(raised(e))
            await shut(b.pc)
    return out


@ask
async def hostile_answers():
    out = {}

    async def offered():
        p = rtc.RTCPeerConnection()
        p.addTrack(rtc.AudioStreamTrack())
        p.addTrack(rtc.VideoStreamTrack())
        p.createDataChannel("x")
        await p.setLocalDescription(await p.createOffer())
        q = rtc.RTCPeerConnection()
        await q.setRemoteDescription(p.localDescription)
        a = await q.createAnswer()
        await q.setLocalDescription(a)
        return p, q

    cases = {
        "fine": [],
        "actpass": [("a=setup:active", "a=setup:actpass")],
        "passive": [("a=setup:active", "a=setup:passive")],
        "no mux": [("a=rtcp-mux\r\n", "")],
        "no mids": [(re.compile("a=mid:.\r\n"), "")],
        "swapped": [("a=mid:0", "a=mid:9")],
        "kind": [("m=audio", "m=video")],
        "less": [(re.compile("m=video.*", re.S), "")],
        "no ice": [(re.compile("a=ice-ufrag.*?\r\n"), "")],
        "no codec": [(re.compile("(opus|G722|PCM.|VP8|H264)/"), "nope/")],
        "rejected video": [(re.compile("m=video [0-9]+"), "m=video 0")],
        "rejected audio": [(re.compile("m=audio [0-9]+"), "m=audio 0")],
        "rejected data": [(re.compile("m=application [0-9]+"), "m=application 0")],
        "no finger": [(re.compile("a=fingerprint.*?\r\n"), "")],
        "empty": [(re.compile(".*", re.S), "")],
        "h264 only": [(re.compile("97 98 "), "")],
        "no setup": [("a=setup:active\r\n", "")],
        "sendrecv": [("a=recvonly", "a=sendrecv")],
        "inactive": [("a=recvonly", "a=inactive")],
    }
    for name, changes in cases.items():
        p, q = await offered()
        r = out[name] = [
            await atell(
                p.setRemoteDescription(
                    rtc.RTCSessionDescription(changed(q.localDescription.sdp, changes), "answer")
                )
            )
        ]
        r += [
            p.signalingState,
            [[t.mid, t.direction, t.currentDirection, t.stopped] for t in p.getTransceivers()],
            p.remoteDescription.type if p.remoteDescription else None,
        ]
        await shut(p, q)
    return out


# The text of descriptions.


@ask
async def candidates_of_text():
    lines = [
        "6815297761 1 udp 659136 1.2.3.4 31102 typ host generation 0 ufrag b7l3",
        "0 1 UDP 2122252543 192.168.99.7 33543 typ srflx raddr 10.0.0.1 rport 5",
        "1 1 tcp 1 ::1 9 typ host tcptype active",
        "1 1 udp 1 fe80::1%eth0 9 typ relay raddr :: rport 0",
        "x",
        "",
        "1 2 udp",
        "1 a udp 1 1.1.1.1 1 typ host",
        "1 1 udp 1 1.1.1.1 x typ host",
        "1 1 udp 1 1.1.1.1 70000 typ host",
        "candidate:1 1 udp 1 1.1.1.1 1 typ host",
        "1 1 udp 1 host.local 1 typ host",
        "1 1 udp 1 1.1.1.1 1 typ",
        "1 1 udp 1 1.1.1.1 1 typ host raddr",
    ]
    out = []
    for x in lines:
        try:
            c = sdp.candidate_from_sdp(x)
            out.append([repr(c), sdp.candidate_to_sdp(c)])
        except Exception as e:
            out.append(raised(e)[:2])
    return out


@ask
async def parsed_descriptions():
    out = {}
    for name, changes in CHANGES.items():
        try:
            d = sdp.SessionDescription.parse(changed(CHROME, changes))
            m = d.media
            out[name] = [
                str(d),
                d.version,
                d.origin,
                d.name,
                d.time,
                d.host,
                repr(d.group),
                repr(d.msid_semantic),
                d.type,
                [
                    [
                        repr(getattr(x, a))
                        for a in (
                            "kind",
                            "port",
                            "host",
                            "profile",
                            "fmt",
                            "direction",
                            "msid",
                            "rtcp_port",
                            "rtcp_host",
                            "rtcp_mux",
                            "ssrc",
                            "ssrc_group",
                            "rtp",
                            "sctpCapabilities",
                            "sctp_port",
                            "ice_candidates_complete",
                            "ice_options",
                        )
                    ]
                    for x in m
                ],
                [repr(x.ice) for x in m],
                [repr(x.dtls) for x in m],
                [repr(x.ice_candidates) for x in m],
                [tell(d.webrtc_track_id, x) for x in m],
            ]
        except Exception as e:
            out[name] = raised(e)[:2]
    return out
