"""What this room states: SOAP messages, and the calls they make up."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any, ClassVar

import msgspec
from msgspec.structs import replace

from amtdecode.compiled import TEXTS
from amtdecode.fields import reader
from amtdecode.masking import masked
from amtdecode.model import Event
from amtdecode.protocols.soap import tables
from amtdecode.protocols.soap.fields import CALL, FAULT, MESSAGE, RESPONSE, OfKinds
from amtdecode.protocols.soap.tables import code_text
from amtdecode.protocols.soap.values import NO_VALUES, Values, hidden_in

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from amtdecode.fields import Fields
    from amtdecode.tree import Node


class SoapEvent(Event, frozen=True, gc=False):
    """What messages and calls have in common."""

    protocol: ClassVar[str] = "iamt.soap"

    def mask(self, fields: Mapping[str, Any]) -> Mapping[str, Any]:
        """Mask what is secret in some of its fields, in the texts of elements too."""
        fields = Event.mask(self, fields)
        covered = {
            name: lines for name, values in self.texts if name in fields and (lines := values.covered) is not None
        }
        return {**fields, **covered} if covered else fields

    @property
    def texts(self) -> Iterable[tuple[str, Values]]:
        """The fields that hold texts of elements, and these."""
        return ()

    def fields_json(self) -> bytes | None:
        """Write the fields."""
        if TEXTS is not None:
            read = _unwritten(type(self), self.kind)  # type: ignore[attr-defined]
            written: bytes | None = TEXTS.fields_json(read(self), self.marked, masked)
            if written is not None:
                return written
        return msgspec.json.encode(self.masked_fields())


LINES = ".lines.shown"


@cache
def _unwritten(cls: type[SoapEvent], kind: str) -> Callable[[Any], dict[str, Any]]:
    """Give the fields of events of a class and kind, those of the texts of elements as `Values`, for the writer."""
    fields = []
    for field in cls.declared:
        read = field.attribute
        if isinstance(read, OfKinds):
            if kind in read.kinds:
                fields.append(field.at(read.attribute, field.absent))
        elif isinstance(read, str) and read.endswith(LINES):
            fields.append(replace(field, attribute=read.removesuffix(LINES), repeated=False))
        else:
            fields.append(field)
    return reader(fields)


VERBS = frozenset(
    ("Get", "Put", "Create", "Delete", "Enumerate", "Pull", "Release", "Subscribe", "Unsubscribe", "Renew", "Event")
)


def call_label(kind: str, owner: str, method: str) -> str:
    """`Get AMT_GeneralSettings` for what WS-Transfer and its kin do, `Class.Method` for methods."""
    if owner and method:
        return f"{method} {owner}" if kind == "wsman" and method in VERBS else f"{owner}.{method}"
    return method or owner or "unknown call"


class SoapMessage(SoapEvent, frozen=True, gc=False):
    """A SOAP envelope, read by namespace: what is asked of which class or service, with all it carries."""

    declared: ClassVar[Fields] = MESSAGE

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

    def tree(self, pdu: bytes) -> tuple[Node, ...]:
        """Read the body into its elements, each with its place."""
        from amtdecode.protocols.soap.spec import tree

        return tree(pdu)

    @property
    def texts(self) -> Iterable[tuple[str, Values]]:
        """The fields that hold texts of elements, and these."""
        return (
            ("iamt.wsman.selector", self.selectors),
            ("iamt.soap.header", self.headers),
            ("iamt.soap.argument", self.arguments),
        )

    @property
    def hidden(self) -> list[str]:
        """`path=text` of each selector, header and argument that is a secret."""
        return hidden_in(self.selectors, self.headers, self.arguments)


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

    declared: ClassVar[Fields] = RESPONSE
    code: int | None = None  # ReturnValue or Status, where there is one

    @property
    def returned(self) -> int | None:
        """The same."""
        return self.code

    @property
    def returned_name(self) -> str | None:
        """What the code is called."""
        return _code_name(self)

    def summary(self) -> str:
        """`Get AMT_GeneralSettings answered`, with the result."""
        text = f"{call_label(self.kind, self.class_name or self.service, self.method)} answered"
        if self.code is not None:
            text += f": {code_text(self.kind, self.class_name, self.method, self.code)[0]}"
        return f"{text} (cut)" if self.partial else text


class SoapFault(SoapMessage, frozen=True, gc=False):
    """A request refused by the SOAP or WS-Man layer."""

    declared: ClassVar[Fields] = FAULT
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
        code = masked(f"{self.fault_code}/{self.subcode}" if self.subcode else self.fault_code) or "without a code"
        status = f", {tables.status_name(self.status)[0]}" if self.status is not None else ""
        return f"{code}{status}{f': {masked(self.reason)}' if self.reason else ''}"


class Call(SoapEvent, frozen=True, gc=False):
    """One HTTP exchange: what was asked, what came of it, in words; also where one half is missing."""

    declared: ClassVar[Fields] = CALL

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
            return f"{self.method} {masked(self.service)}".strip() or "unknown call"
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
    def returned(self) -> int | None:
        """The result, where it is what a method returned."""
        return None if self.kind == "http" or self.faulted else self.result

    @property
    def returned_name(self) -> str | None:
        """What that is called."""
        return None if self.kind == "http" or self.faulted else _code_name(self)

    @property
    def status(self) -> int | None:
        """The PT_STATUS of a fault."""
        return self.result if self.faulted else None

    @property
    def texts(self) -> Iterable[tuple[str, Values]]:
        """The fields that hold texts of elements, and these."""
        return (("iamt.soap.argument", self.arguments), ("iamt.call.answer", self.answer))

    @property
    def hidden(self) -> list[str]:
        """`path=text` of each argument and each value of the answer that is a secret."""
        return hidden_in(self.arguments, self.answer)


def _code_name(event: SoapResponse | Call) -> str | None:
    if event.code is None:
        return None
    return code_text(event.kind, event.class_name, event.method, event.code)[1] or None


def _shown(owner: str, operation: str, arguments: Values) -> str:
    """Name the enumerated values among the first arguments, for a line: ` (PowerState 8 Power Off - Soft)`."""
    if not operation.endswith("_INPUT") and operation not in ("RemoteControl", "AddUserAclEntryEx"):
        return ""
    named = []
    for at, (path, text) in enumerate(arguments[:8]):
        name = tables.value_name(owner, operation, path, text)
        if name and at not in arguments.secrets:
            named.append(f"{path.rpartition('/')[2]} {text} {name}")
    return f" ({', '.join(named)})" if named else ""
