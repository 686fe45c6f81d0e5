"""One reading as it is kept: what each observation of it added, in the order in which it became known.

A reading is some captures of one sensor, read as one timeline. It is written once and not changed any more; the digest
of its bytes is its name, so that the same reading is known again wherever it comes from.
"""

from __future__ import annotations

import zlib
from bisect import bisect_right
from hashlib import blake2b
from typing import TYPE_CHECKING, Annotated, Any

import msgspec

from amtdecode.errors import ArtifactError
from amtdecode.model import Endpoint, FlowKey
from amtdecode.provisioning.journal.facts import Fact  # noqa: TC001 - msgspec reads annotations

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Self

BLOCK = 2048  # entries written together
MAX_BLOCK = 64 << 20  # bytes of a block, unpacked
LEVEL = 6  # of zlib
DIGEST = 16  # bytes
LATEST = 4  # blocks of flows that stay unpacked

Time = Annotated[int, msgspec.Meta(ge=-(1 << 63), le=(1 << 63) - 1)]
Number = Annotated[int, msgspec.Meta(ge=0, le=(1 << 62) - 1)]
Port = Annotated[int, msgspec.Meta(ge=0, le=0xFFFF)]
Address = Annotated[bytes, msgspec.Meta(max_length=16)]


class Flow(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """A connection or conversation. Addresses are packed, in network order."""

    transport: str
    number: Annotated[int, msgspec.Meta(ge=-1, le=(1 << 62) - 1)]
    client: Address
    client_port: Port
    server: Address
    server_port: Port

    @classmethod
    def of(cls, flow: FlowKey) -> Self:
        """As it is written."""
        client, server = flow.client, flow.server
        return cls(flow.transport, flow.number, client.packed, client.port, server.packed, server.port)

    def key(self) -> FlowKey:
        """As it is read."""
        client, server = Endpoint(self.client, self.client_port), Endpoint(self.server, self.server_port)
        return FlowKey(self.transport, self.number, client, server)


class Entry(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """What one observation adds."""

    known: Time | None
    """The latest time seen when it became known, nanoseconds since 1970 UTC; `None` before any."""
    time: Time | None
    """Its own."""
    input: Number
    """Index of the input."""
    packet: Number
    first: Number
    """The first packet that carried it; 0: the same."""
    flow: Annotated[int, msgspec.Meta(ge=-1, le=(1 << 62) - 1)]
    """Index of the flow; -1: none."""
    to_client: bool
    said: Fact


class Head(msgspec.Struct, frozen=True, omit_defaults=True):
    """What stands before the entries."""

    sensor: str
    inputs: tuple[str, ...]
    entries: Number = 0
    observations: Number = 0  # kept ones and others
    first: Time | None = None
    last: Time | None = None
    seen: tuple[str, ...] = ()  # protocols
    limits: tuple[str, ...] = ()  # caps that were reached
    flow_blocks: Number = 0
    entry_blocks: Number = 0


class Reading(msgspec.Struct, frozen=True, gc=False):
    """A whole one."""

    digest: bytes
    head: Head
    flow_blocks: tuple[bytes, ...]
    entry_blocks: tuple[bytes, ...]

    def flows(self) -> Flows:
        """Its connections and conversations by their index."""
        return Flows(self.flow_blocks)

    def entries(self) -> Iterator[Entry]:
        """In their order. Raises `ArtifactError` where they make no sense."""
        for block in self.entry_blocks:
            yield from unpacked(block, _ENTRIES)


class Flows:
    """The flows of a reading, unpacked when asked for: they are asked for about in their order."""

    def __init__(self, blocks: tuple[bytes, ...]) -> None:
        self._blocks = blocks
        self._starts = [0]
        self._latest: dict[int, list[Flow]] = {}

    def __getitem__(self, index: int) -> Flow:
        """One of them. Raises `IndexError`, and `ArtifactError` where they make no sense."""
        starts = self._starts
        while index >= starts[-1]:
            starts.append(starts[-1] + len(self._block(len(starts) - 1)))
        number = bisect_right(starts, index) - 1
        return self._block(number)[index - starts[number]]

    def _block(self, number: int) -> list[Flow]:
        known = self._latest.get(number)
        if known is None:
            if len(self._latest) >= LATEST:
                del self._latest[next(iter(self._latest))]
            known = self._latest[number] = unpacked(self._blocks[number], _FLOWS)
        return known


_FLOWS = msgspec.json.Decoder(list[Flow])
_ENTRIES = msgspec.json.Decoder(list[Entry])
_HEAD = msgspec.json.Decoder(Head)


def packed(value: Any) -> bytes:
    """As JSON, compressed."""
    return zlib.compress(msgspec.json.encode(value), LEVEL)


def unpacked(block: bytes, decoder: Any) -> Any:
    """What `packed` was given. Raises `ArtifactError`: the bytes are somebody else's."""
    reader = zlib.decompressobj()
    try:
        text = reader.decompress(block, MAX_BLOCK)
        if not reader.eof or reader.unused_data:
            raise ArtifactError("a journal holds a block that is cut, or too large")
        return decoder.decode(text)
    except (zlib.error, msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise ArtifactError(f"a journal holds what is no entry of one ({type(error).__name__})") from error


def head_of(block: bytes) -> Head:
    """The head of a reading. Raises `ArtifactError`."""
    head: Head = unpacked(block, _HEAD)
    return head


def made(head: Head, flow_blocks: list[bytes], entry_blocks: list[bytes]) -> Reading:
    """A reading of its parts, with its digest."""
    head = msgspec.structs.replace(head, flow_blocks=len(flow_blocks), entry_blocks=len(entry_blocks))
    digest = blake2b(msgspec.json.encode(head), digest_size=DIGEST)
    for block in (*flow_blocks, *entry_blocks):
        digest.update(block)
    return Reading(digest.digest(), head, tuple(flow_blocks), tuple(entry_blocks))
