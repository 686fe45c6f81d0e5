"""PID and PPS: the identity and key of TLS-PSK provisioning, and their check characters.

A PID is 8 characters (`0000-037M`), a PPS 32 in 8 groups of 4; dashes are presentation only. The last character of a
PID checks the 7 before it, the last of each group of a PPS the 3 before it.
Source: Intel AMT Implementation and Reference Guide, "PID/PPS Checksum".
"""

from __future__ import annotations

from typing import Final

PID_SIZE: Final = 8
PPS_SIZE: Final = 32
GROUP: Final = 4
ALPHABET: Final = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
_LETTERS: Final = frozenset(ALPHABET)


def check_character(text: str) -> str:
    """Compute the check character that belongs behind `text`: the sum of the character codes modulo 36, as 0-9 A-Z."""
    rest = sum(map(ord, text)) % 36
    return chr(rest + 0x30) if rest < 10 else chr(rest + 0x37)


def groups(text: str) -> list[str]:
    """Cut a key without dashes into its groups of four; the last may be shorter."""
    return [text[at : at + GROUP] for at in range(0, len(text), GROUP)]


def dashed(text: str) -> str:
    """A PID or PPS in groups of four, as people write it."""
    return "-".join(groups(text))


def is_pid_shaped(text: str) -> bool:
    """Whether `text` (without dashes) has the length and letters of a PID."""
    return len(text) == PID_SIZE and _LETTERS.issuperset(text)


def is_pps_shaped(text: str) -> bool:
    """Whether `text` (without dashes) has the length and letters of a PPS."""
    return len(text) == PPS_SIZE and _LETTERS.issuperset(text)


def pid_is_valid(text: str) -> bool:
    """Whether `text`, dashes or not, is a PID with the right check character."""
    text = text.replace("-", "")
    return is_pid_shaped(text) and check_character(text[:-1]) == text[-1]


def wrong_pps_groups(text: str) -> list[int]:
    """List the groups (from 1) of a PPS whose check character is wrong; dashes are passed over."""
    return [
        number
        for number, group in enumerate(groups(text.replace("-", "")), 1)
        if check_character(group[:-1]) != group[-1]
    ]


def pps_is_valid(text: str) -> bool:
    """Whether `text`, dashes or not, is a PPS with the right check characters."""
    return is_pps_shaped(text.replace("-", "")) and not wrong_pps_groups(text)
