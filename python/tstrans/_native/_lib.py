"""Loading the library, turning status codes into exceptions, the base of owned handles, buffers in.

The library is loaded at first use, never at import. A forked child cannot go on with its parent's copy (the
Go runtime's threads are gone), so the child forgets it and loads a private copy at its next use; handles from
before the fork raise `ForkedHandleError`.
"""

from __future__ import annotations

import ctypes
import os
import weakref
from _thread import allocate_lock
from importlib import import_module

from .. import exceptions as exc
from . import base_abi as abi

TYPE_CHECKING = False  # typing and threading cost more than all the rest here
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, ClassVar, NoReturn

__all__ = [
    "ClosedHandleError",
    "ForkedHandleError",
    "Handle",
    "check",
    "failure",
    "library",
    "pin",
    "plain",
    "room",
]

LIBRARY_NAME = "libtstrans.so"


class ClosedHandleError(exc.TstError, ValueError):
    """The object was closed, or never opened."""


class ForkedHandleError(exc.TstError, RuntimeError):
    """The object was opened before this process was forked off: open it again here."""


class Library:
    """One loaded copy of the shared library and the rooms bound to it so far."""

    __slots__ = ("_free", "_held", "_plain", "_rooms", "base", "names")

    def __init__(self, path: str) -> None:
        self._free = ctypes.CDLL(path)
        self._held = ctypes.PyDLL(path, handle=self._free._handle)
        self._rooms: dict[str, Any] = {}
        self._plain: dict[str, Any] = {}
        self.base = abi.Api(self._free, self._held)
        got = self.base.tst_abi_version()
        if got != abi.TST_ABI_VERSION:
            raise ImportError(f"{path} has ABI {got}, this package wants {abi.TST_ABI_VERSION}")
        self.names: dict[int, str] = {}

    def room(self, name: str) -> Any:
        api = self._rooms.get(name)
        if api is None:
            module = import_module(f"{__package__}.{name}_abi")
            api = self._rooms[name] = module.Api(self._free, self._held)
        return api

    def plain(self, name: str) -> Any:
        f = self._plain.get(name)
        if f is None:
            f = self._plain[name] = self._free[name]  # by index: an object of its own, with no types
            f.restype = ctypes.c_int32
        return f


_current: Library | None = None
_lock = allocate_lock()
_epoch = 0
_live: weakref.WeakSet[Handle] = weakref.WeakSet()


def library_path() -> str:
    """The path of the shared library: beside the package, or where TSTRANS_LIBRARY points."""
    named = os.environ.get("TSTRANS_LIBRARY")
    return named or os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), LIBRARY_NAME)


def library() -> Library:
    """The library of this process, loaded at the first call."""
    if _current is not None:
        return _current
    return _load()


def _load() -> Library:
    global _current
    with _lock:
        if _current is None:
            path = library_path()
            # The dynamic linker knows a library by its inode: a forked child gets a copy of its own only
            # through another file, here one in memory.
            _current = Library(path) if _epoch == 0 else _private_copy(path)
        return _current


def _private_copy(path: str) -> Library:
    fd = os.memfd_create("libtstrans")
    try:
        with open(path, "rb") as f:
            data = f.read()
        at = 0
        while at < len(data):
            at += os.write(fd, data[at:])
        return Library(f"/proc/self/fd/{fd}")
    finally:
        os.close(fd)


def room(name: str) -> Any:
    """The bound functions of one header, such as room("mpegts").tst_demuxer_feed."""
    return (_current or _load()).room(name)


def plain(name: str) -> Any:
    """A function that returns a status, bound without the types of its arguments.

    For calls that are made a hundred thousand times a second: with types each argument costs more than the
    whole rest of the call. They have to be bytes, ctypes objects (ids and addresses among them), or integers
    that fit a C int, which the calling convention widens where the function takes a size.
    """
    return (_current or _load()).plain(name)


def forked(*_: object) -> NoReturn:
    """Stands in for a function of a handle that was opened before the fork."""
    raise ForkedHandleError("opened before this process was forked: open it again here")


class _Forked:
    """Stands in for all of them."""

    __slots__ = ()

    def __getattr__(self, name: str) -> NoReturn:
        forked()


_FORKED = _Forked()


def _after_fork_in_child() -> None:
    global _current, _epoch, _lock
    _epoch += 1
    if _current is not None:
        # Never unloaded: dlclose would run code of the Go runtime that no longer works here.
        _kept.append(_current)
    _current = None
    _lock = allocate_lock()
    for handle in list(_live):
        handle._forget()


_kept: list[Library] = []
os.register_at_fork(after_in_child=_after_fork_in_child)


def _close_if_same_process(epoch: int, close: Callable[[int], int], handle: int) -> None:
    if epoch == _epoch:
        close(handle)


