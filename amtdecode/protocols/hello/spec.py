"""The hello message declared: the reference that the fast reader must agree with, and the builder of test messages."""

from __future__ import annotations

from construct import (
    Byte,
    Bytes,
    Computed,
    GreedyBytes,
    Int8ul,
    Int16ul,
    Int32ul,
    Prefixed,
    PrefixedArray,
    Struct,
    Switch,
    Terminated,
    this,
)

# algorithm: 1 SHA-1 (20 bytes), 2 SHA-256 (32), 3 SHA-384 (48); the length byte says how many follow
RootHash = Struct("algorithm" / Byte, "value" / Prefixed(Int8ul, GreedyBytes))

Psk = Struct("pid" / Bytes(8))
Pki = Struct("hashes" / PrefixedArray(Int8ul, RootHash))

Hello = Struct(
    "admin_credentials_set" / Int16ul,
    "version" / Int16ul,
    "retry_count" / Int32ul,
    "uuid" / Bytes(16),
    "body" / Switch(this.version, {2: Psk, 3: Pki}, default=Struct("rest" / GreedyBytes)),
    "kind" / Computed(lambda context: {2: "PSK", 3: "PKI"}.get(context.version, "unknown")),
    Terminated,
)
