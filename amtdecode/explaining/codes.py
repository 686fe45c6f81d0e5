"""Numbers and names of errors: SCS, PT_STATUS, return values, rpc, TLS alerts, Windows and Schannel."""

from __future__ import annotations

from typing import TYPE_CHECKING

from amtdecode.artifacts.logs.anchors import table
from amtdecode.diagnosis.knowledge import alerts, return_advice, rpc_errors, scs_errors, status_advice
from amtdecode.explaining.topic import Topic
from amtdecode.protocols.soap.pt_status import VENDOR_BASE, pt_status

if TYPE_CHECKING:
    from collections.abc import Iterator

CERTAINTIES = {
    "doc": "documented",
    "code": "from the program's source",
    "page": "seen on public pages",
    "recall": "general knowledge, not checked",
}


def topics() -> Iterator[Topic]:
    """All of them."""
    yield from _scs()
    yield from _status()
    yield from _returns()
    yield from _rpc()
    yield from _alerts()
    yield from _windows()
    yield from _lines()


def _scs() -> Iterator[Topic]:
    for each in scs_errors().values():
        facts = (("means", each.explanation), ("do", each.fix), ("rule", each.rule), ("source", each.source))
        yield Topic("scs", f"SCS error {each.code}: {each.title}", (str(each.code), each.title, each.rule), facts)


def _status() -> Iterator[Topic]:
    for code, advice in status_advice().items():
        status = pt_status(code)
        name = status.name if status else ""
        facts = (
            ("means", advice.explanation),
            ("do", advice.fix),
            ("in WS-Man", f"standard CIM methods return it as {VENDOR_BASE + code}"),
            ("source", advice.source),
        )
        keys = (f"0x{code:x}", f"0x{code:02x}", f"0x{code:04x}", str(code), str(VENDOR_BASE + code), name)
        yield Topic("pt_status", f"PT_STATUS 0x{code:X} ({code}): {name or 'no name known'}", keys, facts)


def _returns() -> Iterator[Topic]:
    for (call, value), advice in return_advice().items():
        facts = (("means", advice.explanation), ("do", advice.fix), ("source", advice.source))
        method = call.rpartition(".")[2]
        keys = (str(value), f"{method} {value}", f"{call} {value}", method, call)
        yield Topic("returnvalue", f"{call} returns {value}", keys, facts)


def _rpc() -> Iterator[Topic]:
    for each in rpc_errors():
        details = each.details if each.details != "-" else ""
        facts = (
            ("details", details),
            ("step", each.step),
            ("means", each.explanation),
            ("do", each.fix),
            ("source", each.source),
        )
        yield Topic("rpc", f"rpc error {each.code}: {each.name}", (str(each.code), each.name), facts)


def _alerts() -> Iterator[Topic]:
    for each in alerts().values():
        facts = (
            ("means", each.meaning),
            ("from AMT", each.from_amt),
            ("from the server", each.from_sca),
            ("rule", each.rule),
            ("source", each.source),
        )
        keys = (str(each.code), each.name, each.name.replace("_", " "))
        yield Topic("alert", f"TLS alert {each.code}: {each.name}", keys, facts)


def _windows() -> Iterator[Topic]:
    for each in table().codes.values():
        number = int(each.code, 16)
        signed = number - (1 << 32) if number >> 31 else number
        facts = (
            ("means", each.meaning),
            ("do", each.fix),
            ("source", f"{each.source} ({CERTAINTIES.get(each.certainty, each.certainty)})"),
        )
        yield Topic("windows", f"{each.code}: {each.name}", (each.code, str(number), str(signed), each.name), facts)


def _lines() -> Iterator[Topic]:
    """Lines of logs, by what they are called in `amtdecode log`, or by the number in them."""
    for each in table().anchors:
        facts = (
            ("program", each.product),
            ("means", each.meaning),
            ("do", each.fix),
            ("rule", each.rule),
            ("source", f"{each.source} ({CERTAINTIES.get(each.certainty, each.certainty)})"),
        )
        code = (each.code,) if each.code and f"scs-{each.code}" != each.id else ()
        yield Topic("line", f"log line {each.id}", (each.id, *code), facts)
