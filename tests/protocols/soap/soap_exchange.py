"""What these tests share: stand-ins for the HTTP room's messages, and a conversation to put them through."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import msgspec

from amtdecode.model import TO_CLIENT, TO_SERVER, End, Endpoint, Event, Payload, Statement
from amtdecode.protocols.dissector import Context
from amtdecode.protocols.soap import SOAP
from amtdecode.protocols.soap.events import Call
from amtdecode.render.json_lines import shown_fields

if TYPE_CHECKING:
    from pathlib import Path

CONTEXT = Context("tcp", Endpoint(b"\xc0\0\2\1", 49152), Endpoint(b"\xc0\0\2\n", 16992), carrier="http")


@dataclass
class Asked:
    """As much of an HTTP request as the SOAP room looks at."""

    method: str = "POST"
    target: str = "/wsman"
    complete: bool = True
    auth_user: str = ""
    headers: dict[str, str] = field(default_factory=dict)

    def header(self, name: str) -> str:
        return self.headers.get(name, "")


@dataclass
class Told:
    """As much of an HTTP response as the SOAP room looks at."""

    status: int = 200
    reason: str = "OK"
    complete: bool = True


class Conversation:
    """One HTTP connection's worth of messages."""

    def __init__(self) -> None:
        self.dissector = SOAP.dissector(CONTEXT)
        self.statements: list[Statement] = []

    def ask(self, body: bytes | str = b"", head: object | None = None) -> Conversation:
        return self._give(TO_SERVER, body, head or Asked())

    def tell(self, body: bytes | str = b"", head: object | None = None) -> Conversation:
        return self._give(TO_CLIENT, body, head or Told())

    def gap(self, direction: int, size: int = 100) -> Conversation:
        self.statements += self.dissector.receive_gap((TO_SERVER, TO_CLIENT)[direction], size)
        return self

    def end(self) -> Conversation:
        for direction in (TO_SERVER, TO_CLIENT):
            self.statements += self.dissector.receive_eof(direction, End.FIN)
        return self

    def _give(self, direction, body, head):
        data = body.encode() if isinstance(body, str) else body
        for statement in self.dissector.receive_message(direction, Payload(data, head=head)):
            written = statement.event.fields_json()
            assert written is None or written == msgspec.json.encode(shown_fields(statement.event, show_secrets=False))
            self.statements.append(statement)
        return self

    @property
    def events(self) -> list[Event]:
        return [statement.event for statement in self.statements]

    @property
    def calls(self) -> list[Call]:
        return [event for event in self.events if isinstance(event, Call)]

    def of(self, kind: type) -> list:
        return [event for event in self.events if isinstance(event, kind)]


AMT = "http://intel.com/wbem/wscim/1/amt-schema/1/"
IPS = "http://intel.com/wbem/wscim/1/ips-schema/1/"
CIM = "http://schemas.dmtf.org/wbem/wscim/1/cim-schema/2/"
TRANSFER = "http://schemas.xmlsoap.org/ws/2004/09/transfer/"
ENUMERATION = "http://schemas.xmlsoap.org/ws/2004/09/enumeration/"
INTEL = "http://schemas.intel.com/platform/client/"

SETUP = "AMT_SetupAndConfigurationService"
HTML = (
    b'<!DOCTYPE HTML PUBLIC "-//W3C//DTD HTML 4.01 Transitional//EN" >\n<html><head><title>Intel&reg; Active '
    b"Management Technology</title></head><body>\n<h2>Log on failed. Incorrect user name or password, or user account "
    b"temporarily locked.</h2>\n</body></html>"
)


def uri(class_name: str) -> str:
    return {"AMT": AMT, "IPS": IPS, "CIM": CIM}[class_name[:3]] + class_name


