"""Which messages that were passed over matter after all: those about the name of a server that a machine calls.

The name is learned from the answer that gave the machine the address which it then connects to.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from amtdecode.protocols.dns.message import HEADER_SIZE, DnsMessage, read
from amtdecode.protocols.servers import ServerNames

if TYPE_CHECKING:
    from collections.abc import Iterable

    from amtdecode.model import Endpoint
    from amtdecode.protocols.memory import Memory


def question_of(message: bytes) -> bytes:
    """The name asked for, as it stands there, in lower case (length bytes are below the letters)."""
    return message[HEADER_SIZE : message.find(b"\0", HEADER_SIZE) + 1].lower()


class DnsHindsight:
    """Asked by the engine when a machine calls a server, and for each message that it holds."""

    def __init__(self, memory: Memory) -> None:
        self.names = memory.of(ServerNames)

    def learn(self, answers: Iterable[bytes], server: Endpoint) -> bool:
        """Learn which name led to the server, out of the messages sent to its caller; whether one is new."""
        new = False
        for message in answers:
            if server.packed not in message:
                continue
            first = read(message)[0]
            if isinstance(first, DnsMessage) and first.is_response and server.address in first.addresses:
                new |= self.names.add(question_of(message))
        return new

    def concerns(self, message: bytes) -> bool:
        """Whether a message is about such a name."""
        return question_of(message) in self.names.questions
