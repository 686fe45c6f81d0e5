"""AMT-VER-*: whether AMT, SCS and their surroundings go together."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from amtdecode.diagnosis import needs
from amtdecode.diagnosis.knowledge import scs_support
from amtdecode.diagnosis.question import Question
from amtdecode.diagnosis.rule import Rules, confirmed, likely, possible
from amtdecode.diagnosis.severity import Severity
from amtdecode.diagnosis.versions import is_mebx_version, version_tuple

if TYPE_CHECKING:
    from collections.abc import Iterator

    from amtdecode.diagnosis.case import Case
    from amtdecode.diagnosis.rule import Answer
    from amtdecode.provisioning.state import Device, Ref

IN_MATRIX = (
    "SCS {scs} does not serve AMT {amt}: the major version of SCS serves AMT up to the same number, and SCS 1.x only "
    "up to 2.1."
)
OUTSIDE_MATRIX = (
    "SCS has a lower major number than AMT. In 2007 that meant that SCS did not serve it; whether that rule holds for "
    "AMT after 3 is not documented."
)
FIRST_GENERATION = ((2, 0), (2, 1), (2, 2))
UNS_SINCE = (3, 0)
MATRIX_UNTIL = 3  # the rule of 2007 that SCS serves AMT up to its own major number covers AMT up to 3
MANY_GENERATIONS = 12  # from SCS 12 on one version serves several generations of AMT, whatever its number


def _seen(case: Case, device: Device) -> tuple[Ref, str]:
    version = case.version(device)
    return (
        device.version_ref,
        f"AMT {version}, as its HTTP server says" if device.version_ref else f"AMT {version}, as the site file says",
    )


def too_old(scs: tuple[int, ...], amt: tuple[int, ...]) -> bool:
    """Whether this SCS does not serve this AMT, which is at most 3, by the matrix of 2007."""
    rows = [
        row
        for row in scs_support()
        if row.use == "any" and row.scs_from <= scs and (not row.scs_below or scs < row.scs_below)
    ]
    listed = any(row.amt_to is not None and amt[:2] > row.amt_to[:2] for row in rows)
    return scs[0] < amt[0] and (listed or not rows)


RULES = Rules(Question.VERSIONS)


@RULES.machine("AMT-VER-001", when=(needs.INTEL_SCS,), needs=(needs.SCS_VERSION, needs.AMT_VERSION))
def old_scs(case: Case, device: Device) -> Iterator[Answer]:
    scs, amt = version_tuple(case.site.scs.version), version_tuple(case.version(device))
    values: dict[str, Any] = {"scs": case.site.scs.version, "amt": case.version(device)}
    if amt[0] > MATRIX_UNTIL:
        if scs[0] < min(amt[0], MANY_GENERATIONS):
            yield possible(_seen(case, device), severity=Severity.LOW, why=OUTSIDE_MATRIX, **values)
    elif too_old(scs, amt):
        yield confirmed(_seen(case, device), why=IN_MATRIX.format(**values), **values)


@RULES.machine("AMT-VER-003", when=(needs.VERSION_LISTED,))
def bios_extension_version(case: Case, device: Device) -> Iterator[Answer]:
    told = case.told_version(device)
    if is_mebx_version(told):
        seen = [(device.version_ref, f"the machine itself says AMT {device.amt_version}")] if device.version_ref else []
        answer = confirmed if seen else likely
        yield answer(*seen, (0, f"the site file says {told}"), told=told)


@RULES.machine("AMT-VER-002", when=(needs.UPGRADE_PLANNED,), needs=(needs.AMT_VERSION,))
def impossible_upgrade(case: Case, device: Device) -> Iterator[Answer]:
    wanted, amt = version_tuple(case.machine(device).upgrade_to), version_tuple(case.version(device))
    if amt[:2] in FIRST_GENERATION and wanted[0] >= 3:
        last = amt[:2] == FIRST_GENERATION[-1]
        advice = (
            "Keep 2.2: it has remote configuration." if last else "Update to 2.2, which brings remote configuration."
        )
        yield confirmed(
            _seen(case, device), amt=case.version(device), wanted=case.machine(device).upgrade_to, advice=advice
        )


@RULES.machine("AMT-VER-004", when=(needs.UNS_EXPECTED,), needs=(needs.AMT_VERSION,))
def no_notification_service(case: Case, device: Device) -> Iterator[Answer]:
    if version_tuple(case.version(device))[:2] < UNS_SINCE:
        yield possible(_seen(case, device), amt=case.version(device))


@RULES.fleet("AMT-VER-SCS1", when=(needs.INTEL_SCS,), needs=(needs.SCS_VERSION,))
def first_scs(case: Case) -> Iterator[Answer]:
    if version_tuple(case.site.scs.version)[0] == 1:
        yield confirmed((0, f"the site file says SCS {case.site.scs.version}"), scs=case.site.scs.version)
