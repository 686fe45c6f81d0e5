"""What the rules know: tables of codes, versions and places, as tab-separated files beside this module.

Each row of a file carries its source; each file says at its top what it is and where its facts come from. A table is
read when it is first asked for, and once. Facts of a capture always overrule a table: a table says what is usual.
"""

from __future__ import annotations

import os
from functools import lru_cache
from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple

from amtdecode.artifacts.certificates.suffix import Version
from amtdecode.artifacts.certificates.suffix import parse_version as parse_version
from amtdecode.diagnosis.severity import Severity

if TYPE_CHECKING:
    from collections.abc import Mapping


class StatusAdvice(NamedTuple):
    """What a PT_STATUS code means for an administrator. The names are in `amtdecode.protocols.soap.pt_status`."""

    code: int
    severity: Severity
    explanation: str
    fix: str
    source: str


class Alert(NamedTuple):
    """A TLS alert description, and what it says in setup and configuration, by who sends it."""

    code: int
    name: str
    meaning: str
    from_amt: str
    from_sca: str
    rule: str  # the rule that deals with it when AMT sends it
    source: str


class ScsError(NamedTuple):
    """An error number of the SCS event log."""

    code: int
    title: str
    severity: Severity
    rule: str
    explanation: str
    fix: str
    source: str


class RpcError(NamedTuple):
    """A numbered error of rpc (Open AMT)."""

    code: int
    name: str
    details: str  # what stands behind "Details:"; "-" for none
    severity: Severity
    step: str
    explanation: str
    fix: str
    source: str


class ScsSupport(NamedTuple):
    """SCS versions from (inclusive) to below (exclusive), and the AMT version branches they serve (inclusive)."""

    scs_from: Version
    scs_below: Version | None
    use: str  # "any", "remote configuration"
    amt_from: Version
    amt_to: Version | None
    note: str
    source: str


class Capability(NamedTuple):
    """What some AMT versions can do."""

    id: str
    title: str
    versions: str  # as in the table: "2.2..2.5 2.6.."
    note: str
    source: str

    def present(self, version: Version) -> bool | None:
        """Whether this AMT version has it; `None` where the sources do not settle it."""
        version = (*version, 0) if len(version) == 1 else version  # "16" means 16.0
        for token in self.versions.split():
            settled = ".." in token
            start, _, below = token.partition(".." if settled else "?")
            if version >= parse_version(start) and (not below or version < parse_version(below)):
                return True if settled else None
        return False


class PowerState(NamedTuple):
    """What can be managed in one state of a machine: each cell is "yes", "no", "unknown" or "as wired"."""

    network: str  # "wired", "wireless", "vpn appliance", "host vpn"
    power: str  # "AC", "battery", "any"
    host: str  # "healthy", "sick", "asleep", "any"
    management: str
    system_isolation: str
    agent_presence: str
    why: str
    source: str


class Placement(NamedTuple):
    """Where a certificate belongs."""

    certificate: str
    machine: str
    store: str
    private_key: str  # "yes", "no"
    note: str
    source: str


class ListedRoot(NamedTuple):
    """Whether an AMT version is said to list a root from the factory. Names as in the table of the hello room."""

    version: str  # branch, "2.2"
    root: str
    listed: str  # "yes", "no"
    certainty: str
    source: str


@lru_cache(maxsize=1)
def status_advice() -> Mapping[int, StatusAdvice]:
    """Advice by PT_STATUS code."""
    return MappingProxyType({int(row[0], 0): _advice(int(row[0], 0), row[1:]) for row in _table("pt_status")})


@lru_cache(maxsize=1)
def return_advice() -> Mapping[tuple[str, int], StatusAdvice]:
    """Advice by call and return value, for values that are no PT_STATUS."""
    return MappingProxyType(
        {(call, int(value)): _advice(int(value), rest) for call, value, *rest in _table("return_values")}
    )


@lru_cache(maxsize=1)
def alerts() -> Mapping[int, Alert]:
    """TLS alerts by number."""
    return MappingProxyType({int(row[0]): Alert(int(row[0]), *row[1:]) for row in _table("alerts")})


