"""What a stream brings beside its pictures: audio, files that are no transport streams, key frames."""

from __future__ import annotations

import asyncio
import itertools
import subprocess
import time
import warnings
from fractions import Fraction

import pytest
from test_webrtc_live import http, reader, run, until
from tstrans.webrtc import MediaStreamTrack, RTCPeerConnection, RTCSessionDescription, VideoStreamTrack
from tstrans.webrtc.contrib.media import MediaRelay
from tstrans.webrtc.live import ReorderedPicturesError, TransportStream
from tstrans.webrtc.live_file import FileStream, is_media_file
from tstrans.webrtc.whip import WebRTCServer


@pytest.fixture(scope="module")
def clips(tmp_path_factory):
    at = tmp_path_factory.mktemp("sources")

    def make(name, *args, b_frames=0):
        pictures = ["-f", "lavfi", "-i", "testsrc2=s=192x108:r=30:d=2"]
        sound = ["-f", "lavfi", "-i", "sine=f=440:r=48000:d=2"]
        h264 = ["-c:v", "libx264", "-preset", "ultrafast", "-g", "15", "-bf", str(b_frames)]
        subprocess.run(
            [
                "ffmpeg",
                "-v",
                "error",
                "-y",
                *pictures,
                *sound,
                "-pix_fmt",
                "yuv420p",
                *h264,
                *args,
                str(at / name),
            ],
            check=True,
            timeout=60,
        )

    for codec in ("libopus", "aac", "mp2", "libmp3lame", "ac3"):
        make(f"{codec}.ts", "-c:a", codec, "-ac", "2")
    make("aac.mp4", "-c:a", "aac")
    make("opus.mp4", "-c:a", "libopus")
    make("fragments.mp4", "-c:a", "aac", "-movflags", "frag_keyframe+empty_moov")
    make("silent.mp4", "-an")
    make("raw.h264", "-an")
    make("b.mp4", "-an", b_frames=2)
    return at


async def view(address):
    pc = RTCPeerConnection()
    tracks = {}
    pc.on("track", lambda t: (setattr(t, "encoded", True), tracks.__setitem__(t.kind, t)))
    for kind in ("video", "audio"):
        pc.addTransceiver(kind, direction="recvonly")
    await pc.setLocalDescription(await pc.createOffer())
    status, _, sdp = await http(address, "POST", "/whep", pc.localDescription.sdp)
    assert status == 201, sdp
    await pc.setRemoteDescription(RTCSessionDescription(sdp, "answer"))
    return pc, tracks


def source(clips, name):
    path = clips / name
    if is_media_file(str(path)):
        return FileStream(path, loop=True)
    return TransportStream(reader(path), paced=True, again=lambda: reader(path))


@pytest.mark.parametrize(
    ("name", "codec"),
    [
        ("libopus.ts", "opus"),
        ("aac.ts", "aac"),
        ("mp2.ts", "mp2"),
        ("libmp3lame.ts", "mp3"),
        ("ac3.ts", "ac3"),
        ("aac.mp4", "aac"),
        ("opus.mp4", "opus"),
        ("fragments.mp4", "aac"),
    ],
)
def test_audio_arrives_as_opus(clips, name, codec):
    import av
    import numpy as np

    async def main():
        stream = source(clips, name)
        server = WebRTCServer(stream)
        address = await server.start()
        pc, tracks = await view(address)
        assert stream.codec == "h264"
        await until(lambda: stream.audio_codec == codec and len(tracks) == 2)
        packets, _ = await asyncio.gather(
            take(tracks["audio"], 40),
            take(tracks["video"], 20),
        )
        steps = {b.pts - a.pts for a, b in itertools.pairwise(packets)}
        assert {p.codec for p in packets} == {"opus"}
        assert steps <= {960, 0} or max(steps) <= 4800, steps
        decoder = av.CodecContext.create("libopus", "r")
        decoder.format, decoder.layout, decoder.sample_rate = "s16", "stereo", 48000
        sound = [f.to_ndarray()[0] for p in packets for f in decoder.decode(av.Packet(p.data))]
        samples = np.concatenate(sound).reshape(-1, 2)[9600:, 0].astype(float)
        spectrum = np.abs(np.fft.rfft(samples * np.hanning(len(samples))))
        assert abs(np.argmax(spectrum) * 48000 / len(samples) - 440) < 5, "the tone that went in comes out"
        await pc.close()
        await server.close()
        await stream.close()

    run(main())


async def take(track, n):
    return [await track.recv() for _ in range(n)]


def test_audio_and_pictures_keep_step(clips):
    """The reports of both streams relate them to one clock, whatever the file's interleaving is."""

    async def main():
        stream = source(clips, "libopus.ts")
        server = WebRTCServer(stream)
        address = await server.start()
        pc, tracks = await view(address)
        await until(lambda: len(tracks) == 2)
        video, audio = await asyncio.gather(take(tracks["video"], 45), take(tracks["audio"], 60))
        assert abs(video[-1].time - video[0].time - 44 / 30) < 0.02
        assert abs(audio[-1].time - audio[0].time - 59 * 0.02) < 0.05
        await pc.close()
        await server.close()
        await stream.close()

    run(main())


