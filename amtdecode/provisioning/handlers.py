"""Which event is taken by whom. Looked up once per type of event."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from amtdecode.model import Observation
    from amtdecode.provisioning.tracker import Tracker

    Handler = Callable[[Tracker, Observation], None]


def handler_of(kind: type) -> Handler | None:
    """The function that takes events of this type; `None` when nobody needs them."""
    from amtdecode.provisioning import connections, handshakes, surroundings, web

    for table in (connections.HANDLERS, handshakes.HANDLERS, surroundings.HANDLERS, web.HANDLERS):
        handler = table.get(kind.__name__)
        if handler is not None:
            return handler
    return None
