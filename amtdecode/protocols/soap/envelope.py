"""From the tree of a document to SOAP messages, by namespace and never by prefix.

Sources: SOAP 1.1 and 1.2, WS-Addressing (2004/08), WS-Man (DSP0226 1.0), WS-Enumeration, WS-Transfer, WS-Eventing
(2004), WS-Man binding of CIM (DSP0227).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import msgspec

from amtdecode.compiled import TEXTS
from amtdecode.fields import MASK
from amtdecode.protocols.soap import tables
from amtdecode.protocols.soap.document import ADDRESSING, WSMAN, Limit
from amtdecode.protocols.soap.elements import Names, read_body, read_header, split
from amtdecode.protocols.soap.events import SoapFault, SoapMessage, SoapRequest, SoapResponse
from amtdecode.protocols.soap.values import NO_VALUES, Values

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

SOAP11 = "http://schemas.xmlsoap.org/soap/envelope/"
SOAP12 = "http://www.w3.org/2003/05/soap-envelope"
IDENTITY = "http://schemas.dmtf.org/wbem/wsman/identity/1/wsmanidentity.xsd"

_AMT_STATUS = re.compile(r"AMT-STATUS\s{0,4}[:=]?\s{0,4}(0[xX][0-9A-Fa-f]{1,8}|[0-9]{1,10})")
_INTEL = re.compile(r"http://schemas\.intel\.com/(?:platform/client|2004/12/management/PC)/([A-Za-z0-9]{1,64})(?:/|$)")
_NUMBER = re.compile(r"[0-9]{1,10}")
MAX_URI_SIZE = 400  # characters of a SOAPAction's namespace


class Content(msgspec.Struct, frozen=True, gc=False):
    """What an envelope holds, before anything is made of it."""

    root: str  # namespace of the envelope
    known: tuple[str, ...]  # Action, MessageID, RelatesTo, ResourceURI
    selectors: Values
    headers: Values
    operation: str
    namespace: str  # of the operation
    arguments: Values
    limit: Limit | None = None  # the cap that ended reading


def usual(data: bytes, names: Names) -> Content | None:
    """Read an envelope as nearly all are written, by the compiled module; `None`: the document is to be read."""
    if TEXTS is None:
        return None
    read = TEXTS.envelope(data, names, tables.is_secret, tables.is_secret_inside)
    if read is None:
        return None
    newer, known, operation, namespace, selectors, hidden, headers, headers_hidden, arguments, arguments_hidden = read
    return Content(
        SOAP12 if newer else SOAP11,
        known,
        Values.of(selectors, hidden) if selectors else NO_VALUES,
        Values.of(headers, headers_hidden) if headers else NO_VALUES,
        operation,
        namespace,
        Values.of(arguments, arguments_hidden) if arguments else NO_VALUES,
    )


def content_of(document: Element, names: Names) -> Content | None:
    """Read the envelope in a document; `None` where it is none of SOAP."""
    root, name = split(document.tag)
    if name != "Envelope" or root not in (SOAP11, SOAP12, ""):
        return None
    known, selectors, headers, limit = read_header(document, root, names)
    operation, namespace, arguments, body_limit = read_body(document, root, names)
    return Content(root, known, selectors, headers, operation, namespace, arguments, limit or body_limit)


def interpret(
    document: Element, answer: bool, partial: bool = False, names: Names | None = None
) -> tuple[SoapMessage | None, Limit | None]:
    """Give the message in a document, `None` where it is no SOAP envelope; and the cap that ended reading it."""
    content = content_of(document, Names() if names is None else names)
    return (None, None) if content is None else (message_of(content, answer, partial), content.limit)


def message_of(content: Content, answer: bool, partial: bool = False) -> SoapMessage | None:
    """Make the message of what an envelope holds; `None` where nothing in it has a namespace of SOAP."""
    root, operation, namespace, arguments = content.root, content.operation, content.namespace, content.arguments
    action, message_id, relates_to, resource_uri = content.known
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
        content.selectors,
        arguments,
        content.headers,
        _context(arguments) if enumerates else "",
        "",
        partial or content.limit is not None,
    )
    if operation == "Fault" and namespace == root:
        return SoapFault(*common, *_fault(arguments, version))
    if answer:
        is_object = operation.startswith(("AMT_", "CIM_", "IPS_"))  # which has no ReturnValue
        return SoapResponse(*common, None if is_object else _code(arguments, kind))
    return SoapRequest(*common)


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
    secrets = set(arguments.secrets)
    for at, (path, text) in enumerate(arguments):
        lower = path.lower() if version == "1.1" else path
        if lower in ("Code/Value", "faultcode"):
            code = text.rpartition(":")[2]
        elif lower == "Code/Subcode/Value":
            subcode = text.rpartition(":")[2]
        elif lower in ("Reason/Text", "faultstring"):
            reason = reason or text
        elif lower.startswith(("Detail", "detail")):
            detail.append(MASK if at in secrets else text)
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
