"""Hello messages of a machine."""

from __future__ import annotations

from amtdecode.provisioning.state.fact import Fact, Ref


class Hello(Fact):
    """One hello message of a machine."""

    ref: Ref
    time: int | None
    source: str
    destination: str
    port: int
    version: int
    admin_credentials_set: int
    retry_count: int
    pid: str
    hashes: tuple[tuple[int, bytes, str], ...]  # (algorithm, value, name), shared between machines
    mac: str = ""
    vlan: int = -1
