"""What Cython reads otherwise than Python stands in no module that is compiled (`BUSY` in hatch_build.py).

Found by compiling and comparing: without `infer_types` the names are objects as in Python, but what `len` and the like
give, and literals, are C's numbers until they meet an object; bytes that are written out give bytes, not numbers; and a
function that calls itself ends at the end of the stack, without an exception.
"""

from __future__ import annotations

import ast
import traceback

import pytest
import wire
from test_build import ROOT, busy

from amtdecode.engine import Engine, stack

NUMBERS = {"bool", "callable", "hasattr", "hash", "isinstance", "issubclass", "len", "ord"}
"""Functions whose result is a number of C."""
OBJECTS_OF_PYTHON = {"FunctionType", "__code__", "_getframe", "currentframe", "eval", "locals", "namedtuple", "vars"}
"""What needs a frame or bytecode."""

RECURSING = {
    "amtdecode.engine.channels.count_open": "channels: MAX_DEPTH",
    "amtdecode.engine.loop._count": "once: the kinds that are counted apart are full",
    "amtdecode.engine.loop._network": "MAX_TUNNELS",
    "amtdecode.engine.stack._carry": "channels: MAX_DEPTH",
    "amtdecode.engine.stack._change": "channels: MAX_DEPTH",
    "amtdecode.engine.stack._close": "channels: MAX_DEPTH",
    "amtdecode.engine.stack._tell_ends": "channels: MAX_DEPTH",
    "amtdecode.engine.stack.attach": "channels: MAX_DEPTH",
    "amtdecode.engine.stack.end": "channels: MAX_DEPTH",
    "amtdecode.engine.stack.feed": "channels: MAX_DEPTH",
    "amtdecode.engine.stack.gap": "channels: MAX_DEPTH",
    "amtdecode.engine.stack.offer": "channels: MAX_DEPTH",
    "amtdecode.engine.stack.state": "channels: MAX_DEPTH",
    "amtdecode.model._brief": "values of events: lists of lists at most",
    "amtdecode.safe.encodable": "reports and fields of events: as deep as their types",
}
"""Functions that call themselves, also by way of others of their module, and what caps how deep."""


STAY_PYTHON = ("amtdecode.capture.source", "amtdecode.capture.live", "amtdecode.cli.", "amtdecode.filter.")
"""Each read of a capture passes the first two: there Python looks for Ctrl-C and lets other threads in, which compiled
code never does. What a filter is made of nests as deep as its text does."""


def kind(node):
    """Whether an expression is a number of C: "int", "float", or `None`."""
    match node:
        case ast.Constant(value=int() | float() as value):
            return "float" if isinstance(value, float) else "int"
        case ast.Call(func=ast.Name(id=name)) if name in NUMBERS:
            return "int"
        case ast.UnaryOp(op=ast.Not()):
            return "int"
        case ast.UnaryOp(operand=operand):
            return kind(operand)
        case ast.BinOp(left=left, right=right) | ast.IfExp(body=left, orelse=right):
            kinds = {kind(left), kind(right)}
            return None if None in kinds else "float" if "float" in kinds else "int"
    return None


def is_written_out(node):
    """Whether an expression is bytes that stand in the source, or a view of them."""
    match node:
        case ast.Constant(value=value):
            return isinstance(value, bytes)
        case ast.BinOp(left=left, right=right):
            return is_written_out(left) or is_written_out(right)
        case ast.IfExp(body=left, orelse=right):
            return is_written_out(left) and is_written_out(right)
        case ast.Call(func=ast.Name(id="enumerate" | "reversed"), args=[first, *_]):
            return is_written_out(first)
    return False


def is_constant(node):
    return not any(isinstance(each, (ast.Call, ast.Name)) for each in ast.walk(node))


def is_small(node):
    return isinstance(node, ast.Constant) and node.value < 100


def read_otherwise(source):
    """(line, text) of what a compiled module would do otherwise."""
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.BinOp(op=ast.LShift() | ast.Pow()):
                is_other = kind(node) and not is_constant(node)
            case ast.BinOp(op=ast.Mult()):
                is_other = kind(node) and not is_constant(node) and not (is_small(node.left) or is_small(node.right))
            case ast.IfExp(body=left, orelse=right):
                is_other = {kind(left), kind(right)} == {"int", "float"}
            case ast.For(iter=over) | ast.comprehension(iter=over):
                is_other = is_written_out(over)
            case ast.Name(id=name) | ast.Attribute(attr=name):
                is_other = name in OBJECTS_OF_PYTHON
            case _:
                is_other = False
        if is_other:
            yield getattr(node, "lineno", 0), ast.unparse(node)


