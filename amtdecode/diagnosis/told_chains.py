"""The certificate chains of a story, each once, with what the checks say and whose it is: for pages that show them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from amtdecode.diagnosis.case import Case
from amtdecode.diagnosis.certificates import read_chain
from amtdecode.diagnosis.chains import checks, presented
from amtdecode.diagnosis.site import Site

if TYPE_CHECKING:
    from amtdecode.artifacts.certificates import Check
    from amtdecode.protocols.tls.certificates import CertificateInfo
    from amtdecode.provisioning.state import Story

MAX_CHAINS = 200  # told
ORDER = ("fail", "warn", "unknown", "pass")


class ToldChain(msgspec.Struct, kw_only=True):
    """One chain. Its texts may be captured ones: escape them."""

    setup: bool
    """Shown to machines to set them up; else a machine's own."""
    certificates: tuple[CertificateInfo, ...]
    checks: list[Check] = msgspec.field(default_factory=list)
    """Those that fail first."""
    machines: list[int] = msgspec.field(default_factory=list)
    """Ids of the machines for which it was judged so."""


def chains_of(story: Story, site: Site | None = None) -> list[ToldChain]:
    """Every chain seen or given, up to `MAX_CHAINS`; one that is judged differently for two machines stands twice."""
    case = Case(story, site or Site(), {})
    told: dict[object, ToldChain] = {}
    for device in story.devices:
        for chain in presented(case, device):
            made = checks(case, device, chain)
            found = told.get(key := (chain.certificates, id(made)))
            if found is None and len(told) < MAX_CHAINS:
                ordered = sorted(made, key=lambda check: ORDER.index(check.outcome))
                found = told[key] = ToldChain(setup=True, certificates=chain.certificates, checks=ordered)
            if found is not None:
                found.machines.append(device.id)
        for session in device.sessions:
            tls = session.handshake
            if tls is None or not tls.server_chain or session.server not in device.addresses:
                continue
            found = told.get(own := tls.server_chain)
            if found is None and len(told) < MAX_CHAINS:
                found = told[own] = ToldChain(setup=False, certificates=read_chain(case, own))
            if found is not None and device.id not in found.machines:
                found.machines.append(device.id)
    return [*told.values()]
