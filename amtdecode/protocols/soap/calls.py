"""One exchange in words: what was asked, what came of it, which step of a configuration it is."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import msgspec

from amtdecode.masking import masked
from amtdecode.model import Direction  # noqa: TC001 - msgspec reads the annotations of structs
from amtdecode.protocols.soap import tables
from amtdecode.protocols.soap.document import EBCDIC_BEGINNING
from amtdecode.protocols.soap.envelope import glance, glance_soap_action
from amtdecode.protocols.soap.events import UNREAD, Call, SoapFault, SoapMessage, SoapResponse
from amtdecode.protocols.soap.tables import code_text
from amtdecode.protocols.soap.values import NO_VALUES

if TYPE_CHECKING:
    from amtdecode.model import Event


UNGLANCED = ("", "", "", "")


class ExchangeMessage(msgspec.Struct, frozen=True, gc=False):
    """One HTTP message of an exchange: the request or the response."""

    direction: Direction
    start: int  # where it stands in its direction
    end: int
    message: SoapMessage | None  # None: no SOAP that could be read
    method: str = ""  # of HTTP
    path: str = ""
    status: int = 0
    reason: str = ""
    user: str = ""
    text: str = ""  # of an HTML page
    refused: bool = False  # there is a body that could not be read
    glanced: tuple[str, str, str, str] = UNGLANCED  # kind, service, class, method, of a body that is not read
    after_gap: bool = False
    empty: bool = False
    exchange: int | None = None  # the number HTTP gives; 0: it cannot tell; None: it does not number


def glanced(data: bytes, head: Event | None) -> tuple[str, str, str, str]:
    """Tell what a request asks for whose body cannot be read, by its SOAPAction header or a glance."""
    header = getattr(head, "header", None)
    if header is not None:
        service, method = glance_soap_action(header("soapaction") or "")
        if service:
            return "eoi", service, "", method
    action, resource_uri = glance(data)
    if action or resource_uri:
        return "wsman", "wsman", resource_uri.rpartition("/")[2], action.rpartition("/")[2]
    return "", "", "", ""


REASONS = {
    400: "Bad Request",
    401: "Unauthorized",
    403: "Forbidden",
    404: "Not Found",
    405: "Method Not Allowed",
    411: "Length Required",
    415: "Unsupported Media Type",
    500: "Internal Server Error",
    503: "Service Unavailable",
}


def make_call(request: ExchangeMessage | None, response: ExchangeMessage | None) -> Call:
    """Put request and response into one call; one of them may be missing, not both."""
    asked = request.message if request else None
    told = response.message if response else None
    lead = asked if asked is not None else told if told is not None and told.kind != "soap" else None
    status = response.status if response else 0
    code, text, name, meaning = _result(lead, response)
    if request is not None and request.empty and isinstance(told, SoapResponse):
        text += ", to a request without a body"
    kind = service = class_name = method = ""
    if lead is not None and lead.kind != "soap":
        kind, class_name, method = lead.kind, lead.class_name, lead.method
        service = lead.service if kind == "eoi" else "wsman"
        if told is not None and not class_name:
            class_name = told.class_name
    elif request is not None and request.glanced[0]:
        kind, service, class_name, method = request.glanced
    else:
        kind = "http"
        known = request if request is not None else response
        service, method = (known.path, known.method) if known is not None else ("", "")
    owner = class_name or service
    return Call(
        kind,
        service,
        class_name,
        method,
        asked.arguments if asked is not None else NO_VALUES,
        told.arguments if told is not None else NO_VALUES,
        code,
        text,
        name,
        meaning,
        status,
        tables.step_of(owner, method) or (_step_by_contents(method, asked, told) if owner in _SETUP else ""),
        "" if request and response else "response" if request else "request",
        asked.operation if asked is not None else "",
        request.user if request is not None else "",
        asked.enumeration if asked is not None else "",
        isinstance(told, SoapFault),
    )


def _step_by_contents(method: str, asked: SoapMessage | None, told: SoapMessage | None) -> str:
    """Tell the steps that only show in what a call to set up carries."""
    if asked is not None and any(path.endswith("PPS") for path, _ in asked.arguments):
        return "PID/PPS renewal"
    if told is not None and method == "Get":
        otp = told.value("ProvisioningServerOTP")
        return "OTP read" if otp and otp.strip("A=") else ""  # base64 of nothing but zeros: none is set
    return ""


_SETUP = frozenset(("AMT_SetupAndConfigurationService", "SecurityAdministration"))


def _result(lead: SoapMessage | None, response: ExchangeMessage | None) -> tuple[int | None, str, str, str]:
    """Code, text, name and meaning of what came of a call."""
    if response is None:
        return None, "no response seen", "", "the capture holds no response to it"
    told = response.message
    if isinstance(told, SoapFault):
        meaning = tables.status_name(told.status)[2] if told.status is not None else ""
        return (
            told.status,
            f"fault {told.text}",
            masked(told.subcode or told.fault_code) or "fault",
            meaning or masked(told.detail)[:200],
        )
    if isinstance(told, SoapResponse) and (response.status < 300 or told.code is not None):
        if told.code is None:
            return None, "OK (cut)" if told.partial else "OK", "", ""
        kind = told.kind if told.kind != "soap" or lead is None else lead.kind
        owner, method = told.class_name, told.method
        if lead is not None:
            owner, method = owner or lead.class_name, method or lead.method
        return (told.code, *code_text(kind, owner, method, told.code))
    return (None, *_http_result(lead, response))


def _http_result(lead: SoapMessage | None, response: ExchangeMessage) -> tuple[str, str, str]:
    status = response.status
    meaning = masked(response.text)
    if status == 401:
        return "401 authentication required", "401", meaning or "the request carries no credentials that AMT accepts"
    reason = masked(response.reason) or REASONS.get(status, "")
    text = f"{status} {reason}".strip() if status else "answered"
    if response.refused:
        return f"{text}, body not readable", UNREAD, "the body is not the XML of a SOAP envelope, or may not be read"
    if status == 400 and response.message is None and lead is not None:
        meaning = meaning or "refused without a SOAP fault: a value out of AMT's limits, or a request it cannot parse"
    return text, str(status) if status >= 300 else "", meaning


def user_of(head: Event) -> str:
    """Name the user of a request."""
    return getattr(head, "auth_user", "") or ""


def path_of(target: str) -> str:
    """Cut host and query off a request target."""
    if target == "/wsman":
        return target
    target = masked(target)
    if target[:4].lower() == "http":
        target = target.partition("://")[2]
        target = target[target.find("/") :] if "/" in target else "/"
    return target.partition("?")[0]


_HTML = re.compile(rb"\s*(?:<!--.{0,200}?-->\s*)?(?:<!doctype\s+html|<html|<head|<body)", re.IGNORECASE | re.DOTALL)
_HEADLINES = (
    re.compile(rb"<h[12][^>]{0,200}>([^<]{1,500})", re.IGNORECASE),
    re.compile(rb"<title[^>]{0,200}>([^<]{1,500})", re.IGNORECASE),
)
_SEARCHED = 8192  # bytes of a page


_XML_BEGINNINGS = (b"<", b"\xff\xfe", b"\xfe\xff", b"\0<", b"\0\0\xfe\xff", b"\0\0\0<", EBCDIC_BEGINNING)


def kind_of(data: bytes) -> str:
    """`xml`, `html`, or "" for anything else."""
    if data.startswith(b"<?xml"):
        return "xml"
    head = data[:512].removeprefix(b"\xef\xbb\xbf").lstrip()
    if not head.startswith(_XML_BEGINNINGS):
        return ""
    return "html" if _HTML.match(head) else "xml"


def headline(data: bytes) -> str:
    """Give what an HTML page says to people: its first headline, else its title."""
    for pattern in _HEADLINES:
        found = pattern.search(data, 0, _SEARCHED)
        if found:
            return " ".join(found[1].decode("utf-8", "replace").split())
    return ""
