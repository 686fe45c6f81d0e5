"""The events of the redirection room: the header of each message, whose fields are read when asked for.

`data` is the message without the payload behind its header; offsets are those of the protocol, numbers little-endian.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from amtdecode.counting import counted
from amtdecode.masking import masked
from amtdecode.model import Event
from amtdecode.protocols.http.auth import mechanism_of
from amtdecode.protocols.redir import fields, names

if TYPE_CHECKING:
    from amtdecode.fields import Fields
    from amtdecode.tree import Node

SHOWN_TEXT = 60  # characters of a console in a summary


class RedirMessage(Event, frozen=True, gc=False, kw_only=True):
    """A message that says no more than its type; of a session that is opened, what is redirected."""

    protocol: ClassVar[str] = names.NAME
    declared: ClassVar[Fields] = fields.MESSAGE
    data: bytes
    session: str = ""

    @property
    def type(self) -> int:
        """The first byte."""
        return self.data[0]

    @property
    def name(self) -> str:
        """The type in words."""
        name = names.TYPES.get(self.type, f"type 0x{self.type:02x}")
        return f"{self.session} {name}" if self.type in (names.OPEN, names.OPENED) else name

    def text_at(self, start: int, size: int) -> str:
        """Two bytes or so as a version."""
        return ".".join(map(str, self.data[start : start + size]))

    def tree(self, pdu: bytes) -> tuple[Node, ...]:
        from amtdecode.protocols.declaration import tree_of
        from amtdecode.protocols.redir.spec import declaration

        return tree_of(declaration(self.type, self.session), pdu)

    def summary(self) -> str:
        if self.type == names.START:
            return f"Redirection: {self.session} session is asked for"
        return f"Redirection: {self.name}"


class RedirNumbered(RedirMessage, frozen=True, gc=False, kw_only=True):
    """A message with a sequence number; what stands behind it, no public source tells."""

    declared: ClassVar[Fields] = fields.NUMBERED

    @property
    def unknown(self) -> bytes:
        """The bytes behind the sequence number."""
        return self.data[8:]


class RedirStarted(RedirMessage, frozen=True, gc=False, kw_only=True):
    """AMT opens a session, or says why not."""

    declared: ClassVar[Fields] = fields.STARTED

    @property
    def status(self) -> int:
        """0 success, 2 busy, 3 unsupported, 255 error."""
        return self.data[1]

    @property
    def protocol_version(self) -> str:
        """As `1.0`."""
        return self.text_at(4, 2)

    @property
    def firmware(self) -> str:
        """As `11.8`."""
        return self.text_at(6, 2)

    @property
    def oem_data(self) -> bytes:
        """Bytes of the maker's own."""
        return self.data[13:]

    def summary(self) -> str:
        if self.status:
            why = names.STATUSES.get(self.status, f"status {self.status}")
            return f"Redirection: {self.session} session refused: {why}"
        return f"Redirection: {self.session} session open, AMT {self.firmware}"


def elements(data: bytes) -> list[str]:
    """Texts, each behind a byte with its length; what is cut is left out."""
    found, at = [], 0
    while at < len(data) and at + 1 + data[at] <= len(data):
        found.append(data[at + 1 : at + 1 + data[at]].decode("utf-8", "backslashreplace"))
        at += 1 + data[at]
    return found


