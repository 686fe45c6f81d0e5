"""AMT-LOG-STEP, -RPC, -WSM and -ERR: what the logs of today's tools say, by the table of anchors."""

from __future__ import annotations

from typing import TYPE_CHECKING

from amtdecode.artifacts.logs.anchors import table
from amtdecode.counting import counted
from amtdecode.diagnosis import needs
from amtdecode.diagnosis.knowledge import return_advice, rpc_errors, status_advice
from amtdecode.diagnosis.log_rules import declare, proofs
from amtdecode.diagnosis.question import Question
from amtdecode.diagnosis.rule import Answer, Rules, confirmed, likely
from amtdecode.diagnosis.severity import Severity

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from amtdecode.artifacts.logs import Anchor
    from amtdecode.diagnosis.case import Case
    from amtdecode.diagnosis.knowledge import RpcError
    from amtdecode.provisioning.state import Device, LogEntry

ANY_TOOL = "the log"

RULES = Rules(Question.LOGS)


def _anchor(entry: LogEntry) -> Anchor | None:
    return table().by_id.get(entry.anchor)


def _only_outcome(entry: LogEntry) -> bool:
    """Whether a failure tells that a step failed, and not why."""
    anchor = _anchor(entry)
    if anchor is None or not anchor.outcome:
        return False
    if anchor.rule == "AMT-LOG-RPC":
        known = _rpc_error(entry)
        return known is None or known.details == "-"
    return True


def _names_a_cause(entries: Sequence[LogEntry]) -> bool:
    return any(entry.kind == "failure" and not _only_outcome(entry) for entry in entries)


def _first_sentence(text: str) -> str:
    ends = [at for mark in (". ", ": ", "; ") if (at := text.find(mark)) > 0]
    return text[: min(ends)] if ends else text.removesuffix(".")


def _steps(case: Case, entries: Sequence[LogEntry], device: Device | None) -> Iterator[Answer]:
    """Each kind of failed line; what only tells the outcome is proof of the causes, where there are any."""
    caused = _names_a_cause(entries)
    by_anchor: dict[str, list[LogEntry]] = {}
    for entry in entries:
        if entry.kind == "failure" and not entry.rule:
            by_anchor.setdefault(entry.anchor, []).append(entry)
    for alike in by_anchor.values():
        anchor = _anchor(alike[0])
        if anchor is None or (caused and anchor.outcome):
            continue
        hit = confirmed if anchor.certainty != "recall" else likely
        version = next((entry.recognition.amt_version for entry in entries if entry.recognition.amt_version), "")
        yield hit(
            *proofs(alike),
            severity=Severity(anchor.severity or "high"),
            said=_first_sentence(anchor.meaning),
            product=_product(case, alike[0]),
            step=anchor.step,
            meaning=anchor.meaning + (f" The machine has AMT {version}." if version and device is None else ""),
            advice=anchor.fix,
        )


def _product(case: Case, entry: LogEntry) -> str:
    if entry.recognition.product:
        return entry.recognition.product
    name = case.story.at(entry.ref)[0]
    return next((log.product for log in case.story.logs if log.name == name and log.product), "") or ANY_TOOL


def _rpc_error(entry: LogEntry) -> RpcError | None:
    """The row of a line, by its name and details where it has them, else by its number."""
    low = entry.text.lower()
    rows = [row for row in rpc_errors() if row.name.lower() in low]
    rows = [row for row in rows if row.details != "-" and row.details.lower() in low] or rows
    numbered = [row for row in rows or rpc_errors() if str(row.code) == entry.code]
    if not numbered and rows and not entry.code:
        return rows[0]
    if len(numbered) > 1:  # two names share a number
        return next((row for row in numbered if row.details == "-"), None)
    return numbered[0] if numbered else None