@pytest.mark.parametrize("name", ["silent.mp4", "raw.h264"])
def test_files_without_sound(clips, name):
    async def main():
        stream = source(clips, name)
        server = WebRTCServer(stream)
        address = await server.start()
        pc, tracks = await view(address)
        assert (stream.codec, stream.audio_codec, stream.subscribe_audio()) == ("h264", "", None)
        packets = await take(tracks["video"], 70)  # past the end: the file begins again
        steps = [b.pts - a.pts for a, b in itertools.pairwise(packets)]
        assert packets[0].is_keyframe and set(steps) == {3000}
        assert "audio" not in tracks
        await pc.close()
        await server.close()
        await stream.close()

    run(main())


def test_b_frames_of_a_file_are_named(clips):
    async def main():
        stream = FileStream(clips / "b.mp4")
        with pytest.raises(ReorderedPicturesError, match="B-frames"):
            await stream.ready()
        await stream.close()

    run(main())


def test_without_pyav_there_is_no_sound(clips, monkeypatch):
    from tstrans.webrtc import _av
    from tstrans.webrtc.exceptions import MissingExtraError

    def missing():
        raise MissingExtraError("not here")

    monkeypatch.setattr(_av, "load", missing)

    async def main():
        for name in ("aac.ts", "aac.mp4"):
            stream = source(clips, name)
            with warnings.catch_warnings(record=True) as told:
                warnings.simplefilter("always")
                await stream.ready()
                await until(lambda told=told: told)
            assert "left out" in str(told[0].message)
            assert stream.audio_codec == ""
            await stream.close()

    run(main())


def test_key_frame_requests_reach_the_source(clips):
    """A viewer's PLI reaches a callback of the stream, and both sides count it."""

    async def main():
        asked = []
        path = clips / "libopus.ts"
        stream = TransportStream(
            reader(path), paced=True, again=lambda: reader(path), on_key_frame_request=lambda: asked.append(1)
        )
        server = WebRTCServer(stream)
        address = await server.start()
        pc, tracks = await view(address)
        await take(tracks["video"], 5)
        before = stream.key_frame_requests
        tracks["video"].request_keyframe()
        await until(lambda: stream.key_frame_requests > before and asked)
        assert pc.getReceivers()[0].key_frame_requests >= 1
        stream.request_keyframe()
        stream.request_keyframe()
        assert len(asked) <= 2, "the source is asked twice a second at most"
        await pc.close()
        await server.close()
        await stream.close()

    run(main())


def test_a_relay_passes_requests_on():
    async def main():
        asked = []

        class Camera(VideoStreamTrack):
            def request_keyframe(self):
                asked.append(time.monotonic())

        relay, camera = MediaRelay(), Camera()
        p, q = RTCPeerConnection(), RTCPeerConnection()
        sender = p.addTrack(relay.subscribe(relay.subscribe(camera)))
        got = []
        q.on("track", got.append)
        await p.setLocalDescription()
        await q.setRemoteDescription(p.localDescription)
        await q.setLocalDescription()
        await p.setRemoteDescription(q.localDescription)
        frame = await got[0].recv()
        assert frame.width == 640
        got[0].request_keyframe()
        await until(lambda: asked and sender.key_frame_requests)
        await p.close()
        await q.close()

    run(main())


def test_levels_of_sound_are_told():
    import av
    import numpy as np

    class Tone(MediaStreamTrack):
        kind = "audio"
        n = 0
        amplitude = 32767

        async def recv(self):
            await asyncio.sleep(0.01)
            t = (np.arange(960) + self.n * 960) / 48000
            wave = (self.amplitude * np.sin(2 * np.pi * 1000 * t)).astype(np.int16)
            frame = av.AudioFrame.from_ndarray(
                np.repeat(wave, 2).reshape(1, -1), format="s16", layout="stereo"
            )
            frame.sample_rate, frame.pts = 48000, self.n * 960
            frame.time_base = Fraction(1, 48000)
            self.n += 1
            return frame

    async def main():
        p, q = RTCPeerConnection(), RTCPeerConnection()
        tone = Tone()
        p.addTrack(tone)
        got = []
        q.on("track", got.append)
        await p.setLocalDescription()
        await q.setRemoteDescription(p.localDescription)
        await q.setLocalDescription()
        await p.setRemoteDescription(q.localDescription)
        await until(lambda: got and got[0].audio_level == 3)  # a full sine is 3 dB below the largest square
        tone.amplitude = 328
        await until(lambda: got[0].audio_level == 43)
        tone.amplitude = 0
        await until(lambda: got[0].audio_level == 127)
        await p.close()
        await q.close()

    run(main())


def test_what_the_other_side_takes_is_told():
    """Receivers say what bit rate they take (REMB), and senders follow and report it."""

    async def main():
        p, q = RTCPeerConnection(), RTCPeerConnection()
        sender = p.addTrack(VideoStreamTrack())
        assert sender.bitrate_asked is None
        await p.setLocalDescription()
        await q.setRemoteDescription(p.localDescription)
        await q.setLocalDescription()
        await p.setRemoteDescription(q.localDescription)
        await until(lambda: sender.bitrate_asked)
        assert 100_000 <= sender.bitrate_asked <= 20_000_000
        await p.close()
        await q.close()

    run(main())
