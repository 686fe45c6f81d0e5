"""The fields that `-e` names: globs are opened, and a name that is none is refused with what may be meant."""

from __future__ import annotations

from difflib import get_close_matches
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from amtdecode.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from amtdecode.protocols.dissector import Protocol

MAX_MEANT = 3  # names suggested for one that is none
IN_GLOBS = "*?["


def field_names(asked: Sequence[str], rooms: tuple[Protocol, ...], option: str = "-e") -> list[str]:
    """The fields named, globs opened in the order of the catalogue, each once where a glob brings it.

    Raises `UsageError` for all names that are none, in one line.
    """
    if not asked:
        return []
    from amtdecode.protocols.catalogue import catalogue

    known = [field.name for field in catalogue(rooms)]
    found: list[str] = []
    wrong: list[str] = []
    for name in asked:
        if any(letter in name for letter in IN_GLOBS):
            matching = [each for each in known if fnmatchcase(each, name)]
            found += [each for each in matching if each not in found]
            if not matching:
                wrong.append(f"{name} matches no field")
        elif name in known:
            found.append(name)
        else:
            wrong.append(f"{name} is no field{_meant(name, known)}")
    if wrong:
        raise UsageError(f"{option}: {'; '.join(wrong)}; `amtdecode fields` lists them")
    return found


def _meant(name: str, known: Sequence[str]) -> str:
    """What may be meant by a name: fields that end or begin with it, else those that look like it."""
    near = [each for each in known if each.endswith(f".{name}") or each.startswith(f"{name}.")][:MAX_MEANT]
    near = near or get_close_matches(name, known, MAX_MEANT, 0.85)
    return f" (did you mean {' or '.join(near)}?)" if near else ""


def protocol_names(asked: str | None, rooms: tuple[Protocol, ...]) -> list[str]:
    """The protocols that `-O` names, separated by commas. Raises `UsageError` for one that is none."""
    if asked is None:
        return []
    from amtdecode.render.layers import TITLES

    known = sorted({*TITLES, *(room.name for room in rooms), "pcapng", "capture", "iamt", "ipv6.fraghdr"})
    names = [name.strip() for name in asked.split(",")]
    for name in names:
        if name not in known:
            meant = next(
                iter([each for each in known if each.endswith(f".{name}")] or get_close_matches(name, known, 1)), None
            )
            told = f"; did you mean {meant}?" if meant else f"; there are {', '.join(known)}"
            raise UsageError(f"-O {name}: is no protocol here{told}")
    return names
