"""The hello message's event, and the fast reader that makes it."""

from __future__ import annotations

import struct
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

import msgspec

from amtdecode.counting import counted
from amtdecode.model import Event
from amtdecode.protocols.hello.fields import ALGORITHMS, HELLO_MESSAGE, PARTIAL_HELLO, PKI, PSK, VERSION_NAMES
from amtdecode.secrets.pid import pid_is_valid

if TYPE_CHECKING:
    from amtdecode.fields import Fields
    from amtdecode.tree import Node

HEADER = struct.Struct("<HHI16s")  # AdminCredentialsSet, InterfaceVersion, RetryCount, UUID
PSK_LENGTH = 32  # the header and eight characters of PID
HASHES = HEADER.size + 1  # where the hash entries of version 3 begin
MAX_MESSAGE = HASHES + 255 * (2 + 255)  # the longest version 3 message its counters can express
MAX_HASH_LISTS = 512  # decoded lists kept: machines of one firmware all send the same
MAX_HASH_LIST = 4096  # bytes of a list worth keeping; known ones have up to 1200

PID_ALPHABET = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789")


class RootHash(NamedTuple):
    """One trusted root of a version 3 hello."""

    algorithm: int  # 1 SHA-1, 2 SHA-256, 3 SHA-384
    value: bytes
    name: str  # of the certification authority where it is known, else ""


class HashList(tuple[RootHash, ...]):  # noqa: SLOT001 - keeps what is derived from it
    """The trusted roots of a version 3 hello. Machines of one firmware send the same and share one object."""

    @cached_property
    def algorithms(self) -> list[int]:
        """Algorithms in the order of the message. Shared: not to be changed, as the others."""
        return [each.algorithm for each in self]

    @cached_property
    def values(self) -> list[str]:
        """Values as hex text, in the order of the message."""
        return [each.value.hex() for each in self]

    @cached_property
    def names(self) -> list[str]:
        """Whose certificates they are of, in the order of the message."""
        return [each.name for each in self]

    @cached_property
    def json(self) -> bytes:
        """The fields of the list as JSON, with the brace that ends a message's fields."""
        fields: dict[str, Any] = {"iamt.hello.hash_count": len(self)}
        if self:
            fields["iamt.hello.hash.algorithm"] = self.algorithms
            fields["iamt.hello.hash.value"] = self.values
            fields["iamt.hello.hash.name"] = self.names
        return msgspec.json.encode(fields)[1:]


class HelloMessage(Event, frozen=True):
    """A machine asks to be set up. Offsets and byte order: the package's spec card."""

    protocol: ClassVar[str] = "iamt.hello"
    declared: ClassVar[Fields] = HELLO_MESSAGE
    admin_credentials_set: int
    version: int
    retry_count: int
    uuid: str
    """SMBIOS order, lower case, with dashes."""
    pid: str = ""
    """Version 2: eight characters, as sent."""
    hashes: HashList = HashList()
    rest: bytes = b""
    """Unknown versions: what follows the UUID, undecoded."""

    @property
    def pid_check(self) -> bool | None:
        """Version 2: whether the PID's last character checks the seven before it."""
        return pid_is_valid(self.pid) if self.version == PSK else None

    @property
    def hash_count(self) -> int | None:
        """Version 3: how many hashes there are."""
        return len(self.hashes) if self.version == PKI else None

    def tree(self, pdu: bytes) -> tuple[Node, ...]:
        from amtdecode.protocols.declaration import tree_of
        from amtdecode.protocols.hello.spec import Hello

        return tree_of(Hello, pdu)

    def summary(self) -> str:
        retry = f", retry {self.retry_count}" if self.retry_count else ""
        if self.version == PSK:
            check = "" if self.pid_check else " (wrong check character)"
            return f"Hello PSK, UUID {self.uuid}, PID {self.pid[:4]}-{self.pid[4:]}{check}{retry}"
        if self.version == PKI:
            return f"Hello PKI, UUID {self.uuid}, {counted(len(self.hashes), 'root hash', 'root hashes')}{retry}"
        return f"Hello of unknown version {self.version}, UUID {self.uuid}{retry}"

    def fields_json(self) -> bytes | None:
        """A hello is mostly its hash list, whose text is made once."""
        if self.version == PKI:
            rest = self.hashes.json
        elif self.version == PSK and self.pid_check:  # then it holds nothing to escape
            rest = f'"iamt.hello.pid":"{self.pid}","iamt.hello.pid.check":true}}'.encode()
        else:
            return None
        admin = "true" if self.admin_credentials_set else "false"
        head = (
            f'{{"iamt.hello.version":{self.version},"iamt.hello.admin_credentials_set":{admin},'
            f'"iamt.hello.retry_count":{self.retry_count},"iamt.hello.uuid":"{self.uuid}",'
        )
        return head.encode() + rest