def _rpc(_case: Case, entries: Sequence[LogEntry], _device: Device | None) -> Iterator[Answer]:
    caused = _names_a_cause(entries)
    by_row: dict[RpcError | str, list[LogEntry]] = {}
    for entry in entries:
        if entry.rule == "AMT-LOG-RPC" and not (caused and _only_outcome(entry)):
            by_row.setdefault(_rpc_error(entry) or entry.code, []).append(entry)
    for row, alike in by_row.items():
        if isinstance(row, str):
            yield confirmed(
                *proofs(alike),
                severity=Severity.MEDIUM,
                number=row or "without a number",
                name="",
                said="not in its table as it is known here",
                step="unknown",
                meaning="Its own table, as it is known here, has no such number.",
                advice="Read the sentence behind it, and the lines before.",
            )
            continue
        yield confirmed(
            *proofs(alike),
            severity=Severity(row.severity),
            number=row.code,
            name=row.name,
            said=_first_sentence(row.explanation),
            step=row.step,
            meaning=row.explanation,
            advice=row.fix,
        )


def _quoted(_case: Case, entries: Sequence[LogEntry], _device: Device | None) -> Iterator[Answer]:
    version = next((entry.recognition.amt_version for entry in entries if entry.recognition.amt_version), "")
    by_answer: dict[tuple[str, str, str], list[LogEntry]] = {}
    for entry in entries:
        if entry.rule == "AMT-LOG-WSM":
            by_answer.setdefault((entry.recognition.call, entry.code, entry.recognition.fault), []).append(entry)
    for (call, code, fault), alike in by_answer.items():
        severity, status, meaning, advice = _answer(call, code, fault)
        yield confirmed(
            *proofs(alike),
            severity=severity,
            call=call or "A call",
            status=status,
            meaning=meaning,
            advice=advice,
            version=f" The machine has AMT {version}." if version else "",
        )


def _answer(call: str, code: str, fault: str) -> tuple[Severity, str, str, str]:
    """Severity, status in words, meaning and advice of an answer."""
    from amtdecode.protocols.soap.pt_status import VENDOR_BASE
    from amtdecode.protocols.soap.tables import return_name

    if fault or not code.isdigit():
        advice = "Compare the request with what this class takes: the subcode names the part that is wrong."
        return Severity.HIGH, f"fault {fault}".strip(), "The machine refused the request.", advice
    value = int(code)
    owner, _, method = call.rpartition(".")
    text, name, meaning = return_name(owner, method, value)
    own = return_advice().get((call, value))
    if own is not None:
        return own.severity, text, own.explanation, own.fix
    known = status_advice().get(value - VENDOR_BASE if value > VENDOR_BASE else value)
    if known is not None and text.startswith("PT_STATUS"):
        return known.severity, text, known.explanation, known.fix
    said = meaning or (f"The machine did not do it: {name}." if name else "The machine did not do it.")
    return Severity.HIGH, text, said, "Look the value up in the documentation of this call: each has its own."


declare(RULES, "AMT-LOG-STEP", _steps, all_lines=True)
declare(RULES, "AMT-LOG-RPC", _rpc, all_lines=True)
declare(RULES, "AMT-LOG-WSM", _quoted, all_lines=True)


@RULES.fleet("AMT-LOG-ERR", needs=(needs.LOG_FILE,))
def unknown_errors(case: Case) -> Iterator[Answer]:
    for log in case.story.logs:
        if not log.errors or not (log.product or log.entries):
            continue
        explained = any(
            entry.kind in ("failure", "success") and case.story.at(entry.ref)[0] == log.name
            for entries in (case.story.log_entries, *(device.log_entries for device in case.story.devices))
            for entry in entries
        )
        yield confirmed(
            *log.first_errors,
            severity=Severity.LOW if explained else Severity.MEDIUM,
            lines=counted(log.errors, "line"),
            product=log.product or ANY_TOOL,
            first=f'"{log.first_errors[0][1]}"' if log.first_errors else "not kept",
            advice=log.verbose,
        )
