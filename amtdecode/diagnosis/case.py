"""What a rule may ask: the story, the site file, and what other rules found out of them."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from amtdecode.diagnosis.site import NOBODY
from amtdecode.diagnosis.versions import is_mebx_version
from amtdecode.provisioning.state.incidents import Pong

if TYPE_CHECKING:
    from collections.abc import Callable

    from amtdecode.diagnosis.site import Machine, Site
    from amtdecode.provisioning.state import Device, Story

Value = TypeVar("Value")


SENTENCES = 1024  # of a report that are looked up, for those said again
ABOUT_ALL: list[Callable[[Case], object]] = []


class Case(NamedTuple):
    """What a rule may ask."""

    story: Story
    site: Site
    shared: dict[Any, Any]  # results worth computing once, by name

    def same(self, text: str) -> str:
        """The one copy of a sentence: a fleet repeats itself."""
        known: dict[str, str] = self.shared.setdefault("sentences", {})
        if len(known) >= SENTENCES:
            known.clear()
        return known.setdefault(text, text)

    def machine(self, device: Device) -> Machine:
        """What the site file says of a machine."""
        if not self.site.machine:
            return NOBODY
        return self.site.of(device.uuid, device.addresses, device.fqdn)

    def agent(self, device: Device) -> bool | None:
        """Whether an agent on the host starts the configuration, as the site file says."""
        told = self.machine(device).agent
        return self.site.hosts.agent if told is None else told

    def version(self, device: Device) -> str:
        """AMT version: seen on the wire, else as the site file says; "" when unknown, or when that is one of MEBx."""
        told = device.amt_version or ponged_version(device) or self.told_version(device)
        return "" if is_mebx_version(told) else told

    def told_version(self, device: Device) -> str:
        """The version that the site file gives, whatever it is one of."""
        return self.machine(device).amt_version or self.site.amt_version


def ponged_version(device: Device) -> str:
    """The version in the latest pong: major and minor."""
    pongs = device.incidents_of(Pong)
    return pongs[-1].version if pongs else ""


def about_all(function: Callable[[Case], Value]) -> Callable[[Case], Value]:
    """Remember what is found out of all machines together.

    It is asked before the first machine is judged, since machines are let go as they are.
    """

    @functools.wraps(function)
    def ask(case: Case) -> Value:
        if function not in case.shared:
            case.shared[function] = function(case)
        return case.shared[function]  # type: ignore[no-any-return]

    ABOUT_ALL.append(ask)
    return ask


def per_machine(function: Callable[[Case, Device], Value]) -> Callable[[Case, Device], Value]:
    """Remember the answer about the latest machine: many rules ask the same of one in turn."""

    @functools.wraps(function)
    def ask(case: Case, device: Device) -> Value:
        known = case.shared.get(function)
        if known is not None and known[0] is device:
            return known[1]  # type: ignore[no-any-return]
        answer = function(case, device)
        case.shared[function] = (device, answer)
        return answer

    return ask