class Handle:
    """An object of the library, owned by one Python object.

    A subclass names its room and its close function and calls `_own` with the id it was given. Functions are
    reached through `self._api` and the id through `self._id`, so that a fork can cut both off.
    """

    _room: ClassVar[str]
    _close_name: ClassVar[str]
    __slots__ = ("__weakref__", "_api", "_finalizer", "_id")

    _api: Any
    _id: int
    _finalizer: Any

    def _own(self, api: Any, handle: int) -> None:
        self._api = api
        self._id = handle
        # A finalizer rather than __del__: it also runs at exit, and it never sees a half-built object.
        self._finalizer = weakref.finalize(
            self, _close_if_same_process, _epoch, getattr(api, self._close_name), handle
        )
        self._finalizer.atexit = False
        _live.add(self)

    def _forget(self) -> None:
        self._api = _FORKED
        self._id = 0
        self._finalizer.detach()

    @property
    def closed(self) -> bool:
        """Whether the object was closed (or was lost to a fork)."""
        return self._id == 0

    def close(self) -> None:
        """Give the object back; calling it again does nothing."""
        if self._id:
            self._id = 0
            self._finalizer()


#: The longest data that a function bound by `plain` takes.
LONGEST = (1 << 31) - 1


class PlainHandle(Handle):
    """A handle with functions bound by `plain`, under the names of `_plain`, which a fork cuts off too."""

    #: What its functions are called here, and in the library.
    _plain: ClassVar[dict[str, str]]
    __slots__ = ("key",)

    #: The id, as these functions take it.
    key: ctypes.c_uint64

    def _own(self, api: Any, handle: int) -> None:
        self.key = ctypes.c_uint64(handle)
        for name, function in self._plain.items():
            setattr(self, name, plain(function))
        super()._own(api, handle)

    def _forget(self) -> None:
        super()._forget()
        self.key.value = 0
        for name in self._plain:
            setattr(self, name, forked)

    def close(self) -> None:
        """Give the object back; calling it again does nothing."""
        self.key.value = 0
        super().close()


class Detail:
    """A Python copy of the thread's last error."""

    __slots__ = ("attrs", "field", "message", "offset", "status")

    def __init__(self, e: abi.tst_error) -> None:
        self.status: int = e.status
        self.message = _text(e.message)
        self.field = _text(e.field)
        self.offset: int | None = e.offset if e.offset >= 0 else None
        self.attrs: dict[str, int] = {_text(a.name): a.value for a in e.attrs[: e.attr_count]}


def _text(p: int | None) -> str:
    return ctypes.string_at(p).decode("utf-8", "replace") if p else ""


def status_name(status: int) -> str:
    """ "demux.strict_rejection" for a code of the table."""
    lib = library()
    name = lib.names.get(status)
    if name is None:
        name = lib.names[status] = _text(lib.base.tst_status_name(status))
    return name


# One exception class and one kind enum a domain of the status table.
_DOMAINS = {
    "demux": ("DemuxError", "DemuxErrorKind"),
    "mux": ("MuxError", "MuxErrorKind"),
    "klv": ("KlvError", "KlvErrorKind"),
    "klv_encode": ("KlvEncodeError", "KlvEncodeErrorKind"),
    "codec": ("CodecError", "CodecErrorKind"),
    "rtsp": ("RtspError", "RtspErrorKind"),
    "rtp": ("RtpError", "RtpErrorKind"),
    "srt": ("SrtError", "SrtErrorKind"),
    "udp": ("UdpError", "UdpErrorKind"),
    "tcp": ("TcpError", "TcpErrorKind"),
    "rist": ("RistError", "RistErrorKind"),
    "hls": ("HlsError", "HlsErrorKind"),
}


def failure(status: int, filename: str | None = None) -> BaseException:
    """The exception for a failed call of this thread: call it before any other call of the library."""
    p = library().base.tst_last_error()
    if not p:
        return exc.TstError(status_name(status) or f"status {status}")
    return exception_of(Detail(ctypes.cast(p, ctypes.POINTER(abi.tst_error)).contents), status, filename)


def exception_of(d: Detail, status: int, filename: str | None = None) -> BaseException:
    """The exception that stands for an error detail."""
    domain, _, kind = status_name(status).partition(".")
    if kind:
        made = _domain_error(domain, kind.upper(), d)
        if d.offset is not None and getattr(made, "offset", None) is None:
            made.offset = d.offset  # type: ignore[attr-defined]
        return made
    if status == abi.TST_E_BUSY:
        return RuntimeError("Already borrowed")
    if status == abi.TST_E_INVALID_HANDLE:
        return ClosedHandleError("the object is closed")
    if status == abi.TST_E_IO:
        errno = d.attrs.get("errno", 0)
        return OSError(errno, os.strerror(errno) if errno else d.message, filename or d.field or None)
    plain = _GENERAL.get(status)
    return plain(d.message) if plain else exc.TstError(d.message)


