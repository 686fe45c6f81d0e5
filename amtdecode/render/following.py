"""The bytes of a flow as they are printed: as text, hex dump or hex alone, or as XML set out line by line.

`taps` are what an engine shows the bytes to; a `Printer` writes them.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from amtdecode.counting import counted
from amtdecode.render.safe import safe

if TYPE_CHECKING:
    from collections.abc import Callable

    from amtdecode.flow.chunks import Chunk
    from amtdecode.model import Direction, FlowKey, Payload

CLIENT, SERVER, END = "\x1b[31m", "\x1b[34m", "\x1b[0m"
"""Wireshark's colours of both sides: red for the client, blue for the server."""
ROW = 16
TAG = re.compile(r"(<[^<>]*>)")
BOMS = ((b"\xff\xfe", "utf-16-le"), (b"\xfe\xff", "utf-16-be"), (b"\xef\xbb\xbf", "utf-8"))
LAYERS = ("tcp", "tls", "http", "soap", "sol")
"""Whose payload can be followed: that of TCP (or UDP), of TLS where keys open it, bodies of HTTP, SOAP line by line,
the console of SOL."""
MAX_INDENT = 64  # levels; what lies deeper stands below the last


def way(direction: Direction) -> str:
    """Where bytes of a direction go."""
    return "to the client" if direction else "to the server"


class Printer:
    """Writes the bytes of a flow as they come. `form`: text, hex, raw or soap."""

    def __init__(self, write: Callable[[str], object], form: str, *, color: bool = False) -> None:
        self._write = write
        self._form = form
        self._color = color
        self._last: Direction | None = None
        self._offsets = [0, 0]
        self.empty = True

    def note_flow(self, key: FlowKey) -> None:
        """Say whose flow it is, before its first bytes."""
        if self.empty and self._form != "raw":
            self._write(f"{key.transport} flow {key.number}: client {key.client}, server {key.server}\n")
        self.empty = False

    def remark(self, text: str) -> None:
        """Something to say between the bytes; raw output holds nothing but bytes."""
        if self._form != "raw":
            self._write(f"\n[{text}]\n")

    def __call__(self, direction: Direction, data: bytes) -> None:
        """The next bytes."""
        if self._form == "raw":
            self._write(("\t" if direction else "") + data.hex() + "\n")
            return
        if self._form == "hex":
            self.say(direction, hex_rows(data, self._offsets[direction], "\t" if direction else ""))
            self._offsets[direction] += len(data)
            return
        if direction != self._last or self._form == "soap":
            self._last = direction
            self._write(f"\n--- {way(direction)}\n")
        if self._form == "soap":
            self.say(direction, set_out(data))
            return
        text = data.decode("utf-8", "replace").replace("\r\n", "\n")
        self.say(direction, "\n".join(map(safe, text.split("\n"))))

    def say(self, direction: Direction, text: str) -> None:
        """What one side sent, ready to be shown."""
        if self._color:
            text = f"{SERVER if direction else CLIENT}{text}{END}"
        self._write(text)


def taps(printer: Printer, wanted: Callable[[FlowKey], bool], transport: str, layer: str) -> dict[str, Any]:
    """What the engine shows its bytes to, so that those of the flow `wanted` are printed. `layer`: one of `LAYERS`."""
    carrier = {"soap": "http", "sol": "iamt.redir"}.get(layer, layer)

    def chunk(key: FlowKey, piece: Chunk) -> None:
        if wanted(key):
            printer.note_flow(key)
            if piece.data:
                printer(piece.sender.direction, piece.data)
            elif piece.gap:
                printer.remark(f"{counted(piece.gap, 'byte')} missing from the capture, {way(piece.sender.direction)}")

    def payload(key: FlowKey, name: str, direction: Direction, carried: Payload) -> None:
        if name == carrier and carried.data and wanted(key):
            if (layer == "soap" and not is_soap(carried.data)) or (layer == "sol" and carried.hint != "sol"):
                return
            printer.note_flow(key)
            printer(direction, carried.data)

    def datagram(key: FlowKey, direction: Direction, data: bytes) -> None:
        if wanted(key):
            printer.note_flow(key)
            printer(direction, data)

    if layer != "tcp":
        return {"tap": payload}
    return {"tcp_tap": chunk} if transport == "tcp" else {"udp_tap": datagram}


def is_soap(data: bytes) -> bool:
    """Whether a body begins as SOAP does, in UTF-8 or UTF-16."""
    return b"Envelope" in data[:4096] or b"E\0n\0v\0e\0l\0o\0p\0e" in data[:4096]


def hex_rows(data: bytes, offset: int, before: str) -> str:
    """Rows as `tshark -z follow,tcp,hex` prints them: offset in the direction, bytes in two halves, characters."""
    lines = []
    for at in range(0, len(data), ROW):
        row = data[at : at + ROW]
        text = "".join([chr(c) if 0x20 <= c < 0x7F else "." for c in row])
        halves = f"{row[:8].hex(' ')}  {row[8:].hex(' ')}".strip()
        lines.append(f"{before}{offset + at:08X}  {halves:<48}  {text[:8]} {text[8:]}".rstrip(" ") + "\n")
    return "".join(lines)


def set_out(data: bytes) -> str:
    """XML with each element on a line of its own, by its tags alone: nothing is parsed, and only spaces change."""
    encoding = next((name for mark, name in BOMS if data.startswith(mark)), "utf-8")
    if encoding == "utf-8" and data[:4] in (b"<\0?\0", b"\0<\0?"):
        encoding = "utf-16-le" if data[0] else "utf-16-be"
    lines: list[str] = []
    depth = 0
    opened = False  # the last line is a start tag that may be followed by its text
    for part in TAG.split(data.decode(encoding, "replace").removeprefix("\ufeff")):
        text = part.strip()
        if not text:
            continue
        if not TAG.fullmatch(text):
            shown = " ".join(safe(line.strip()) for line in text.splitlines())
            if opened:
                lines[-1] += shown
            else:
                lines.append(_indented(depth, shown))
        elif text.startswith("</"):
            depth = max(0, depth - 1)
            if opened:
                lines[-1] += safe(text)
            else:
                lines.append(_indented(depth, safe(text)))
            opened = False
        else:
            lines.append(_indented(depth, safe(text)))
            opened = not text.endswith("/>") and text[1] not in "?!"
            depth += opened
    return "".join(f"{line}\n" for line in lines)


def _indented(depth: int, text: str) -> str:
    return "  " * min(depth, MAX_INDENT) + text
