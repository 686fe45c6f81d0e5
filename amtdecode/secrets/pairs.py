"""New pairs of PID and PPS, and what is wrong with ones that somebody typed."""

from __future__ import annotations

import secrets
from itertools import pairwise
from typing import TYPE_CHECKING, Final, NamedTuple

from amtdecode.secrets.pid import ALPHABET, GROUP, PID_SIZE, PPS_SIZE, check_character, groups

if TYPE_CHECKING:
    from collections.abc import Iterator

LOOKALIKES: Final = ("O0", "I1", "1L", "S5", "B8", "Z2", "G6", "Q0", "UV")  # as handwriting and screens mix them up


def new_pairs(count: int) -> Iterator[tuple[str, str]]:
    """PIDs and PPSs with right check characters, without dashes, from the operating system's random source.

    No PID comes twice. A PID has 36 bits of chance, a PPS 124.
    """
    made: set[str] = set()
    while len(made) < count:
        pid = _checked(PID_SIZE - 1)
        if pid in made:
            continue
        made.add(pid)
        yield pid, "".join(_checked(GROUP - 1) for _ in range(PPS_SIZE // GROUP))


def _checked(size: int) -> str:
    text = "".join(secrets.choice(ALPHABET) for _ in range(size))
    return text + check_character(text)


class Slip(NamedTuple):
    """One change that would make a group right. `at`: place in the group, from 1; `other`: the second place."""

    at: int
    typed: str
    meant: str
    other: int = 0

    @property
    def words(self) -> str:
        """The change in words."""
        if self.other:
            return f"characters {self.at} and {self.other} may be swapped"
        return f"character {self.at}: {self.typed} may be {self.meant}"


def likely_slips(group: str) -> list[Slip]:
    """What one slip of hand or eye may have gone wrong in a group whose check character does not fit.

    A check character is a sum: it cannot see that two characters in front of it were swapped.
    """
    found = []
    for at, typed in enumerate(group):
        for pair in LOOKALIKES:
            if typed in pair:
                meant = pair.replace(typed, "")
                if _fits(group[:at] + meant + group[at + 1 :]):
                    found.append(Slip(at + 1, typed, meant))
    for at, (first, second) in enumerate(pairwise(group)):
        if first != second and _fits(group[:at] + second + first + group[at + 2 :]):
            found.append(Slip(at + 1, first, second, at + 2))
    return found


def _fits(group: str) -> bool:
    return check_character(group[:-1]) == group[-1]


def groups_of(key: str) -> Iterator[tuple[int, str]]:
    """The parts of a key without dashes that have a check character each: number from 1, and text.

    A PID is one part, with number 0.
    """
    if len(key) == PID_SIZE:
        yield 0, key
    else:
        yield from enumerate(groups(key), 1)
