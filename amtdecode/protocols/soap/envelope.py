"""From XML rows to SOAP messages, by namespace and never by prefix.

Sources: SOAP 1.1 and 1.2, WS-Addressing (2004/08), WS-Man (DSP0226 1.0), WS-Enumeration, WS-Transfer, WS-Eventing
(2004), WS-Man binding of CIM (DSP0227).
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING, TypeAlias

from amtdecode.protocols.soap import tables
from amtdecode.protocols.soap.events import SoapFault, SoapMessage, SoapRequest, SoapResponse
from amtdecode.protocols.soap.outline import ADDRESSING, SOAP11, SOAP12, WSMAN

if TYPE_CHECKING:
    from amtdecode.protocols.soap.outline import Outline, Shape
    from amtdecode.protocols.soap.values import Values

IDENTITY = "http://schemas.dmtf.org/wbem/wsman/identity/1/wsmanidentity.xsd"

_AMT_STATUS = re.compile(r"AMT-STATUS\s{0,4}[:=]?\s{0,4}(0[xX][0-9A-Fa-f]{1,8}|[0-9]{1,10})")
_INTEL = re.compile(r"http://schemas\.intel\.com/(?:platform/client|2004/12/management/PC)/([A-Za-z0-9]{1,64})(?:/|$)")
_NUMBER = re.compile(r"[0-9]{1,10}")
MAX_URI_REMEMBERED = 400  # characters


_Nature: TypeAlias = tuple[str, str, str, str, str, int, str, str]


def interpret(envelope: Outline, answer: bool, partial: bool = False) -> SoapMessage | None:
    """Give the message in a document; `None` where it is no SOAP envelope."""
    shape = envelope.shape
    action, message_id, relates_to, resource_uri = envelope.known
    size = len(shape.namespace) + len(action) + len(resource_uri) + len(shape.operation_namespace)
    nature = (_describe if size < MAX_URI_REMEMBERED else _describe_once)(shape, action, resource_uri)
    if nature is None:
        return None
    kind, version, service, class_name, method, manner, action, resource_uri = nature
    arguments = envelope.arguments
    if shape.leaf and not arguments[0][1]:
        arguments = arguments[1:]
    common = (
        kind,
        version,
        service,
        class_name,
        method,
        shape.operation,
        action,
        resource_uri,
        message_id,
        relates_to,
        envelope.selectors,
        arguments,
        envelope.headers,
        _context(arguments) if manner & _ENUMERATES else "",
        "",
        partial,
    )
    if manner & _FAULT:
        return SoapFault(*common, *_fault(arguments, version))
    if answer:
        return SoapResponse(*common, None if manner & _OBJECT else _code(arguments, kind))
    return SoapRequest(*common)


_FAULT, _ENUMERATES, _OBJECT = 1, 2, 4
"""What the element in the Body is: a fault, part of an enumeration, an object, which has no ReturnValue."""


def _context(arguments: Values) -> str:
    return next((text for path, text in arguments if path == "EnumerationContext"), "")


def _code(arguments: Values, kind: str) -> int | None:
    for path, text in arguments:
        if path == "ReturnValue" if kind == "wsman" else path in ("Status", "StatusCode"):
            return int(text) if _NUMBER.fullmatch(text) else None
    return None


def _describe_once(shape: Shape, action: str, resource_uri: str) -> _Nature | None:
    """Tell kind, version, service, class, method, and what the element in the Body is; `None` for no SOAP.

    The URIs go with it, so that all messages of a kind share them.
    """
    root, name, operation, namespace, _ = shape
    if name != "Envelope" or root not in (SOAP11, SOAP12, ""):
        return None
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
    manner = _FAULT if operation == "Fault" and namespace == root else 0
    if "num" in operation or operation.startswith(("Pull", "Release")):
        manner |= _ENUMERATES
    if operation.startswith(("AMT_", "CIM_", "IPS_")):
        manner |= _OBJECT
    return kind, version, service, class_name, method, manner, action, resource_uri


_describe = lru_cache(1024)(_describe_once)


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
