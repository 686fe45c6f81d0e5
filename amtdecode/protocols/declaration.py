"""Declarations in construct that also say where each field stands.

`Items(ARP_MESSAGE)("arp.opcode", Int16ub)` parses and builds as `Int16ub` does; while `tree_of` reads a message by the
declaration, it notes the field with its value, first byte and length. What a declaration cuts out and reads by itself
is declared with `Sized`, which keeps count of where it is (construct's `Prefixed` begins again at 0).
"""

from __future__ import annotations

import io
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from construct import Construct, ConstructError, Pass, Subconstruct

from amtdecode.fields import NONE
from amtdecode.tree import Node, group, node

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from amtdecode.fields import Field, Fields

MAX_NODES = 10_000  # of one message; a reply with 64 answers has some 600


class Window(io.BytesIO):
    """Bytes that stand at an offset of a message."""

    def __init__(self, data: bytes, base: int = 0) -> None:
        super().__init__(data)
        self.base = base

    @property
    def position(self) -> int:
        """Where the next byte stands in the message."""
        return self.base + self.tell()


class _Recorder:
    """Collects nodes while a message is parsed."""

    def __init__(self) -> None:
        self.found: list[list[Node]] = [[]]
        self.left = MAX_NODES

    def add(self, one: Node) -> None:
        if self.left:
            self.left -= 1
            self.found[-1].append(one)

    def add_read(self, nodes: Sequence[Node]) -> None:
        """Add nodes made without the recorder: what is below them counts too."""
        self.found[-1].extend(nodes)
        self.left = max(self.left - sum(1 for one in nodes for _ in one.walk()), 0)


