"""From the facts of a site to the ordered steps. The shape is exactly the JSON that `plan -T json` prints."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

import msgspec

from amtdecode.diagnosis.circumstances import Way
from amtdecode.diagnosis.knowledge import capabilities
from amtdecode.diagnosis.versions import version_tuple
from amtdecode.errors import UsageError
from amtdecode.planning.agent import OUT_OF_BAND_SINCE, needs_update
from amtdecode.planning.questions import unanswered

if TYPE_CHECKING:
    from amtdecode.diagnosis.site import Site
    from amtdecode.planning.step import Step

SCHEMA_VERSION = 1
FILES = {Way.PSK: "psk", Way.AGENT: "agent", Way.BARE_METAL: "bare_metal"}
CAPABILITY = {Way.PSK: "psk_setup", Way.AGENT: "remote_configuration", Way.BARE_METAL: "bare_metal"}


class PlannedStep(msgspec.Struct, kw_only=True, frozen=True):
    """One step of a plan."""

    number: int  # from 1
    id: str
    phase: str
    who: str
    title: str
    text: str
    proof: str
    """The packets, log lines or files that prove it, in words."""
    visible: bool
    """Whether `diagnose --plan` can see it itself."""
    source: str


class Plan(msgspec.Struct, kw_only=True, frozen=True):
    """The steps for one way of setup, AMT version and setup server."""

    schema: int = SCHEMA_VERSION
    way: Way
    title: str
    amt_version: str
    steps: tuple[PlannedStep, ...]


def way_of(site: Site) -> Way:
    """The way of setup that a site file names. Raises `UsageError` where it does not."""
    if lacking := unanswered(site):
        keys = ", ".join(question.key for question in lacking)
        raise UsageError(f"the site file does not say {keys}; on a terminal, `amtdecode plan` asks")
    if site.policy.method == "psk":
        return Way.PSK
    return Way.AGENT if site.hosts.agent else Way.BARE_METAL


def steps_of(site: Site) -> list[Step]:
    """The steps for a site, in their order. Raises `UsageError` for what is missing, or cannot be done."""
    way, version = way_of(site), version_tuple(site.amt_version)
    capability = capabilities()[CAPABILITY[way]]
    if version and capability.present(version) is False and not (way is Way.AGENT and needs_update(site)):
        raise UsageError(f"AMT {site.amt_version} cannot be set up this way: {capability.note}")
    steps: tuple[Step, ...] = import_module(f"amtdecode.planning.{FILES[way]}").STEPS
    return [step for step in steps if step.when is None or step.when(site)]


def make(site: Site) -> Plan:
    """The plan for a site. Raises `UsageError` as `steps_of`."""
    facts = _facts(site)
    way = way_of(site)
    made = [
        PlannedStep(
            number=number,
            id=step.id,
            phase=step.phase,
            who=step.who,
            title=step.title.format_map(facts),
            text=step.text.format_map(facts),
            proof=step.proof.format_map(facts),
            visible=step.look is not None,
            source=step.source,
        )
        for number, step in enumerate(steps_of(site), 1)
    ]
    return Plan(way=way, title=way.words, amt_version=site.amt_version, steps=tuple(made))


def _facts(site: Site) -> dict[str, str]:
    """What fills the `{names}` of steps."""
    version = version_tuple(site.amt_version)
    product = "the setup server" if site.scs.product == "other" else "Intel SCS"
    addresses = ", ".join(site.dns.provisionserver or site.scs.addresses)
    far = "From 2.1 on the console can send the firmware out of band." if version[:2] >= OUT_OF_BAND_SINCE else (
        "2.0 cannot be updated out of band: its operating system does it."
    )  # fmt: skip
    return {
        "amt": site.amt_version or "VERSION",
        "server": site.scs.fqdn or addresses or (f"{product} {site.scs.version}".strip()),
        "domains": ", ".join(site.dhcp.domains) or "not told: dhcp.domains",
        "port": str(site.scs.port),
        "window": f"{site.policy.window_hours:g}",
        "out_of_band": far,
    }
