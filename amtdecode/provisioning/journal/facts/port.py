"""What a journal keeps of what a card and its switch say."""

from __future__ import annotations

from typing import ClassVar

from amtdecode.provisioning.journal.kept import Kept


class Eap(Kept, tag="eap", frozen=True):
    """One packet of EAP."""

    protocol: ClassVar[str] = "eapol"
    code: int
    id: int
    method: int | None
    identity: str
    alert: int | None


class Lldp(Kept, tag="lldp", frozen=True):
    """A switch says which port this is."""

    protocol: ClassVar[str] = "lldp"
    repeats: ClassVar[bool] = True
    switch: str
    port: str
    port_vlan: int | None
    ttl: int | None
    is_switch: bool