@lru_cache(maxsize=1)
def scs_errors() -> Mapping[int, ScsError]:
    """Errors of the SCS event log by number."""
    return MappingProxyType(
        {int(row[0]): ScsError(int(row[0]), row[1], Severity(row[2]), *row[3:]) for row in _table("scs_errors")}
    )


@lru_cache(maxsize=1)
def rpc_errors() -> tuple[RpcError, ...]:
    """Errors of rpc in the order of their numbers. One number has two names, and one name many numbers."""
    return tuple(RpcError(int(row[0]), row[1], row[2], Severity(row[3]), *row[4:]) for row in _table("rpc_errors"))


@lru_cache(maxsize=1)
def scs_support() -> tuple[ScsSupport, ...]:
    """Version matrix of SCS and AMT."""
    return tuple(
        ScsSupport(
            parse_version(row[0]),
            parse_version(row[1]) or None,
            row[2],
            parse_version(row[3]),
            parse_version(row[4]) or None,
            *row[5:],
        )
        for row in _table("scs_support")
    )


@lru_cache(maxsize=1)
def capabilities() -> Mapping[str, Capability]:
    """Return what AMT versions can do, by the id of the capability."""
    return MappingProxyType({row[0]: Capability(*row) for row in _table("capabilities")})


@lru_cache(maxsize=1)
def power_states() -> tuple[PowerState, ...]:
    """Return what can be managed in which state of a machine."""
    return tuple(PowerState(*row) for row in _table("power"))


@lru_cache(maxsize=1)
def placements() -> tuple[Placement, ...]:
    """Which certificate and key belongs where: AMT, SCS, SMS Add-on."""
    return tuple(Placement(*row) for row in _table("placement"))


class Release(NamedTuple):
    """An AMT release by name and year; an empty text: the sources do not say."""

    version: str  # branch, "2.2"
    codename: str
    kind: str  # "desktop", "mobile"
    out: str
    upgrade: str
    source: str


class Word(NamedTuple):
    """A word of the field."""

    word: str
    also: str  # other names, separated by commas
    meaning: str
    source: str


@lru_cache(maxsize=1)
def releases() -> Mapping[str, Release]:
    """AMT releases by branch, as far as the sources name them."""
    return MappingProxyType({row[0]: Release(*row) for row in _table("releases")})


class Conflict(NamedTuple):
    """Two sources that disagree, with their dates as far as they are known."""

    topic: str
    also: str  # other names, separated by commas
    article: str
    article_date: str
    later: str
    later_date: str
    followed: str  # what amtdecode does
    source: str  # of the later one


@lru_cache(maxsize=1)
def conflicts() -> tuple[Conflict, ...]:
    """Where the articles of 2007 and later documents disagree."""
    return tuple(Conflict(*row) for row in _table("conflicts"))


@lru_cache(maxsize=1)
def glossary() -> tuple[Word, ...]:
    """Words of AMT provisioning."""
    return tuple(Word(*row) for row in _table("glossary"))


@lru_cache(maxsize=1)
def root_lists() -> tuple[ListedRoot, ...]:
    """Which AMT versions are said to list which root."""
    return tuple(ListedRoot(*row) for row in _table("root_lists"))


def _advice(code: int, cells: list[str]) -> StatusAdvice:
    return StatusAdvice(code, Severity(cells[0]), *cells[1:])


def _table(name: str) -> list[list[str]]:
    """The rows of a table; comment lines and the header line are left out, every row is as long as the header."""
    with open(os.path.join(os.path.dirname(__file__), f"{name}.tsv"), encoding="utf-8") as file:
        lines = [line.split("\t") for line in file.read().splitlines() if not line.startswith("#")]
    header = lines[0]
    for row in lines:
        if len(row) != len(header):
            message = f"{name}.tsv: a row of {len(row)} columns under a header of {len(header)}: {row[0]}"
            raise ValueError(message)
    return lines[1:]
