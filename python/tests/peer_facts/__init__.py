"""Small questions about the API, asked alike of this package and of the published releases.

A question is a name and a few lines of Python, the last of which is the answer's expression. The modules
make them from tables of arguments, thousands of them; a fixed share is kept (see `questions`), with what the
answers are to be in peer_facts.json. Errors count by class, kind and attributes; their texts are our own.

    python -m peer_facts        prints the answers of whatever tstrans the interpreter has, as JSON
"""

from __future__ import annotations

import ast
import enum
import itertools
import re
import tempfile
import types
import zlib
from collections.abc import Iterator
from typing import Any

from . import codec, files, frames, klv, mux, values
from .prelude import PRELUDE

__all__ = ["answers", "questions"]

#: Of how many made questions one is kept, by module.
SHARES = {values: 6, mux: 7, files: 2, klv: 24, codec: 4, frames: 1}

#: Addresses, and the words of field errors.
_OURS = re.compile(r"0x[0-9a-f]{6,}|message='[^']*'")
#: What an error has besides its text. Places in the input are additions of this package.
_SILENT = ("message", "offset")


def questions() -> Iterator[tuple[str, str]]:
    """Those that are kept: names with a ``!`` in front always, of the others every n-th by a hash."""
    for module, share in SHARES.items():
        for name, code in module.questions():
            if name.startswith("!") or zlib.crc32(name.encode()) % share == 0:
                yield f"{module.__name__.rpartition('.')[2]}: {name.lstrip('!')}", code


def answers() -> dict[str, str]:
    """What the package of this interpreter says."""
    with tempfile.TemporaryDirectory(prefix="peer_facts") as tmp:
        show = Show(tmp)
        base: dict[str, Any] = {"__name__": "peer_facts.question", "TMP": tmp, "attempt": attempt}
        exec(PRELUDE, base)
        return {
            name: show(attempt(lambda code=code: _answer(code, dict(base)))) for name, code in questions()
        }


def attempt(f: Any) -> Any:
    """What a call gives, or the error it raises (a panic of a native library is no Exception)."""
    try:
        return f()
    except KeyboardInterrupt:
        raise
    except BaseException as e:
        return e


def _answer(code: str, space: dict[str, Any]) -> Any:
    tree = ast.parse(code)
    last = tree.body.pop()
    assert isinstance(last, ast.Expr), code
    exec(compile(tree, "question", "exec"), space)
    value = eval(compile(ast.Expression(last.value), "question", "eval"), space)
    return list(itertools.islice(value, 500)) if isinstance(value, types.GeneratorType) else value


class Show:
    """A value as text that two implementations can be compared by."""

    def __init__(self, tmp: str) -> None:
        self._tmp = tmp

    def __call__(self, v: Any) -> str:
        cls = type(v)
        if isinstance(v, BaseException):
            text = self._error(v)
        elif cls in (list, tuple):
            text = f"{'[('[cls is tuple]}{', '.join(map(self, v))}{'])'[cls is tuple]}"
        elif cls is dict:
            text = "{" + ", ".join(f"{self(k)}: {self(x)}" for k, x in v.items()) + "}"
        elif isinstance(v, type):
            text = f"class {v.__name__}"
        elif cls.__name__ == "DataFrame":
            text = self._frame(v)
        elif cls.__module__ == "numpy":
            text = f"array {v.dtype} {v.tolist()!r} {v.flags.writeable}"
        else:
            text = repr(v)
        text = _OURS.sub("", text).replace(self._tmp, "TMP").replace("_MetadataEvent", "_KlvEvent")
        return text if len(text) < 700 else f"{text[:300]}... {len(text)} {zlib.crc32(text.encode()):08x}"

    def _error(self, e: BaseException) -> str:
        told = {k: v for k, v in sorted(vars(e).items()) if k not in _SILENT and v is not None}
        words = [f"{k}={v.name if isinstance(v, enum.Enum) else v}" for k, v in told.items()]
        return " ".join(["error", type(e).__name__, *words])

    def _frame(self, d: Any) -> str:
        # Text is of dtype object before pandas 3.
        kinds = [f"{c}:{t}".replace(":str", ":object") for c, t in zip(d.columns, d.dtypes, strict=True)]
        rows = [self(list(r)) for r in d.itertuples(index=True, name=None)]
        return f"frame {kinds} index {d.index.names} {d.index.dtype} rows {rows}"
