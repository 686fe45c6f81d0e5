"""Where messages end: by their type, and where it is not fixed by a length inside. Numbers are little-endian."""

from __future__ import annotations

from amtdecode.protocols.redir import names
from amtdecode.protocols.redir.names import IDER, KVM

FIXED = {
    names.START: 8,
    names.END: 4,
    names.SOL_START: 24,
    names.SOL_END: 8,
    names.SOL_ENDED: 8,
    names.SOL_PING: 8,
    names.SOL_PONG: 8,
    names.SOL_CONSOLE: 14,
    names.SOL_CONTROLS: 10,
    names.SOL_HEARTBEAT: 8,
    names.IDER_CLOSE: 8,
    names.IDER_CLOSED: 8,
    names.IDER_PING: 8,
    names.IDER_PONG: 8,
    names.IDER_RESET: 9,
    names.IDER_RESET_TAKEN: 8,
    names.IDER_FEATURES_ARE: 13,
    names.IDER_ERROR: 11,
    names.IDER_HEARTBEAT: 8,
    names.IDER_COMMAND: 28,
    names.IDER_DONE: 31,
    names.IDER_ASK: 31,
    names.RELAY: 1,
}
BEHIND = {
    # type: (bytes of the header, where the length of what follows stands, how many bytes that length has)
    names.LOGIN: (9, 5, 4),
    names.ANSWER: (9, 5, 4),
    names.SOL_STARTED: (23, 22, 1),  # inferred: no public source decodes bytes 8 to 22
    names.SOL_TO_HOST: (10, 8, 2),
    names.SOL_FROM_HOST: (10, 8, 2),
    names.IDER_FROM_HOST: (14, 9, 2),
    names.IDER_TO_HOST: (34, 9, 2),
}
MAX_LOGIN = 4096
"""Bytes of a login or its answer; clients build 512 at most, a Kerberos token may be longer."""
UNKNOWN = -1


def measure(data: bytes, session: str) -> tuple[int, int]:
    """Bytes of the header and of the whole message that begins here; (0, 0) where more bytes are needed to tell.

    (`UNKNOWN`, 0) for a type that nobody knows, or a length that is none.
    """
    kind, size = data[0], len(data)
    if (fixed := FIXED.get(kind)) is not None:
        return fixed, fixed
    if kind == names.STARTED:
        if size < 2:
            return 0, 0
        return (4, 4) if data[1] else _with(data, 13, 12, 1)
    if kind == names.IDER_FEATURES:
        if size < 9:
            return 0, 0
        return (13, 13) if data[8] == 3 else (9, 9)  # only `set` has a value
    if kind in (names.OPEN, names.OPENED):
        if session == KVM:
            return 8, 8
        if session == IDER:
            return (18, 18) if kind == names.OPEN else _with(data, 30, 29, 1)
    if kind in BEHIND:
        header, whole = _with(data, *BEHIND[kind])
        too_long = kind in (names.LOGIN, names.ANSWER) and whole > MAX_LOGIN
        return (UNKNOWN, 0) if too_long else (header, whole)
    return UNKNOWN, 0


def _with(data: bytes, header: int, at: int, width: int) -> tuple[int, int]:
    if len(data) < at + width:
        return 0, 0
    return header, header + int.from_bytes(data[at : at + width], "little")
