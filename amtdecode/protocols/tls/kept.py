"""Texts of events of which the same object is stated again and again: made once, and kept with the event.

A fleet's handshakes differ in their randoms and little else: the same identity, the same chain, the same outcome.
What an event keeps stands in the place of the method that made it: the text's own method of giving itself.
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
    """Give an event's fields as JSON, and keep that as its `fields_json`; its class must have `dict=True`."""
    text = encode(event.fields())
    event.__dict__["fields_json"] = text.__bytes__
    return text


def keep_text(method: Callable[[AnEvent], str]) -> Callable[[AnEvent], str]:
    """Make a method of an event, whose class must have `dict=True`, keep its text."""
    name = method.__name__

    @wraps(method)
    def kept_text(self: AnEvent) -> str:
        text = method(self)
        self.__dict__[name] = text.__str__
        return text

    return kept_text
