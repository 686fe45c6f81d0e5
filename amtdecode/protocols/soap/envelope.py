"""From the rows of a document to SOAP messages, by namespace and never by prefix.

Sources: SOAP 1.1 and 1.2, WS-Addressing (2004/08), WS-Man (DSP0226 1.0), WS-Enumeration, WS-Transfer, WS-Eventing
(2004), WS-Man binding of CIM (DSP0227).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from amtdecode.protocols.soap import tables
from amtdecode.protocols.soap.document import ADDRESSING, WSMAN, XML_NAMESPACE
from amtdecode.protocols.soap.events import SoapFault, SoapMessage, SoapRequest, SoapResponse
from amtdecode.protocols.soap.tables import is_secret
from amtdecode.protocols.soap.values import NO_VALUES, Values

if TYPE_CHECKING:
    from collections.abc import Sequence

    from amtdecode.protocols.soap.document import Attributes, Document, Row

SOAP11 = "http://schemas.xmlsoap.org/soap/envelope/"
SOAP12 = "http://www.w3.org/2003/05/soap-envelope"
XSI = "http://www.w3.org/2001/XMLSchema-instance"
IDENTITY = "http://schemas.dmtf.org/wbem/wsman/identity/1/wsmanidentity.xsd"

_UNSHOWN = frozenset((SOAP11, SOAP12, XSI, XML_NAMESPACE))
"""Namespaces of attributes that say how to read, not what is meant: mustUnderstand, encodingStyle, nil, lang."""

_AMT_STATUS = re.compile(r"AMT-STATUS\s{0,4}[:=]?\s{0,4}(0[xX][0-9A-Fa-f]{1,8}|[0-9]{1,10})")
_INTEL = re.compile(r"http://schemas\.intel\.com/(?:platform/client|2004/12/management/PC)/([A-Za-z0-9]{1,64})(?:/|$)")
_NUMBER = re.compile(r"[0-9]{1,10}")
MAX_URI_SIZE = 400  # characters of a SOAPAction's namespace


def interpret(document: Document, answer: bool, partial: bool = False) -> SoapMessage | None:
    """Give the message in a document; `None` where it is no SOAP envelope."""
    root, name = document.namespace, document.name
    if name != "Envelope" or root not in (SOAP11, SOAP12, ""):
        return None
    known = ["", "", "", ""]
    selectors, headers = _read_header(document.header, known)
    action, message_id, relates_to, resource_uri = known
    operation, namespace, arguments = _read_body(document.body)
    service = class_name = method = ""
    version = "1.2" if root == SOAP12 else "1.1"
    if not root:  # amttool writes such envelopes; what they carry has its namespaces
        if not service_of(namespace) and not action and not resource_uri:
            return None
        version = "1.1" if service_of(namespace) else "1.2"
    if version == "1.2":
        kind = "wsman" if action or resource_uri or namespace == IDENTITY else "soap"
        method, class_name = _called(action, resource_uri, operation, namespace)
    else:
        service = service_of(namespace)
        kind = "eoi" if service else "soap"
        method = operation.removesuffix("Response") if namespace != SOAP11 else ""
    enumerates = "num" in operation or operation.startswith(("Pull", "Release"))
    common = (
        kind,
        version,
        service,
        class_name,
        method,
        operation,
        action,
        resource_uri,
        message_id,
        relates_to,
        selectors,
        arguments,
        headers,
        _context(arguments) if enumerates else "",
        "",
        partial,
    )
    if operation == "Fault" and namespace == root:
        return SoapFault(*common, *_fault(arguments, version))
    if answer:
        is_object = operation.startswith(("AMT_", "CIM_", "IPS_"))  # which has no ReturnValue
        return SoapResponse(*common, None if is_object else _code(arguments, kind))
    return SoapRequest(*common)


_REFERENCE = "SelectorSet/Selector/"
_KNOWN = {
    (ADDRESSING, "Action"): 0,
    (ADDRESSING, "MessageID"): 1,
    (ADDRESSING, "RelatesTo"): 2,
    (WSMAN, "ResourceURI"): 3,
}


def _read_header(rows: Sequence[Row], known: list[str]) -> tuple[Values, Values]:
    """Selectors and all other headers; Action, MessageID, RelatesTo and ResourceURI go into `known`."""
    selectors: list[tuple[str, str]] = []
    headers: list[tuple[str, str]] = []
    found: set[int] = set()
    owner = ""  # name of the selector that is open, with its slash
    for path, namespace, text, attributes in rows:
        which = _KNOWN.get((namespace, path))
        if which is not None and which not in found:  # the first counts
            found.add(which)
            known[which] = text or ""
        elif path == "SelectorSet/Selector" and namespace == WSMAN:
            owner = _name(attributes)
            if text is not None:
                selectors.append((owner, text))
            owner += "/" if owner else ""
        elif path.startswith(_REFERENCE):  # a selector that is a reference
            if text is not None:
                name = _name(attributes)
                inner = f"{owner}{path[len(_REFERENCE) :]}"
                selectors.append((f"{inner}[{name}]" if name else inner, text))
        elif text is not None:
            name = _name(attributes) if attributes else ""
            headers.append((f"{path}[{name}]" if name and is_secret(name) else path, text))
            if attributes:
                headers.extend(_attribute_values(path, attributes))
    return Values(selectors), Values(headers)


def _attribute_values(path: str, attributes: Attributes) -> list[tuple[str, str]]:
    return [(f"{path}/@{local}", value) for namespace, local, value in attributes if namespace not in _UNSHOWN]


_WITH_ITEMS = frozenset(("PullResponse", "EnumerateResponse"))


def _read_body(rows: Sequence[Row]) -> tuple[str, str, Values]:
    """Name and namespace of the operation, and all that stands below it. Items of an enumeration are numbered."""
    if not rows:
        return "", "", NO_VALUES
    operation, namespace, text, attributes = rows[0]
    values: list[tuple[str, str]] = []
    if text:  # it has no children
        values.append((operation, text))
    if attributes:
        values += _attribute_values("", attributes)
    prefix = f"{operation}/"
    skip = len(prefix)
    number, item = 0, ""
    references: list[tuple[str, str]] = []  # selectors that are references and are open: their paths, and as shown
    for path, _, text, attributes in rows[1:]:
        if path.startswith(prefix):  # else it stands beside the operation
            path = path[skip:]
            if path.startswith("Items/") and operation in _WITH_ITEMS:
                kind, slash, rest = path[6:].partition("/")
                if not slash:
                    number += 1
                    item = f"Items/{kind}[{number}]"
                path = item + slash + rest
        while references and not path.startswith(references[-1][0]):
            references.pop()
        raw = path
        if references:
            path = references[-1][1] + path[len(references[-1][0]) :]
        if attributes:
            name = _name(attributes) if path.endswith("Selector") else ""
            if name:
                path = f"{path}[{name}]"
                if text is None:
                    references.append((f"{raw}/", f"{path}/"))
            else:
                values += _attribute_values(path, attributes)
        if text is not None:
            values.append((path, text))
    return operation, namespace, Values(values)


def _name(attributes: Attributes) -> str:
    """The attribute that names a selector or an option."""
    return next((value for _, local, value in attributes if local == "Name"), "")


def _context(arguments: Values) -> str:
    return next((text for path, text in arguments if path == "EnumerationContext"), "")


def _code(arguments: Values, kind: str) -> int | None:
    for path, text in arguments:
        if path == "ReturnValue" if kind == "wsman" else path in ("Status", "StatusCode"):
            return int(text) if _NUMBER.fullmatch(text) else None
    return None


def _called(action: str, resource_uri: str, operation: str, namespace: str) -> tuple[str, str]:
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
    service = service_of(namespace) if len(namespace) < MAX_URI_SIZE else ""
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
