"""What this room states: SOAP messages, and the calls they make up."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

import msgspec

from amtdecode.fields import BOOLEAN, STRING, UINT16, UINT64, Field, Fields
from amtdecode.model import Event
from amtdecode.protocols.addresses import discreet, suspicious_json
from amtdecode.protocols.soap import tables
from amtdecode.protocols.soap.values import NO_VALUES, Values

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


class SoapEvent(Event, frozen=True, gc=False):
    """What messages and calls have in common."""

    protocol: ClassVar[str] = "iamt.soap"

    def masked_fields(self) -> Mapping[str, Any]:
        """Give the fields, with secrets masked and the passwords in addresses too."""
        return {name: _discreet(value) for name, value in Event.masked_fields(self).items()}

    def fields_json(self) -> bytes | None:
        """Write the fields; `None` where something looks like an address with a password, which is rare."""
        text = msgspec.json.encode(Event.masked_fields(self))
        return None if suspicious_json(text) else text


def _discreet(value: Any) -> Any:
    if isinstance(value, list):
        return list(map(discreet, value))
    return discreet(value) if isinstance(value, str) else value


VERBS = frozenset(
    ("Get", "Put", "Create", "Delete", "Enumerate", "Pull", "Release", "Subscribe", "Unsubscribe", "Renew", "Event")
)


def call_label(kind: str, owner: str, method: str) -> str:
    """`Get AMT_GeneralSettings` for what WS-Transfer and its kin do, `Class.Method` for methods."""
    if owner and method:
        return f"{method} {owner}" if kind == "wsman" and method in VERBS else f"{owner}.{method}"
    return method or owner or "unknown call"


def code_text(kind: str, class_name: str, method: str, code: int | None) -> tuple[str, str, str]:
    """Text, name and meaning of a result code."""
    if code is None:
        return "OK", "", ""
    return tables.return_name(class_name, method, code) if kind == "wsman" else tables.status_name(code)


def _of(kind: str, attribute: str) -> Callable[[Any], str]:
    """Give an attribute of the messages and calls of one kind only."""
    return lambda event: getattr(event, attribute) if event.kind == kind else ""


def _called() -> Fields:
    """Declare what is called, of messages and calls alike."""
    return (
        Field("iamt.wsman.class", STRING, "class addressed", _of("wsman", "class_name"), ""),
        Field(
            "iamt.wsman.method",
            STRING,
            "Get, Put, Enumerate and so on, or the method of the class",
            _of("wsman", "method"),
            "",
        ),
        Field("iamt.eoi.service", STRING, "EOI service called, by its namespace", _of("eoi", "service"), ""),
        Field("iamt.eoi.method", STRING, "EOI method", _of("eoi", "method"), ""),
    )


def _code_name(event: Any) -> str:
    return "" if event.code is None else code_text(event.kind, event.class_name, event.method, event.code)[1]


def _returned() -> Fields:
    """Declare the result code and its name, of messages and calls alike."""

    def of(wsman: bool, read: Callable[[Any], Any]) -> Callable[[Any], Any]:
        return lambda event: read(event) if event.has_code and (event.kind == "wsman") == wsman else None

    def code(event: Any) -> int | None:
        return event.code  # type: ignore[no-any-return]

    def name(event: Any) -> str | None:
        return _code_name(event) or None

    return (
        Field("iamt.wsman.return_value", UINT64, "ReturnValue of the method", of(True, code), None),
        Field("iamt.wsman.return_value.name", STRING, "its name", of(True, name), None),
        Field("iamt.eoi.status", UINT64, "PT_STATUS answered", of(False, code), None),
        Field("iamt.eoi.status.name", STRING, "its name", of(False, name), None),
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


class SoapMessage(SoapEvent, frozen=True, gc=False):
    """A SOAP envelope, read by namespace: what is asked of which class or service, with all it carries."""

    declared: ClassVar[Fields] = (
        Field("iamt.soap.version", STRING, "version of SOAP: 1.1 or 1.2", "version"),
        *_called(),
        Field("iamt.wsman.action", STRING, "WS-Addressing Action", "action", ""),
        Field("iamt.wsman.resource_uri", STRING, "WS-Man ResourceURI", "resource_uri", ""),
        Field("iamt.wsman.message_id", STRING, "WS-Addressing MessageID", "message_id", ""),
        Field("iamt.wsman.relates_to", STRING, "MessageID of the request answered", "relates_to", ""),
        Field("iamt.wsman.enumeration.context", STRING, "context of an enumeration", "context", ""),
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

    kind: str
    """`wsman` (SOAP 1.2), `eoi` (SOAP 1.1 of AMT 1 to 8), or `soap`: neither."""
    version: str  # "1.1", "1.2"
    service: str = ""  # EOI: the service by its namespace; WS-Man: ""
    class_name: str = ""  # WS-Man: AMT_…, CIM_…, IPS_…
    method: str = ""  # Get, Put, Enumerate…, or the method of the class or service; without "Response"
    operation: str = ""  # the element in the Body, as written
    action: str = ""
    resource_uri: str = ""
    message_id: str = ""
    relates_to: str = ""
    selectors: Values = NO_VALUES
    arguments: Values = NO_VALUES
    """Everything below the element in the Body: parameters, properties, results."""
    headers: Values = NO_VALUES
    """What else stands in the Header."""
    context: str = ""  # of an enumeration
    enumeration: str = ""  # Pull, Release: the class whose enumeration goes on
    partial: bool = False  # the body is cut or broken: only what stands before that

    @property
    def owner(self) -> str:
        """The class or service called."""
        return self.class_name or self.service

    @property
    def label(self) -> str:
        """The call in words: `Get AMT_GeneralSettings`, `AMT_SetupAndConfigurationService.CommitChanges`."""
        return call_label(self.kind, self.owner, self.method)

    def value(self, path: str) -> str | None:
        """Give the text of the first argument with this path, or whose path ends so; `None` if there is none."""
        return self.arguments.value(path)

    @property
    def hidden(self) -> list[str]:
        """`path=text` of each selector, header and argument that is a secret."""
        return [*self.selectors.lines.hidden, *self.headers.lines.hidden, *self.arguments.lines.hidden]


UNREAD = "unread"
"""Name of the result where the answer could not be read."""


class SoapRequest(SoapMessage, frozen=True, gc=False):
    """What is asked; also an alert that a machine delivers (`method` is `Event`)."""

    def summary(self) -> str:
        """`Get AMT_GeneralSettings`, with the names of enumerated arguments."""
        owner = self.class_name or self.service
        text = f"{call_label(self.kind, owner, self.method)}{_shown(owner, self.operation, self.arguments)}"
        return f"{text} (cut)" if self.partial else text


class SoapResponse(SoapMessage, frozen=True, gc=False):
    """What is answered."""

    declared: ClassVar[Fields] = (*SoapMessage.declared, *_returned())
    has_code: ClassVar[bool] = True
    code: int | None = None  # ReturnValue or Status, where there is one

    def summary(self) -> str:
        """`Get AMT_GeneralSettings answered`, with the result."""
        text = f"{call_label(self.kind, self.class_name or self.service, self.method)} answered"
        if self.code is not None:
            text += f": {code_text(self.kind, self.class_name, self.method, self.code)[0]}"
        return f"{text} (cut)" if self.partial else text


def _status_name(event: Any) -> str | None:
    return None if event.status is None else tables.status_name(event.status)[1]


def _status() -> Fields:
    """Declare the PT_STATUS of a fault, of messages and calls alike."""
    return (
        Field("iamt.soap.fault.status", UINT64, "PT_STATUS in the detail of a fault (AMT-STATUS)", "status", None),
        Field("iamt.soap.fault.status.name", STRING, "its name", _status_name, None),
    )


class SoapFault(SoapMessage, frozen=True, gc=False):
    """A request refused by the SOAP or WS-Man layer."""

    declared: ClassVar[Fields] = (
        *SoapMessage.declared,
        Field("iamt.soap.fault.code", STRING, "fault code: Sender, Receiver, Client, Server", "fault_code", ""),
        Field(
            "iamt.soap.fault.subcode",
            STRING,
            "fault subcode: AccessDenied, DestinationUnreachable and so on",
            "subcode",
            "",
        ),
        Field("iamt.soap.fault.reason", STRING, "reason given with a fault", "reason", ""),
        Field("iamt.soap.fault.detail", STRING, "detail given with a fault", "detail", ""),
        *_status(),
    )
    fault_code: str = ""  # Sender, Receiver (1.2); Client, Server (1.1); local names
    subcode: str = ""  # AccessDenied, DestinationUnreachable, InvalidSelectors…
    reason: str = ""
    detail: str = ""
    status: int | None = None  # of `AMT-STATUS <n>` in the detail: a PT_STATUS

    def summary(self) -> str:
        """Code, subcode, AMT-STATUS and reason."""
        return f"fault {self.text}"

    @property
    def text(self) -> str:
        """Code, subcode, AMT-STATUS and reason in one line."""
        code = f"{self.fault_code}/{self.subcode}" if self.subcode else self.fault_code or "without a code"
        status = f", {tables.status_name(self.status)[0]}" if self.status is not None else ""
        return f"{code}{status}{f': {discreet(self.reason)}' if self.reason else ''}"


class Call(SoapEvent, frozen=True, gc=False):
    """One HTTP exchange: what was asked, what came of it, in words; also where one half is missing."""

    declared: ClassVar[Fields] = (
        Field("iamt.call.kind", STRING, "wsman, eoi, or http where no SOAP could be read", "kind"),
        *_called(),
        Field("iamt.call.service", STRING, "EOI service, wsman, or the path asked for", "service", ""),
        Field("iamt.call.result", STRING, "the result in words", "result_text", ""),
        Field("iamt.call.result.name", STRING, "name of the result code or fault", "result_name", ""),
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

    kind: str
    """`wsman`, `eoi`; `http` where neither half holds SOAP that could be read."""
    service: str  # EOI: the service; WS-Man: "wsman"; else the path of the request
    class_name: str
    method: str  # of the class or service; of HTTP where there is no SOAP
    arguments: Values  # of the request
    answer: Values  # of the response
    result: int | None  # ReturnValue, Status or AMT-STATUS; `None`: the answer has no such number
    result_text: str  # "PT_STATUS 0x809 DATA_MISSING", "OK", "401 authentication required", "no response seen"
    result_name: str  # "DATA_MISSING"; of a fault, its code
    meaning: str
    http_status: int  # 0: no response seen
    step: str  # the configuration step it is, "" where it is none
    missing: str  # "", "request", "response"
    operation: str = ""  # the element in the request's Body
    user: str = ""  # that the request authenticates as, if it does
    enumeration: str = ""  # Pull, Release: the class
    faulted: bool = False  # the answer is a SOAP fault

    @property
    def owner(self) -> str:
        """The class, service or path called."""
        return self.class_name or self.service

    @property
    def label(self) -> str:
        """The call in words, without its arguments."""
        if self.kind == "http":
            return f"{self.method} {self.service}".strip() or "unknown call"
        return call_label(self.kind, self.class_name or (self.service if self.kind == "eoi" else ""), self.method)

    @property
    def succeeded(self) -> bool | None:
        """Whether the machine did as asked, by its own word; HTTP 200 alone does not say so. `None`: not known."""
        if self.missing == "response":
            return None
        if self.http_status >= 300 or self.faulted or self.result_name == UNREAD:
            return False
        if self.result is not None:
            return self.result == 0
        return True if self.kind == "wsman" else None  # EOI always answers with a Status

    def summary(self) -> str:
        """The call and its result in one line."""
        asked = f"{self.label}{_shown(self.class_name or self.service, self.operation, self.arguments)}"
        prefix = "request not seen: " if self.missing == "request" else ""
        return f"{prefix}{asked} → {self.result_text}"

    @property
    def code(self) -> int | None:
        """The result, as the answer gives it."""
        return self.result

    @property
    def has_code(self) -> bool:
        """Whether the result is what a method returned."""
        return self.kind != "http" and not self.faulted

    @property
    def status(self) -> int | None:
        """The PT_STATUS of a fault."""
        return self.result if self.faulted else None

    @property
    def hidden(self) -> list[str]:
        """`path=text` of each argument and each value of the answer that is a secret."""
        return [*self.arguments.lines.hidden, *self.answer.lines.hidden]


def _shown(owner: str, operation: str, arguments: Values) -> str:
    """Name the enumerated values among the first arguments, for a line: ` (PowerState 8 Power Off - Soft)`."""
    if not operation.endswith("_INPUT") and operation not in ("RemoteControl", "AddUserAclEntryEx"):
        return ""
    named = []
    for path, text in arguments[:8]:
        name = tables.value_name(owner, operation, path, text)
        if name and not tables.is_secret(path):
            named.append(f"{path.rpartition('/')[2]} {text} {name}")
    return f" ({', '.join(named)})" if named else ""
