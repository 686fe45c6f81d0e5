"""Decryption secrets that a pcapng file keeps anywhere in it, found before its packets are read.

A secrets block may stand behind the traffic it opens (as editcap and browsers' exports leave it), so a file is looked
through once for the mark of such a block, and read for them only where the mark occurs. A pipe cannot be looked
through: there, secrets open what comes after them.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from amtdecode.capture.opening import identify, open_capture
from amtdecode.capture.packets import NOTICE, Notice
from amtdecode.capture.pcapng import TLS_KEY_LOG, DecryptionSecrets
from amtdecode.capture.source import DamageError, open_source
from amtdecode.errors import AmtdecodeError

if TYPE_CHECKING:
    from collections.abc import Iterator

MARKS = (TLS_KEY_LOG.to_bytes(4, "little"), TLS_KEY_LOG.to_bytes(4, "big"))


def secrets_inside(name: str) -> Iterator[bytes]:
    """The key logs inside a file; none for pipes, other formats, and what cannot be read (reading it will say so)."""
    if not os.path.isfile(name):
        return
    try:
        if not _marked(name):
            return
        for packet in open_capture(name):
            interface = packet[7]
            if interface.link_type == NOTICE and isinstance(interface, Notice):
                event = interface.event
                if isinstance(event, DecryptionSecrets) and event.kind == TLS_KEY_LOG:
                    yield event.data
    except AmtdecodeError:
        return


def _marked(name: str) -> bool:
    source = open_source(name)
    try:
        if identify(source) != "pcapng":
            return False
        before = b""
        while piece := source.read():
            if any(mark in piece or mark in before + piece[:3] for mark in MARKS):
                return True
            before = piece[-3:]
    except DamageError:
        pass
    finally:
        source.close()
    return False
