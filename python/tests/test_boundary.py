"""The private boundary: every status becomes an exception, buffers come in, forks are survived."""

from __future__ import annotations

import array
import os

import pytest
from tstrans import TstError, exceptions
from tstrans._native import _lib, base_abi


def statuses() -> dict[str, int]:
    return {n: v for n, v in vars(base_abi).items() if n.startswith("TST_E_")}


@pytest.mark.parametrize(("name", "status"), sorted(statuses().items()))
def test_every_status_has_its_exception(name: str, status: int) -> None:
    spoken = _lib.status_name(status)
    assert spoken.replace(".", "_").upper() == name.removeprefix("TST_E_")
    detail = _lib.Detail(base_abi.tst_error(status=status, offset=7))
    error = _lib.exception_of(detail, status)
    assert isinstance(error, Exception)
    domain, _, kind = spoken.partition(".")
    if domain in ("mp4", "timeline", "webrtc"):  # modules with error classes of their own
        assert type(error) is TstError
    elif kind:
        cls, enum = _lib._DOMAINS[domain]
        assert type(error) is getattr(exceptions, cls)
        assert error.kind is getattr(exceptions, enum)[kind.upper()]  # type: ignore[attr-defined]
        assert isinstance(error, TstError)


def test_the_last_error_is_told() -> None:
    with pytest.raises(ValueError, match="out is NULL"):
        _lib.check(_lib.library().base.tst_config_new(None))


@pytest.mark.parametrize(
    "data",
    [b"abc", bytearray(b"abc"), memoryview(b"abc"), memoryview(bytearray(b"abc")), array.array("B", b"abc")],
)
def test_pin_takes_buffers_in_place(data: object) -> None:
    pointer, length, keep = _lib.pin(data)
    assert length == 3
    if type(data) is bytes:
        assert pointer is data
    else:
        import ctypes

        assert ctypes.string_at(pointer, 3) == b"abc"
    del keep


def test_pin_of_what_is_no_buffer() -> None:
    assert _lib.pin(memoryview(b"a-b-c-")[::2])[:2] == (b"abc", 3)
    assert _lib.pin([1, 2])[:2] == (b"\x01\x02", 2)
    assert _lib.pin(3)[:2] == (b"\0\0\0", 3)
    for wrong in ("abc", None):
        with pytest.raises(TypeError):
            _lib.pin(wrong)


def test_config_refuses_what_does_not_fit() -> None:
    with pytest.raises(OverflowError), _lib.Config({"x": 1 << 70}):
        pass


def test_a_forked_child_loads_a_copy_of_its_own() -> None:
    before = _lib.library()
    read, write = os.pipe()
    pid = os.fork()
    if pid == 0:
        own = _lib.library()
        answer = b"ok" if own is not before and _lib.status_name(-100) == "demux.strict_rejection" else b"no"
        os.write(write, answer)
        os._exit(0)
    os.close(write)
    assert os.read(read, 2) == b"ok"
    os.close(read)
    assert os.waitpid(pid, 0)[1] == 0
