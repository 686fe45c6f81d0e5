"""What is said about a connection as a whole."""

from __future__ import annotations

from typing import ClassVar

from amtdecode.counting import counted
from amtdecode.fields import ETHER, STRING, UINT16, UINT32, UINT64, Field, Fields
from amtdecode.model import Event

STATES = {
    "refused": "RST answers the SYN",
    "unanswered": "nothing answers the SYN",
    "reset": "RST ends it",
    "closed": "FIN of both sides",
    "half-closed": "FIN of one side",
    "open": "it does not end in the capture",
}


class Connection(Event, frozen=True):
    """How a TCP connection fared, stated once when it ends, or when the capture does."""

    protocol: ClassVar[str] = "tcp"
    declared: ClassVar[Fields] = (
        Field("iamt.connection.state", STRING, "how it fared", "state", values=STATES),
        Field("iamt.connection.syn_count", UINT32, "how often the client asked", "syn_count"),
        Field("iamt.connection.client_bytes", UINT64, "payload bytes from client to server", "client_bytes"),
        Field("iamt.connection.server_bytes", UINT64, "payload bytes from server to client", "server_bytes"),
        Field("iamt.connection.closed_by", STRING, "who sent FIN or RST first: client or server", "closed_by", ""),
        Field(
            "iamt.connection.client_missing", UINT64, "bytes of the client that the capture lacks", "client_missing", 0
        ),
        Field(
            "iamt.connection.server_missing", UINT64, "bytes of the server that the capture lacks", "server_missing", 0
        ),
        Field(
            "iamt.connection.only", STRING, "the side whose packets alone were captured: client or server", "only", ""
        ),
        Field(
            "iamt.connection.broken_by",
            STRING,
            "who sent RST while nobody had sent FIN: client or server",
            "broken_by",
            "",
        ),
        Field("eth.src", ETHER, "MAC address the client's first packet came from", "client_mac", ""),
        Field("vlan.id", UINT16, "802.1Q identifier of the client's first packet", "vlan", -1),
    )
    state: str
    """One of `STATES`."""
    syn_count: int
    client_bytes: int
    server_bytes: int
    first_time_ns: int | None
    """Capture time of its first packet."""
    last_time_ns: int | None
    """Capture time of the last packet that carried data or changed its state."""
    closed_by: str
    """"client" or "server", whoever sent FIN or RST first; "" when nobody did."""
    client_mac: str = ""
    vlan: int = -1
    client_missing: int = 0
    """Bytes of the client that no packet in the capture carries, though it sent them: cut off, or lost."""
    server_missing: int = 0
    only: str = ""
    """"client" or "server" where only its packets were captured and they acknowledge the other's; "" otherwise."""
    broken_by: str = ""
    """"client" or "server", whoever sent RST while nobody had sent FIN; "" after an orderly end too."""

    def summary(self) -> str:
        by = f" by the {self.closed_by}" if self.closed_by and self.state != "unanswered" else ""
        tries = f" after {self.syn_count} SYNs" if self.syn_count > 1 else ""
        sent = counted(self.client_bytes, "byte")
        return f"connection {self.state}{by}{tries}, {sent} to the server, {self.server_bytes} back"
