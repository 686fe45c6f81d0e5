"""Distinguished names as text."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from amtdecode.protocols.tls.registry.oids import ATTRIBUTES

if TYPE_CHECKING:
    from collections.abc import Sequence


def read_name(der: bytes) -> str:
    """Give a distinguished name as text, in the order on the wire; its bytes as hex where it cannot be read."""
    try:
        from asn1crypto.x509 import Name

        return name_text([(a["type"].dotted, _native(a["value"])) for rdn in Name.load(der).chosen for a in rdn])
    except Exception:
        return der.hex()


def _native(value: Any) -> str:
    try:
        native = value.native
    except Exception:
        native = None
    return native if isinstance(native, str) else value.contents.hex() if native is None else str(native)


def _escape(text: str) -> str:
    for character in ("\\", ",", "+", '"', "<", ">", ";"):  # RFC 4514, section 2.4
        text = text.replace(character, "\\" + character)
    return text


def name_text(attributes: Sequence[tuple[str, str]]) -> str:
    """Pairs of OID and value as one text, as `C=US, O=Intel`."""
    return ", ".join(f"{ATTRIBUTES.get(oid, oid)}={_escape(value)}" for oid, value in attributes)
