"""What is said about a connection as a whole."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from amtdecode.model import Event, Field

if TYPE_CHECKING:
    from collections.abc import Mapping


class Connection(Event, frozen=True):
    """How a TCP connection fared, stated once when it ends, or when the capture does."""

    protocol: ClassVar[str] = "tcp"
    state: str
    """One of "refused" (RST answers the SYN), "unanswered" (nothing does), "reset", "closed" (FIN of both),
    "half-closed", "open"."""
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

    def summary(self) -> str:
        """See `Event`."""
        by = f" by the {self.closed_by}" if self.closed_by and self.state != "unanswered" else ""
        tries = f" after {self.syn_count} SYNs" if self.syn_count > 1 else ""
        return f"connection {self.state}{by}{tries}, {self.client_bytes} bytes to the server, {self.server_bytes} back"

    def fields(self) -> Mapping[str, Any]:
        """See `Event`."""
        fields: dict[str, Any] = {
            "iamt.connection.state": self.state,
            "iamt.connection.syn_count": self.syn_count,
            "iamt.connection.client_bytes": self.client_bytes,
            "iamt.connection.server_bytes": self.server_bytes,
        }
        if self.closed_by:
            fields["iamt.connection.closed_by"] = self.closed_by
        if self.client_mac:
            fields["eth.src"] = self.client_mac
        if self.vlan >= 0:
            fields["vlan.id"] = self.vlan
        return fields


FIELDS = (
    Field("iamt.connection.state", "str", "refused, unanswered, reset, closed, half-closed or open"),
    Field("iamt.connection.syn_count", "int", "how often the client asked"),
    Field("iamt.connection.client_bytes", "int", "payload bytes from client to server"),
    Field("iamt.connection.server_bytes", "int", "payload bytes from server to client"),
    Field("iamt.connection.closed_by", "str", "who sent FIN or RST first"),
    Field("eth.src", "str", "MAC address the client's first packet came from"),
    Field("vlan.id", "int", "802.1Q identifier of the client's first packet"),
)
