"""AMT-VER-*: whether AMT, SCS and their surroundings go together."""

from __future__ import annotations

from typing import TYPE_CHECKING

from amtdecode.diagnosis.knowledge import scs_support
from amtdecode.diagnosis.rule import Missing, confirmed, likely, possible
from amtdecode.diagnosis.words import version_tuple

if TYPE_CHECKING:
    from collections.abc import Iterator

    from amtdecode.diagnosis.rule import Answer, Case, DeviceRule, FleetRule
    from amtdecode.provisioning.facts import Device, Ref

FIRST_GENERATION = ((2, 0), (2, 1), (2, 2))
UNS_SINCE = (3, 0)
MEBX_MINOR = 10  # no AMT version has a minor number this high; MEBx versions such as 2.15.15.0000 do


def _seen(case: Case, device: Device) -> tuple[Ref, str]:
    version = case.version(device)
    return (
        device.version_ref,
        f"AMT {version}, as its HTTP server says" if device.version_ref else f"AMT {version}, as the site file says",
    )


def old_scs(case: Case, device: Device) -> Iterator[Answer]:
    """AMT-VER-001."""
    scs, amt = version_tuple(case.site.scs.version), version_tuple(case.version(device))
    if not scs or not amt:
        yield Missing(
            "version of SCS (--site: scs.version)" if not scs else "AMT version of the machine (--site: amt_version)"
        )
        return
    rows = [
        row
        for row in scs_support()
        if row.use == "any" and row.scs_from <= scs and (not row.scs_below or scs < row.scs_below)
    ]
    branch = amt[:2]
    too_old = any(row.amt_to is not None and branch > row.amt_to[:2] for row in rows) if rows else scs[0] < amt[0]
    if too_old and (scs[0] < amt[0] or scs[0] == 1):
        yield confirmed(_seen(case, device), scs=case.site.scs.version, amt=case.version(device))


def impossible_upgrade(case: Case, device: Device) -> Iterator[Answer]:
    """AMT-VER-002."""
    wanted = version_tuple(case.machine(device).upgrade_to)
    if not wanted:
        return
    amt = version_tuple(case.version(device))
    if not amt:
        yield Missing("AMT version of the machine (--site: amt_version)")
    elif amt[:2] in FIRST_GENERATION and wanted[0] >= 3:
        yield confirmed(_seen(case, device), amt=case.version(device), wanted=case.machine(device).upgrade_to)


def bios_extension_version(case: Case, device: Device) -> Iterator[Answer]:
    """AMT-VER-003."""
    told = case.machine(device).amt_version or case.site.amt_version
    version = version_tuple(told)
    if len(version) == 4 and version[0] <= 3 and version[1] >= MEBX_MINOR:
        seen = [(device.version_ref, f"the machine itself says AMT {device.amt_version}")] if device.version_ref else []
        answer = confirmed if seen else likely
        yield answer(*seen, (0, f"the site file says {told}"), told=told)


def no_notification_service(case: Case, device: Device) -> Iterator[Answer]:
    """AMT-VER-004."""
    if not case.machine(device).uns:
        return
    amt = version_tuple(case.version(device))
    if not amt:
        yield Missing("AMT version of the machine (--site: amt_version)")
    elif amt[:2] < UNS_SINCE:
        yield possible(_seen(case, device), amt=case.version(device))


def first_scs(case: Case) -> Iterator[Answer]:
    """AMT-VER-SCS1."""
    scs = version_tuple(case.site.scs.version)
    if not scs:
        yield Missing("version of SCS (--site: scs.version)")
    elif scs[0] == 1:
        yield confirmed((0, f"the site file says SCS {case.site.scs.version}"), scs=case.site.scs.version)


NEED_SITE = frozenset(("AMT-VER-001", "AMT-VER-002", "AMT-VER-003", "AMT-VER-004"))
"""Rules that can only fire with a site file."""

RULES: tuple[DeviceRule, ...] = (
    ("AMT-VER-001", old_scs),
    ("AMT-VER-003", bios_extension_version),
    ("AMT-VER-002", impossible_upgrade),
    ("AMT-VER-004", no_notification_service),
)
FLEET_RULES: tuple[FleetRule, ...] = (("AMT-VER-SCS1", first_scs),)