class PartialHello(Event, frozen=True):
    """What is there of a hello that is cut: the header, and the PID or the hashes as far as they came."""

    protocol: ClassVar[str] = "iamt.hello"
    declared: ClassVar[Fields] = PARTIAL_HELLO
    begun: HelloMessage
    """With no hash but whole ones, and as much of the PID as came."""
    hash_count: int | None
    """Version 3: how many hashes the message says it has; `None` where it is cut before."""

    def tree(self, pdu: bytes) -> tuple[Node, ...]:
        from amtdecode.protocols.declaration import tree_of
        from amtdecode.protocols.hello.spec import Hello

        return tree_of(Hello, pdu)

    def summary(self) -> str:
        begun = self.begun
        text = f"Beginning of a hello {VERSION_NAMES.get(begun.version, begun.version)}, UUID {begun.uuid}"
        if begun.pid:
            text += f", PID {begun.pid}…"
        if self.hash_count is not None:
            text += f", {len(begun.hashes)} of {counted(self.hash_count, 'root hash', 'root hashes')}"
        return f"{text}, retry {begun.retry_count}" if begun.retry_count else text


class Hashes(NamedTuple):
    """The hash entries of a version 3 hello."""

    entries: HashList
    end: int  # offset behind the last one
    odd: str  # what is said of entries whose algorithm is unknown or whose length is not the algorithm's


class HelloMemory:
    """What the hellos of one run share: lists of hashes by their bytes. Machines of one firmware send the same."""

    def __init__(self) -> None:
        self.lists: dict[bytes, Hashes] = {}

    def keep(self, raw: bytes, hashes: Hashes) -> None:
        """Remember a list; a full table is emptied."""
        if len(self.lists) >= MAX_HASH_LISTS:
            self.lists.clear()
        self.lists[raw] = hashes


def read_uuid(raw: bytes) -> str:
    """The text of a UUID of 16 bytes in SMBIOS order: the first three groups are little-endian."""
    h = raw.hex()
    return f"{h[6:8]}{h[4:6]}{h[2:4]}{h[:2]}-{h[10:12]}{h[8:10]}-{h[14:16]}{h[12:14]}-{h[16:20]}-{h[20:]}"


def hashes_end(data: bytes, count: int) -> int:
    """Where `count` entries end; where too few bytes are there, how many are needed to know more."""
    size, at = len(data), HASHES
    for _ in range(count):
        if at + 2 > size:
            return at + 2
        at += 2 + data[at + 1]
        if at > size:
            break
    return at


def read_hashes(data: bytes, count: int) -> Hashes:
    """The first `count` entries behind a version 3 header, all of which are there (data begins with the header).

    Each is: algorithm u8, length u8, hash.
    """
    from amtdecode.protocols.hello.roots import ROOTS

    entries: list[RootHash] = []
    odd: list[str] = []
    at = HASHES
    for number in range(count):
        algorithm, length = data[at], data[at + 1]
        value = data[at + 2 : at + 2 + length]
        name, expected = ALGORITHMS.get(algorithm, ("unknown", length))
        if algorithm not in ALGORITHMS:
            odd.append(f"hash {number + 1} at byte {at} has unknown algorithm {algorithm}")
        elif length != expected:
            odd.append(f"hash {number + 1} at byte {at} is {length} bytes long where {name} has {expected}")
        root = ROOTS.get(value.hex())
        entries.append(RootHash(algorithm, value, root.name if root else ""))
        at += 2 + length
    return Hashes(HashList(entries), at, "; ".join(odd))


def read_beginning(data: bytes) -> PartialHello | None:
    """What the first bytes of a cut message tell; `None` where they do not reach behind the UUID."""
    if len(data) < HEADER.size:
        return None
    admin, version, retry, uuid = HEADER.unpack_from(data)
    behind = data[HEADER.size :]
    pid, hashes, count = "", HashList(), None
    if version == PSK:
        pid, behind = behind.decode("latin-1"), b""
    elif version == PKI and behind:
        count = whole = behind[0]
        while whole and hashes_end(data, whole) > len(data):
            whole -= 1
        hashes, behind = read_hashes(data, whole).entries, b""
    return PartialHello(HelloMessage(admin, version, retry, read_uuid(uuid), pid, hashes, behind), count)


def read_hello(data: bytes, memory: HelloMemory | None = None) -> tuple[HelloMessage | None, int, str]:
    """The message at the start of `data`: (message, its length, what is odd), or (None, bytes needed, "").

    A complete message is read with `struct`; the declaration of the same bytes is `amtdecode.protocols.hello.spec`.
    """
    size = len(data)
    if size < HASHES:
        return None, HASHES, ""
    admin, version, retry, uuid = HEADER.unpack_from(data)
    if version == PKI:
        hashes = None if memory is None else memory.lists.get(data[HASHES - 1 :])
        if hashes is None:
            end = hashes_end(data, data[HASHES - 1])
            if end > size:
                return None, end, ""
            hashes = read_hashes(data, data[HASHES - 1])
            if memory is not None and hashes.end == size <= MAX_HASH_LIST:
                memory.keep(data[HASHES - 1 :], hashes)
        return HelloMessage(admin, version, retry, read_uuid(uuid), "", hashes.entries), hashes.end, hashes.odd
    if version == PSK:
        if size < PSK_LENGTH:
            return None, PSK_LENGTH, ""
        pid = data[HEADER.size : PSK_LENGTH].decode("latin-1")
        return HelloMessage(admin, version, retry, read_uuid(uuid), pid), PSK_LENGTH, ""
    return None, MAX_MESSAGE, ""
