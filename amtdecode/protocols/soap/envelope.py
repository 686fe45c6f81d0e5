"""From XML rows to SOAP messages, by namespace and never by prefix.

Sources: SOAP 1.1 and 1.2, WS-Addressing (2004/08), WS-Man (DSP0226 1.0), WS-Enumeration, WS-Transfer, WS-Eventing
(2004), WS-Man binding of CIM (DSP0227).
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING

from amtdecode.protocols.soap import tables
from amtdecode.protocols.soap.events import SoapFault, SoapMessage, SoapRequest, SoapResponse, Values
from amtdecode.protocols.soap.tree import XML_NAMESPACE, Row, Tree

if TYPE_CHECKING:
    from collections.abc import Sequence

SOAP11 = "http://schemas.xmlsoap.org/soap/envelope/"
SOAP12 = "http://www.w3.org/2003/05/soap-envelope"
ADDRESSING = "http://schemas.xmlsoap.org/ws/2004/08/addressing"
WSMAN = "http://schemas.dmtf.org/wbem/wsman/1/wsman.xsd"
IDENTITY = "http://schemas.dmtf.org/wbem/wsman/identity/1/wsmanidentity.xsd"
XSI = "http://www.w3.org/2001/XMLSchema-instance"

_UNSHOWN = frozenset((SOAP11, SOAP12, XSI, XML_NAMESPACE))
"""Namespaces of attributes that say how to read, not what is meant: mustUnderstand, encodingStyle, nil, lang."""

_HEADERS = {
    (ADDRESSING, "Action"): "action",
    (ADDRESSING, "MessageID"): "message_id",
    (ADDRESSING, "RelatesTo"): "relates_to",
    (WSMAN, "ResourceURI"): "resource_uri",
}
_AMT_STATUS = re.compile(r"AMT-STATUS\s{0,4}[:=]?\s{0,4}(0[xX][0-9A-Fa-f]{1,8}|[0-9]{1,10})")
_INTEL = re.compile(r"http://schemas\.intel\.com/(?:platform/client|2004/12/management/PC)/([A-Za-z0-9]{1,64})(?:/|$)")
_NUMBER = re.compile(r"[0-9]{1,10}")
MAX_URI_REMEMBERED = 400  # characters


def interpret(tree: Tree, *, answer: bool, partial: bool = False) -> SoapMessage | None:
    """Give the message in a tree; `None` where it is no SOAP envelope."""
    if tree.name != "Envelope" or tree.namespace not in (SOAP11, SOAP12, ""):
        return None
    known = {"action": "", "message_id": "", "relates_to": "", "resource_uri": ""}
    selectors, headers = _read_header(tree.header, known)
    operation, namespace, arguments = _read_body(tree.body)
    action, resource_uri = known["action"], known["resource_uri"]
    service = class_name = method = ""
    version = "1.2" if tree.namespace == SOAP12 else "1.1"
    if not tree.namespace:  # amttool writes such envelopes; what they carry has its namespaces
        if not service_of(namespace) and not action and not resource_uri:
            return None
        version = "1.1" if service_of(namespace) else "1.2"
    if version == "1.2":
        kind = "wsman" if action or resource_uri or namespace == IDENTITY else "soap"
        describe = (
            _describe if len(action) + len(resource_uri) + len(namespace) < MAX_URI_REMEMBERED else _describe_once
        )
        method, class_name = describe(action, resource_uri, operation, namespace)
    else:
        service = service_of(namespace)
        kind = "eoi" if service else "soap"
        method = operation.removesuffix("Response") if namespace != SOAP11 else ""
    common = (
        kind,
        version,
        service,
        class_name,
        method,
        operation,
        action,
        resource_uri,
        known["message_id"],
        known["relates_to"],
        selectors,
        arguments,
        headers,
        _context(arguments) if "num" in operation or operation.startswith(("Pull", "Release")) else "",
        "",
        partial,
    )
    if operation == "Fault" and namespace == tree.namespace:
        return SoapFault(*common, *_fault(arguments, version))
    if answer:
        return SoapResponse(*common, _code(arguments, kind))
    return SoapRequest(*common)


def _read_header(rows: Sequence[Row], known: dict[str, str]) -> tuple[Values, Values]:
    selectors: list[tuple[str, str]] = []
    headers: list[tuple[str, str]] = []
    for path, namespace, text, attributes in rows:
        name = _HEADERS.get((namespace, path))
        if name is not None and not known[name]:
            known[name] = text or ""
        elif path == "SelectorSet/Selector" and namespace == WSMAN:
            label = next((value for _, local, value in attributes if local == "Name"), "")
            if text is not None:
                selectors.append((label, text))
        elif path.startswith("SelectorSet/Selector/"):  # a selector that is a reference
            if text is not None:
                selectors.append((_short(path, "SelectorSet/Selector/", attributes), text))
        elif text is not None:
            headers.append((path, text))
            if attributes:
                headers.extend(_attribute_values(path, attributes))
    return tuple(selectors), tuple(headers)


def _short(path: str, prefix: str, attributes: Sequence[tuple[str, str, str]]) -> str:
    name = next((value for _, local, value in attributes if local == "Name"), "")
    return f"{path[len(prefix) :]}[{name}]" if name else path[len(prefix) :]


def _attribute_values(path: str, attributes: Sequence[tuple[str, str, str]]) -> list[tuple[str, str]]:
    return [(f"{path}/@{local}", value) for namespace, local, value in attributes if namespace not in _UNSHOWN]


def _read_body(rows: Sequence[Row]) -> tuple[str, str, Values]:
    """Name and namespace of the operation, and all that stands below it. Items of an enumeration are numbered."""
    if not rows:
        return "", "", ()
    operation, namespace, text, attributes = rows[0]
    prefix = f"{operation}/"
    skip = len(prefix)
    plain = not text and operation not in _WITH_ITEMS and not any(row[3] for row in rows)
    if plain and sum([row[0].startswith(prefix) for row in rows]) == len(rows) - 1:
        return operation, namespace, tuple([(path[skip:], text) for path, _, text, _ in rows[1:] if text is not None])
    values: list[tuple[str, str]] = []
    if text:
        values.append((operation, text))
    if attributes:
        values.extend(_attribute_values("", attributes))
    items = f"{operation}/Items/"
    item, number = "", 0
    for path, _namespace, text, attributes in rows[1:]:
        if path.startswith(prefix):
            if path.startswith(items):
                rest = path[len(items) :]
                if "/" not in rest:
                    number += 1
                    item = f"{items[skip:]}{rest}[{number}]"
                    path = item
                else:
                    path = item + rest[rest.index("/") :]
            else:
                path = path[skip:]
        if attributes:
            last = path.rpartition("/")[2]
            name = next((value for _, local, value in attributes if local == "Name"), "") if last == "Selector" else ""
            if name and text is not None:
                path = f"{path}[{name}]"
                attributes = ()
            if attributes:
                values.extend(_attribute_values(path, attributes))
        if text is not None:
            values.append((path, text))
    return operation, namespace, tuple(values)


_WITH_ITEMS = frozenset(("PullResponse", "EnumerateResponse"))


def _context(arguments: Values) -> str:
    return next((text for path, text in arguments if path == "EnumerationContext"), "")


def _code(arguments: Values, kind: str) -> int | None:
    for path, text in arguments:
        if path == "ReturnValue" if kind == "wsman" else path in ("Status", "StatusCode"):
            return int(text) if _NUMBER.fullmatch(text) else None
    return None


def _describe_once(action: str, resource_uri: str, operation: str, namespace: str) -> tuple[str, str]:
    """Give method and class: the Action says the method, the ResourceURI, else Action or Body, the class."""
    base, _, method = action.rpartition("/")
    if not method:
        method = operation.removesuffix("_INPUT").removesuffix("_OUTPUT")
    if operation == "Fault":
        method = ""
    method = method.removesuffix("Response")
    class_name = resource_uri.rpartition("/")[2]
    if not class_name and method:
        candidate = base.rpartition("/")[2] or namespace.rpartition("/")[2]
        if candidate not in tables.classes():
            candidate = namespace.rpartition("/")[2]
        class_name = candidate if candidate in tables.classes() else ""
    return method, class_name


_describe = lru_cache(1024)(_describe_once)


def service_of(namespace: str) -> str:
    """Name the EOI service of a namespace; one of Intel's that no table knows, by the name in it."""
    service = tables.services().get(namespace)
    if service is None:
        found = _INTEL.match(namespace)
        service = found[1] if found else ""
    return service


