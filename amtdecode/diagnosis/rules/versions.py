"""AMT-VER-*: whether AMT, SCS and their surroundings go together."""

from __future__ import annotations

from typing import TYPE_CHECKING

from amtdecode.diagnosis import needs
from amtdecode.diagnosis.knowledge import scs_support
from amtdecode.diagnosis.phrases import version_tuple
from amtdecode.diagnosis.question import Question
from amtdecode.diagnosis.rule import Rules, confirmed, likely, possible

if TYPE_CHECKING:
    from collections.abc import Iterator

    from amtdecode.diagnosis.case import Case
    from amtdecode.diagnosis.rule import Answer
    from amtdecode.provisioning.state import Device, Ref

FIRST_GENERATION = ((2, 0), (2, 1), (2, 2))
UNS_SINCE = (3, 0)
MEBX_MINOR = 10  # no AMT version has a minor number this high; MEBx versions such as 2.15.15.0000 do


def _seen(case: Case, device: Device) -> tuple[Ref, str]:
    version = case.version(device)
    return (
        device.version_ref,
        f"AMT {version}, as its HTTP server says" if device.version_ref else f"AMT {version}, as the site file says",
    )


RULES = Rules(Question.VERSIONS)


@RULES.machine("AMT-VER-001", needs=(needs.SCS_VERSION, needs.AMT_VERSION))
def old_scs(case: Case, device: Device) -> Iterator[Answer]:
    scs, amt = version_tuple(case.site.scs.version), version_tuple(case.version(device))
    rows = [
        row
        for row in scs_support()
        if row.use == "any" and row.scs_from <= scs and (not row.scs_below or scs < row.scs_below)
    ]
    branch = amt[:2]
    too_old = any(row.amt_to is not None and branch > row.amt_to[:2] for row in rows) if rows else scs[0] < amt[0]
    if too_old and (scs[0] < amt[0] or scs[0] == 1):
        yield confirmed(_seen(case, device), scs=case.site.scs.version, amt=case.version(device))


@RULES.machine("AMT-VER-003", when=(needs.VERSION_LISTED,))
def bios_extension_version(case: Case, device: Device) -> Iterator[Answer]:
    told = case.machine(device).amt_version or case.site.amt_version
    version = version_tuple(told)
    if len(version) == 4 and version[0] <= 3 and version[1] >= MEBX_MINOR:
        seen = [(device.version_ref, f"the machine itself says AMT {device.amt_version}")] if device.version_ref else []
        answer = confirmed if seen else likely
        yield answer(*seen, (0, f"the site file says {told}"), told=told)


@RULES.machine("AMT-VER-002", when=(needs.UPGRADE_PLANNED,), needs=(needs.AMT_VERSION,))
def impossible_upgrade(case: Case, device: Device) -> Iterator[Answer]:
    wanted, amt = version_tuple(case.machine(device).upgrade_to), version_tuple(case.version(device))
    if amt[:2] in FIRST_GENERATION and wanted[0] >= 3:
        yield confirmed(_seen(case, device), amt=case.version(device), wanted=case.machine(device).upgrade_to)


@RULES.machine("AMT-VER-004", when=(needs.UNS_EXPECTED,), needs=(needs.AMT_VERSION,))
def no_notification_service(case: Case, device: Device) -> Iterator[Answer]:
    if version_tuple(case.version(device))[:2] < UNS_SINCE:
        yield possible(_seen(case, device), amt=case.version(device))


@RULES.fleet("AMT-VER-SCS1", needs=(needs.SCS_VERSION,))
def first_scs(case: Case) -> Iterator[Answer]:
    if version_tuple(case.site.scs.version)[0] == 1:
        yield confirmed((0, f"the site file says SCS {case.site.scs.version}"), scs=case.site.scs.version)
