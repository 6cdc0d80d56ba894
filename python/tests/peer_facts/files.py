"""Reading and rewriting files."""

from __future__ import annotations

from collections.abc import Iterator

_PATHS = {
    "path": "f",
    "text": "str(f)",
    "path-like": "type('P', (), {'__fspath__': lambda s: str(f)})()",
    "nothing": "None",
    "number": "5",
    "missing": "f.with_name('missing.ts')",
    "directory": "f.parent",
    "empty": "file(b'', 'e.ts')",
    "junk": "file(b'x' * 7000, 'j.ts')",
    "short junk": "file(b'x' * 6000, 'j.ts')",
    "cut": "file(ts()[:-100], 'c.ts')",
    "late start": "file(b'abc' * 3 + ts(), 'l.ts')",
}

_READERS = {
    "parse_file": "[type(e).__name__ for e in I.parse_file({})]",
    "probe": "I.probe({})",
    "extract_klv": "list(I.extract_klv({}))",
    "extract_klv with pts": "list(I.extract_klv({}, with_pts=True))",
    "extract_klv parsed": "list(I.extract_klv({}, parsed=True))",
    "extract_klv parsed, all": "list(I.extract_klv({}, parsed=True, skip_unknown=False,"
    " skip_malformed=True))",
    "iter_uas_datalink": "list(I.iter_uas_datalink({}))",
    "transmux": "list(I.transmux({}, f.with_name('o.ts')))[-1:]",
}

_CONFIGS = ["config=None", "config=DemuxerConfig(strict_mode=StrictMode.FULL)", "config=5", "nonsense=1"]

_F = "f = file(ts(False)); o = f.with_name('out.ts')\no.unlink(missing_ok=True)\n"
_SAID = "[(type(e).__name__, getattr(e, 'payload', getattr(e, 'raw', None))) for e in I.parse_file(o)]"
_ALL = (
    "def run(f, o, **how):\n    with I.transmux(f, o, **how) as t:\n        for e in t:\n       "
    "     t.write(e)\n"
)
_WITH = "with I.transmux(f, o) as t:\n    "

_TRANSMUX = {
    "all": f"{_ALL}run(f, o)\n{_SAID}",
    "drop once told": f"{_ALL}f = file(ts())\nrun(f, o, drop=iter([StreamKindTag.SUBTITLE]))\n{_SAID}",
    "to nothing": "I.transmux(f, None)",
    "to a config": "I.transmux(f, DemuxerConfig())",
    "DVB subtitles": f"{_ALL}f = file(ts())\n(attempt(lambda: run(f, o)), o.exists())",
    "a block that fails": f"{_ALL}def broken(**how):\n    with I.transmux(f, o, **how) as t:\n"
    "        for e in t:\n            t.write(e)\n            1 / 0\n"
    "[(attempt(lambda: broken(atomic=a)), o.exists(), o.unlink(missing_ok=True)) for a in (True, False)]",
    "write nothing": f"{_WITH}t.write(None)\nTrue",
    "write a picture first": f"{_WITH}t.write(demux(ts())[6])\nTrue",
    "write a map first": f"{_WITH}t.write(demux(ts())[0])\no.exists()",
    "iterate outside": "t = I.transmux(f, o); (len(list(t)), iter(t) is iter(t))",
    "write after": f"{_WITH}e = list(t)\nt.write(e[1])",
    "enter again": f"{_WITH}list(t)\nwith t:\n    pass\nTrue",
    "edited KLV": f"{_WITH}for e in t:\n        t.write_klv(e, b'new') if isinstance(e, DemuxEvent.Klv) else "
    f"t.write(e)\n{_SAID}",
    "KLV of another event": f"{_WITH}for e in t:\n        t.write_klv(e, b'abc')\nTrue",
    "KLV of nothing": f"{_WITH}t.write_klv(None, b'abc')\nTrue",
    "remarks": f"{_WITH}e = list(t); t.write(DemuxEvent.ReconnectDiscontinuity())\n"
    "    t.write(DemuxEvent.NonConformant(e[1].stream, 'x', NonConformantKind.OTHER))\nTrue",
    "two programs": f"{_ALL}m = Muxer(config(prog(1, 0x100, V), prog(2, 0x200, ('add_video', 0x201, "
    "VideoCodec.H265))))\nm.push_video_to(m.video_handles()[0], H264, pts=p(0))\n"
    "attempt(lambda: run(file(pull(m)), o))",
    "no input": f"{_ALL}(attempt(lambda: run(f.with_name('no.ts'), o)), o.exists())",
}

_WRITE = {
    "writes": "m = full()\nwith m.write_file(o) as x:\n    r = (type(x).__name__, x is m)\n(r,"
    " m.pending_packets())",
    "same bytes": "m = full()\nwith m.write_file(o) as x:\n    pass\no.read_bytes() == ts()",
    "pushed on the muxer": "m = mux(V)\nwith m.write_file(o) as x:\n    m.push_video(H264, pts=p(0)); "
    "a = o.stat().st_size; x.push_video(H264P, pts=p(3600)); b = m.pending_packets()\n(a, b,"
    " o.stat().st_size)",
    "after the block": "m = mux(V)\nwith m.write_file(o) as x:\n    pass\n"
    "(attempt(lambda: x.push_video(H264, pts=p(0))), m.pending_packets())",
    "again": "m = mux(V); s = m.write_file(o)\nfor i in range(2):\n    with s as x:\n"
    "        x.push_video(H264, pts=p(i))\no.stat().st_size",
    "no directory": "with mux(V).write_file(o / 'no' / 'x.ts'):\n    pass\nTrue",
    "a directory": "with mux(V).write_file(f.parent):\n    pass\nTrue",
    "atomic by position": "mux(V).write_file(o, True)",
    "unknown attribute": "with mux(V).write_file(o) as x:\n    x.nonsense\nTrue",
    "no stream": "with mux(V).write_file(o) as x:\n    x.push_klv(b'', pts=p(0))\nTrue",
    "failing": "m = mux(V)\ntry:\n    with m.write_file(o, atomic=True) as x:\n"
    "        x.push_video(H264, pts=p(0)); 1 / 0\nexcept ZeroDivisionError:\n    pass\n"
    "(o.exists(), [x.name for x in f.parent.iterdir() if 'partial' in x.name])",
}

_GENERATORS = {
    "read twice": "g = I.parse_file(f); (len(list(g)), len(list(g)))",
    "closed": "g = I.parse_file(f); next(g); g.close(); attempt(lambda: next(g))",
    "not opened before": "g = I.parse_file(f); f.unlink(); next(g)",
    "kept open": "g = I.parse_file(f); next(g); f.unlink(); len(list(g))",
    "probe's result": "a = I.probe(f); (a == I.probe(str(f)), hash(a) == hash(I.probe(f)),"
    " a.has_klv, a.pids)",
}


def questions() -> Iterator[tuple[str, str]]:
    for reader, how in _READERS.items():
        for name, made in _PATHS.items():
            yield f"{reader} of {name}", _F + how.format(made)
        for config in _CONFIGS:
            if reader != "transmux":
                yield f"{reader} with {config}", _F + how.format(f"f, {config}")
    for name, code in {**_TRANSMUX, **_WRITE, **_GENERATORS}.items():
        yield "!" + name, _F + code
