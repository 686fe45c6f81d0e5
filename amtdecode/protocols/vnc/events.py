"""What the RFB room states. Numbers are big-endian on the wire."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, NamedTuple

from amtdecode.counting import counted
from amtdecode.masking import masked
from amtdecode.model import Event
from amtdecode.protocols.vnc import fields, names

if TYPE_CHECKING:
    from amtdecode.fields import Fields
    from amtdecode.tree import Node


class PixelFormat(NamedTuple):
    """How a pixel holds its colour (RFC 6143 section 7.4)."""

    bits: int
    depth: int
    big_endian: int
    true_colour: int
    red_max: int
    green_max: int
    blue_max: int
    red_shift: int
    green_shift: int
    blue_shift: int

    @property
    def words(self) -> str:
        """As `16 bits`."""
        return f"{self.bits} bits a pixel, depth {self.depth}"


class VncEvent(Event, frozen=True, gc=False):
    """What the room's events have in common."""

    protocol: ClassVar[str] = names.NAME
    declaration: ClassVar[str] = ""
    """The name of the declaration of its bytes, in `spec`."""

    def tree(self, pdu: bytes) -> tuple[Node, ...]:
        from amtdecode.protocols.declaration import tree_of
        from amtdecode.protocols.vnc import spec

        return tree_of(getattr(spec, self.declaration), pdu) if self.declaration else ()


class VncVersion(VncEvent, frozen=True, gc=False):
    """One side says its version."""

    declared: ClassVar[Fields] = fields.VERSION
    version: str
    from_server: bool

    @property
    def server_version(self) -> str:
        """As `003.008`."""
        return self.version if self.from_server else ""

    @property
    def client_version(self) -> str:
        """As `003.008`."""
        return "" if self.from_server else self.version

    def summary(self) -> str:
        return f"RFB {self.version}, {'server' if self.from_server else 'client'}"


class VncOffer(VncEvent, frozen=True, gc=False):
    """The server offers ways to log in, or refuses with a reason. `decreed`: RFB 3.3, where it chooses itself."""

    declared: ClassVar[Fields] = fields.OFFER
    offered: tuple[int, ...] = ()
    decreed: int | None = None
    reason: str = ""

    @property
    def count(self) -> int | None:
        """How many ways there are."""
        return None if self.decreed is not None else len(self.offered)

    def summary(self) -> str:
        ways = self.offered if self.decreed is None else (self.decreed,)
        said = ", ".join(names.SECURITY_TYPES.get(way, f"type {way}") for way in ways)
        return f"RFB: refused: {masked(self.reason)}" if self.reason else f"RFB: ways to log in: {said}"


class VncChoice(VncEvent, frozen=True, gc=False):
    """The client takes a way to log in."""

    declared: ClassVar[Fields] = fields.CHOICE
    declaration: ClassVar[str] = "CHOICE"
    chosen: int

    def summary(self) -> str:
        return f"RFB: login by {names.SECURITY_TYPES.get(self.chosen, f'type {self.chosen}')}"


class VncProof(VncEvent, frozen=True, gc=False):
    """Challenge, or answer to it, of VNC authentication."""

    declared: ClassVar[Fields] = fields.PROOF
    challenge: bytes = b""
    response: bytes = b""

    def summary(self) -> str:
        return f"RFB: {'challenge' if self.challenge else 'answer to the challenge'}"


class VncResult(VncEvent, frozen=True, gc=False):
    """Whether the login succeeded."""

    declared: ClassVar[Fields] = fields.RESULT
    failed: bool
    reason: str = ""

    def summary(self) -> str:
        if not self.failed:
            return "RFB: login accepted"
        return f"RFB: login refused{': ' + masked(self.reason) if self.reason else ''}"


class VncShare(VncEvent, frozen=True, gc=False):
    """The client begins."""

    declared: ClassVar[Fields] = fields.SHARE
    declaration: ClassVar[str] = "SHARE"
    shared: bool

    def summary(self) -> str:
        return f"RFB: the client begins, {'shared' if self.shared else 'alone'}"


class VncScreen(VncEvent, frozen=True, gc=False):
    """The screen of the machine."""

    declared: ClassVar[Fields] = fields.SCREEN
    declaration: ClassVar[str] = "SCREEN"
    width: int
    height: int
    format: PixelFormat
    name_size: int
    name: str

    def summary(self) -> str:
        return f"RFB: screen of {self.width} by {self.height} pixels, {self.format.words}, {masked(self.name)}"


class VncSetFormat(VncEvent, frozen=True, gc=False):
    """The client wants pixels in this form."""

    declared: ClassVar[Fields] = fields.SET_FORMAT
    declaration: ClassVar[str] = "SET_FORMAT"
    type: int
    format: PixelFormat

    def summary(self) -> str:
        return f"RFB: {self.format.words} wanted"