class RedirLogin(RedirMessage, frozen=True, gc=False, kw_only=True):
    """The client asks how to log in, or logs in."""

    declared: ClassVar[Fields] = fields.LOGIN
    verified: bool | None = None
    """With a password given: whether it makes this digest response."""

    @property
    def method(self) -> int:
        """1 password, 2 Kerberos, 3 and 4 digest."""
        return self.data[4]

    @property
    def parts(self) -> list[str]:
        """The texts of a login; of digest: user, realm, nonce, uri, cnonce, nc, response, qop."""
        return [] if self.method in (names.QUERY, names.KERBEROS) else elements(self.data[9:])

    def _part(self, place: int) -> str:
        parts = self.parts
        return parts[place] if self.method in (names.DIGEST_OLD, names.DIGEST) and place < len(parts) else ""

    @property
    def user(self) -> str:
        """The user."""
        return next(iter(self.parts), "")

    @property
    def password(self) -> str:
        """In the clear."""
        return self.parts[1] if self.method == names.PASSWORD and len(self.parts) > 1 else ""

    @property
    def realm(self) -> str:
        """Empty in the first step of digest."""
        return self._part(1)

    @property
    def nonce(self) -> str:
        """Empty in the first step of digest."""
        return self._part(2)

    @property
    def uri(self) -> str:
        """`/RedirectionService`, or empty."""
        return self._part(3)

    @property
    def cnonce(self) -> str:
        """Nonce of the client."""
        return self._part(4)

    @property
    def nc(self) -> str:
        """Nonce count."""
        return self._part(5)

    @property
    def response(self) -> str:
        """32 hexadecimal digits; empty in the first step of digest."""
        return self._part(6)

    @property
    def qop(self) -> str:
        """Quality of protection."""
        return self._part(7)

    @property
    def mechanism(self) -> str:
        """What a token carries."""
        return mechanism_of(self.data[9:]) if self.method == names.KERBEROS else ""

    def summary(self) -> str:
        how = names.AUTHENTICATIONS.get(self.method, f"method {self.method}")
        if self.method == names.QUERY:
            return "Redirection: how can one log in?"
        if self.method in (names.DIGEST_OLD, names.DIGEST) and not self.response:
            return f"Redirection: a challenge for {how} is asked for"
        user = f" as {masked(self.user)}" if self.user else ""
        told = {None: "", True: ", password right", False: ", password wrong"}[self.verified]
        return f"Redirection: login{user}, {how}{told}"


class RedirAnswer(RedirMessage, frozen=True, gc=False, kw_only=True):
    """AMT accepts a login, refuses it, or sends a challenge."""

    declared: ClassVar[Fields] = fields.ANSWER

    @property
    def status(self) -> int:
        """0 accepted, 1 refused or a challenge, 2 busy (as AMT 12 was seen to say)."""
        return self.data[1]

    @property
    def method(self) -> int:
        """As in the login it answers."""
        return self.data[4]

    @property
    def offered(self) -> list[int]:
        """In answer to a query: the ways to log in."""
        return list(self.data[9:]) if self.method == names.QUERY else []

    @property
    def is_challenge(self) -> bool:
        """Whether it asks for a digest response."""
        return self.status == 1 and self.method in (names.DIGEST_OLD, names.DIGEST) and len(self.data) > 9

    @property
    def refused(self) -> bool:
        """Whether a login failed, for its own sake: not where AMT is busy."""
        return self.status == 1 and not self.is_challenge and self.method != names.QUERY

    def _part(self, place: int) -> str:
        parts = elements(self.data[9:]) if self.is_challenge else []
        return parts[place] if place < len(parts) else ""

    @property
    def realm(self) -> str:
        """Of a challenge."""
        return self._part(0)

    @property
    def nonce(self) -> str:
        """Of a challenge."""
        return self._part(1)

    @property
    def qop(self) -> str:
        """Of a challenge."""
        return self._part(2)

    def summary(self) -> str:
        if self.method == names.QUERY:
            ways = ", ".join(names.AUTHENTICATIONS.get(way, f"method {way}") for way in self.offered) or "none named"
            return f"Redirection: ways to log in: {ways}"
        if self.is_challenge:
            return f"Redirection: challenge, realm {self.realm}"
        if self.status > 1:
            return f"Redirection: login not taken: {names.LOGIN_STATUSES.get(self.status, f'status {self.status}')}"
        return "Redirection: login refused" if self.status else "Redirection: login accepted"


class SolStart(RedirMessage, frozen=True, gc=False, kw_only=True):
    """Serial over LAN is to begin, with these buffers and times."""

    declared: ClassVar[Fields] = fields.SOL_START


class SolStarted(RedirNumbered, frozen=True, gc=False, kw_only=True):
    """AMT begins serial over LAN, or says why not; its other bytes are not documented."""

    declared: ClassVar[Fields] = fields.SOL_STARTED

    def summary(self) -> str:
        status = self.data[1]
        return (
            f"Redirection: SOL {'refused: ' + names.STATUSES.get(status, f'status {status}') if status else 'begins'}"
        )