_GENERAL: dict[int, Callable[[str], BaseException]] = {
    abi.TST_E_INVALID_ARG: ValueError,
    abi.TST_E_OVERFLOW: OverflowError,
    abi.TST_E_TIMEOUT: TimeoutError,
    abi.TST_E_NO_MEMORY: MemoryError,
    abi.TST_E_CLOSED: ClosedHandleError,
}


def _domain_error(domain: str, kind: str, d: Detail) -> Exception:
    if domain not in _DOMAINS:  # a room whose own module maps its errors
        return exc.TstError(d.message)
    cls_name, kind_name = _DOMAINS[domain]
    cls = getattr(exc, cls_name)
    member = getattr(exc, kind_name)[kind]
    if domain == "mux":
        return cls(d.message, kind=member, pid=d.attrs.get("pid"))  # type: ignore[no-any-return]
    if domain == "klv_encode":
        return cls(d.message, kind=member, tag=d.attrs.get("tag"))  # type: ignore[no-any-return]
    if domain == "codec":
        extra: dict[str, Any] = dict(d.attrs)
        codec, _, message = d.message.partition(": ")
        if kind in ("RESERVED_VALUE", "FORBIDDEN") and d.field:
            extra["field"] = d.field
        return cls(member, codec, message, **extra)  # type: ignore[no-any-return]
    return cls(kind=member, message=d.message)  # type: ignore[no-any-return]


def check(status: int, filename: str | None = None) -> None:
    """Raise for a negative status."""
    if status < 0:
        raise failure(status, filename)


class _PyBuffer(ctypes.Structure):
    """Py_buffer of the C API (PEP 3118); the fields after `len` are only carried."""

    _fields_: ClassVar = [
        ("buf", ctypes.c_void_p),
        ("obj", ctypes.py_object),
        ("len", ctypes.c_ssize_t),
        ("itemsize", ctypes.c_ssize_t),
        ("readonly", ctypes.c_int),
        ("ndim", ctypes.c_int),
        ("format", ctypes.c_void_p),
        ("shape", ctypes.c_void_p),
        ("strides", ctypes.c_void_p),
        ("suboffsets", ctypes.c_void_p),
        ("internal", ctypes.c_void_p),
    ]


_get_buffer = ctypes.pythonapi.PyObject_GetBuffer
_get_buffer.argtypes = (ctypes.py_object, ctypes.c_void_p, ctypes.c_int)
_get_buffer.restype = ctypes.c_int
_release_buffer = ctypes.pythonapi.PyBuffer_Release
_release_buffer.argtypes = (ctypes.c_void_p,)
_release_buffer.restype = None

_WRITABLE = 1


class Pin:
    """A contiguous buffer held in place while the library reads or fills it."""

    __slots__ = ("_view", "address", "length")

    def __init__(self, data: object, writable: bool = False) -> None:
        view = _PyBuffer()
        self._view: _PyBuffer | None = None
        _get_buffer(data, ctypes.addressof(view), _WRITABLE if writable else 0)
        self._view = view
        self.address: int = view.buf or 0
        self.length: int = view.len

    def release(self) -> None:
        view, self._view = self._view, None
        if view is not None:
            _release_buffer(ctypes.addressof(view))

    def __del__(self) -> None:
        self.release()


def pin(data: object) -> tuple[Any, int, Any]:
    """(pointer argument, length, what to keep alive) for input data; bytes pass as they are, without a copy.

    Anything else with the buffer protocol is taken in place; what has none is converted as bytes() does, and
    str and None raise TypeError.
    """
    if type(data) is bytes:
        return data, len(data), None
    if isinstance(data, str) or data is None:
        raise TypeError(f"a bytes-like object is required, not {type(data).__name__!r}")
    try:
        p = Pin(data)
    except (TypeError, BufferError):
        b = bytes(data)  # type: ignore[call-overload]
        return b, len(b), None
    return p.address, p.length, p


class Config:
    """A configuration on its way into a constructor: `with Config({...}) as id`."""

    __slots__ = ("_api", "_values", "id")

    def __init__(self, values: dict[str, int | float | bool | str | bytes | None]) -> None:
        self._values = values
        self.id = 0

    def __enter__(self) -> int:
        self._api = api = library().base
        out = ctypes.c_uint64()
        check(api.tst_config_new(ctypes.byref(out)))
        self.id = out.value
        for key, v in self._values.items():
            if v is None:
                continue
            k = key.encode()
            if isinstance(v, (bool, int)):
                if not -(1 << 63) <= v < 1 << 63:
                    raise OverflowError(f"{key}: {v} does not fit 64 bits")
                check(api.tst_config_set_int(self.id, k, v))
            elif isinstance(v, float):
                check(api.tst_config_set_double(self.id, k, v))
            elif isinstance(v, str):
                b = v.encode()
                check(api.tst_config_set_text(self.id, k, b, len(b)))
            else:
                check(api.tst_config_set_bytes(self.id, k, v, len(v)))
        return self.id

    def __exit__(self, *_: object) -> None:
        if self.id:
            self._api.tst_config_close(self.id)
            self.id = 0
