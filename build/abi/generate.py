"""Generate the ctypes prototypes from the C headers.

    python build/abi/generate.py [--check]

For each include/tstrans/<room>.h this writes python/tstrans/_native/<room>_abi.py: constants, structs and one
class that binds the room's functions. The files are committed; --check fails when one of them is stale.
A function whose comment holds the word QUICK is bound so that Python keeps the GIL (it takes under 2 us and
waits for nothing); all others release it.
"""

from __future__ import annotations

import argparse
import pathlib
import re
import subprocess
import sys
import tempfile

from pycparser import c_ast, c_parser

ROOT = pathlib.Path(__file__).resolve().parents[2]
HEADERS = ROOT / "include" / "tstrans"
TARGET = ROOT / "python" / "tstrans" / "_native"

# What the two standard headers give, so that no system header is parsed.
FAKE = {
    "stddef.h": "typedef unsigned long size_t;\n",
    "stdint.h": "".join(
        f"typedef {sign} {base} {u}int{bits}_t;\n"
        for bits, base in ((8, "char"), (16, "short"), (32, "int"), (64, "long"))
        for sign, u in (("signed", ""), ("unsigned", "u"))
    ),
}

SIMPLE = {
    "int8_t": "c_int8", "int16_t": "c_int16", "int32_t": "c_int32", "int64_t": "c_int64",
    "uint8_t": "c_uint8", "uint16_t": "c_uint16", "uint32_t": "c_uint32", "uint64_t": "c_uint64",
    "size_t": "c_size_t", "double": "c_double", "float": "c_float", "int": "c_int", "char": "c_char",
}  # fmt: skip


class Unit:
    """One preprocessed set of headers, with its typedefs resolved."""

    def __init__(self) -> None:
        with tempfile.TemporaryDirectory() as d:
            for name, text in FAKE.items():
                pathlib.Path(d, name).write_text(text)
            source = "".join(f'#include "tstrans/{h.name}"\n' for h in rooms())
            out = subprocess.run(
                ["gcc", "-E", "-nostdinc", f"-I{d}", f"-I{ROOT / 'include'}", "-x", "c", "-"],
                input=source, capture_output=True, text=True, check=True,
            ).stdout  # fmt: skip
        self.ast = c_parser.CParser().parse(out, "headers")
        self.typedefs: dict[str, c_ast.Node] = {}
        self.by_file: dict[str, list[c_ast.Node]] = {}
        for node in self.ast.ext:
            if isinstance(node, c_ast.Typedef):
                self.typedefs[node.name] = node.type
            self.by_file.setdefault(pathlib.Path(str(node.coord.file)).name, []).append(node)

    def ctype(self, node: c_ast.Node, in_struct: bool = False) -> str:
        if isinstance(node, c_ast.PtrDecl):
            inner = node.type
            if not in_struct and self.is_char(inner):
                return "c_void_p"
            return "c_void_p"
        if isinstance(node, c_ast.ArrayDecl):
            return f"{self.ctype(node.type, in_struct)} * {self.number(node.dim)}"
        if isinstance(node, c_ast.TypeDecl):
            return self.ctype(node.type, in_struct)
        if isinstance(node, c_ast.Struct):
            return str(node.name)
        if isinstance(node, c_ast.IdentifierType):
            name = node.names[-1]
            if name == "void":
                return "None"
            if name in SIMPLE:
                return SIMPLE[name]
            if name in self.typedefs:
                target = self.typedefs[name]
                named = isinstance(target, c_ast.TypeDecl) and isinstance(target.type, c_ast.Struct)
                if named:
                    return name
                return self.ctype(target, in_struct)
        raise SystemExit(f"no ctypes type for {node}")

    def is_char(self, node: c_ast.Node) -> bool:
        return isinstance(node, c_ast.TypeDecl) and isinstance(node.type, c_ast.IdentifierType) and node.type.names[-1] in (
            "char", "tst_cchar")  # fmt: skip

    def number(self, node: c_ast.Node) -> int:
        if isinstance(node, c_ast.Constant):
            return int(node.value, 0)
        raise SystemExit(f"array length is not a number: {node}")


def rooms() -> list[pathlib.Path]:
    headers = sorted(HEADERS.glob("*.h"))
    base = HEADERS / "base.h"
    return [base, *(h for h in headers if h != base)]


def constants(text: str) -> list[tuple[str, int]]:
    found = []
    for m in re.finditer(
        r"^#define\s+(TST_\w+)\s+\(?(-?(?:0x[0-9a-fA-F]+|\d+))[uUlL]*\)?\s*(?:/\*.*)?$", text, re.M
    ):
        found.append((m.group(1), int(m.group(2), 0)))
    return found


