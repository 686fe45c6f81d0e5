"""All rules, in the order in which one failure causes the next. Adding one: a function, a line in its file, a text."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

from amtdecode.diagnosis import (
    application,
    certificates,
    contact,
    environment,
    hello,
    logs,
    names,
    network,
    psk,
    rcfg,
    security,
    versions,
)
from amtdecode.diagnosis.certificates import operational
from amtdecode.diagnosis.chains import presented
from amtdecode.diagnosis.environment import unreached
from amtdecode.diagnosis.handshakes import pki_stops, psk_stops
from amtdecode.diagnosis.site import Site

if TYPE_CHECKING:
    from amtdecode.diagnosis.rule import Case, DeviceRule, FleetRule
    from amtdecode.provisioning.facts import Device


NO_SITE = Site()
TOLD_BY_LOGS = "AMT-RCFG-023"  # a rule of packets that a row of a log may answer too


@functools.cache
def device_rules() -> tuple[DeviceRule, ...]:
    """The rules asked of every machine."""
    return (
        *network.RULES,
        *names.RULES,
        *hello.RULES,
        *contact.RULES,
        *psk.RULES,
        *certificates.OF_CHAIN,
        *rcfg.RULES,
        *application.RULES,
        *logs.RULES,
        *security.RULES,
        *certificates.RULES,
        *versions.RULES,
        *environment.RULES,
    )


@functools.cache
def _needs() -> dict[str, frozenset[str]]:
    """The rules that have nothing to say of a machine without a kind of evidence, or only that it is missing."""
    of_packets = (network, names, hello, contact, psk, rcfg, security, certificates)
    of_marks = application.NEED_MARKS | security.NEED_MARKS | hello.NEED_MARKS | contact.NEED_MARKS
    return {
        "rows": frozenset(rule_id for rule_id, _ in logs.RULES),
        "marks": of_marks,
        "packets": (frozenset(rule_id for each in of_packets for rule_id, _ in each.RULES) | certificates.NEED_CHAIN)
        - of_marks
        - {TOLD_BY_LOGS},
        "lookups": names.NEED_LOOKUPS,
        "leases": frozenset(rule_id for rule_id, _ in network.RULES),
        "psk stops": psk.NEED_STOP,
        "pki stops": rcfg.NEED_STOP,
        "chains": rcfg.NEED_CHAIN | certificates.NEED_CHAIN | hello.NEED_CHAIN,
        "management": certificates.NEED_MANAGEMENT,
        "attempts": frozenset(("AMT-HELLO-019", "AMT-REPLAY-001")),
        "site": environment.NEED_SITE | versions.NEED_SITE,
    }


def lacking(case: Case, device: Device) -> frozenset[str]:
    """The kinds of evidence that a machine has none of."""
    kinds = []
    if not device.rows:
        kinds.append("rows")
    if not device.marks:
        kinds.append("marks")
    if not device.lookups:
        kinds.append("lookups")
    if not device.leases:
        kinds.append("leases")
    if not (device.lookups or device.leases or any(each.hellos or each.sessions for each in device.attempts)):
        kinds.append("packets")
    if not psk_stops(case, device):
        kinds.append("psk stops")
    if not pki_stops(case, device):
        kinds.append("pki stops")
    if device.method == "psk" and not presented(case, device):
        kinds.append("chains")
    if not operational(case, device):
        kinds.append("management")
    if len(device.attempts) < 2:
        kinds.append("attempts")
    if case.site == NO_SITE and not unreached(case, device):
        kinds.append("site")
    return frozenset(kinds)


@functools.cache
def rules_without(kinds: frozenset[str]) -> tuple[DeviceRule, ...]:
    """The rules worth asking of a machine that lacks these kinds of evidence."""
    idle = frozenset().union(*(_needs()[kind] for kind in kinds))
    return tuple(rule for rule in device_rules() if rule[0] not in idle)


@functools.cache
def fleet_rules() -> tuple[FleetRule, ...]:
    """The rules asked once, of all machines and files together."""
    return (
        *hello.FLEET_RULES,
        *rcfg.FLEET_RULES,
        *logs.FLEET_RULES,
        *security.FLEET_RULES,
        *certificates.FLEET_RULES,
        *versions.FLEET_RULES,
    )