class SolData(RedirMessage, frozen=True, gc=False, kw_only=True):
    """Bytes of the console: typed for the host, or shown by it."""

    declared: ClassVar[Fields] = fields.SOL_DATA
    console: bytes
    """The bytes themselves. Those to the host may be a password typed."""

    @property
    def size(self) -> int:
        """How many there are."""
        return len(self.console)

    @property
    def typed(self) -> str:
        """To the host."""
        return self.console.decode("utf-8", "backslashreplace") if self.type == names.SOL_TO_HOST else ""

    @property
    def text(self) -> str:
        """From the host."""
        return self.console.decode("utf-8", "backslashreplace") if self.type == names.SOL_FROM_HOST else ""

    def summary(self) -> str:
        if self.type == names.SOL_TO_HOST:
            return f"SOL: {counted(self.size, 'byte')} typed"
        text = " ".join(masked(self.text).split())
        return f"SOL: the host shows {text[:SHOWN_TEXT]}{'…' if len(text) > SHOWN_TEXT else ''}"


class SolControls(RedirMessage, frozen=True, gc=False, kw_only=True):
    """State of the serial port and of the host."""

    declared: ClassVar[Fields] = fields.SOL_CONTROLS

    def summary(self) -> str:
        state = self.data[9]
        said = ["host on" if state & 4 else "host off"]
        said += [word for bit, word in ((2, "loopback: input is not taken"), (1, "output was dropped")) if state & bit]
        return f"SOL: {', '.join(said)}"


class IderOpen(RedirMessage, frozen=True, gc=False, kw_only=True):
    """Disk redirection is to begin."""

    declared: ClassVar[Fields] = fields.IDER_OPEN

    def summary(self) -> str:
        return "IDE-R is to begin"


class IderOpened(RedirMessage, frozen=True, gc=False, kw_only=True):
    """AMT begins disk redirection, or says why not."""

    declared: ClassVar[Fields] = fields.IDER_OPENED

    @property
    def protocol_version(self) -> str:
        """As `1.0`."""
        return self.text_at(8, 2)

    @property
    def firmware(self) -> str:
        """As `11.8`."""
        return self.text_at(10, 2)

    @property
    def oem_data(self) -> bytes:
        """Bytes of the maker's own."""
        return self.data[30:]

    def summary(self) -> str:
        status = self.data[1]
        if status:
            return f"IDE-R refused: {names.STATUSES.get(status, f'status {status}')}"
        return f"IDE-R open, AMT {self.firmware}"


class IderFeatures(RedirMessage, frozen=True, gc=False, kw_only=True):
    """What disk redirection can do is asked, told or set."""

    declared: ClassVar[Fields] = fields.IDER_FEATURES

    def summary(self) -> str:
        feature = self.data[8]
        value = f" 0x{int.from_bytes(self.data[9:13], 'little'):x}" if len(self.data) > 9 else ""
        return f"{self.name}: {names.FEATURES.get(feature, f'feature {feature}')}{value}"


class IderMask(RedirMessage, frozen=True, gc=False, kw_only=True):
    """A reset or an error of the drive, as bits."""

    declared: ClassVar[Fields] = fields.IDER_MASK

    def summary(self) -> str:
        return f"{self.name}: 0x{self.data[8]:02x}"


class IderCommand(RedirMessage, frozen=True, gc=False, kw_only=True):
    """The host writes a command to the redirected drive."""

    declared: ClassVar[Fields] = fields.IDER_COMMAND

    @property
    def device(self) -> int:
        """0xA0 floppy disk, 0xB0 CD."""
        return 0xB0 if self.data[14] & 0x10 else 0xA0

    @property
    def cdb(self) -> bytes:
        """12 bytes of SCSI."""
        return self.data[16:28]

    @property
    def block(self) -> int | None:
        """First block of a read or write, big-endian as SCSI has it."""
        cdb = self.cdb
        if cdb[0] in (0x08, 0x0A):
            return int.from_bytes(cdb[1:4], "big") & 0x1FFFFF
        return int.from_bytes(cdb[2:6], "big") if cdb[0] in (0x28, 0x2A, 0x2E, 0xA8) else None

    @property
    def blocks(self) -> int | None:
        """How many blocks; 0 is 256 in the commands of 6 bytes (SBC-3)."""
        cdb = self.cdb
        if cdb[0] in (0x08, 0x0A):
            return cdb[4] or 256
        if cdb[0] in (0x28, 0x2A, 0x2E):
            return int.from_bytes(cdb[7:9], "big")
        return int.from_bytes(cdb[6:10], "big") if cdb[0] == 0xA8 else None

    @property
    def is_read(self) -> bool:
        """Whether blocks of the medium are asked for."""
        return self.cdb[0] in (0x08, 0x28, 0xA8)

    def summary(self) -> str:
        command = names.COMMANDS.get(self.cdb[0], f"SCSI command 0x{self.cdb[0]:02x}")
        where = "" if self.block is None else f", block {self.block}, {counted(self.blocks or 0, 'block')}"
        return f"IDE-R {names.DEVICES[self.device]}: {command}{where}"


