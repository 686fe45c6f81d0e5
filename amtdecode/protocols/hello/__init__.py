"""Hello message: an AMT machine in setup mode asks its setup and configuration application (SCA) to set it up.

Transport   TCP, to port 9971 unless the MEBx names another. The machine is the client and the only one to speak.
Framing     none: one message a connection, then the machine closes. Version 2 is 32 bytes long; the length of version 3
            follows from its hash entries, so a message is complete by length and needs no FIN.
Layout      little-endian, byte-packed:
            0  u16   AdminCredentialsSet  0: MEBx administrator password still the default, 1: changed
            2  u16   InterfaceVersion     2: PSK, 3: PKI (remote configuration)
            4  u32   RetryCount           from 0
            8  16    UUID                 SMBIOS order: first three groups little-endian
            24 8     PID                  version 2: ASCII
            24 u8    HashCount            version 3, then for each: algorithm u8 (1 SHA-1, 2 SHA-256, 3 SHA-384),
                                          length u8, hash
Sources     Intel AMT Implementation and Reference Guide, "Setup Mode Hello Messages"; the hash loop from public source
            (MeshCentral amtprovisioningserver.js) and the messages published with it.
Limits      MAX_MESSAGE bytes are held of a message that does not end.
Unknown     Version 1 (AMT 1.0) is documented nowhere we know; other versions are decoded up to the UUID, what follows
            is kept.
            The message holds no address and no firmware version, whatever some manuals say.
Recognised  by content on any port; a browser, a port scanner or a TLS client on 9971 is none of ours.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from amtdecode import ports
from amtdecode.counting import counted
from amtdecode.fields import declared_by
from amtdecode.model import TO_CLIENT, TO_SERVER, Direction, End, Malformed, Statement, Truncated
from amtdecode.protocols.dissector import MORE, NO, YES, Context, Dissector, Protocol, Verdict, gap_statement
from amtdecode.protocols.hello.answers import HelloAnswer, name_answer
from amtdecode.protocols.hello.fields import ALGORITHMS, PKI, PSK
from amtdecode.protocols.hello.messages import (
    HASHES,
    HEADER,
    MAX_MESSAGE,
    PID_ALPHABET,
    PSK_LENGTH,
    HelloMemory,
    HelloMessage,
    PartialHello,
    read_beginning,
    read_hello,
    read_uuid,
)

if TYPE_CHECKING:
    from collections.abc import Iterable

    from amtdecode.protocols.memory import Memory

SHOWN_BEHIND = 64  # bytes kept of what follows a message
SHOWN_OF_ANSWER = 64  # bytes told of what a server sends
MAX_UNKNOWN_VERSION = 16  # higher "versions" on the hello port are some other protocol's bytes
PLAUSIBLE_RETRIES = 1 << 16  # documented are 0 to 14; more than this on a foreign port is chance

__all__ = ["HELLO", "HelloAnswer", "HelloMessage", "PartialHello", "read_hello"]


def recognise(data: bytes, direction: Direction, context: Context) -> Verdict:
    """Content decides; on the hello port unknown versions and empty hash lists count too."""
    if direction == TO_CLIENT or not data:  # an empty HTTP body is shown too
        return NO
    at_home = context.server.port == ports.HELLO
    size = len(data)
    if data[0] > 1 or (size > 1 and data[1]):
        return NO
    if size < 4:
        return NO if size > 2 and data[2] not in (PSK, PKI) and not at_home else MORE
    version = data[2] | data[3] << 8
    if version not in (PSK, PKI) and not (at_home and 0 < version <= MAX_UNKNOWN_VERSION):
        return NO
    if not at_home:
        if size >= 8 and int.from_bytes(data[4:8], "little") >= PLAUSIBLE_RETRIES:
            return NO
        if version == PSK and not PID_ALPHABET.issuperset(data[24:32]):
            return NO
        if version == PKI and size >= HASHES + 2 and ALGORITHMS.get(data[25], ("", 0))[1] != data[26]:
            return NO
    needed = HEADER.size if at_home else HASHES + 2 if version == PKI else PSK_LENGTH
    return YES if size >= needed else MORE


def single_message(data: bytes, direction: Direction, memory: Memory) -> HelloMessage | None:
    """The message, when these bytes are exactly one, without anything odd. For the hello port only."""
    if direction or len(data) < PSK_LENGTH or data[0] > 1 or data[1] or data[3]:
        return None
    message, size, odd = read_hello(data, memory.of(HelloMemory))
    return message if size == len(data) and not odd else None


class HelloDissector(Dissector):
    """One connection of a machine to its server."""

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self._memory = HelloMemory() if context.memory is None else context.memory.of(HelloMemory)
        self._held = b""  # of an unfinished message; after it, the first bytes behind
        self._needed = 0  # bytes before which reading it again is in vain
        self._stated = 0  # length of the message stated
        self._behind = 0  # bytes behind it
        self._broken = False
        self._answered = 0  # bytes the server sent
        self._answer: bytes | None = b""  # the first of them, until they are told

    def receive_data(self, direction: Direction, data: bytes) -> Iterable[Statement]:
        if direction == TO_CLIENT:
            return self._take_answer(data)
        if self._broken:
            return ()
        if self._stated:
            self._behind += len(data)
            self._held = (self._held + data[:SHOWN_BEHIND])[:SHOWN_BEHIND]
            return ()
        held = self._held + data if self._held else data
        message, size, odd = read_hello(held, self._memory) if len(held) >= self._needed else (None, self._needed, "")
        if message is None:
            self._held, self._needed = held[:MAX_MESSAGE], size
            return ()
        self._stated = size
        self._held = held[size : size + SHOWN_BEHIND]
        self._behind = len(held) - size
        statement = Statement(message, TO_SERVER, 0, size)
        return (statement, Statement(Malformed("iamt.hello", odd), TO_SERVER, 0, size)) if odd else (statement,)

    def _take_answer(self, data: bytes) -> Iterable[Statement]:
        """What the server sends; its first bytes are told once there are enough of them, and the hello is known."""
        self._answered += len(data)
        if self._answer is None:
            return ()
        self._answer = (self._answer + data)[:SHOWN_OF_ANSWER]
        return self._tell_answer() if self._stated and len(self._answer) == SHOWN_OF_ANSWER else ()

    def _tell_answer(self) -> tuple[Statement, ...]:
        answer, self._answer = self._answer, None
        if not answer:
            return ()
        return (Statement(HelloAnswer(name_answer(answer), answer), TO_CLIENT, 0, len(answer)),)

    def receive_gap(self, direction: Direction, size: int) -> Iterable[Statement]:
        """Of a hello with a hole what stands before it is kept: nothing says where it goes on."""
        if direction == TO_CLIENT:
            start, told = self._answered, self._tell_answer()
            self._answered += size
            return (
                *told,
                gap_statement("iamt.hello", direction, start, size),
            )
        held = len(self._held)
        told = () if self._stated or self._broken else self._beginning()
        self._broken = not self._stated
        start = self._stated + self._behind if self._stated else held
        return (*told, gap_statement("iamt.hello", direction, start, size))

    def _beginning(self) -> tuple[Statement, ...]:
        """What is there of a message that does not end."""
        event = read_beginning(self._held)
        return (Statement(event, TO_SERVER, 0, len(self._held)),) if event is not None else ()

    def receive_eof(self, direction: Direction, end: End) -> Iterable[Statement]:
        if direction == TO_CLIENT:
            return self._tell_answer()
        if self._broken:
            return ()
        data = self._held
        if self._stated:
            if not self._behind:
                return ()
            start = self._stated
            event = Malformed(
                "iamt.hello", f"{counted(self._behind, 'byte')} behind the end of the message, from byte {start}", data
            )
            return (Statement(event, direction, start, start + self._behind),)
        if not data:
            return ()
        if len(data) >= HEADER.size and (data[2] | data[3] << 8) not in (PSK, PKI):
            admin, version, retry, uuid = HEADER.unpack_from(data)
            message = HelloMessage(admin, version, retry, read_uuid(uuid), rest=data[HEADER.size :])
            return (Statement(message, direction, 0, len(data)),)
        _, needed, _ = read_hello(data, self._memory)
        reason = f"the message ends early ({end.value})"
        cut = Truncated("iamt.hello", reason, len(data), needed - len(data))
        return (*self._beginning(), Statement(cut, direction, 0, len(data)))


HELLO = Protocol(
    "iamt.hello",
    "tcp",
    frozenset({ports.HELLO}),
    recognise,
    HelloDissector,
    lambda: declared_by(HelloMessage, PartialHello, HelloAnswer),
    single_message,
    openings=((frozenset((0, 1)), frozenset((0,)), frozenset((PSK, PKI)), frozenset((0,))),),
    carries=False,
    carried=False,
)
