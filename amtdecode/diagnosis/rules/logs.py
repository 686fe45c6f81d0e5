"""AMT-LOG-*: what the logs of the server say."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from amtdecode.artifacts.logs.anchors import table
from amtdecode.counting import counted
from amtdecode.diagnosis import needs
from amtdecode.diagnosis.log_rules import MAX_LINES, declare, proofs
from amtdecode.diagnosis.phrases import quoted
from amtdecode.diagnosis.question import Question
from amtdecode.diagnosis.rule import Answer, Missing, Rules, confirmed, likely
from amtdecode.diagnosis.rules.replay import hello_after_commit
from amtdecode.diagnosis.severity import Severity
from amtdecode.masking import masked
from amtdecode.provisioning.state.incidents import KerberosLogin, RequestRefusedOften

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from amtdecode.diagnosis.case import Case
    from amtdecode.provisioning.state import Device, LogEntry

HOUR = 3_600_000_000_000  # nanoseconds
OFTEN = 3  # times in an hour that make 137 serious
CODE = re.compile(r"\(0x[0-9a-fA-F]+\)")


def _listed(_case: Case, entries: Sequence[LogEntry], _device: Device | None) -> Iterator[Answer]:
    """All of them, with their codes."""
    codes = ", ".join(dict.fromkeys(entry.code for entry in entries if entry.code))
    yield confirmed(*proofs(entries), count=len(entries), codes=codes, address=entries[-1].address or "the machine")


def _already(case: Case, entries: Sequence[LogEntry], device: Device | None) -> Iterator[Answer]:
    replayed = device is not None and any(True for _ in hello_after_commit(case, device))
    yield confirmed(*proofs(entries), severity=Severity.CRITICAL if replayed else None, count=len(entries))


def _busy(_case: Case, entries: Sequence[LogEntry], device: Device | None) -> Iterator[Answer]:
    seen = device is not None and bool(device.incidents_of(RequestRefusedOften))
    times = sorted(entry.time for entry in entries if entry.time is not None)
    often = any(late - early <= HOUR for early, late in zip(times, times[OFTEN - 1 :], strict=False))
    yield confirmed(*proofs(entries), severity=Severity.HIGH if often or seen else None, count=len(entries))


def _kerberos(case: Case, device: Device | None) -> bool | None:
    if case.site.policy.kerberos is not None:
        return case.site.policy.kerberos
    return True if device is not None and device.incidents_of(KerberosLogin) else None


def _password(case: Case, entries: Sequence[LogEntry], device: Device | None) -> Iterator[Answer]:
    used = _kerberos(case, device)
    severity = Severity.HIGH if used else Severity.MEDIUM if used is None else Severity.LOW
    yield confirmed(*proofs(entries), severity=severity, count=len(entries))


def _clock(case: Case, entries: Sequence[LogEntry], device: Device | None) -> Iterator[Answer]:
    severity = Severity.HIGH if _kerberos(case, device) else Severity.INFO
    yield confirmed(*proofs(entries), severity=severity, count=len(entries))


def _schannel(_case: Case, entries: Sequence[LogEntry], _device: Device | None) -> Iterator[Answer]:
    values = dict.fromkeys(entry.value for entry in entries)
    for value in [value for value in values if value] or values:  # a line without a number follows one that has it
        with_code = [entry for entry in entries if entry.value == value]
        code = table().codes.get(f"0x{value:08x}")
        yield confirmed(
            *proofs(with_code),
            codes=f"0x{value:08X} {code.name}" if code else f"0x{value:08X}" if value else "without a number",
            meaning=code.meaning if code else "The code is in no table here.",
            advice=code.fix if code else "Look at the handshake in a capture.",
        )


def _chained(_case: Case, entries: Sequence[LogEntry], _device: Device | None) -> Iterator[Answer]:
    known = table().codes
    for entry in entries[:MAX_LINES]:
        named = [f"{code} {known[code].name}" if code in known else code for code in entry.codes]
        said = f"The line names {', '.join(named)}." if named else "The line names no code."
        causes = [known[code] for code in entry.codes if code in known and not known[code].outcome]
        unknown = [code for code in entry.codes if code not in known]
        if causes:
            said += f" {causes[-1].meaning}"
        if unknown:
            sentence = masked(_sentence(entry.text, unknown[-1]))
            said += f" {unknown[-1]} is in no table here" + (
                f"; its sentence is {quoted(sentence)}." if sentence else "."
            )
        advice = "Look for the reason in the lines around it, and in the log of RCS."
        if causes or unknown:
            advice = causes[-1].fix if causes else f"Mend what the sentence before {unknown[-1]} names."
        yield confirmed((entry.ref, entry.text), said=said, advice=advice)


def _sentence(text: str, code: str) -> str:
    """What stands between a code and the one before it; "" where the text was cut before it."""
    before = text[: max(text.lower().find(code), 0)]
    return CODE.split(before)[-1].strip(" (")


def _unknown(_case: Case, entries: Sequence[LogEntry], _device: Device | None) -> Iterator[Answer]:
    numbers = ", ".join(dict.fromkeys(entry.code for entry in entries if entry.code))
    yield confirmed(*proofs(entries), codes=numbers or "a number", count=len(entries))


def _contact_back(case: Case, entries: Sequence[LogEntry], device: Device | None) -> Iterator[Answer]:
    address = next((entry.address for entry in entries if entry.address), "")
    hello = device.last_hello if device is not None else None
    lines = proofs(entries)
    if hello is not None and address and hello.source != address:
        lines.append((hello.ref, f"its latest hello comes from {hello.source}, the log names {address}"))
    if case.story.clock:
        lines.append((entries[0].ref, case.story.clock))
    yield confirmed(*lines, address=address or "the machine", count=len(entries))


RULES = Rules(Question.LOGS)

declare(RULES, "AMT-LOG-102", _already)
declare(RULES, "AMT-LOG-137", _busy)
declare(RULES, "AMT-LOG-139", _password)
declare(RULES, "AMT-LOG-407", _listed)
declare(RULES, "AMT-LOG-602", _clock)
declare(RULES, "AMT-LOG-913", _listed)
declare(RULES, "AMT-LOG-CCB", _contact_back)
declare(RULES, "AMT-LOG-TCP", _listed)
declare(RULES, "AMT-LOG-SCH", _schannel)
declare(RULES, "AMT-LOG-ACU", _chained)
declare(RULES, "AMT-LOG-103", _listed)
declare(RULES, "AMT-LOG-000", _unknown)


@RULES.fleet("AMT-LOG-VERB", needs=(needs.LOG_LEVEL,))
def not_verbose(case: Case) -> Iterator[Answer]:
    for file in case.story.registry_files:
        if file.log_level in ("W", "E"):
            yield confirmed(
                (file.ref, f'"LogLevel"="{file.log_level}"'),
                level=file.log_level,
                advice=table().products["Intel SCS"].verbose,
            )
            return
    if not case.story.logs:
        yield Missing(needs.NO_LOG)
        return
    for log in case.story.logs:
        if (log.entries or log.product) and log.levels and not {"info", "debug"}.intersection(log.levels):
            yield likely(
                (log.ref, f"levels in {log.name}: {', '.join(sorted(log.levels))}"),
                level="W or E",
                advice=log.verbose or "Tell the program that wrote the log to write more: its debug or trace level.",
            )
            return


@RULES.fleet("AMT-LOG-LEFTON", needs=(needs.REGISTRY,))
def left_on(case: Case) -> Iterator[Answer]:
    for file in case.story.registry_files:
        if file.log_level == "V":
            yield confirmed((file.ref, '"LogLevel"="V"'))


@RULES.fleet("AMT-LOG-ERRFILE", when=(needs.LOG_FILE,))
def error_file(case: Case) -> Iterator[Answer]:
    for log in case.story.logs:
        if log.name.replace("\\", "/").rpartition("/")[2].lower().startswith("scs_server.log"):
            yield confirmed((log.ref, f"{log.name} is there, with {counted(log.lines, 'line')}"), name=log.name)