def _fault(arguments: Values, version: str) -> tuple[str, str, str, str, int | None]:
    code = subcode = reason = ""
    detail: list[str] = []
    status = None
    for path, text in arguments:
        lower = path.lower() if version == "1.1" else path
        if lower in ("Code/Value", "faultcode"):
            code = text.rpartition(":")[2]
        elif lower == "Code/Subcode/Value":
            subcode = text.rpartition(":")[2]
        elif lower in ("Reason/Text", "faultstring"):
            reason = reason or text
        elif lower.startswith(("Detail", "detail")):
            detail.append(text)
        if status is None and "AMT-STATUS" in text:
            found = _AMT_STATUS.search(text)
            status = int(found[1], 0 if found[1][:2].lower() == "0x" else 10) if found else None
    return code, subcode, reason, " ".join(part for part in detail if part), status


_GLANCE_SIZE = 8192  # bytes; headers come first


def glance(data: bytes) -> tuple[str, str]:
    """Find Action and ResourceURI by searching bytes, without reading the XML; "" for what is not found.

    For bodies that may not or cannot be read. Of a well-formed envelope it says what reading it says, or nothing.
    """
    head = data[:_GLANCE_SIZE]
    end = head.find(b"Header>", head.find(b"Header") + 7)
    head = head[:end] if end > 0 else head
    if SOAP12.encode() not in head or b"<!--" in head:
        return "", ""
    return _between(head, b"Action", ADDRESSING.encode()), _between(head, b"ResourceURI", WSMAN.encode())


def glance_soap_action(value: str) -> tuple[str, str]:
    """Service and method of a SOAPAction header of EOI, `"<namespace>#<Method>"`; "" where it is none."""
    namespace, _, method = value.strip().strip('"').partition("#")
    service = service_of(namespace) if len(namespace) < MAX_URI_REMEMBERED else ""
    return (service, method[:64]) if service else ("", "")


def _between(head: bytes, name: bytes, namespace: bytes) -> str:
    """Give the text of the one element of this name, if it is bound to the namespace without a doubt."""
    found = re.findall(rb"<(?:([\w.-]{1,64}):)?" + name + rb"((?:\s[^<>]{0,512})?)>\s*([!-%'-;=?-~]{1,512})\s*</", head)
    if len(found) != 1:
        return ""
    prefix, attributes, text = found[0]
    declaration = b"xmlns:" + prefix if prefix else b"xmlns"
    where = attributes if declaration in attributes or not prefix else head
    bound = re.findall(re.escape(declaration) + rb"""\s{0,8}=\s{0,8}["']([^"']{0,512})""", where)
    return text.decode("ascii") if bound == [namespace] else ""