def wsman(
    class_name: str, method: str, body: str = "", message_id: str = "1", relates_to: str = "", p: str = "a"
) -> str:
    """An envelope as consoles and AMT write them, with the prefix `p` for WS-Addressing."""
    resource = uri(class_name)
    verb = method.removesuffix("Response")
    base = TRANSFER if verb in ("Get", "Put", "Create", "Delete") else ENUMERATION
    action = (
        base + method
        if verb in ("Get", "Put", "Create", "Delete", "Enumerate", "Pull", "Release")
        else f"{resource}/{method}"
    )
    ids = f"<{p}:MessageID>{message_id}</{p}:MessageID>" if message_id else ""
    ids += f"<{p}:RelatesTo>{relates_to}</{p}:RelatesTo>" if relates_to else ""
    return (
        '<?xml version="1.0" encoding="utf-8"?><s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope"'
        f' xmlns:{p}="http://schemas.xmlsoap.org/ws/2004/08/addressing" xmlns:w="http://schemas.dmtf.org/wbem/wsman/1/wsman.xsd"'
        f' xmlns:n="{resource}"><s:Header><{p}:Action>{action}</{p}:Action>{ids}'
        f"<w:ResourceURI>{resource}</w:ResourceURI>"
        f"</s:Header><s:Body>{body}</s:Body></s:Envelope>"
    )


def invoke(class_name: str, method: str, arguments: str = "", message_id: str = "1") -> str:
    return wsman(class_name, method, f"<n:{method}_INPUT>{arguments}</n:{method}_INPUT>", message_id)


def returned(class_name: str, method: str, code: object, relates_to: str = "1", more: str = "") -> str:
    body = f"<n:{method}_OUTPUT>{more}<n:ReturnValue>{code}</n:ReturnValue></n:{method}_OUTPUT>"
    return wsman(class_name, f"{method}Response", body, "uuid:00000000-8086-8086-8086-000000000001", relates_to)


def eoi(service: str, inside: str) -> str:
    """An EOI envelope; `inside` is written with the prefix `x` for the service's namespace."""
    return (
        '<?xml version="1.0" encoding="UTF-8"?><SOAP-ENV:Envelope xmlns:SOAP-ENV="http://schemas.xmlsoap.org/soap/envelope/"'
        f' xmlns:x="{INTEL}{service}/2004/01"><SOAP-ENV:Body>{inside}</SOAP-ENV:Body></SOAP-ENV:Envelope>'
    )


def fault(subcode: str, text: str = "", reason: str = "", relates_to: str = "1") -> str:
    return (
        '<?xml version="1.0" encoding="UTF-8"?><a:Envelope xmlns:a="http://www.w3.org/2003/05/soap-envelope"'
        ' xmlns:b="http://schemas.xmlsoap.org/ws/2004/08/addressing" xmlns:c="http://schemas.dmtf.org/wbem/wsman/1/wsman.xsd"><a:Header>'
        f"<b:RelatesTo>{relates_to}</b:RelatesTo><b:Action>http://schemas.xmlsoap.org/ws/2004/08/addressing/fault</b:Action></a:Header>"
        f"<a:Body><a:Fault><a:Code><a:Value>a:Sender</a:Value><a:Subcode><a:Value>c:{subcode}</a:Value></a:Subcode></a:Code>"
        f'<a:Reason><a:Text xml:lang="en-US">{reason}</a:Text></a:Reason><a:Detail><a:Text>{text}</a:Text></a:Detail>'
        "</a:Fault></a:Body></a:Envelope>"
    )


def call(asked, told, head=None, reply=None) -> Call:
    """The one call that a request and its answer make."""
    (only,) = Conversation().ask(asked, head).tell(told, reply).end().calls
    return only


def fixtures(shared: Path) -> list[Path]:
    folder = shared / "captures/third-party/go-wsman-responses/pkg/wsman/wsmantesting/responses"
    return sorted(folder.rglob("*.xml"))


def templates(shared: Path) -> list[Path]:
    return sorted((shared / "data/eoi").glob("*.xml"))
