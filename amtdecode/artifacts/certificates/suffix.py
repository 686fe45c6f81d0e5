"""Whether the name in a setup certificate suits the domain of a machine, under the rule of its AMT version.

The machine compares the CN of the setup certificate with its PKI DNS suffix from MEBx, or else with DHCP option 15.
Sources: Intel AMT Implementation and Reference Guide (the suffix in the leaf must match); 2007 article on remote
configuration (wildcards from 2.6 on); a forum answer of Intel, communities.intel.com message 1395, 28 September 2007
(last two labels, .com and .net, from 2.6 on); MeshCentral and Open AMT source (parent domain, extended suffix table).
Which version first had the last two is not documented: they count from `LATER` on, which is inferred.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

Version = tuple[int, ...]

WILDCARD_SINCE: Version = (2, 6)
TWO_LABELS_SINCE: Version = (2, 6)
UNSETTLED: Version = (3, 0)
"""3.0 is older than 2.6: the guide describes the exact comparison for it, the forum answer says "2.6 and later"."""
LATER: Version = (11,)
"""Inferred: the open-source servers that carry the two later rules set up machines of this age."""
TWO_LABEL_DOMAINS = frozenset({"com", "net"})

KEPT_LABELS: dict[str, int] = {
    **dict.fromkeys(("com", "net", "org", "gov", "edu", "de", "ch", "dk", "cz", "cl", "ua"), 2),
    **dict.fromkeys(
        (
            "arpa", "fr", "cn", "nl", "br", "mx", "uk", "pl", "tw", "ca", "fi", "be", "ru", "se", "ar", "es", "no",
            "at", "in", "tr", "ro", "hu", "nz", "pt", "il", "gr", "co", "ie", "za", "th", "sg", "hk", "lt", "id",
            "hr", "ee", "bg",
        ),
        3,
    ),
}  # fmt: skip
"""Extended suffix table of later firmware: top-level domain to the labels compared. Source: MeshCentral."""


class Rule(NamedTuple):
    """One way of comparing, and what came of it."""

    name: str
    matches: bool
    applies: bool | None  # to the AMT version asked about; None where it is unknown or not documented
    comparison: str  # both sides, as compared
    since: str


def parse_version(text: str) -> Version:
    """Numbers of a dotted version; whatever does not begin with digits ends it ("15.0.23-H" is 15, 0, 23)."""
    numbers = []
    for part in text.strip().split("."):
        digits = part[: len(part) - len(part.lstrip("0123456789"))]
        if not digits:
            break
        numbers.append(int(digits))
        if digits != part:
            break
    return tuple(numbers)


def compare(common_name: str, suffix: str, version: Version | None) -> tuple[Rule, ...]:
    """Compare a CN with the suffix of a machine under every known rule; letters compare without case."""
    name, domain = common_name.casefold().rstrip("."), clean(suffix).casefold()
    bare = name.removeprefix("*.")
    wildcard = name.startswith("*.")
    parent = bare if wildcard else name.partition(".")[2]
    rules = [
        Rule(
            "exact suffix",
            bool(parent) and not wildcard and parent == domain,
            True,
            f"{parent or '(no dot in the CN)'} = {domain}",
            "all versions",
        )
    ]
    if wildcard:
        rules.append(
            Rule(
                "wildcard",
                domain == bare or domain.endswith("." + bare),
                _since(version, WILDCARD_SINCE),
                f"{domain} = {bare} or ends with .{bare}",
                "AMT 2.6, 3.0 and later",
            )
        )
    rules.append(
        Rule(
            "last two labels",
            _tail(bare, 2) == _tail(domain, 2) and domain.rpartition(".")[2] in TWO_LABEL_DOMAINS and "." in domain,
            None if version is not None and version[:2] == UNSETTLED else _since(version, TWO_LABELS_SINCE),
            f"{_tail(bare, 2)} = {_tail(domain, 2)}, in .com and .net",
            "AMT 2.6 and later",
        )
    )
    rules.append(
        Rule(
            "parent domain",
            not wildcard and (domain == bare or domain.endswith("." + bare)),
            _later(version),
            f"{domain} = {bare} or ends with .{bare}",
            "recent firmware, first version not documented",
        )
    )
    kept = KEPT_LABELS.get(domain.rpartition(".")[2])
    if kept:
        rules.append(
            Rule(
                "extended suffix table",
                _tail(bare, kept) == _tail(domain, kept) and domain.count(".") + 1 >= kept,
                _later(version),
                f"{_tail(bare, kept)} = {_tail(domain, kept)}, {kept} labels in .{domain.rpartition('.')[2]}",
                "recent firmware, first version not documented",
            )
        )
    return tuple(rules)


def clean(suffix: str) -> str:
    """Return a suffix without what DHCP servers and people put around it: NUL, blanks, dots at either end."""
    return suffix.strip(" \t\r\n\0.")


def names_in(suffix: str) -> tuple[str, ...]:
    """The names in a suffix: one, unless somebody wrote several into one option."""
    return tuple(name for part in re.split(r"[\s,;\0]+", suffix) if (name := clean(part)))


def suffix_faults(suffix: str) -> Iterator[str]:
    """Say what is wrong with a suffix as it stands."""
    if "\0" in suffix:
        yield "holds a NUL"
    if suffix.strip("\0") != suffix.strip("\0").strip():
        yield "has a blank at an end"
    if suffix.strip("\0 \t").startswith("."):
        yield "begins with a dot"
    if suffix.strip("\0 \t").endswith("."):
        yield "ends with a dot"
    if any(mark in clean(suffix) for mark in (" ", ",", ";")):
        yield "names more than one domain"


def accepted_by(rules: Iterable[Rule]) -> tuple[Rule | None, Rule | None]:
    """Return the first rule that accepts and applies, and the first that accepts and may or may not apply."""
    certain = next((each for each in rules if each.matches and each.applies), None)
    possible = next((each for each in rules if each.matches and each.applies is None), None)
    return certain, possible


def _since(version: Version | None, since: Version) -> bool | None:
    return None if version is None else version >= since


def _later(version: Version | None) -> bool | None:
    if version is None or LATER > version >= WILDCARD_SINCE:
        return None
    return version >= LATER


def _tail(name: str, count: int) -> str:
    return ".".join(name.split(".")[-count:])
