"""AMT-LOG-*: what the logs of the server say."""

from __future__ import annotations

from typing import TYPE_CHECKING

from amtdecode.diagnosis.knowledge import acu_codes, schannel_codes
from amtdecode.diagnosis.rule import Missing, confirmed, likely

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from amtdecode.diagnosis.rule import Answer, Case, DeviceRule, FleetRule
    from amtdecode.provisioning.facts import Device, Row

HOUR = 3_600_000_000_000  # nanoseconds
OFTEN = 3  # times in an hour that make 137 serious
MAX_PROOFS = 8
NO_LOG = "no log of the setup server"
RULE_IDS = ("AMT-LOG-102", "AMT-LOG-137", "AMT-LOG-139", "AMT-LOG-407", "AMT-LOG-602", "AMT-LOG-913", "AMT-LOG-CCB",
            "AMT-LOG-TCP", "AMT-LOG-SCH", "AMT-LOG-ACU", "AMT-LOG-103", "AMT-LOG-000")  # fmt: skip


def _proofs(rows: list[Row]) -> list[tuple[int, str]]:
    return [(row.ref, row.text) for row in rows[:MAX_PROOFS]]


def judge(case: Case, rule_id: str, rows: Iterable[Row], device: Device | None) -> Iterator[Answer]:
    """The answer of one log rule, out of the rows of one machine, or of those that name none."""
    found = [row for row in rows if row.rule == rule_id]
    if not found:
        return
    extra = EXTRA.get(rule_id)
    if extra is not None:
        yield from extra(case, found, device)
        return
    codes = ", ".join(dict.fromkeys(row.code for row in found if row.code))
    yield confirmed(*_proofs(found), count=len(found), codes=codes, address=found[-1].address or "the machine")


def _already(case: Case, rows: list[Row], device: Device | None) -> Iterator[Answer]:
    from amtdecode.diagnosis.security import hello_after_commit

    replayed = device is not None and any(True for _ in hello_after_commit(case, device))
    yield confirmed(*_proofs(rows), severity="critical" if replayed else None, count=len(rows))


def _busy(_case: Case, rows: list[Row], device: Device | None) -> Iterator[Answer]:
    seen = device is not None and bool(device.marked("log.often"))
    times = sorted(row.time for row in rows if row.time is not None)
    often = any(late - early <= HOUR for early, late in zip(times, times[OFTEN - 1 :], strict=False))
    yield confirmed(*_proofs(rows), severity="high" if often or seen else None, count=len(rows))


def _kerberos(case: Case, device: Device | None) -> bool | None:
    if case.site.policy.kerberos is not None:
        return case.site.policy.kerberos
    return True if device is not None and device.marked("http.kerberos") else None


def _password(case: Case, rows: list[Row], device: Device | None) -> Iterator[Answer]:
    used = _kerberos(case, device)
    yield confirmed(*_proofs(rows), severity="high" if used else "medium" if used is None else "low", count=len(rows))


def _clock(case: Case, rows: list[Row], device: Device | None) -> Iterator[Answer]:
    yield confirmed(*_proofs(rows), severity="high" if _kerberos(case, device) else "info", count=len(rows))


def _schannel(_case: Case, rows: list[Row], _device: Device | None) -> Iterator[Answer]:
    known = schannel_codes()
    for value in dict.fromkeys(row.value for row in rows):
        with_code = [row for row in rows if row.value == value]
        code = known.get(value)
        yield confirmed(
            *_proofs(with_code),
            codes=f"0x{value:08X} {code.name}" if code else f"0x{value:08X}" if value else "without a number",
            meaning=code.explanation if code else "The code is in no table here.",
            advice=code.fix if code else "Look at the handshake in a capture.",
        )


def _chained(_case: Case, rows: list[Row], _device: Device | None) -> Iterator[Answer]:
    known = acu_codes()
    for row in rows[:MAX_PROOFS]:
        codes = [int(code, 16) for code in row.codes]
        chain = [known[code] for code in codes if code in known]
        inner = chain[INNERMOST] if len(chain) > 1 else chain[0] if chain else None
        named = [f"0x{code:08x} {known[code].title}" if code in known else f"0x{code:08x}" for code in codes]
        yield confirmed(
            (row.ref, row.text),
            codes=", ".join(named) or "no code",
            meaning=inner.explanation if inner else "The innermost cause is in the text.",
            advice=inner.fix if inner else "Read the chain from its end: the last cause is nearest to the fault.",
        )


