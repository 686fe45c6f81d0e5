"""The header of a record (RFC 5246, section 6.2): its measures, and how one of closed data looks."""

from __future__ import annotations

from typing import Final

from amtdecode.protocols.dissector import RecordHeader, literal

HEADER_SIZE: Final = 5
MAX_RECORD: Final = 16384 + 2048  # RFC 5246, section 6.2.3
NOTHING_SAID: Final = 64
"""A closed record as short as this may hold nothing, or the one byte that TLS 1.0 sends ahead of the rest (1/n-1): with
IV, MAC and padding, HMAC-SHA384 and AES make 64 bytes of it. No HTTP message is that short."""

DATA: Final = RecordHeader((*literal(b"\x17\x03"), frozenset(range(5))), HEADER_SIZE, 3, MAX_RECORD, NOTHING_SAID)
"""Application data of SSL 3.0 to TLS 1.3."""