def recursing(source):
    """Names of functions that reach themselves by calls within their module, or by being handed to one."""
    tree = ast.parse(source)
    methods = {each for node in ast.walk(tree) if isinstance(node, ast.ClassDef) for each in node.body}
    calls = {}
    for function in ast.walk(tree):
        if not isinstance(function, ast.FunctionDef):
            continue
        own = {each.arg for each in ast.walk(function) if isinstance(each, ast.arg)}
        own |= {
            each.id for each in ast.walk(function) if isinstance(each, ast.Name) and isinstance(each.ctx, ast.Store)
        }
        own |= {each.asname or each.name for each in ast.walk(function) if isinstance(each, ast.alias)}
        reached = calls.setdefault((function.name, function in methods), set())
        for call in ast.walk(function):
            if isinstance(call, ast.Call):
                for named in (call.func, *call.args):
                    match named:
                        case ast.Name(id=name) if name not in own:
                            reached.add((name, False))
                        case ast.Attribute(value=ast.Name(id="self" | "cls"), attr=name):
                            reached.add((name, True))
    for each in calls:
        found, ahead = set(), [each]
        while ahead:
            further = calls.get(ahead.pop(), set()) - found
            found |= further
            ahead += further
        if each in found:
            yield each[0]


@pytest.mark.parametrize("module", busy())
def test_nothing_in_a_compiled_module_means_something_else_to_cython(module):
    assert list(read_otherwise((ROOT / f"{module.replace('.', '/')}.py").read_text())) == []


def test_between_reads_python_looks_for_ctrl_c():
    assert [module for module in busy() if f"{module}.".startswith(STAY_PYTHON)] == []


def test_a_fault_names_file_and_line(monkeypatch):
    def tap(*_carried):
        raise ValueError("a fault")

    monkeypatch.setattr(stack, "RAISE_FAULTS", True)
    with pytest.raises(ValueError, match="a fault") as raised, (ROOT / "pcaps" / "wsman.pcap").open("rb") as file:
        list(Engine(tap=tap).observe(wire.raw_packets(file.read())))
    source = (ROOT / "amtdecode" / "engine" / "stack.py").read_text().splitlines()
    places = traceback.extract_tb(raised.value.__traceback__)
    line = [place.lineno for place in places if place.filename.endswith("stack.py")][-1]
    assert source[line - 1].strip() == "self._tap(flow, analyzer.protocol.name, way, payload)"


def test_what_recurses_in_a_compiled_module_has_a_cap():
    found = {
        f"{module}.{name}"
        for module in busy()
        for name in recursing((ROOT / f"{module.replace('.', '/')}.py").read_text())
    }
    assert found == set(RECURSING)


@pytest.mark.parametrize(
    "line",
    [
        "bit = 1 << len(bits)",
        "size = len(left) * len(right)",
        "size = len(left) * 1_000",
        "size = 2 ** len(left)",
        "value = ord(text[0]) << 40",
        "share = len(found) if found else 0.5",
        "values = [byte for byte in b'abc']",
        "values = {at: byte for at, byte in enumerate(b'ab' + b'c')}",
        "for byte in b'abc' if one else b'def': ...",
        "copy = FunctionType(read.__code__, {})",
        "Point = collections.namedtuple('Point', 'x y')",
    ],
)
def test_it_is_found(line):
    assert list(read_otherwise(line)) != []


@pytest.mark.parametrize(
    "line",
    [
        "bit = 1 << 62",
        "left = len(data) - 4",
        "size = 3 * len(row)",
        "high = data[0] << 8 | data[1]",
        "for byte in data: ...",
        "for kind in (b'a', b'b'): ...",
        "byte in b'abc'",
    ],
)
def test_what_means_the_same_is_let_be(line):
    assert list(read_otherwise(line)) == []


def test_recursion_is_found():
    direct = "def walk(node):\n    for each in node.children:\n        walk(each)\n"
    handed = "def walk(node):\n    return list(map(walk, node.children))\n"
    by_way = "class A:\n    def one(self):\n        self.two()\n    def two(self):\n        self.one()\n"
    plain = "def walk(node):\n    return walker(node)\ndef walker(node):\n    return node.walk()\n"
    assert [sorted(recursing(source)) for source in (direct, handed, by_way, plain)] == [
        ["walk"], ["walk"], ["one", "two"], [],
    ]  # fmt: skip
