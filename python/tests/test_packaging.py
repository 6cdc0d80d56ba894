"""The package as a user installs it: wheel in an empty environment, editable install, versions that agree."""

from __future__ import annotations

import os
import pathlib
import re
import subprocess
import sys
import zipfile

import pytest

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = pathlib.Path(__file__).resolve().parents[2]


def run(*args: str, **kwargs: object) -> str:
    env = {k: v for k, v in os.environ.items() if k not in ("PYTHONPATH", "TSTRANS_LIBRARY")}
    r = subprocess.run(args, capture_output=True, text=True, env=env, **kwargs)  # type: ignore[call-overload]
    assert r.returncode == 0, f"{' '.join(args)}\n{r.stdout}\n{r.stderr}"
    return str(r.stdout)


# A program that has everything loaded while the package is built anew under it, and then loads more.
RUNNING = """
import ctypes, os, pathlib, sys
from tstrans import io, rist
from tstrans._native import _lib
events = len(list(io.parse_file(sys.argv[1])))
libs = pathlib.Path(_lib.library_path()).with_name("_libs").glob("*.so.*")
libs = sorted(libs, key=lambda p: "rist" in p.name)  # the others first, it needs them
for p in libs:
    ctypes.CDLL(str(p))
print(len(libs), flush=True)
sys.stdin.readline()
ctypes.CDLL("libutil.so.1")
pid = os.fork()
if pid == 0:
    os._exit(0 if len(list(io.parse_file(sys.argv[1]))) == events else 1)
print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), flush=True)
"""


@pytest.fixture(scope="module")
def running() -> Iterator[subprocess.Popen[str]]:
    env = {**os.environ, "PYTHONPATH": str(ROOT / "python")}
    env.pop("TSTRANS_LIBRARY", None)
    for lib in (ROOT / "python" / "tstrans" / "_libs").glob("*.so.*"):
        other = lib.with_suffix(".other")
        other.write_bytes(lib.read_bytes() + b"\0")  # loads as well, and the build has to replace it
        other.replace(lib)
    command = [sys.executable, "-c", RUNNING, str(ROOT / "testdata" / "demo.ts")]
    with subprocess.Popen(command, stdin=-1, stdout=-1, text=True, env=env) as program:
        assert program.stdout is not None
        assert int(program.stdout.readline()) >= 1
        yield program
        program.kill()


@pytest.fixture(scope="module")
def wheel(running: subprocess.Popen[str], tmp_path_factory: pytest.TempPathFactory) -> pathlib.Path:
    out = tmp_path_factory.mktemp("dist")
    run(str(ROOT / "build/packaging/make-wheel.sh"), str(pathlib.Path(sys.executable).parents[1]), str(out))
    (found,) = out.glob("*.whl")
    return found


def environment(path: pathlib.Path) -> str:
    run(sys.executable, "-m", "venv", str(path))
    return str(path / "bin" / "python")


def test_wheel_is_one_library_for_every_python(wheel: pathlib.Path) -> None:
    assert re.fullmatch(r"tstrans_go-0\.2\.0-py3-none-manylinux_2_\d+_\w+\.whl", wheel.name)
    names = zipfile.ZipFile(wheel).namelist()
    assert "tstrans/libtstrans.so" in names
    assert "tstrans/py.typed" in names
    assert not [n for n in names if n.endswith((".go", ".c")) or "/tests/" in n]
    assert [n for n in names if n.endswith("LICENSE")]
    with zipfile.ZipFile(wheel) as z:
        licences = z.read("tstrans/_licenses/go-modules.txt").decode()
    for module in (
        "github.com/pion/rtp",
        "github.com/haivision/srtgo",
        "github.com/mattn/go-sqlite3",
        "golang.org/x/net",
    ):
        assert f"\n{module} v" in licences


def test_wheel_works_in_an_empty_environment(wheel: pathlib.Path, tmp_path: pathlib.Path) -> None:
    python = environment(tmp_path / "env")
    run(python, "-m", "pip", "-q", "install", "--no-deps", "--no-index", str(wheel))
    capture = str(ROOT / "testdata" / "demo.ts")
    code = f"from tstrans.io import probe; r = probe({capture!r}); print(r.video_codecs, r.has_klv)"
    out = run(python, "-c", code, cwd=tmp_path)
    assert "H264" in out
    assert "True" in out
    assert "H264" in run(str(tmp_path / "env/bin/tstrans"), "probe", capture, cwd=tmp_path).upper()


def test_building_leaves_running_programs_alone(wheel: pathlib.Path, running: subprocess.Popen[str]) -> None:
    """Libraries are replaced, never written to: their pages in other processes would go."""
    out, _ = running.communicate("\n", timeout=60)
    assert (out.strip(), running.returncode) == ("0", 0)


def test_editable_install(tmp_path: pathlib.Path) -> None:
    python = environment(tmp_path / "env")
    run(python, "-m", "pip", "-q", "--disable-pip-version-check", "install", "--no-deps", "-e", str(ROOT))
    where = run(python, "-c", "import tstrans; print(tstrans.__file__)", cwd=tmp_path)
    assert pathlib.Path(where.strip()).is_relative_to(ROOT)


def test_versions_agree() -> None:
    import tstrans

    project = re.search(r'^version = "(.*)"', (ROOT / "pyproject.toml").read_text(), re.M)
    release = re.search(r'^const release = "(.*)"', (ROOT / "capi/version.go").read_text(), re.M)
    assert project
    assert release
    assert tstrans.__version__ == project[1] == release[1]
