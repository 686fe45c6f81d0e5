"""Texts of events of which the same object is stated again and again: made once, and kept with the event.

A fleet's handshakes differ in their randoms and little else: the same identity, the same chain, the same outcome.
"""

from __future__ import annotations

from functools import wraps
from typing import TYPE_CHECKING, TypeVar

import msgspec

if TYPE_CHECKING:
    from collections.abc import Callable

    from amtdecode.model import Event

    AnEvent = TypeVar("AnEvent", bound=Event)

encode = msgspec.json.Encoder(enc_hook=str).encode


def kept_fields(event: Event) -> bytes:
    """Give an event's fields as JSON, and keep that with the event, whose class must have `dict=True`."""
    kept = event.__dict__
    text: bytes | None = kept.get("kept_fields")
    if text is None:
        text = kept["kept_fields"] = encode(event.fields())
    return text


def keep_text(method: Callable[[AnEvent], str]) -> Callable[[AnEvent], str]:
    """Make a method of an event, whose class must have `dict=True`, keep its text."""
    name = f"kept_{method.__name__}"

    @wraps(method)
    def kept_text(self: AnEvent) -> str:
        kept = self.__dict__
        text: str | None = kept.get(name)
        if text is None:
            text = kept[name] = method(self)
        return text

    return kept_text
