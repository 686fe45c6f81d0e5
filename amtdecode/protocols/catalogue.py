"""The field catalogue: every name an observation can have, with its type and meaning."""

from __future__ import annotations

from amtdecode.capture.pcapng import FIELDS as PCAPNG_FIELDS
from amtdecode.flow.events import FIELDS as CONNECTION_FIELDS
from amtdecode.model import COMMON_FIELDS, Field
from amtdecode.net.icmp import FIELDS as ICMP_FIELDS
from amtdecode.protocols.registry import REGISTRY


def catalogue() -> tuple[Field, ...]:
    """All fields, by name; where rooms share a name, the first room's entry."""
    found: dict[str, Field] = {}
    rooms = [field for protocol in REGISTRY for field in protocol.fields()]
    for field in (*COMMON_FIELDS, *PCAPNG_FIELDS, *CONNECTION_FIELDS, *ICMP_FIELDS, *rooms):
        found.setdefault(field.name, field)
    return tuple(found[name] for name in sorted(found))
