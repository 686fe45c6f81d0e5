"""All rules, in the order in which one failure causes the next. Adding one: a function, a line in its file, a text."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from amtdecode.diagnosis.rule import DeviceRule, FleetRule


@functools.cache
def device_rules() -> tuple[DeviceRule, ...]:
    """The rules asked of every machine."""
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

    return (
        *network.RULES,
        *names.RULES,
        *hello.RULES,
        *contact.RULES,
        *psk.RULES,
        *rcfg.RULES,
        *application.RULES,
        *logs.RULES,
        *security.RULES,
        *certificates.RULES,
        *versions.RULES,
        *environment.RULES,
    )


@functools.cache
def rules_for(*, rows: bool, marks: bool, traffic: bool = True) -> tuple[DeviceRule, ...]:
    """The rules worth asking of a machine: of logs with rows, of calls with calls, of packets with packets."""
    from amtdecode.diagnosis import application, certificates, contact, hello, logs, names, network, psk, rcfg, security

    idle = set() if rows else {rule_id for rule_id, _ in logs.RULES}
    if not marks:
        idle.update(application.NEED_CALLS)
    if not traffic:
        for module in (network, names, hello, contact, psk, rcfg, security, certificates):
            idle.update(rule_id for rule_id, _ in module.RULES if rule_id != "AMT-RCFG-023")  # a log may tell that one
    return tuple(rule for rule in device_rules() if rule[0] not in idle)


@functools.cache
def fleet_rules() -> tuple[FleetRule, ...]:
    """The rules asked once, of all machines and files together."""
    from amtdecode.diagnosis import certificates, hello, logs, rcfg, security, versions

    return (
        *hello.FLEET_RULES,
        *rcfg.FLEET_RULES,
        *logs.FLEET_RULES,
        *security.FLEET_RULES,
        *certificates.FLEET_RULES,
        *versions.FLEET_RULES,
    )
