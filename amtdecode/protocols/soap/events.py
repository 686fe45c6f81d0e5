"""What this room states: SOAP messages, and the calls they make up. Importing it loads no XML library."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any, ClassVar

from amtdecode.fields import OldField as Field
from amtdecode.model import Event
from amtdecode.protocols.addresses import discreet, suspicious_json
from amtdecode.protocols.soap import tables
from amtdecode.protocols.soap.values import Listing, Values, encode

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


HEADS = 512
"""Beginnings of messages and calls kept written: those of the classes and methods last seen."""
MAX_SHARED = 400
"""Characters of the texts in such a beginning; longer ones are not kept."""


class SoapEvent(Event, frozen=True, gc=False):
    """What messages and calls have in common."""

    protocol: ClassVar[str] = "iamt.soap"

    def secrets(self) -> tuple[str, ...]:
        """See `Event`."""
        return SECRETS

    def masked_fields(self) -> Mapping[str, Any]:
        """See `Event`: passwords in addresses too."""
        return {name: _discreet(value) for name, value in Event.masked_fields(self).items()}


SECRETS = ("iamt.soap.secret",)


def _discreet(value: Any) -> Any:
    if isinstance(value, list):
        return list(map(discreet, value))
    return discreet(value) if isinstance(value, str) else value


class SoapMessage(SoapEvent, frozen=True, gc=False):
    """A SOAP envelope, read by namespace: what is asked of which class or service, with all it carries."""

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
    selectors: Values = ()
    arguments: Values = ()
    """Everything below the element in the Body: parameters, properties, results."""
    headers: Values = ()
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
        return value_of(self.arguments, path)

    def fields(self) -> Mapping[str, Any]:
        """See `Event`."""
        fields: dict[str, Any] = {"iamt.soap.version": self.version}
        name_call(fields, self.kind, self.service, self.class_name, self.method)
        _enter(
            fields,
            ("iamt.wsman.action", self.action),
            ("iamt.wsman.resource_uri", self.resource_uri),
            ("iamt.wsman.message_id", self.message_id),
            ("iamt.wsman.relates_to", self.relates_to),
            ("iamt.wsman.enumeration.context", self.context),
            ("iamt.wsman.enumeration.class", self.enumeration),
            ("iamt.soap.operation", self.operation),
        )
        hidden = enter_values(fields, "iamt.wsman.selector", self.selectors)
        hidden += enter_values(fields, "iamt.soap.header", self.headers)
        name_arguments(fields, self.owner, self.operation, self.arguments)
        if hidden:
            fields["iamt.soap.secret"] = [*hidden, *fields.get("iamt.soap.secret", ())]
        if self.partial:
            fields["iamt.soap.partial"] = True
        return fields

    def fields_json(self) -> bytes | None:
        """See `Event`. Most messages differ from others of their kind only in the texts of their values."""
        if self.partial or len(self.action) + len(self.resource_uri) > MAX_SHARED:
            return None
        parts = [
            _message_head(
                self.version, self.kind, self.service, self.class_name, self.method, self.action, self.resource_uri
            )
        ]
        if self.message_id:
            parts += (b',"iamt.wsman.message_id":', encode(self.message_id))
        if self.relates_to:
            parts += (b',"iamt.wsman.relates_to":', encode(self.relates_to))
        if self.context:
            parts += (b',"iamt.wsman.enumeration.context":', encode(self.context))
        if self.enumeration:
            parts += (b',"iamt.wsman.enumeration.class":', encode(self.enumeration))
        if self.operation:
            parts += (b',"iamt.soap.operation":', encode(self.operation))
        selectors, headers, arguments = self.selectors, self.headers, self.arguments
        if type(selectors) is Listing:
            parts += (b',"iamt.wsman.selector":', selectors.json())
        elif selectors:
            return None
        if type(headers) is Listing:
            parts += (b',"iamt.soap.header":', headers.json())
        elif headers:
            return None
        if type(arguments) is Listing:
            _put_arguments(parts, self.class_name or self.service, self.operation, arguments)
        elif arguments:
            return None
        parts.append(b"}")
        text = b"".join(parts)
        return None if suspicious_json(text) else text


UNREAD = "unread"
"""Name of the result where the answer could not be read."""


class SoapRequest(SoapMessage, frozen=True, gc=False):
    """What is asked; also an alert that a machine delivers (`method` is `Event`)."""

    def summary(self) -> str:
        """See `Event`."""
        owner = self.class_name or self.service
        text = f"{call_label(self.kind, owner, self.method)}{_shown(owner, self.operation, self.arguments)}"
        return f"{text} (cut)" if self.partial else text


class SoapResponse(SoapMessage, frozen=True, gc=False):
    """What is answered."""

    code: int | None = None  # ReturnValue or Status, where there is one

    def summary(self) -> str:
        """See `Event`."""
        text = f"{call_label(self.kind, self.class_name or self.service, self.method)} answered"
        if self.code is not None:
            text += f": {code_text(self.kind, self.class_name, self.method, self.code)[0]}"
        return f"{text} (cut)" if self.partial else text

    def fields(self) -> Mapping[str, Any]:
        """See `Event`."""
        fields = dict(super().fields())
        name_code(fields, self.kind, self.class_name, self.method, self.code)
        return fields

    def fields_json(self) -> bytes | None:
        """See `Event`."""
        text = SoapMessage.fields_json(self)
        if self.code is None or text is None:
            return text
        fields: dict[str, Any] = {}
        name_code(fields, self.kind, self.class_name, self.method, self.code)
        return text[:-1] + b"," + encode(fields)[1:]


class SoapFault(SoapMessage, frozen=True, gc=False):
    """A request refused by the SOAP or WS-Man layer."""

    fault_code: str = ""  # Sender, Receiver (1.2); Client, Server (1.1); local names
    subcode: str = ""  # AccessDenied, DestinationUnreachable, InvalidSelectors…
    reason: str = ""
    detail: str = ""
    status: int | None = None  # of `AMT-STATUS <n>` in the detail: a PT_STATUS

    def summary(self) -> str:
        """See `Event`."""
        return f"fault {self.text}"

    @property
    def text(self) -> str:
        """Code, subcode, AMT-STATUS and reason in one line."""
        code = f"{self.fault_code}/{self.subcode}" if self.subcode else self.fault_code or "without a code"
        status = f", {tables.status_name(self.status)[0]}" if self.status is not None else ""
        return f"{code}{status}{f': {discreet(self.reason)}' if self.reason else ''}"

    def fields(self) -> Mapping[str, Any]:
        """See `Event`."""
        fields = dict(super().fields())
        _enter(
            fields,
            ("iamt.soap.fault.code", self.fault_code),
            ("iamt.soap.fault.subcode", self.subcode),
            ("iamt.soap.fault.reason", self.reason),
            ("iamt.soap.fault.detail", self.detail),
        )
        if self.status is not None:
            fields["iamt.soap.fault.status"] = self.status
            fields["iamt.soap.fault.status.name"] = tables.status_name(self.status)[1]
        return fields

    def fields_json(self) -> bytes | None:
        """See `Event`. Faults are rare."""
        return None


class Call(SoapEvent, frozen=True, gc=False):
    """One HTTP exchange: what was asked, what came of it, in words; also where one half is missing."""

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
        """See `Event`."""
        asked = f"{self.label}{_shown(self.class_name or self.service, self.operation, self.arguments)}"
        prefix = "request not seen: " if self.missing == "request" else ""
        return f"{prefix}{asked} → {self.result_text}"

    def fields(self) -> Mapping[str, Any]:
        """See `Event`."""
        fields = _call_fields(
            self.kind,
            self.service,
            self.class_name,
            self.method,
            self.result,
            self.result_text,
            self.result_name,
            self.meaning,
            self.http_status,
            self.step,
            self.missing,
            self.user,
            self.enumeration,
            self.faulted,
        )
        name_arguments(fields, self.owner, self.operation, self.arguments)
        hidden = enter_values(fields, "iamt.call.answer", self.answer)
        if hidden:
            fields["iamt.soap.secret"] = [*fields.get("iamt.soap.secret", []), *hidden]
        return fields

    def fields_json(self) -> bytes | None:
        """See `Event`. Most calls differ from others of their kind only in the texts of their values."""
        arguments, answer, meaning, user = self.arguments, self.answer, self.meaning, self.user
        size = len(self.service) + len(self.method) + len(self.result_text) + len(meaning) + len(user)
        if size > MAX_SHARED:
            return None
        head = _call_head(
            self.kind,
            self.service,
            self.class_name,
            self.method,
            self.result,
            self.result_text,
            self.result_name,
            meaning,
            self.http_status,
            self.step,
            self.missing,
            user,
            self.enumeration,
            self.faulted,
        )
        parts = [head]
        if type(arguments) is Listing:
            _put_arguments(parts, self.class_name or self.service, self.operation, arguments)
        elif arguments:
            return None
        if type(answer) is Listing:
            parts += (b',"iamt.call.answer":', answer.json())
        elif answer:
            return None
        parts.append(b"}")
        text = b"".join(parts)
        return None if suspicious_json(text) else text


def _call_fields(
    kind: str,
    service: str,
    class_name: str,
    method: str,
    result: int | None,
    result_text: str,
    result_name: str,
    meaning: str,
    http_status: int,
    step: str,
    missing: str,
    user: str,
    enumeration: str,
    faulted: bool,
) -> dict[str, Any]:
    """Enter all of a call but its values."""
    fields: dict[str, Any] = {"iamt.call.kind": kind}
    name_call(fields, kind, service, class_name, method)
    _enter(
        fields,
        ("iamt.call.service", service),
        ("iamt.call.result", result_text),
        ("iamt.call.result.name", result_name),
        ("iamt.call.meaning", meaning),
        ("iamt.call.step", step),
        ("iamt.call.missing", missing),
        ("iamt.call.user", user),
        ("iamt.wsman.enumeration.class", enumeration),
    )
    if http_status:
        fields["http.response.code"] = http_status
    if result is not None:
        fields["iamt.call.code"] = result
        if faulted:
            fields["iamt.soap.fault.status"] = result
            fields["iamt.soap.fault.status.name"] = tables.status_name(result)[1]
        elif kind != "http":
            name_code(fields, kind, class_name, method, result)
    return fields


@lru_cache(HEADS)
def _call_head(*settled: Any) -> bytes:
    """Write the fields that many calls share as JSON, without the closing brace."""
    return encode(_call_fields(*settled))[:-1]


@lru_cache(HEADS)
def _message_head(
    version: str, kind: str, service: str, class_name: str, method: str, action: str, resource_uri: str
) -> bytes:
    """Write the fields that many messages share as JSON, without the closing brace."""
    fields = {"iamt.soap.version": version}
    name_call(fields, kind, service, class_name, method)
    _enter(fields, ("iamt.wsman.action", action), ("iamt.wsman.resource_uri", resource_uri))
    return encode(fields)[:-1]


def _put_arguments(parts: list[bytes], owner: str, operation: str, arguments: Listing) -> None:
    """Add what `name_arguments` enters as JSON, from a comma on."""
    parts += (b',"iamt.soap.argument":', arguments.json())
    if arguments.form.choices:
        texts = arguments.texts
        names = [(path, tables.value_name(owner, operation, path, texts[at])) for at, path in arguments.form.choices]
        named = [f"{path}={name}" for path, name in names if name]
        if named:
            parts += (b',"iamt.soap.argument.name":', encode(named))


VERBS = frozenset(
    ("Get", "Put", "Create", "Delete", "Enumerate", "Pull", "Release", "Subscribe", "Unsubscribe", "Renew", "Event")
)


def call_label(kind: str, owner: str, method: str) -> str:
    """`Get AMT_GeneralSettings` for what WS-Transfer and its kin do, `Class.Method` for methods."""
    if owner and method:
        return f"{method} {owner}" if kind == "wsman" and method in VERBS else f"{owner}.{method}"
    return method or owner or "unknown call"


def _enter(fields: dict[str, Any], *texts: tuple[str, str]) -> None:
    """Enter those that say something."""
    fields.update({name: text for name, text in texts if text})


def value_of(values: Iterable[tuple[str, str]], path: str) -> str | None:
    """Give the text of the first value with this path, or whose path ends so; `None` if there is none."""
    end = f"/{path}"
    return next((text for name, text in values if name == path or name.endswith(end)), None)


def code_text(kind: str, class_name: str, method: str, code: int | None) -> tuple[str, str, str]:
    """Text, name and meaning of a result code."""
    if code is None:
        return "OK", "", ""
    return tables.return_name(class_name, method, code) if kind == "wsman" else tables.status_name(code)


def name_call(fields: dict[str, Any], kind: str, service: str, class_name: str, method: str) -> None:
    """Enter class and method, or service and method."""
    if kind == "wsman":
        if class_name:
            fields["iamt.wsman.class"] = class_name
        if method:
            fields["iamt.wsman.method"] = method
    elif kind == "eoi":
        fields["iamt.eoi.service"] = service
        if method:
            fields["iamt.eoi.method"] = method


def name_code(fields: dict[str, Any], kind: str, class_name: str, method: str, code: int | None) -> None:
    """Enter a result code and its name."""
    if code is None:
        return
    name = "iamt.wsman.return_value" if kind == "wsman" else "iamt.eoi.status"
    fields[name] = code
    text = code_text(kind, class_name, method, code)[1]
    if text:
        fields[f"{name}.name"] = text


def enter_values(fields: dict[str, Any], name: str, values: Values) -> list[str]:
    """Enter values as a field, without the secret ones, which are returned."""
    shown = [f"{path}={text}" for path, text in values if not tables.is_secret(path)]
    if shown:
        fields[name] = shown
    if len(shown) == len(values):
        return []
    return [f"{path}={text}" for path, text in values if tables.is_secret(path)]


def name_arguments(fields: dict[str, Any], owner: str, operation: str, arguments: Values) -> None:
    """Enter arguments, secret ones apart, and what enumerated values are called."""
    shown = []
    hidden = []
    named = []
    for path, text in arguments:
        if tables.is_secret(path):
            hidden.append(f"{path}={text}")
            continue
        shown.append(f"{path}={text}")
        name = tables.value_name(owner, operation, path, text)
        if name:
            named.append(f"{path}={name}")
    if shown:
        fields["iamt.soap.argument"] = shown
    if named:
        fields["iamt.soap.argument.name"] = named
    if hidden:
        fields["iamt.soap.secret"] = hidden


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


def fields() -> tuple[Field, ...]:
    """Give the room's part of the field catalogue."""
    return _FIELDS