class _IderAnswer(RedirMessage, frozen=True, gc=False, kw_only=True):
    """What answers to commands have in common."""

    _output: ClassVar[int] = 20
    """Where the output registers begin; device in the seventh, sense behind them."""

    def _byte(self, at: int) -> int | None:
        return self.data[at] if len(self.data) > at else None

    @property
    def device(self) -> int | None:
        """0xA0 floppy disk, 0xB0 CD; `None` where none is named."""
        return next((byte for byte in (self._byte(18), self._byte(26)) if byte), None)

    @property
    def sense(self) -> int | None:
        """Sense key; `None` where the message has none."""
        return self._byte(28)

    @property
    def asc(self) -> int | None:
        """Additional sense code."""
        return self._byte(29)

    @property
    def ascq(self) -> int | None:
        """Its qualifier."""
        return self._byte(30)


class IderDone(_IderAnswer, frozen=True, gc=False, kw_only=True):
    """The client ends a command without data."""

    declared: ClassVar[Fields] = fields.IDER_DONE

    def summary(self) -> str:
        sense = self.sense or 0
        said = names.SENSE_KEYS.get(sense, f"sense {sense}") + f", {self.asc or 0:02x}/{self.ascq or 0:02x}"
        return f"IDE-R command end: {said if sense else 'well'}"


class IderAsk(_IderAnswer, frozen=True, gc=False, kw_only=True):
    """The client wants data that the host writes."""

    declared: ClassVar[Fields] = fields.IDER_DATA


class IderFromHost(RedirMessage, frozen=True, gc=False, kw_only=True):
    """Data the host writes."""

    declared: ClassVar[Fields] = (fields.TYPE, fields.SEQUENCE, fields.LENGTH)

    def summary(self) -> str:
        return f"IDE-R: {counted(int.from_bytes(self.data[9:11], 'little'), 'byte')} written by the host"


class IderToHost(_IderAnswer, frozen=True, gc=False, kw_only=True):
    """Data the host reads."""

    declared: ClassVar[Fields] = fields.IDER_TO_HOST
    command: IderCommand | None = None
    """The command it answers, where that was seen."""

    @property
    def completed(self) -> bool:
        """Whether the command is done with this."""
        return bool(self.data[3] & 2)

    def summary(self) -> str:
        more = "" if self.completed else ", more follows"
        return f"IDE-R: {counted(int.from_bytes(self.data[9:11], 'little'), 'byte')} for the host{more}"


BY_TYPE: dict[int, type[RedirMessage]] = {
    names.STARTED: RedirStarted,
    names.LOGIN: RedirLogin,
    names.ANSWER: RedirAnswer,
    names.SOL_START: SolStart,
    names.SOL_STARTED: SolStarted,
    names.SOL_CONTROLS: SolControls,
    names.SOL_CONSOLE: RedirNumbered,
    names.IDER_FEATURES: IderFeatures,
    names.IDER_FEATURES_ARE: IderFeatures,
    names.IDER_RESET: IderMask,
    names.IDER_ERROR: IderMask,
    names.IDER_COMMAND: IderCommand,
    names.IDER_DONE: IderDone,
    names.IDER_ASK: IderAsk,
    names.IDER_FROM_HOST: IderFromHost,
    names.IDER_TO_HOST: IderToHost,
}
EVENTS: tuple[type[RedirMessage], ...] = tuple(
    dict.fromkeys((RedirMessage, RedirNumbered, *BY_TYPE.values(), SolData, IderOpen, IderOpened))
)
