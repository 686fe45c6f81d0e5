"""Versions of AMT and SCS, power states, roots, and where certificates belong."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from amtdecode.diagnosis.knowledge import (
    capabilities,
    parse_version,
    placements,
    power_states,
    releases,
    root_lists,
    scs_support,
)
from amtdecode.explaining.topic import Facts, Topic
from amtdecode.protocols.hello.roots import ROOTS

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from amtdecode.artifacts.certificates.suffix import Version
    from amtdecode.diagnosis.knowledge import ScsSupport

NEWEST = 22  # AMT version that the tables of capabilities reach
UNKNOWN = "unknown"
NETWORKS, POWERS = frozenset(("wired", "wireless", "vpn", "appliance")), frozenset(("ac", "battery"))
HOSTS = frozenset(("healthy", "sick", "asleep"))
SYNONYMS = {"mains": "ac", "dc": "battery", "off": "asleep", "sleeping": "asleep", "on": "healthy", "wlan": "wireless"}
ADVICE = "Ask the maker of the management software which setups and upgrade paths it supports."


def amt_version(text: str) -> Topic | None:
    """What is known of an AMT version; `None` for a text that is none."""
    version = _version(text)
    if version is None or not 1 <= version[0] <= NEWEST:
        return None
    branch = (*version, 0)[:2]
    dotted = f"{branch[0]}.{branch[1]}"
    release = releases().get(dotted)
    has: list[str] = []
    lacks: list[str] = []
    open_: list[str] = []
    for each in capabilities().values():
        present = each.present(branch)
        (open_ if present is None else has if present else lacks).append(each.title)
    facts = (
        ("codename", release.codename or UNKNOWN if release else UNKNOWN),
        ("kind", release.kind if release else ""),
        ("out", release.out if release else ""),
        ("upgrade", release.upgrade if release else ""),
        ("has", "; ".join(has)),
        ("lacks", "; ".join(lacks)),
        ("unknown", "; ".join(open_)),
        ("SCS", "; ".join(_for_amt(branch)) or UNKNOWN),
        ("roots", _roots(dotted)),
        ("advice", ADVICE),
        ("source", release.source if release else "capabilities and support tables of amtdecode"),
    )
    return Topic("amt", f"AMT {dotted}", (dotted, f"amt {dotted}"), facts)


def scs_version(text: str) -> Topic | None:
    """What is known of an SCS version; `None` for a text that is none, or one in no table."""
    version = _version(text)
    if version is None:
        return None
    rows = [
        row for row in scs_support() if row.scs_from <= version and (row.scs_below is None or version < row.scs_below)
    ]
    if not rows:
        return None
    facts = (
        *((f"AMT {_range(row.amt_from, row.amt_to)}", f"{_use(row)}{row.note}") for row in rows),
        ("advice", ADVICE),
        ("source", "; ".join(dict.fromkeys(row.source for row in rows))),
    )
    dotted = ".".join(map(str, version))
    return Topic("scs", f"SCS {dotted}", (f"scs {dotted}",), facts)


def power(words: Sequence[str]) -> list[Topic]:
    """What can be managed in the states of a machine that the words leave open. Unknown words are passed over."""
    asked = {SYNONYMS.get(word, word) for word in words}
    found = []
    for row in power_states():
        network = set(row.network.split())
        if asked & NETWORKS - network or not all(
            cell == "any" or not asked & vocabulary or cell.lower() in asked
            for cell, vocabulary in ((row.power, POWERS), (row.host, HOSTS))
        ):
            continue
        facts = (
            ("management", row.management),
            ("system isolation", row.system_isolation),
            ("agent presence", row.agent_presence),
            ("why", row.why),
            ("source", row.source),
        )
        found.append(Topic("power", f"{row.network}, {row.power} power, host {row.host}", (), facts))
    return found


def topics() -> Iterator[Topic]:
    """Codenames, placements of certificates, and roots."""
    by_name: dict[str, list[str]] = {}
    for version, release in releases().items():
        if release.codename:
            by_name.setdefault(release.codename, []).append(version)
    for name, versions in by_name.items():
        named = (("AMT", ", ".join(versions)), ("source", releases()[versions[0]].source))
        yield Topic("codename", f"{name}: codename of a platform", (name,), named)
    for row in placements():
        facts: Facts = (
            ("machine", row.machine),
            ("store", row.store),
            ("private key", row.private_key),
            ("note", row.note),
            ("source", row.source),
        )
        yield Topic("certificate", row.certificate, (row.certificate,), facts)
    yield from _known_roots()


def _known_roots() -> Iterator[Topic]:
    by_name: dict[str, list[str]] = {}
    for digest, root in ROOTS.items():
        by_name.setdefault(root.name, []).append(digest)
    for name, digests in by_name.items():
        said = [f"{each.version}: {each.listed} ({each.certainty})" for each in root_lists() if each.root == name]
        first = ROOTS[digests[0]]
        facts = (
            *((ROOTS[digest].algorithm, f"{digest} ({ROOTS[digest].certainty})") for digest in digests),
            ("listed by AMT", "; ".join(said) or UNKNOWN),
            ("source", first.source),
        )
        yield Topic("root", f"root {name}", (name, *digests), facts)


def _for_amt(branch: Version) -> Iterator[str]:
    for row in scs_support():
        if row.amt_from <= branch and (row.amt_to is None or branch <= row.amt_to):
            below = f" to below {_dotted(row.scs_below)}" if row.scs_below else " and later"
            yield f"{_use(row)}SCS {_dotted(row.scs_from)}{below}"


def _use(row: ScsSupport) -> str:
    return "" if row.use == "any" else f"{row.use}: "


def _range(low: Version, high: Version | None) -> str:
    return f"{_dotted(low)} to {_dotted(high)}" if high else f"{_dotted(low)} and later"


def _dotted(version: Version) -> str:
    return ".".join(map(str, version))


def _roots(dotted: str) -> str:
    return "; ".join(
        f"{each.root}: {each.listed} ({each.certainty})" for each in root_lists() if each.version == dotted
    )


def _version(text: str) -> Version | None:
    return parse_version(text) if re.fullmatch(r"[0-9]{1,2}(\.[0-9]{1,5}){0,3}", text) else None
