"""Versions of AMT and of MEBx, as machines, logs and tools write them."""

from __future__ import annotations

MEBX_MINOR = 10  # no AMT version has a minor number this high; MEBx versions such as 2.15.15.0000 do
MEBX_PARTS, MEBX_MAJOR = 4, 3  # of the only MEBx version that the 2007 article shows


def is_mebx_version(text: str) -> bool:
    """Whether a version is one of MEBx, the BIOS extension, which says nothing of AMT's."""
    version = version_tuple(text)
    return len(version) == MEBX_PARTS and version[0] <= MEBX_MAJOR and version[1] >= MEBX_MINOR


def version_tuple(text: str) -> tuple[int, ...]:
    """A version as numbers; () when it is none."""
    if not text:
        return ()
    parts = text.split(".")
    return tuple(int(part) for part in parts) if all(part.isdigit() for part in parts) else ()
