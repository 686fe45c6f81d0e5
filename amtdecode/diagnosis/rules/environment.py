"""AMT-ENV-*: whether the machine can be reached at all in its state and place."""

from __future__ import annotations

from typing import TYPE_CHECKING

from amtdecode.diagnosis import needs
from amtdecode.diagnosis.contacts import unreached
from amtdecode.diagnosis.question import Question
from amtdecode.diagnosis.rule import Missing, Rules, likely, possible
from amtdecode.diagnosis.site import within
from amtdecode.diagnosis.versions import version_tuple
from amtdecode.provisioning.state.incidents import SetupStep

if TYPE_CHECKING:
    from collections.abc import Iterator

    from amtdecode.diagnosis.case import Case
    from amtdecode.diagnosis.rule import Answer
    from amtdecode.provisioning.state import Device, Ref

WIRELESS_PROFILES_SINCE = (2, 5)
NEEDS_HOST = ("system isolation", "agent presence")


def _site_says(what: str) -> tuple[Ref, str]:
    return (0, f"the site file says {what}")


RULES = Rules(Question.ENVIRONMENT)


@RULES.machine("AMT-ENV-001", when=(needs.UNREACHED,))
def wireless_asleep(case: Case, device: Device) -> Iterator[Answer]:
    machine = case.machine(device)
    wireless = machine.link == "wireless" or within(device.address, case.site.network.wireless)
    if not machine.power:
        if wireless or unreached(case, device):
            yield Missing("power state of the machine (--site: machine.power)")
        return
    if wireless and machine.power in ("asleep", "off"):
        yield possible(
            _site_says(f"the machine is {machine.power} on a wireless link"),
            *unreached(case, device),
            power=machine.power,
        )


@RULES.machine("AMT-ENV-003", when=(needs.UNREACHED,))
def host_vpn(case: Case, device: Device) -> Iterator[Answer]:
    machine = case.machine(device)
    pool = within(device.address, case.site.network.vpn)
    if machine.vpn or pool:
        what = f"{device.address} lies in the VPN's pool" if pool else "the machine is on a VPN of its host"
        yield possible(_site_says(what), *unreached(case, device), what=what)
    elif machine.vpn is None and not case.site.network.vpn and unreached(case, device):
        yield Missing("addresses of the VPN (--site: network.vpn)")


@RULES.machine("AMT-ENV-005", when=(needs.UNREACHED,))
def isolated(case: Case, device: Device) -> Iterator[Answer]:
    if case.site.policy.system_isolation is None:
        if unreached(case, device):
            yield Missing("whether a System Isolation policy is active (--site: policy.system_isolation)")
        return
    if case.site.policy.system_isolation and (failed := unreached(case, device)):
        yield possible(_site_says("a System Isolation policy is active"), *failed)


@RULES.machine("AMT-ENV-002", when=(needs.UNREACHED,))
def battery_asleep(case: Case, device: Device) -> Iterator[Answer]:
    machine = case.machine(device)
    if machine.supply == "battery" and machine.power in ("asleep", "off"):
        yield possible(
            _site_says(f"the machine is {machine.power} on battery"), *unreached(case, device), power=machine.power
        )
    elif not machine.supply and unreached(case, device):
        yield Missing("power supply of the machine (--site: machine.supply)")


@RULES.machine("AMT-ENV-004", when=(needs.WIRELESS_PROFILE,), needs=(needs.AMT_VERSION,))
def wireless_profile(case: Case, device: Device) -> Iterator[Answer]:
    steps = [step for step in device.incidents_of(SetupStep) if step.step == "wireless profile"]
    asked = case.machine(device).wireless_profile
    if version_tuple(case.version(device))[:2] < WIRELESS_PROFILES_SINCE:
        proofs = [(step.ref, step.call) for step in steps] or [_site_says(f"a wireless profile {asked}")]
        answer = likely if steps else possible
        yield answer(*proofs, amt=case.version(device))


@RULES.machine("AMT-ENV-006", when=(needs.MACHINE_LISTED,))
def draft_n(case: Case, device: Device) -> Iterator[Answer]:
    if case.machine(device).wireless_profile == "n":
        yield possible(_site_says("a wireless profile of 802.11n"))


@RULES.machine("AMT-ENV-007", when=(needs.MACHINE_LISTED,))
def needs_host(case: Case, device: Device) -> Iterator[Answer]:
    machine = case.machine(device)
    asked = [feature for feature in machine.features if feature.lower() in NEEDS_HOST]
    if asked and machine.power in ("asleep", "off"):
        names = " and ".join(asked)
        yield possible(_site_says(f"{names} on a machine that is {machine.power}"), features=names, power=machine.power)
    elif asked and not machine.power:
        yield Missing("power state of the machine (--site: machine.power)")
