"""What several sensors saw becomes one story: machines that are one, and what surrounds them, site by site."""

from __future__ import annotations

from typing import TYPE_CHECKING

from amtdecode.provisioning.fold.health import cover
from amtdecode.provisioning.state.placeholders import tells_apart
from amtdecode.provisioning.state.terms import Standing

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from amtdecode.provisioning.journal.sites import Site
    from amtdecode.provisioning.machines import Machines
    from amtdecode.provisioning.state import Device, Story

TABLES = (
    "leases",
    "lookups",
    "reverse",
    "server_lookups",
    "arp",
    "pings",
    "port_logins",
    "port_asks",
    "neighbours",
    "kdc_errors",
    "icmp",
    "sides",
    "hello_servers",
    "comments",
    "names",
    "health",
)
"""Of a story: what surrounds the machines, by addresses and other keys of one site."""


def put_together(fleet: Machines, sites: list[Site]) -> None:
    """Join machines that are one, and give the fleet's story what the sites saw."""
    _join(fleet, sites)
    story = fleet.story
    for site in sites:
        _add(story, site.story)
    cover(story)
    if len(sites) > 1:
        for index, site in enumerate(sites):
            seen = site.story
            seen.seen, seen.first, seen.last, seen.observations = (
                story.seen,
                story.first,
                story.last,
                story.observations,
            )
            seen.covered, seen.health = story.covered, story.health
            story.sites.append(seen)
            for number in site.places:
                if not any(number in other.places for other in sites if other is not site):
                    story.site_of[number] = index


def _add(story: Story, seen: Story) -> None:
    for name in TABLES:
        table = getattr(story, name)
        for key, value in getattr(seen, name).items():
            table.setdefault(key, value)
    story.add_up(seen.observations, seen.first, seen.last, seen.seen)


def _join(fleet: Machines, sites: list[Site]) -> None:
    """Machines seen at different places, of which only other marks than the UUID say that they are one."""
    places: dict[int, set[tuple[str, int]]] = {}
    for site in sites:
        for number, held in site.places.items():
            places.setdefault(number, set()).update(held)
    if len(set().union(*places.values())) < 2:
        return
    marks: tuple[Callable[[Device], Iterable[str]], ...] = (
        lambda device: [device.mac] if device.mac else [],
        lambda device: {hello.pid for hello in device.hellos if hello.pid},
        lambda device: [device.fqdn.lower()] if "." in device.fqdn else [],
    )
    for mark in marks:
        groups: dict[str, list[Device]] = {}
        for device in fleet.present():
            for value in mark(device):
                groups.setdefault(value, []).append(device)
        for group in groups.values():
            _join_group(fleet, [each for each in group if each.standing is not Standing.JOINED], places)


def _join_group(fleet: Machines, group: list[Device], places: dict[int, set[tuple[str, int]]]) -> None:
    named = [each for each in group if each.uuid and tells_apart(each.uuid)]
    if len(group) < 2 or len(named) > 1:  # of several UUIDs none can be meant
        return
    device = named[0] if named else group[0]
    for other in group:
        if other is not device and not places.get(other.id, set()) & places.get(device.id, set()):
            fleet.unite(other, device)
            places.setdefault(device.id, set()).update(places.get(other.id, ()))
