"""SOAP as Intel AMT speaks it inside HTTP: EOI (SOAP 1.1, AMT 1 to 8) and WS-Man (SOAP 1.2, from AMT 3).

Transport: HTTP on 16992, HTTP in TLS on 16993, HTTP in an APF channel; alerts come the other way. Never on its own.
Who speaks first: the client of HTTP, with a request.
Framing: one HTTP message, one envelope; the HTTP room hands over whole bodies with their message.
Sources: SOAP 1.1, SOAP 1.2, WS-Addressing, DSP0226, DSP0227; Intel's class reference as given in `data/*.tsv`.
Limits: `document` (one body), `dissector` (requests waiting, enumerations).
Not covered: WS-Security and WS-Trust content (shown by name), MTOM, EOI multi-reference encoding (shown as written).
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from amtdecode.protocols.dissector import NO, YES, Context, Dissector, Protocol, Verdict

if TYPE_CHECKING:
    from collections.abc import Sequence

    from amtdecode.fields import Field
    from amtdecode.model import Direction


def recognise(data: bytes, direction: Direction, context: Context) -> Verdict:  # noqa: ARG001
    """Only what HTTP carries; then every message, since an exchange without SOAP is a call too."""
    return YES if context.carrier == "http" else NO


@cache
def _class() -> type[Dissector]:
    from amtdecode.protocols.soap.dissector import SoapDissector

    return SoapDissector


def dissector(context: Context) -> Dissector:
    """Make the reader of one HTTP conversation."""
    return _class()(context)


def fields() -> Sequence[Field]:
    """Give all fields of the room's events."""
    from amtdecode.fields import declared_by
    from amtdecode.protocols.soap.events import Call, SoapFault, SoapRequest, SoapResponse

    return declared_by(SoapRequest, SoapResponse, SoapFault, Call)


SOAP = Protocol("iamt.soap", "tcp", frozenset(), recognise, dissector, fields, openings=(), carries=False)
