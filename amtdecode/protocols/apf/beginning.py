"""How a JSON_CONTROL begins, which may come before all APF."""

from __future__ import annotations

CONTROL, TEXT = 0xFA, 5
"""Its type, and where its text begins."""


def begins_as_control(data: bytes) -> bool:
    """Whether MeshCentral's JSON_CONTROL begins so: its type, the length of the text in 4 bytes, an object."""
    return data[0] == CONTROL and data[1:3] == b"\0\0"[: len(data) - 1] and data[TEXT : TEXT + 1] in (b"", b"{")
