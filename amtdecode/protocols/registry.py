"""All rooms, in one literal tuple. The order decides only where content and ports leave a tie."""

from __future__ import annotations

from typing import TYPE_CHECKING

from amtdecode.protocols.hello import HELLO

if TYPE_CHECKING:
    from amtdecode.protocols.dissector import Protocol

REGISTRY: tuple[Protocol, ...] = (HELLO,)