class VncSetEncodings(VncEvent, frozen=True, gc=False):
    """The client takes these encodings, the best first."""

    declared: ClassVar[Fields] = fields.SET_ENCODINGS
    declaration: ClassVar[str] = "SET_ENCODINGS"
    type: int
    encodings: tuple[int, ...]

    @property
    def count(self) -> int:
        """How many."""
        return len(self.encodings)

    def summary(self) -> str:
        said = ", ".join(names.ENCODINGS.get(each, f"encoding {each}") for each in self.encodings[:8])
        return f"RFB: the client takes {said or 'no encoding'}"


class VncAsk(VncEvent, frozen=True, gc=False):
    """The client asks for a part of the screen."""

    declared: ClassVar[Fields] = fields.ASK
    declaration: ClassVar[str] = "ASK"
    type: int
    incremental: bool
    x: int
    y: int
    width: int
    height: int

    def summary(self) -> str:
        changes = "changes of " if self.incremental else ""
        return f"RFB: {changes}{self.width} by {self.height} pixels at {self.x}, {self.y} asked for"


class VncKey(VncEvent, frozen=True, gc=False):
    """A key is pressed or let go."""

    declared: ClassVar[Fields] = fields.KEY
    declaration: ClassVar[str] = "KEY"
    type: int
    down: bool
    key: int

    def summary(self) -> str:
        return f"RFB: a key is {'pressed' if self.down else 'let go'}"


class VncPointer(VncEvent, frozen=True, gc=False):
    """The mouse moves, or a button changes."""

    declared: ClassVar[Fields] = fields.POINTER
    declaration: ClassVar[str] = "POINTER"
    type: int
    buttons: int
    x: int
    y: int

    def summary(self) -> str:
        return f"RFB: mouse at {self.x}, {self.y}, buttons 0x{self.buttons:02x}"


class VncCut(VncEvent, frozen=True, gc=False):
    """A clipboard; or a command of AMT's extensions, which travels as one."""

    type: int
    size: int  # bytes of the text, as declared
    raw: bytes  # the first of them

    @property
    def command(self) -> int | None:
        """Of AMT's extensions."""
        at = len(names.COMMAND)
        return self.raw[at] if self.raw.startswith(names.COMMAND) and len(self.raw) > at else None

    @property
    def value(self) -> int | None:
        """Of that command."""
        at = len(names.COMMAND) + 1
        return self.raw[at] if self.command is not None and len(self.raw) > at else None

    @property
    def channel_size(self) -> int | None:
        """Bytes for the data channel."""
        return self.size - len(names.CHANNEL) if self.raw.startswith(names.CHANNEL) else None

    @property
    def text(self) -> str:
        """The clipboard."""
        ours = self.command is not None or self.channel_size is not None
        return "" if ours else self.raw.decode("latin-1")

    def summary(self) -> str:
        if self.command is not None:
            value = "" if self.value is None else f" {self.value}"
            return f"KVM: {names.COMMANDS.get(self.command, f'command {self.command}')}{value}"
        if self.channel_size is not None:
            return f"KVM: {counted(self.channel_size, 'byte')} for the data channel"
        return f"RFB: clipboard of {counted(self.size, 'byte')}"


class VncClientCut(VncCut, frozen=True, gc=False):
    """Of the client."""

    declared: ClassVar[Fields] = fields.CLIENT_CUT
    declaration: ClassVar[str] = "CLIENT_CUT"


class VncServerCut(VncCut, frozen=True, gc=False):
    """Of the machine."""

    declared: ClassVar[Fields] = fields.SERVER_CUT
    declaration: ClassVar[str] = "SERVER_CUT"


class VncUpdate(VncEvent, frozen=True, gc=False):
    """A part of the screen: its tiles counted, not drawn."""

    declared: ClassVar[Fields] = fields.UPDATE
    type: int
    count: int
    encodings: tuple[int, ...]
    pixels: int
    size: int

    def summary(self) -> str:
        return f"RFB: {counted(self.count, 'tile')} of the screen, {counted(self.size, 'byte')}"


class VncServerMessage(VncEvent, frozen=True, gc=False):
    """A bell, or colours of a map."""

    declared: ClassVar[Fields] = fields.SERVER_OTHER
    type: int

    def summary(self) -> str:
        return f"RFB: {names.SERVER_MESSAGES.get(self.type, f'message {self.type}')}"


EVENTS = (
    VncVersion,
    VncOffer,
    VncChoice,
    VncProof,
    VncResult,
    VncShare,
    VncScreen,
    VncSetFormat,
    VncSetEncodings,
    VncAsk,
    VncKey,
    VncPointer,
    VncClientCut,
    VncServerCut,
    VncUpdate,
    VncServerMessage,
)
