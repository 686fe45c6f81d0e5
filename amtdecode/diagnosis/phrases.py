"""Phrases that several rules share."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from amtdecode.diagnosis.case import Case

SECOND = 1_000_000_000  # nanoseconds; a shorter wait is not worth a word
MAX_QUOTED = 80  # characters of captured text in a sentence


def quoted(value: bytes | str) -> str:
    """Captured text in quotes, unprintable characters escaped."""
    text = value.decode("latin-1") if isinstance(value, bytes) else value
    shown = text if len(text) <= MAX_QUOTED else text[:MAX_QUOTED] + "…"
    return '"' + shown.encode("unicode_escape").decode("ascii").replace('"', '\\"') + '"'


def hexed(value: bytes | str) -> str:
    """The same as hex, for texts that look alike."""
    data = value if isinstance(value, bytes) else value.encode("utf-8", "replace")
    return data[:MAX_QUOTED].hex(" ") + (" …" if len(data) > MAX_QUOTED else "")


def both(left: str, right: str) -> str:
    """Two sides of a comparison; in hex too where they look alike."""
    text = f"{quoted(left)} against {quoted(right)}"
    if left != right and left.strip().casefold() == right.strip().casefold():
        text += f" (hex {hexed(left)} against {hexed(right)})"
    return text


def seconds(nanoseconds: int) -> str:
    """A span of time in words."""
    total = nanoseconds / 1e9
    if total < 1:
        return "less than a second"
    if total < 120:
        return f"{total:.1f} s"
    if total < 7200:
        return f"{total / 60:.0f} min"
    return f"{total / 3600:.1f} h"


def no_dhcp(case: Case) -> str:
    """Why nothing can be said of a lease."""
    return "no DHCP of the machine in this capture" if "dhcp" in case.story.seen else "no DHCP in this capture"


def no_dns(case: Case) -> str:
    """Why nothing can be said of a name."""
    if "dns" in case.story.seen:
        return "no DNS query of the machine for ProvisionServer in this capture"
    return "no DNS in this capture"


def dead_record(name: str, dead: list[str], alive: list[str]) -> str:
    """What to do where a name leads to servers of which some do not answer; "" where it does not."""
    if not dead or not alive:
        return ""
    those = " and ".join(dead)
    rest = " and ".join(alive)
    return f"Remove the record {name} = {those}, where nobody answers; {rest} stays. Or start the service on {those}."
