"""AMT-ENV-*: whether the machine can be reached at all in its state and place."""

from __future__ import annotations

from typing import TYPE_CHECKING

from amtdecode.diagnosis.contact import contacts
from amtdecode.diagnosis.rule import Missing, likely, per_machine, possible
from amtdecode.diagnosis.site import within
from amtdecode.diagnosis.words import version_tuple

if TYPE_CHECKING:
    from collections.abc import Iterator

    from amtdecode.diagnosis.rule import Answer, Case, DeviceRule
    from amtdecode.provisioning.facts import Device, Ref

WIRELESS_PROFILES_SINCE = (2, 5)
NEEDS_HOST = ("system isolation", "agent presence")


@per_machine
def unreached(case: Case, device: Device) -> list[tuple[Ref, str]]:
    """The proof that the latest contact did not reach the machine."""
    return [
        (session.ref, f"{session.client} to {session.server}:{session.port}: {session.state}")
        for session in contacts(case, device)[-1:]
        if not session.connected
    ]


def _told(what: str) -> tuple[Ref, str]:
    return (0, f"the site file says {what}")


def wireless_asleep(case: Case, device: Device) -> Iterator[Answer]:
    """AMT-ENV-001."""
    machine = case.machine(device)
    wireless = machine.link == "wireless" or within(device.address, case.site.network.wireless)
    if not machine.power:
        if wireless or unreached(case, device):
            yield Missing("power state of the machine (--site: machine.power)")
        return
    if wireless and machine.power in ("asleep", "off"):
        yield possible(
            _told(f"the machine is {machine.power} on a wireless link"), *unreached(case, device), power=machine.power
        )


def battery_asleep(case: Case, device: Device) -> Iterator[Answer]:
    """AMT-ENV-002."""
    machine = case.machine(device)
    if machine.supply == "battery" and machine.power in ("asleep", "off"):
        yield possible(
            _told(f"the machine is {machine.power} on battery"), *unreached(case, device), power=machine.power
        )
    elif not machine.supply and unreached(case, device):
        yield Missing("power supply of the machine (--site: machine.supply)")


def host_vpn(case: Case, device: Device) -> Iterator[Answer]:
    """AMT-ENV-003."""
    machine = case.machine(device)
    pool = within(device.address, case.site.network.vpn)
    if machine.vpn or pool:
        what = f"{device.address} lies in the VPN's pool" if pool else "the machine is on a VPN of its host"
        yield possible(_told(what), *unreached(case, device), what=what)
    elif machine.vpn is None and not case.site.network.vpn and unreached(case, device):
        yield Missing("addresses of the VPN (--site: network.vpn)")


def wireless_profile(case: Case, device: Device) -> Iterator[Answer]:
    """AMT-ENV-004."""
    marks = [mark for mark in device.marked("step") if mark.text == "wireless profile"]
    asked = case.machine(device).wireless_profile
    if not marks and not asked:
        return
    version = version_tuple(case.version(device))
    if not version:
        yield Missing("AMT version of the machine (--site: amt_version)")
    elif version[:2] < WIRELESS_PROFILES_SINCE:
        proofs = [(mark.ref, mark.name) for mark in marks] or [_told(f"a wireless profile {asked}")]
        answer = likely if marks else possible
        yield answer(*proofs, amt=case.version(device))


def isolated(case: Case, device: Device) -> Iterator[Answer]:
    """AMT-ENV-005."""
    if case.site.policy.system_isolation is None:
        if unreached(case, device):
            yield Missing("whether a System Isolation policy is active (--site: policy.system_isolation)")
        return
    if case.site.policy.system_isolation and (failed := unreached(case, device)):
        yield possible(_told("a System Isolation policy is active"), *failed)


def draft_n(case: Case, device: Device) -> Iterator[Answer]:
    """AMT-ENV-006."""
    if case.machine(device).wireless_profile == "n":
        yield possible(_told("a wireless profile of 802.11n"))


def needs_host(case: Case, device: Device) -> Iterator[Answer]:
    """AMT-ENV-007."""
    machine = case.machine(device)
    asked = [feature for feature in machine.features if feature.lower() in NEEDS_HOST]
    if asked and machine.power in ("asleep", "off"):
        names = " and ".join(asked)
        yield possible(_told(f"{names} on a machine that is {machine.power}"), features=names, power=machine.power)
    elif asked and not machine.power:
        yield Missing("power state of the machine (--site: machine.power)")


RULES: tuple[DeviceRule, ...] = (
    ("AMT-ENV-001", wireless_asleep),
    ("AMT-ENV-003", host_vpn),
    ("AMT-ENV-005", isolated),
    ("AMT-ENV-002", battery_asleep),
    ("AMT-ENV-004", wireless_profile),
    ("AMT-ENV-006", draft_n),
    ("AMT-ENV-007", needs_host),
)
NEED_SITE = frozenset(rule_id for rule_id, _ in RULES) - {"AMT-ENV-004"}
"""Rules that can only fire with a site file; without one they ask for it where a machine was not reached."""
