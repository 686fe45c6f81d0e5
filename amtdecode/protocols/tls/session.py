"""What the two sides of one handshake agreed on, as far as keys depend on it.

Sources: RFC 5246, sections 6.3, 8.1; RFC 8446, sections 4.2.11, 7.1.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from amtdecode.protocols.tls.crypto import Transcript, psk_binder
from amtdecode.protocols.tls.extensions import PRE_SHARED_KEY

if TYPE_CHECKING:
    from amtdecode.protocols.tls.hellos import ClientHello, ServerHello
    from amtdecode.protocols.tls.memory import MasterSecrets
    from amtdecode.secrets import Keys

MAX_CANDIDATES = 512
"""Keys tried for one handshake: a table with as many keys for any identity makes no sense."""


class Session(msgspec.Struct):
    """One handshake: its hellos, its transcript, and the keys that may open it."""

    keys: Keys
    masters: MasterSecrets
    transcript: Transcript = msgspec.field(default_factory=Transcript)
    client_hello: ClientHello | None = None
    client_random: bytes = b""  # of an SSL 2.0 hello its challenge, which stands at the end (RFC 5246, appendix E.2)
    server_hello: ServerHello | None = None
    version: int = 0
    suite: int = -1
    before_hello: Transcript | None = None  # of TLS 1.3 hellos with a PSK
    raw_hello: bytes = b""
    whole: bool = True  # every message of the handshake was seen
    tried: int = 0  # keys
    early_method: str = ""  # what opened early data

    def hello(self, hello: ClientHello, message: bytes) -> None:
        """Take in what the client offers; the transcript must not hold its message yet."""
        self.client_hello = hello
        self.client_random = hello.random.rjust(32, b"\0")
        if hello.extensions.get(PRE_SHARED_KEY) is not None:
            self.before_hello, self.raw_hello = self.transcript.copy(), message

    def hello_hash(self, digest: str, without: int = 0) -> bytes:
        """Hash what came up to the ClientHello, without its last `without` bytes (the binders' list of TLS 1.3)."""
        raw = self.raw_hello
        return self.before_hello.digest(digest, raw[: len(raw) - without]) if self.before_hello else b""

    def psk_by_binder(self, index: int, digest: str) -> bytes | None:
        """Find the PSK that made the binder of an identity in a TLS 1.3 ClientHello."""
        values = self.client_hello.extensions.values if self.client_hello else {}
        identities = values.get("tls.handshake.extensions.psk.identity.identity", [])
        binders = values.get("iamt.tls.psk_binder", [])
        if index >= min(len(identities), len(binders)):
            return None
        truncated = self.hello_hash(digest, 2 + sum(1 + len(other) // 2 for other in binders))
        binder = bytes.fromhex(binders[index])
        for psk in self.keys.psks(bytes.fromhex(identities[index]))[:MAX_CANDIDATES]:
            if psk_binder(digest, psk, truncated) == binder:
                return psk
            self.tried += 1
        return None

    @property
    def answered(self) -> bool:
        """Whether the server chose: a ClientHello that follows begins another handshake."""
        return self.server_hello is not None
