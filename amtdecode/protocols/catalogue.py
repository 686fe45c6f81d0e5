"""The field catalogue: every name an observation can have, with its kind, its meaning and the names of its values."""

from __future__ import annotations

from typing import TYPE_CHECKING

from amtdecode.capture.health import Health
from amtdecode.capture.pcapng import Comment, DecryptionSecrets, NameResolution
from amtdecode.fields import declared_by
from amtdecode.flow.events import Connection
from amtdecode.frame import FIELDS as PACKET_FIELDS
from amtdecode.model import COMMON_FIELDS
from amtdecode.net.icmp import IcmpError
from amtdecode.protocols.registry import REGISTRY

if TYPE_CHECKING:
    from amtdecode.fields import Field
    from amtdecode.protocols.dissector import Protocol


OUTSIDE = (Comment, NameResolution, DecryptionSecrets, Health, Connection, IcmpError)
"""Events that no room states."""


def catalogue(registry: tuple[Protocol, ...] = REGISTRY) -> tuple[Field, ...]:
    """All fields, by name: the flat typed schema of what can be said of an observation.

    Where events share a name, the first one's declaration; they agree in kind. `amtdecode.fields.nested` says where
    each name stands in a nested schema.
    """
    found: dict[str, Field] = {}
    rooms = [field for room in registry for field in room.fields()]
    outside = declared_by(*OUTSIDE)
    for field in (*COMMON_FIELDS, *PACKET_FIELDS, *outside, *rooms):
        found.setdefault(field.name, field)
    return tuple(found[name] for name in sorted(found))
