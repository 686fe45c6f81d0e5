"""The hello message declared: the reference for the fast reader, what `tree()` reads by, and the tests' builder."""

from __future__ import annotations

from uuid import UUID

from construct import (
    Byte,
    Bytes,
    Computed,
    GreedyBytes,
    Int8ul,
    Int16ul,
    Int32ul,
    PrefixedArray,
    Struct,
    Switch,
    Terminated,
    this,
)

from amtdecode.protocols.declaration import Items, Sized, grouped
from amtdecode.protocols.hello.fields import HELLO_MESSAGE
from amtdecode.protocols.hello.roots import ROOTS

item = Items(HELLO_MESSAGE)


def _authority(value: bytes) -> str:
    root = ROOTS.get(value.hex())
    return root.name if root else ""


# algorithm: 1 SHA-1 (20 bytes), 2 SHA-256 (32), 3 SHA-384 (48); the length byte says how many follow
RootHash = Struct(
    "algorithm" / item("iamt.hello.hash.algorithm", Byte),
    "value" / Sized(Int8ul, item("iamt.hello.hash.value", GreedyBytes, words=_authority)),
)

Psk = Struct("pid" / item("iamt.hello.pid", Bytes(8), shown=lambda pid: pid.decode("latin-1")))
Pki = Struct("hashes" / PrefixedArray(item("iamt.hello.hash_count", Int8ul), grouped("Root hash", RootHash)))

Hello = Struct(
    "admin_credentials_set" / item("iamt.hello.admin_credentials_set", Int16ul),
    "version" / item("iamt.hello.version", Int16ul),
    "retry_count" / item("iamt.hello.retry_count", Int32ul),
    "uuid" / item("iamt.hello.uuid", Bytes(16), shown=lambda raw: str(UUID(bytes_le=raw))),
    "body" / Switch(this.version, {2: Psk, 3: Pki}, default=Struct("rest" / item("iamt.hello.rest", GreedyBytes))),
    "kind" / Computed(lambda context: {2: "PSK", 3: "PKI"}.get(context.version, "unknown")),
    Terminated,
)
