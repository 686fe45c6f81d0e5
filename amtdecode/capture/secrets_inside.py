"""Decryption secrets that a pcapng file keeps anywhere in it, found before its packets are read.

A secrets block may stand behind the traffic it opens (as editcap and browsers' exports leave it), so a file is looked
through once for the mark of such a block, and read for them only where the mark occurs. A pipe cannot be looked
through: there, secrets open what comes after them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from amtdecode.capture.iterables import Packets
from amtdecode.capture.opening import identify, open_capture, reads_again
from amtdecode.capture.packets import NOTICE, Notice
from amtdecode.capture.pcapng import TLS_KEY_LOG, DecryptionSecrets
from amtdecode.capture.source import DamageError, OpenFile, open_source
from amtdecode.errors import AmtdecodeError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from amtdecode.capture.inputs import Capture

MARKS = (TLS_KEY_LOG.to_bytes(4, "little"), TLS_KEY_LOG.to_bytes(4, "big"))


def secrets_inside(given: Capture) -> Iterator[bytes]:
    """The key logs inside an input.

    None for pipes and packets, other formats, and what cannot be read (reading it will say so).
    """
    if isinstance(given, Packets) or not reads_again(given):
        return
    try:
        if not _marked(given):
            return
        for packet in open_capture(given):
            interface = packet[7]
            if interface.link_type == NOTICE and isinstance(interface, Notice):
                event = interface.event
                if isinstance(event, DecryptionSecrets) and event.kind == TLS_KEY_LOG:
                    yield event.data
    except AmtdecodeError:
        return


def _marked(given: str | OpenFile) -> bool:
    source = open_source(given)
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