def quick(text: str) -> set[str]:
    """The functions whose comment says QUICK: the comment block right above the declaration(s)."""
    names: set[str] = set()
    for m in re.finditer(r"/\*((?:[^*]|\*(?!/))*)\*/\n((?:[^\n/]+\n)+)", text):
        if re.search(r"\bQUICK\b", m.group(1)):
            names.update(re.findall(r"\b(tst_\w+)\(", m.group(2)))
    return names


def generate(unit: Unit, header: pathlib.Path) -> str:
    text = header.read_text()
    nodes = unit.by_file.get(header.name, [])
    out = [
        f'"""ctypes prototypes of tstrans/{header.name}. Generated by build/abi/generate.py: do not edit."""',
        "", "# ruff: noqa: E501", "# mypy: disable-error-code=\"misc,type-arg\"", "",
        "from __future__ import annotations", "", "import ctypes", "from collections.abc import Callable",
    ]  # fmt: skip
    body: list[str] = []
    body += [""] + [f"{n} = {v}" for n, v in constants(text)]
    for node in nodes:
        if (
            isinstance(node, c_ast.Typedef)
            and isinstance(node.type, c_ast.TypeDecl)
            and isinstance(node.type.type, c_ast.Struct)
        ):
            struct = node.type.type
            if struct.decls is None:
                continue
            body += ["", "", f"class {node.name}(ctypes.Structure):"]
            body += ["    _fields_ = ["]
            for d in struct.decls:
                t = unit.ctype(d.type, in_struct=True)
                body.append(f'        ("{d.name}", {prefix(t)}),')
            body += ["    ]"]
    functions = [n for n in nodes if isinstance(n, c_ast.Decl) and isinstance(n.type, c_ast.FuncDecl)]
    fast = quick(text)
    for n in fast - {f.name for f in functions}:
        raise SystemExit(f"{header.name}: QUICK on {n}, which is not declared there")
    body += [
        "",
        "",
        "class Api:",
        f'    """The functions of tstrans/{header.name}, bound to one loaded library."""',
        "",
    ]
    body += ["    __slots__ = (" + "".join(f'"{f.name}", ' for f in functions) + ")", ""]
    for f in functions:
        body.append(f"    {f.name}: Callable[..., {pytype(unit, f)}]")
    body += ["", "    def __init__(self, free: ctypes.CDLL, held: ctypes.PyDLL) -> None:"]
    for f in functions:
        args = [] if f.type.args is None else [a.type for a in f.type.args.params]
        types = [prefix(unit.ctype(a)) for a in args]
        if types == ["None"]:
            types = []
        ret = unit.ctype(f.type.type)
        body.append(f"        f = {'held' if f.name in fast else 'free'}.{f.name}")
        body.append(f"        f.restype = {prefix(ret)}")
        body.append(f"        f.argtypes = ({''.join(t + ', ' for t in types)})")
        body.append(f"        self.{f.name} = f")
    if not functions:
        body.append("        pass")
    used = set(re.findall(r"ctypes\.(tst_\w+)", "\n".join(body)))
    code = "\n".join(body)
    for n in used:
        code = code.replace(f"ctypes.{n}", n)
    own = {n.name for n in nodes if isinstance(n, c_ast.Typedef)}
    foreign = sorted(used - own)
    if foreign:
        out.append(f"\nfrom .base_abi import {', '.join(foreign)}")
    return "\n".join(out) + "\n" + code + "\n"


def prefix(t: str) -> str:
    return t if t == "None" else "ctypes." + t


def pytype(unit: Unit, f: c_ast.Decl) -> str:
    t = unit.ctype(f.type.type)
    if t == "None":
        return "None"
    if t == "c_void_p":
        return "int | None"
    return "float" if t in ("c_double", "c_float") else "int"


def main() -> int:
    ap = argparse.ArgumentParser(description=__doc__)
    ap.add_argument("--check", action="store_true", help="write nothing, exit 1 where a file is stale")
    args = ap.parse_args()
    unit, stale = Unit(), []
    for header in rooms():
        target = TARGET / f"{header.stem}_abi.py"
        code = generate(unit, header)
        if not target.exists() or target.read_text() != code:
            stale.append(target.name)
            if not args.check:
                target.write_text(code)
    if args.check and stale:
        print("stale, run `make abi`:", ", ".join(stale), file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