_FIELDS = (
    Field("iamt.soap.version", "str", "version of SOAP: 1.1 or 1.2"),
    Field("iamt.soap.operation", "str", "name of the element in the Body"),
    Field("iamt.soap.argument", "str[]", "path=text of each element below it that is no secret"),
    Field("iamt.soap.argument.name", "str[]", "path=name of each enumerated value below it that the tables know"),
    Field("iamt.soap.secret", "str[]", "path=text of each element that holds a password, key or other secret"),
    Field("iamt.soap.header", "str[]", "path=text of each header element without a field of its own"),
    Field("iamt.soap.partial", "bool", "the body is cut or broken, only what stands before that is shown"),
    Field("iamt.soap.fault.code", "str", "fault code: Sender, Receiver, Client, Server"),
    Field("iamt.soap.fault.subcode", "str", "fault subcode: AccessDenied, DestinationUnreachable and so on"),
    Field("iamt.soap.fault.reason", "str", "reason given with a fault"),
    Field("iamt.soap.fault.detail", "str", "detail given with a fault"),
    Field("iamt.soap.fault.status", "int", "PT_STATUS in the detail of a fault (AMT-STATUS)"),
    Field("iamt.soap.fault.status.name", "str", "its name"),
    Field("iamt.wsman.action", "str", "WS-Addressing Action"),
    Field("iamt.wsman.resource_uri", "str", "WS-Man ResourceURI"),
    Field("iamt.wsman.class", "str", "class addressed"),
    Field("iamt.wsman.method", "str", "Get, Put, Enumerate and so on, or the method of the class"),
    Field("iamt.wsman.selector", "str[]", "name=text of each selector of the SelectorSet that is no secret"),
    Field("iamt.wsman.message_id", "str", "WS-Addressing MessageID"),
    Field("iamt.wsman.relates_to", "str", "MessageID of the request answered"),
    Field("iamt.wsman.return_value", "int", "ReturnValue of the method"),
    Field("iamt.wsman.return_value.name", "str", "its name"),
    Field("iamt.wsman.enumeration.context", "str", "context of an enumeration"),
    Field("iamt.wsman.enumeration.class", "str", "class whose enumeration a Pull or Release goes on with"),
    Field("iamt.eoi.service", "str", "EOI service called, by its namespace"),
    Field("iamt.eoi.method", "str", "EOI method"),
    Field("iamt.eoi.status", "int", "PT_STATUS answered"),
    Field("iamt.eoi.status.name", "str", "its name"),
    Field("iamt.call.kind", "str", "wsman, eoi, or http where no SOAP could be read"),
    Field("iamt.call.service", "str", "EOI service, wsman, or the path asked for"),
    Field("iamt.call.code", "int", "ReturnValue, Status or AMT-STATUS"),
    Field("iamt.call.result", "str", "the result in words"),
    Field("iamt.call.result.name", "str", "name of the result code or fault"),
    Field("iamt.call.meaning", "str", "what the result means"),
    Field("iamt.call.answer", "str[]", "path=text of each element answered that is no secret"),
    Field("iamt.call.step", "str", "configuration step that the call is"),
    Field("iamt.call.missing", "str", "the half not in the capture: request or response"),
    Field("iamt.call.user", "str", "user that the request names"),
    Field("http.response.code", "int", "HTTP status of the response"),
)
