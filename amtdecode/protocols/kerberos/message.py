"""The event of the Kerberos room, and what makes it of a message."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from amtdecode.fields import Fields, reader
from amtdecode.model import Event, Malformed
from amtdecode.protocols.gssapi import ERRORS, MESSAGES, SKEW, TO_KDC_DECLARED, Token, read_kdc_message
from amtdecode.protocols.kerberos.names import NAME

if TYPE_CHECKING:
    from amtdecode.tree import Node

_fields_of = reader(TO_KDC_DECLARED)


class KerberosMessage(Event, frozen=True, gc=False):
    """One message of a client to its KDC, or of the KDC."""

    protocol: ClassVar[str] = NAME
    declared: ClassVar[Fields] = TO_KDC_DECLARED
    token: Token

    @property
    def error(self) -> int | None:
        """The code of a KRB-ERROR."""
        return self.token.error

    @property
    def spn(self) -> str:
        """The service principal name, as `HTTP/desk.example.com:16992`."""
        return self.token.spn

    @property
    def realm(self) -> str:
        """Of the service."""
        return self.token.realm

    @property
    def skew(self) -> int | None:
        """Seconds by which the KDC's clock is ahead of the client's, where an error tells both."""
        return self.token.skew

    def fields(self) -> dict[str, Any]:
        """Those of the message itself; tshark adds those of preauthentication."""
        return _fields_of(self.token)

    def tree(self, pdu: bytes) -> tuple[Node, ...]:
        """Read the message into its elements."""
        from amtdecode.protocols.kerberos.spec import tree

        return tree(pdu)

    def summary(self) -> str:
        token = self.token
        said = f"Kerberos {MESSAGES[token.message]}"
        if token.error is not None:
            said += f" {token.error}: {ERRORS.get(token.error, 'error')}"
        who = f" by {'/'.join(token.client)}" if token.client else ""
        return f"{said}, for {token.spn or 'no service'}{who}, realm {token.realm}"


def events(data: bytes, *, all_of_them: bool) -> list[Event]:
    """The message, where it concerns a machine or all are asked for; or what is wrong with it."""
    token = read_kdc_message(data)
    if token is None:
        return [Malformed(NAME, "not to be read as Kerberos", data[:64])] if all_of_them else []
    concerns = token.error == SKEW or (token.service[:1] and token.service[0].upper() == "HTTP")
    return [KerberosMessage(token)] if all_of_them or concerns else []
