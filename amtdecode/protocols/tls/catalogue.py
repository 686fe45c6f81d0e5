"""All fields of the room, as its events declare them."""

from __future__ import annotations

from typing import Final

from amtdecode.fields import declared_by
from amtdecode.protocols.tls.events import EVENTS
from amtdecode.protocols.tls.hellos import ClientHello, HelloRequest, ServerHello
from amtdecode.protocols.tls.messages import MESSAGES

FIELDS: Final = declared_by(HelloRequest, ClientHello, ServerHello, *MESSAGES, *EVENTS)
