"""The events of the EAPOL room, and what reads a frame. They hold its bytes, and decode when asked."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from amtdecode.model import Event, Malformed
from amtdecode.protocols.eapol.fields import (
    CODES,
    EAP,
    EAP_PACKET,
    EAPOL,
    IDENTITY,
    LENGTH_INCLUDED,
    METHODS,
    MORE,
    NAK,
    NOTIFICATION,
    REQUEST,
    RESPONSE,
    STARTS,
    TYPES,
    WITH_TLS,
)
from amtdecode.protocols.eapol.names import HEADER, NAME
from amtdecode.protocols.tls.registry.alerts import ALERTS

if TYPE_CHECKING:
    from amtdecode.fields import Fields
    from amtdecode.tree import Node

TYPED = HEADER + HEADER + 1  # bytes up to the type of a request or response
ALERT_RECORD = 7  # bytes of a record with an alert in the clear (RFC 5246 section 6.2 and 7.2)


class EapolMessage(Event, frozen=True, gc=False):
    """One frame: a start, logoff, key or announcement."""

    protocol: ClassVar[str] = NAME
    declared: ClassVar[Fields] = EAPOL
    data: bytes
    """Without padding."""

    @property
    def version(self) -> int:
        """1 to 3."""
        return self.data[0]

    @property
    def type(self) -> int:
        """0 EAP packet, 1 start, 2 logoff."""
        return self.data[1]

    @property
    def length(self) -> int:
        """Bytes behind the header, as declared."""
        return self.data[2] << 8 | self.data[3]

    def tree(self, pdu: bytes) -> tuple[Node, ...]:
        from amtdecode.protocols.declaration import tree_of
        from amtdecode.protocols.eapol.spec import MESSAGE

        return tree_of(MESSAGE, pdu)

    def summary(self) -> str:
        return f"802.1X {TYPES.get(self.type, f'frame of type {self.type}')}"


class EapMessage(EapolMessage, frozen=True, gc=False):
    """One packet of EAP: who is there, proof by a method, success or failure."""

    declared: ClassVar[Fields] = (*EAPOL, *EAP_PACKET)

    @property
    def code(self) -> int:
        """1 request, 2 response, 3 success, 4 failure."""
        return self.data[4]

    @property
    def id(self) -> int:
        """A response has that of its request; success and failure have that of the last response."""
        return self.data[5]

    @property
    def eap_length(self) -> int:
        """Bytes of the EAP packet, as declared."""
        return self.data[6] << 8 | self.data[7]

    @property
    def method(self) -> int | None:
        """The type of a request or response; `None` for others."""
        return self.data[8] if self.code in (REQUEST, RESPONSE) and len(self.data) >= TYPED else None

    @property
    def identity(self) -> str:
        """Up to a NUL, behind which options may stand (RFC 3748 section 5.1); "" where it is asked for."""
        return self._text() if self.method == IDENTITY else ""

    @property
    def notification(self) -> str:
        """Words to display."""
        return self._text() if self.method == NOTIFICATION else ""

    @property
    def desired(self) -> tuple[int, ...]:
        """Of a Nak: methods that the machine takes instead; 0 for none."""
        return tuple(self.data[TYPED:]) if self.method == NAK else ()

    @property
    def flags(self) -> int | None:
        """Of methods with TLS."""
        return self.data[TYPED] if self.method in WITH_TLS and len(self.data) > TYPED else None

    @property
    def tls_length(self) -> int | None:
        """Bytes of the whole TLS message, where a fragment says so."""
        if not (self.flags or 0) & LENGTH_INCLUDED or len(self.data) < TYPED + 5:
            return None
        return int.from_bytes(self.data[TYPED + 1 : TYPED + 5], "big")

    @property
    def alert(self) -> int | None:
        """The description of a TLS alert in the clear that is all of a message."""
        if (flags := self.flags) is None or flags & MORE:
            return None
        record = self.data[TYPED + (5 if flags & LENGTH_INCLUDED else 1) :]
        return record[6] if len(record) == ALERT_RECORD and record[:2] == b"\x15\3" and record[3:5] == b"\0\2" else None

    def _text(self) -> str:
        return self.data[TYPED:].partition(b"\0")[0].decode("utf-8", "backslashreplace")

    def summary(self) -> str:
        said = f"EAP {CODES.get(self.code, f'code {self.code}')}"
        if self.method is None:
            return said
        said += f", {METHODS.get(self.method, f'type {self.method}')}"
        if text := self.identity or self.notification:
            return f"{said}: {text}"
        if self.desired:
            return f"{said}: {', '.join(METHODS.get(each, f'type {each}') for each in self.desired)}"
        if (alert := self.alert) is not None:
            return f"{said}: TLS alert {ALERTS.get(alert, str(alert))}"
        return f"{said}, begins" if (self.flags or 0) & STARTS else said


def read(data: bytes) -> list[Event]:
    """What one frame says, and what is wrong with it. `data` may be any bytes."""
    if len(data) < HEADER:
        return [Malformed(NAME, f"{len(data)} of {HEADER} bytes", data)]
    end = HEADER + (data[2] << 8 | data[3])
    message = data[:end]
    if message[1] != EAP:
        faults = [] if len(message) == end else [_lacks(message, end)]
        return [EapolMessage(message), *faults]
    if len(message) < HEADER + HEADER:
        return [Malformed(NAME, f"{len(message) - HEADER} of {HEADER} bytes of EAP", message)]
    stop = HEADER + (data[6] << 8 | data[7])
    event = EapMessage(message[: max(stop, HEADER + HEADER)])
    if len(message) < end:
        return [event, _lacks(message, end)]
    if not 2 * HEADER <= stop <= end:
        return [event, Malformed(NAME, f"an EAP packet of {stop - HEADER} bytes in a frame of {end - HEADER}", message)]
    return [event]


def _lacks(message: bytes, end: int) -> Malformed:
    return Malformed(NAME, f"{end - HEADER} bytes are declared, {len(message) - HEADER} are there", message[:64])
