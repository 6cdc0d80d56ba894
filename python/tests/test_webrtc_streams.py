"""Tracks without a connection: timing, events, frames, and the programs that users write around them."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import textwrap
import time
from fractions import Fraction

import av
import numpy as np
import pytest
import tstrans.webrtc as aiortc
from tstrans.webrtc import mediastreams
from tstrans.webrtc.contrib.media import MediaBlackhole, MediaPlayer, MediaRecorder, MediaRelay
from tstrans.webrtc.mediastreams import MediaStreamError, MediaStreamTrack, convert_timebase


def run(coroutine, limit: float = 20.0):
    async def bounded():
        return await asyncio.wait_for(coroutine, limit)

    return asyncio.run(bounded())


def test_constants():
    assert mediastreams.AUDIO_PTIME == 0.020
    assert mediastreams.VIDEO_CLOCK_RATE == 90000
    assert mediastreams.VIDEO_PTIME == 1 / 30
    assert Fraction(1, 90000) == mediastreams.VIDEO_TIME_BASE


def test_base_class_is_abstract():
    with pytest.raises(TypeError):
        aiortc.MediaStreamTrack()
    assert aiortc.MediaStreamTrack.kind == "unknown"
    assert issubclass(aiortc.MediaStreamError, Exception)


def test_convert_timebase_truncates_toward_zero():
    a, b = Fraction(1, 90000), Fraction(1, 1000)
    assert convert_timebase(3001, a, b) == 33
    assert convert_timebase(-3001, a, b) == -33
    marker = 12345
    assert convert_timebase(marker, a, a) is marker
    assert convert_timebase(160, Fraction(1, 8000), Fraction(1, 48000)) == 960


def test_ids_differ_and_are_uuids():
    ids = {aiortc.AudioStreamTrack().id for _ in range(50)}
    assert len(ids) == 50
    assert all(len(i) == 36 and i[14] == "4" for i in ids)


def test_silence():
    async def main():
        track = aiortc.AudioStreamTrack()
        start = time.monotonic()
        frames = [await track.recv() for _ in range(4)]
        took = time.monotonic() - start
        assert 0.055 < took < 1
        assert [f.pts for f in frames] == [0, 160, 320, 480]
        for f in frames:
            assert (f.format.name, f.layout.name, f.samples, f.sample_rate) == ("s16", "mono", 160, 8000)
            assert f.time_base == Fraction(1, 8000)
            assert bytes(f.planes[0]) == bytes(320)
        track.stop()
        with pytest.raises(MediaStreamError):
            await track.recv()

    run(main())


def test_late_reader_catches_up():
    async def main():
        track = aiortc.VideoStreamTrack()
        await track.recv()
        await asyncio.sleep(0.2)
        start = time.monotonic()
        for _ in range(5):
            await track.next_timestamp()
        assert time.monotonic() - start < 0.15  # five pictures last 0.167 s

    run(main())


def test_green():
    async def main():
        track = aiortc.VideoStreamTrack()
        frames = [await track.recv() for _ in range(3)]
        assert [f.pts for f in frames] == [0, 3000, 6000]
        f = frames[0]
        assert (f.width, f.height, f.format.name, f.time_base) == (640, 480, "yuv420p", Fraction(1, 90000))
        assert all(bytes(p) == bytes(p.buffer_size) for p in f.planes)
        assert tuple(f.to_ndarray(format="rgb24")[0, 0]) == (0, 135, 0)

    run(main())


def test_next_timestamp_of_both_kinds():
    async def main():
        video, audio = aiortc.VideoStreamTrack(), aiortc.AudioStreamTrack()
        assert await video.next_timestamp() == (0, Fraction(1, 90000))
        assert await video.next_timestamp() == (3000, Fraction(1, 90000))
        audio.sample_rate = 48000
        assert [await audio.next_timestamp() for _ in range(2)] == [
            (0, Fraction(1, 48000)),
            (960, Fraction(1, 48000)),
        ]
        for track in (video, audio):
            track.stop()
            with pytest.raises(MediaStreamError):
                await track.next_timestamp()

    run(main())


def test_a_subclass_with_a_clock_of_its_own():
    """Programs ask with hasattr() whether their track has begun, and keep its start and time there."""

    class Own(aiortc.VideoStreamTrack):
        async def next_timestamp(self):
            if hasattr(self, "_timestamp"):
                self._timestamp += 3000
                await asyncio.sleep(max(0, self._start + self._timestamp / 90000 - time.time()))
            else:
                self._start = time.time()
                self._timestamp = 0
            return self._timestamp, Fraction(1, 90000)

    async def main():
        track, plain = Own(), aiortc.VideoStreamTrack()
        assert [(await track.recv()).pts for _ in range(3)] == [0, 3000, 6000]
        assert not hasattr(plain, "_timestamp")
        await plain.recv()
        assert plain._timestamp == 0

    asyncio.run(main())


def test_frame_types_beside_the_tracks():
    assert mediastreams.VideoFrame is aiortc.VideoFrame and mediastreams.AudioFrame is aiortc.AudioFrame
    assert issubclass(mediastreams.VideoFrame, mediastreams.Frame)
    with pytest.raises(AttributeError):
        _ = mediastreams.NoSuchFrame


def test_stop_emits_once_and_forgets_listeners():
    track = aiortc.AudioStreamTrack()
    seen = []

    @track.on("ended")
    def ended():
        seen.append(track.readyState)

    track.once("ended", lambda: seen.append("once"))
    track.stop()
    track.stop()
    assert seen == ["ended", "once"]
    assert track.listeners("ended") == []


def test_emitter():
    e = aiortc.AudioStreamTrack()
    seen = []
    f = e.on("x", lambda *a, **k: seen.append((a, k)))
    assert e.emit("x", 1, b=2) is True
    e.remove_listener("x", f)
    assert e.emit("x") is False
    e.remove_listener("x", f)  # an event without listeners has none to miss
    e.on("x", lambda: None)
    with pytest.raises(KeyError):
        e.remove_listener("x", f)
    e.remove_all_listeners()
    e.once("y")(lambda: seen.append("y"))
    e.emit("y")
    e.emit("y")
    assert seen == [((1,), {"b": 2}), "y"]
    with pytest.raises(ValueError):
        e.emit("error", ValueError("told"))
    e.on("z", f)
    assert e.event_names() == {"z"}
    e.remove_all_listeners()
    assert e.event_names() == set()


def test_coroutine_listeners_run():
    async def main():
        track = aiortc.AudioStreamTrack()
        done = asyncio.Event()

        @track.on("ended")
        async def ended():
            done.set()

        track.stop()
        await track.wait_for_complete()
        assert done.is_set() and track.complete

    run(main())


def test_frames_are_those_of_pyav():
    assert aiortc.AudioFrame is av.AudioFrame and aiortc.VideoFrame is av.VideoFrame
    f = aiortc.VideoFrame(640, 480)
    assert [p.buffer_size for p in f.planes] == [307200, 76800, 76800]
    assert f.pts is None
    with pytest.raises(ValueError):
        f.planes[0].update(b"short")


def test_without_pyav_a_clear_error():
    code = """
    import asyncio, sys
    sys.modules["av"] = None
    import tstrans.webrtc as w
    from tstrans.exceptions import TstError
    try:
        w.VideoFrame
    except w.MissingExtraError as e:
        assert isinstance(e, TstError) and "tstrans-go[webrtc]" in str(e), e
    else:
        raise SystemExit("no error")
    try:
        asyncio.run(w.AudioStreamTrack().recv())
    except ImportError as e:
        print("told")
    """
    out = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code)], capture_output=True, text=True, timeout=60
    )
    assert out.stdout.strip() == "told", out.stderr


# The three programs of the media-stream documentation, as their users have them.


def test_program_sine_wave():
    from tstrans.webrtc import AudioFrame

    class SineWaveAudioTrack(aiortc.AudioStreamTrack):
        """Custom audio track generating sine wave."""

        def __init__(self, frequency=440, sample_rate=8000):
            super().__init__()
            self.frequency = frequency
            self.sample_rate = sample_rate
            self.samples = 0

        async def recv(self):
            samples_per_frame = int(self.sample_rate * 0.020)
            t = np.arange(samples_per_frame) / self.sample_rate + self.samples / self.sample_rate
            audio_data = np.sin(2 * np.pi * self.frequency * t)
            audio_data = (audio_data * 32767).astype(np.int16)
            self.samples += samples_per_frame
            frame = AudioFrame(format="s16", layout="mono", samples=samples_per_frame)
            frame.planes[0].update(audio_data.tobytes())
            pts, time_base = await self.next_timestamp()
            frame.pts = pts
            frame.time_base = time_base
            return frame

    async def main():
        pc = aiortc.RTCPeerConnection()
        track = SineWaveAudioTrack(frequency=880)
        pc.addTrack(track)
        assert track.kind == "audio"
        frames = [await track.recv() for _ in range(3)]
        assert [f.pts for f in frames] == [0, 160, 320]
        assert frames[0].time_base == Fraction(1, 8000)
        assert np.abs(frames[1].to_ndarray()).max() > 30000
        await pc.close()

    run(main())


def test_program_webcam():
    from tstrans.webrtc import VideoFrame

    class Camera:
        """In place of a device."""

        released = False
        left = 10

        def read(self):
            self.left -= 1
            return self.left >= 0, np.full((480, 640, 3), max(0, self.left) * 20, np.uint8)

        def release(self):
            self.released = True

    class WebcamVideoTrack(aiortc.VideoStreamTrack):
        def __init__(self, cap):
            super().__init__()
            self.cap = cap

        async def recv(self):
            ret, frame = self.cap.read()
            if not ret:
                raise MediaStreamError("Failed to read from webcam")
            video_frame = VideoFrame.from_ndarray(frame[:, :, ::-1].copy(), format="rgb24")
            pts, time_base = await self.next_timestamp()
            video_frame.pts = pts
            video_frame.time_base = time_base
            return video_frame

        def stop(self):
            super().stop()
            if self.cap:
                self.cap.release()

    async def main():
        pc = aiortc.RTCPeerConnection()
        camera = Camera()
        try:
            track = WebcamVideoTrack(camera)
            pc.addTrack(track)
            sizes = [((f := await track.recv()).width, f.height, f.pts) for _ in range(10)]
            assert sizes == [(640, 480, 3000 * i) for i in range(10)]
            with pytest.raises(MediaStreamError):
                await track.recv()
        finally:
            track.stop()
        assert camera.released
        await pc.close()

    run(main())


def test_program_builtin_tracks():
    async def main():
        pc = aiortc.RTCPeerConnection()
        audio_track, video_track = aiortc.AudioStreamTrack(), aiortc.VideoStreamTrack()
        pc.addTrack(audio_track)
        pc.addTrack(video_track)
        assert (audio_track.readyState, video_track.readyState) == ("live", "live")
        audio_frame, video_frame = await audio_track.recv(), await video_track.recv()
        assert audio_frame.samples == 160 and (video_frame.width, video_frame.height) == (640, 480)
        audio_track.stop()
        video_track.stop()
        assert (audio_track.readyState, video_track.readyState) == ("ended", "ended")
        await pc.close()

    run(main())


# Files, recordings, relays.


@pytest.fixture(scope="module")
def clips(tmp_path_factory):
    """A second of H.264 without B-frames and of Opus or AAC, in several containers."""
    at = tmp_path_factory.mktemp("clips")
    base = [
        "ffmpeg",
        "-v",
        "error",
        "-y",
        "-f",
        "lavfi",
        "-i",
        "testsrc2=s=320x240:r=25:d=1",
        "-f",
        "lavfi",
        "-i",
        "sine=440:d=1",
    ]
    h264 = ["-c:v", "libx264", "-bf", "0", "-g", "10", "-pix_fmt", "yuv420p"]
    for name, extra in {
        "a.mp4": [*h264, "-c:a", "aac"],
        "a.ts": [*h264, "-c:a", "aac"],
        "a.mkv": [*h264, "-c:a", "libopus"],
        "a.wav": ["-map", "1:a"],
        "b.mp4": ["-map", "0:v", "-c:v", "libx264", "-bf", "2", "-pix_fmt", "yuv420p"],
    }.items():
        subprocess.run([*base, *extra, str(at / name)], check=True, timeout=60)
    return at


async def everything(track, limit=2000):
    out = []
    try:
        while len(out) < limit:
            out.append(await track.recv())
    except MediaStreamError:
        pass
    return out


def test_player_decodes(clips):
    async def main():
        player = MediaPlayer(str(clips / "a.mp4"))
        assert player.audio.kind == "audio" and player.video.kind == "video"
        start = time.monotonic()
        audio, video = await asyncio.gather(everything(player.audio), everything(player.video))
        assert time.monotonic() - start > 0.8, "frames are paced"
        assert len(video) == 25
        assert video[0].pts == 0
        assert all(
            f.sample_rate == 48000 and f.layout.name == "stereo" and f.format.name == "s16" for f in audio
        )
        assert [f.pts for f in audio] == [960 * i for i in range(len(audio))]
        assert all(f.samples == 960 for f in audio[:-1]) and len(audio) >= 49
        assert player.audio.readyState == player.video.readyState == "ended"

    run(main())


def test_player_missing_file():
    with pytest.raises(FileNotFoundError):
        MediaPlayer("/nonexistent/file.mp4")


@pytest.mark.parametrize("name", ["a.mp4", "a.ts", "a.mkv"])
def test_player_passes_h264_as_byte_stream(clips, name):
    async def main():
        player = MediaPlayer(str(clips / name), decode=False)
        assert (player.audio is None) == (name != "a.mkv")
        packets = await everything(player.video)
        assert len(packets) == 25
        assert all(bytes(p)[:3] in (b"\0\0\0", b"\0\0\1") for p in packets)
        decoder = av.CodecContext.create("h264", "r")
        frames = [f for p in packets for f in decoder.decode(av.Packet(bytes(p)))] + decoder.decode(None)
        assert len(frames) == 25
        if player.audio:
            player.audio.stop()

    run(main())


def test_player_names_b_frames(clips):
    with pytest.warns(RuntimeWarning, match="B-frames"):
        player = MediaPlayer(str(clips / "b.mp4"), decode=False)
    player.video.stop()


@pytest.mark.parametrize("name", ["a.wav", "a.ts"])
def test_player_loops(clips, name):
    async def main():
        player = MediaPlayer(str(clips / name), loop=True)
        track = player.audio
        frames = [await track.recv() for _ in range(60)]
        assert [f.pts for f in frames] == [960 * i for i in range(60)]
        track.stop()
        if player.video:
            player.video.stop()

    run(main())


def test_relay_shares_frames():
    async def main():
        source = aiortc.VideoStreamTrack()
        relay = MediaRelay()
        a, b = relay.subscribe(source), relay.subscribe(source)
        assert len({a.id, b.id, source.id}) == 3 and a.kind == "video"
        x, y = await asyncio.gather(a.recv(), b.recv())
        assert x is y
        a.stop()
        assert source.readyState == "live" and b.readyState == "live"
        with pytest.raises(MediaStreamError):
            await a.recv()
        await b.recv()
        source.stop()
        assert len(await everything(b)) <= 1
        assert b.readyState == "ended"

    run(main())


def test_relay_unbuffered_keeps_the_newest():
    async def main():
        source = aiortc.AudioStreamTrack()
        relay = MediaRelay()
        fast, slow, new = (
            relay.subscribe(source),
            relay.subscribe(source),
            relay.subscribe(source, buffered=False),
        )
        await asyncio.gather(slow.recv(), new.recv(), fast.recv())
        for _ in range(5):
            await fast.recv()
        assert (await slow.recv()).pts == 160
        assert (await new.recv()).pts >= 800
        for t in (fast, slow, new):
            t.stop()

    run(main())


def test_relay_at_the_end_of_its_source():
    """What waits is still read where the proxy is buffered; where it is not, the end is the newest."""

    class Source(MediaStreamTrack):
        kind = "audio"
        left = 3

        async def recv(self):
            await asyncio.sleep(0)
            if not self.left:
                self.stop()
                raise MediaStreamError
            self.left -= 1
            return self.left

    async def main():
        relay, source = MediaRelay(), Source()
        kept, newest = relay.subscribe(source), relay.subscribe(source, buffered=False)
        assert await asyncio.gather(kept.recv(), newest.recv()) == [2, 2]
        await asyncio.sleep(0.05)
        assert [await kept.recv(), await kept.recv()] == [1, 0]
        for track in (kept, newest):
            with pytest.raises(MediaStreamError):
                await track.recv()
            assert track.readyState == "ended"

    run(main())


def test_encoded_pictures_count_from_zero(clips):
    async def main():
        player = MediaPlayer(str(clips / "a.ts"), decode=False)
        packets = [await player.video.recv() for _ in range(3)]
        assert packets[0].pts == 0
        player.video.stop()

    run(main())


def test_blackhole_leaves_the_track_alone():
    async def main():
        track = aiortc.AudioStreamTrack()
        hole = MediaBlackhole()
        hole.addTrack(track)
        await hole.start()
        await asyncio.sleep(0.05)
        await hole.stop()
        assert track.readyState == "live"
        assert (await track.recv()).pts > 0

    run(main())


@pytest.mark.parametrize(
    ("name", "codecs"),
    [
        ("r.wav", {"pcm_s16le"}),
        ("r.mp4", {"aac", "h264"}),
        ("r.webm", {"opus", "vp8"}),
        ("r%3d.png", {"png"}),
    ],
)
def test_recorder(tmp_path, name, codecs):
    async def main():
        recorder = MediaRecorder(str(tmp_path / name))
        tracks = []
        if not name.endswith("png"):
            tracks.append(aiortc.AudioStreamTrack())
        if not name.endswith("wav"):
            tracks.append(aiortc.VideoStreamTrack())
        for t in tracks:
            recorder.addTrack(t)
        await recorder.start()
        await asyncio.sleep(0.5)
        await recorder.stop()
        await recorder.stop()

    run(main())
    with av.open(str(tmp_path / (name if "%" not in name else "r001.png"))) as c:
        assert {s.codec_context.codec.canonical_name for s in c.streams} == codecs
        for s in c.streams.video:
            assert (s.codec_context.width, s.codec_context.height) == (640, 480)
        frames = sum(1 for _ in c.decode(c.streams[0]))
        assert frames > 0


def test_a_slow_encoder_does_not_hold_up_the_loop(tmp_path):
    async def main():
        recorder = MediaRecorder(str(tmp_path / "slow.webm"))
        track = aiortc.VideoStreamTrack()
        recorder.addTrack(track)
        (recorded,) = recorder._MediaRecorder__tracks.values()

        class Slow:
            calls = 0

            def encode(self, frame):
                self.calls += 1
                assert self.calls < 100, "the loop runs nothing but the encoder"
                time.sleep(0.05)  # longer than a picture lasts
                return stream.encode(frame)

            def __getattr__(self, name):
                return getattr(stream, name)

        stream = recorded.stream
        recorded.stream = Slow()
        await recorder.start()
        ticks = 0
        while ticks < 30:
            await asyncio.sleep(0.01)
            ticks += 1
        await recorder.stop()

    run(main(), 10)


def test_recorder_refuses_packets(tmp_path, clips):
    async def main():
        player = MediaPlayer(str(clips / "a.ts"), decode=False)
        recorder = MediaRecorder(str(tmp_path / "x.mp4"))
        recorder.addTrack(player.video)
        recorder.addTrack(aiortc.AudioStreamTrack())
        await recorder.start()
        await asyncio.sleep(0.1)
        with pytest.raises(TypeError):
            await recorder.stop()
        player.video.stop()

    run(main())