class Item(Subconstruct):  # type: ignore[misc]
    """A part of a message that is a field; or a group, which has words in place of a field."""

    def __init__(
        self,
        subcon: Construct,
        field: Field | None,
        words: str | Callable[[Any], str] = "",
        shown: Callable[[Any], Any] | None = None,
        bits: Callable[[Any], Sequence[tuple[Field, int]]] = lambda _: (),
        only: Callable[[Any], bool] | None = None,
    ) -> None:
        super().__init__(subcon)
        self.field = field
        self.words = words
        self.shown = shown
        self.bits = bits
        self.only = only

    def _parse(self, stream: Any, context: Any, path: str) -> Any:
        recorder = context._params.get("recorder")
        if recorder is None or (self.only is not None and not self.only(context)):
            return self.subcon._parsereport(stream, context, path)
        start = stream.position
        recorder.found.append([])
        try:
            value = self.subcon._parsereport(stream, context, path)
        except ConstructError:
            cut = tuple(recorder.found.pop())  # what could be read of it is kept
            if cut:
                recorder.add(group("cut", start, stream.position - start, cut))
            raise
        length = stream.position - start
        inside = tuple(recorder.found.pop())
        shown = value if self.shown is None else self.shown(value)
        words = self.words(value) if callable(self.words) else self.words
        if self.field is None:
            if inside:  # which may be read from bytes that stand before (`Inside`)
                start, length = inside[0].start, inside[-1].start + inside[-1].length - inside[0].start
                recorder.add(group(words, start, length, inside))
        elif shown is not None:
            if self.field.kind is NONE:  # only holds others together
                shown = None
            flags = tuple(
                [node(each, (value & mask) // (mask & -mask), start, length) for each, mask in self.bits(value)]
            )
            recorder.add(node(self.field, shown, start, length, flags + inside, words))
        return value


class Sized(Subconstruct):  # type: ignore[misc]
    """A length, and behind it what has that length: construct's `Prefixed`, with places that count on."""

    def __init__(self, lengthfield: Construct, subcon: Construct) -> None:
        super().__init__(subcon)
        self.lengthfield = lengthfield

    def _parse(self, stream: Any, context: Any, path: str) -> Any:
        length = self.lengthfield._parsereport(stream, context, path)
        base = getattr(stream, "position", 0)
        data = stream.read(length)
        if len(data) < length:
            raise ConstructError(f"{length} bytes are due, {len(data)} are left", path)
        return self.subcon._parsereport(Window(data, base), context, path)

    def _build(self, obj: Any, stream: Any, context: Any, path: str) -> Any:
        inside = io.BytesIO()
        built = self.subcon._build(obj, inside, context, path)
        data = inside.getvalue()
        self.lengthfield._build(len(data), stream, context, path)
        stream.write(data)
        return built


class Placed(Construct):  # type: ignore[misc]
    """All bytes that are left, with their place: (place, bytes). For what `Inside` reads later."""

    def _parse(self, stream: Any, context: Any, path: str) -> tuple[int, bytes]:  # noqa: ARG002
        return getattr(stream, "position", 0), stream.read()

    def _build(self, obj: Any, stream: Any, context: Any, path: str) -> Any:  # noqa: ARG002
        stream.write(obj[1])
        return obj


class Inside(Subconstruct):  # type: ignore[misc]
    """Reads bytes that a `Placed` took before; `which` gives them by what was parsed before in the same Struct."""

    def __init__(self, which: Callable[[Any], tuple[int, bytes]], subcon: Construct) -> None:
        super().__init__(subcon)
        self.which = which
        self.flagbuildnone = True

    def _parse(self, stream: Any, context: Any, path: str) -> Any:  # noqa: ARG002
        base, data = self.which(context)
        return self.subcon._parsereport(Window(data, base), context, path)

    def _build(self, obj: Any, stream: Any, context: Any, path: str) -> Any:  # noqa: ARG002
        return obj


class Begins(Construct):  # type: ignore[misc]
    """One of several forms, by how a text before it in the same Struct begins, in whatever case; of no other, nothing.

    `cases`: the beginnings in lower case, as bytes.
    """

    def __init__(self, key: str, cases: dict[bytes, Construct]) -> None:
        super().__init__()
        self.key, self.cases = key, cases
        self.flagbuildnone = True

    def _chosen(self, context: Any) -> Construct:
        text = context[self.key].lower()
        return next((part for begins, part in self.cases.items() if text.startswith(begins)), Pass)

    def _parse(self, stream: Any, context: Any, path: str) -> Any:
        return self._chosen(context)._parsereport(stream, context, path)

    def _build(self, obj: Any, stream: Any, context: Any, path: str) -> Any:
        return self._chosen(context)._build(obj, stream, context, path)


class Named:
    """Of bytes: what they are called, or themselves as text. For `shown`."""

    def __init__(self, names: dict[bytes, str]) -> None:
        self.names = names

    def __call__(self, raw: bytes) -> str:
        return self.names.get(raw, raw.decode("latin-1"))


class Signed16:
    """Of 16 bits: the number they are with a sign, or `None` where they say that nothing is said. For `shown`."""

    def __init__(self, unspecified: int) -> None:
        self.unspecified = unspecified

    def __call__(self, value: int) -> int | None:
        return None if value == self.unspecified else value - (value >> 15 << 16)


class Without:
    """Bytes without this end, `None` where nothing else is there. For `shown`."""

    def __init__(self, end: bytes) -> None:
        self.end = end

    def __call__(self, raw: bytes) -> bytes | None:
        return raw.removesuffix(self.end) or None


def dotted(raw: bytes) -> str:
    """Bytes as a version: `1.0`. For `shown`."""
    return ".".join(map(str, raw))


class Items:
    """The fields of a message, and those of its bytes that no event shows, by name."""

    def __init__(self, fields: Fields, *others: Field) -> None:
        self._fields = {field.name: field for field in (*fields, *others)}

    def fields(self, prefix: str) -> Fields:
        """Those whose names begin so."""
        return tuple(field for name, field in self._fields.items() if name.startswith(prefix))

    def __call__(
        self,
        name: str,
        subcon: Construct,
        shown: Callable[[Any], Any] | None = None,
        bits: Callable[[Any], Sequence[tuple[str, int]]] = lambda _: (),
        words: str | Callable[[Any], str] = "",
        only: Callable[[Any], bool] | None = None,
    ) -> Item:
        """A field. `shown` makes its value of what is parsed, `None` for none; `words` say what the value is called.

        `bits` gives the fields that are bits of the number, each with its mask. `only`: whether the field is there, by
        what was parsed before it in the same Struct.
        """

        def flags(value: Any) -> list[tuple[Field, int]]:
            return [(self._fields[each], mask) for each, mask in bits(value)]

        return Item(subcon, self._fields[name], words, shown, flags, only)


def grouped(words: str | Callable[[Any], str], subcon: Construct) -> Item:
    """A group of what is inside. `words` say what it is, or make that of what is parsed."""
    return Item(subcon, None, words)


def tree_of(declaration: Construct, data: bytes, base: int = 0) -> tuple[Node, ...]:
    """The message in `data` as its declaration reads it; of a message that breaks the rules, what comes before that.

    `base`: where the data stands in what positions count from.
    """
    recorder = _Recorder()
    with suppress(ConstructError, RecursionError):  # a chain of a thousand pointers in a name
        declaration.parse_stream(Window(data, base), recorder=recorder)
    return tuple(recorder.found[0])
