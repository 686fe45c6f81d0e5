"""HTTP messages and SOAP or JSON bodies that a trace quotes, read by the rooms that read them from packets."""

from __future__ import annotations

import json
import re
from typing import Any, NamedTuple

VERSION = re.compile(r"Intel\(R\) Active Management Technology (\d{1,3}(?:\.\d{1,5}){1,3})")
STATUS = re.compile(r"HTTP/1\.[01] ([1-5]\d\d)\b")
ENVELOPE = re.compile(r"<(?:\w+:)?Envelope[\s>]")
END = re.compile(r"</(?:\w+:)?Envelope>")
JSON_VALUE = re.compile(r'"ReturnValue"\s*:\s*(\d{1,10})\b')
NUMBER = re.compile(r"\d{1,10}")
MAX_DEPTH = 8  # objects inside objects


class Body(NamedTuple):
    """What a quoted message says. Each part is empty where it says nothing of it."""

    amt_version: str = ""
    status: int | None = None  # of HTTP
    call: str = ""  # `AMT_SetupAndConfigurationService.CommitChanges`
    code: int | None = None  # ReturnValue or Status
    fault: str = ""


def read_body(text: str) -> Body | None:
    """What an HTTP message, a SOAP envelope or a JSON object in a line says; `None` where there is none."""
    version, status = VERSION.search(text), STATUS.search(text)
    call, code, fault = _envelope(text) or _json(text) or ("", None, "")
    if not (version or status or call or fault or code is not None):
        return None
    return Body(version[1] if version else "", int(status[1]) if status else None, call, code, fault)


def _envelope(text: str) -> tuple[str, int | None, str] | None:
    begin = ENVELOPE.search(text)
    if begin is None:
        return None
    from amtdecode.protocols.soap import document, envelope
    from amtdecode.protocols.soap.events import SoapFault, SoapResponse

    end = END.search(text, begin.end())
    data = text[begin.start() : end.end() if end else len(text)].encode("utf-8", "replace")
    reading = document.read(data)
    message = None
    if reading.document is not None:
        message, _ = envelope.interpret(reading.document, answer=True, partial=reading.partial)
    if isinstance(message, SoapFault):
        return message.label, None, message.text
    if isinstance(message, SoapResponse):
        value = message.value("ReturnValue")
        code = int(value) if message.code is None and value and NUMBER.fullmatch(value) else message.code
        call = f"{message.owner}.{message.method}" if message.operation.endswith("_OUTPUT") else message.label
        return call.lstrip("."), code, ""
    return None


def _json(text: str) -> tuple[str, int | None, str] | None:
    found = JSON_VALUE.search(text)
    if found is None:
        return None
    begin, end = text.find("{"), text.rfind("}")
    call = ""
    if 0 <= begin < end:
        try:
            call = _call(json.loads(text[begin : end + 1]))
        except (ValueError, RecursionError):
            call = ""
    return call, int(found[1]), ""


def _call(row: Any, depth: int = 0) -> str:
    """The call that a JSON answer is of: its class and method, as servers write the header of the answer."""
    if not isinstance(row, dict) or depth > MAX_DEPTH:
        return ""
    method, resource = row.get("Method"), row.get("ResourceURI")
    if isinstance(method, str):
        owner = resource.rsplit("/", 1)[-1] if isinstance(resource, str) else ""
        return f"{owner}.{method}" if owner else method
    for key, value in row.items():
        if str(key).endswith("_OUTPUT"):
            return str(key).removesuffix("_OUTPUT")
        if found := _call(value, depth + 1):
            return found
    return ""
