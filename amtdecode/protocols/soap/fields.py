"""The fields of messages and calls."""

from __future__ import annotations

from typing import Any

import msgspec

from amtdecode.fields import BOOLEAN, STRING, UINT16, UINT64, Field, Fields
from amtdecode.protocols.soap.tables import status_name


class OfKinds(msgspec.Struct, frozen=True):
    """Reads an attribute of the messages and calls of some kinds only."""

    kinds: tuple[str, ...]
    attribute: str

    def __call__(self, event: Any) -> Any:
        """Give it; `None` of another kind."""
        return getattr(event, self.attribute) if event.kind in self.kinds else None


WSMAN, EOI, NOT_WSMAN = ("wsman",), ("eoi",), ("eoi", "soap")


def _called() -> Fields:
    """Declare what is called, of messages and calls alike."""
    return (
        Field("iamt.wsman.class", STRING, "class addressed", OfKinds(WSMAN, "class_name"), ""),
        Field(
            "iamt.wsman.method",
            STRING,
            "Get, Put, Enumerate and so on, or the method of the class",
            OfKinds(WSMAN, "method"),
            "",
        ),
        Field("iamt.eoi.service", STRING, "EOI service called, by its namespace", OfKinds(EOI, "service"), ""),
        Field("iamt.eoi.method", STRING, "EOI method", OfKinds(EOI, "method"), ""),
    )


def _returned() -> Fields:
    """Declare the result code and its name, of messages and calls alike."""
    return (
        Field("iamt.wsman.return_value", UINT64, "ReturnValue of the method", OfKinds(WSMAN, "returned"), None),
        Field("iamt.wsman.return_value.name", STRING, "its name", OfKinds(WSMAN, "returned_name"), None),
        Field("iamt.eoi.status", UINT64, "PT_STATUS answered", OfKinds(NOT_WSMAN, "returned"), None),
        Field("iamt.eoi.status.name", STRING, "its name", OfKinds(NOT_WSMAN, "returned_name"), None),
    )


ENUMERATION = Field(
    "iamt.wsman.enumeration.class", STRING, "class whose enumeration a Pull or Release goes on with", "enumeration", ""
)
ARGUMENT = Field(
    "iamt.soap.argument",
    STRING,
    "path=text of each element below it that is no secret",
    "arguments.lines.shown",
    (),
    repeated=True,
)
ARGUMENT_NAME = Field(
    "iamt.soap.argument.name",
    STRING,
    "path=name of each enumerated value below it that the tables know",
    lambda event: event.arguments.named(event.owner, event.operation),
    (),
    repeated=True,
)
SECRET = Field(
    "iamt.soap.secret",
    STRING,
    "path=text of each element that holds a password, key or other secret",
    "hidden",
    (),
    repeated=True,
    secret=True,
)


def _status_name(event: Any) -> str | None:
    return None if event.status is None else status_name(event.status)[1]


def _status() -> Fields:
    """Declare the PT_STATUS of a fault, of messages and calls alike."""
    return (
        Field("iamt.soap.fault.status", UINT64, "PT_STATUS in the detail of a fault (AMT-STATUS)", "status", None),
        Field("iamt.soap.fault.status.name", STRING, "its name", _status_name, None),
    )


MESSAGE: Fields = (
    Field("iamt.soap.version", STRING, "version of SOAP: 1.1 or 1.2", "version"),
    *_called(),
    Field("iamt.wsman.action", STRING, "WS-Addressing Action", "action", "", free=True),
    Field("iamt.wsman.resource_uri", STRING, "WS-Man ResourceURI", "resource_uri", "", free=True),
    Field("iamt.wsman.message_id", STRING, "WS-Addressing MessageID", "message_id", "", free=True),
    Field("iamt.wsman.relates_to", STRING, "MessageID of the request answered", "relates_to", "", free=True),
    Field("iamt.wsman.enumeration.context", STRING, "context of an enumeration", "context", "", free=True),
    ENUMERATION,
    Field("iamt.soap.operation", STRING, "name of the element in the Body", "operation", ""),
    Field(
        "iamt.wsman.selector",
        STRING,
        "name=text of each selector of the SelectorSet that is no secret",
        "selectors.lines.shown",
        (),
        repeated=True,
    ),
    Field(
        "iamt.soap.header",
        STRING,
        "path=text of each header element without a field of its own",
        "headers.lines.shown",
        (),
        repeated=True,
    ),
    ARGUMENT,
    ARGUMENT_NAME,
    SECRET,
    Field(
        "iamt.soap.partial",
        BOOLEAN,
        "the body is cut or broken, only what stands before that is shown",
        "partial",
        False,
    ),
)

RESPONSE: Fields = (*MESSAGE, *_returned())

FAULT: Fields = (
    *MESSAGE,
    Field("iamt.soap.fault.code", STRING, "fault code: Sender, Receiver, Client, Server", "fault_code", "", free=True),
    Field(
        "iamt.soap.fault.subcode",
        STRING,
        "fault subcode: AccessDenied, DestinationUnreachable and so on",
        "subcode",
        "",
        free=True,
    ),
    Field("iamt.soap.fault.reason", STRING, "reason given with a fault", "reason", "", free=True),
    Field("iamt.soap.fault.detail", STRING, "detail given with a fault", "detail", "", free=True),
    *_status(),
)

CALL: Fields = (
    Field("iamt.call.kind", STRING, "wsman, eoi, or http where no SOAP could be read", "kind"),
    *_called(),
    Field("iamt.call.service", STRING, "EOI service, wsman, or the path asked for", "service", "", free=True),
    Field("iamt.call.result", STRING, "the result in words", "result_text", ""),
    Field("iamt.call.result.name", STRING, "name of the result code or fault", "result_name", "", free=True),
    Field("iamt.call.meaning", STRING, "what the result means", "meaning", ""),
    Field("iamt.call.step", STRING, "configuration step that the call is", "step", ""),
    Field("iamt.call.missing", STRING, "the half not in the capture: request or response", "missing", ""),
    Field("iamt.call.user", STRING, "user that the request names", "user", ""),
    ENUMERATION,
    Field("http.response.code", UINT16, "HTTP status of the response", "http_status", 0),
    Field("iamt.call.code", UINT64, "ReturnValue, Status or AMT-STATUS", "result", None),
    *_status(),
    *_returned(),
    ARGUMENT,
    ARGUMENT_NAME,
    Field(
        "iamt.call.answer",
        STRING,
        "path=text of each element answered that is no secret",
        "answer.lines.shown",
        (),
        repeated=True,
    ),
    SECRET,
)