INNERMOST = -1  # codes are chained from the outcome to its cause


def _unknown(_case: Case, rows: list[Row], _device: Device | None) -> Iterator[Answer]:
    numbers = ", ".join(dict.fromkeys(row.code for row in rows if row.code))
    yield confirmed(*_proofs(rows), codes=numbers or "a number", count=len(rows))


def _contact_back(case: Case, rows: list[Row], device: Device | None) -> Iterator[Answer]:
    address = next((row.address for row in rows if row.address), "")
    hello = device.last_hello if device is not None else None
    proofs = _proofs(rows)
    if hello is not None and address and hello.source != address:
        proofs.append((hello.ref, f"its latest hello comes from {hello.source}, the log names {address}"))
    if case.story.clock:
        proofs.append((rows[0].ref, case.story.clock))
    yield confirmed(*proofs, address=address or "the machine", count=len(rows))


EXTRA: dict[str, Callable[[Case, list[Row], Device | None], Iterator[Answer]]] = {
    "AMT-LOG-102": _already,
    "AMT-LOG-137": _busy,
    "AMT-LOG-139": _password,
    "AMT-LOG-602": _clock,
    "AMT-LOG-SCH": _schannel,
    "AMT-LOG-ACU": _chained,
    "AMT-LOG-000": _unknown,
    "AMT-LOG-CCB": _contact_back,
}


def of_machine(rule_id: str) -> Callable[[Case, Device], Iterator[Answer]]:
    """A log rule asked of one machine."""

    def ask(case: Case, device: Device) -> Iterator[Answer]:
        if device.rows:
            yield from judge(case, rule_id, device.rows, device)

    return ask


def of_fleet(rule_id: str) -> Callable[[Case], Iterator[Answer]]:
    """A log rule asked of the rows that name no machine."""

    def ask(case: Case) -> Iterator[Answer]:
        if "log" not in case.story.seen:
            yield Missing(NO_LOG)
        yield from judge(case, rule_id, case.story.rows, None)

    return ask


def not_verbose(case: Case) -> Iterator[Answer]:
    """AMT-LOG-VERB."""
    for entry in case.story.files:
        level = getattr(entry, "log_level", "")
        if level in ("W", "E"):
            yield confirmed((entry.ref, f'"LogLevel"="{level}"'), level=level)
            return
    if not case.story.logs:
        yield Missing(NO_LOG)
        return
    for log in case.story.logs:
        if log.levels and not {"info", "debug"}.intersection(log.levels):
            yield likely((log.ref, f"levels in {log.name}: {', '.join(sorted(log.levels))}"), level="W or E")
            return


def left_on(case: Case) -> Iterator[Answer]:
    """AMT-LOG-LEFTON."""
    exported = [entry for entry in case.story.files if hasattr(entry, "log_level")]
    if not exported:
        yield Missing("the registry key of the setup service (an exported .reg file)")
    for entry in exported:
        if entry.log_level == "V":
            yield confirmed((entry.ref, '"LogLevel"="V"'))


def error_file(case: Case) -> Iterator[Answer]:
    """AMT-LOG-ERRFILE."""
    for log in case.story.logs:
        if log.name.replace("\\", "/").rpartition("/")[2].lower().startswith("scs_server.log"):
            yield confirmed((log.ref, f"{log.name} is there, with {log.lines} lines"), name=log.name)


RULES: tuple[DeviceRule, ...] = tuple((rule_id, of_machine(rule_id)) for rule_id in RULE_IDS)
FLEET_RULES: tuple[FleetRule, ...] = (
    *((rule_id, of_fleet(rule_id)) for rule_id in RULE_IDS),
    ("AMT-LOG-VERB", not_verbose),
    ("AMT-LOG-LEFTON", left_on),
    ("AMT-LOG-ERRFILE", error_file),
)
