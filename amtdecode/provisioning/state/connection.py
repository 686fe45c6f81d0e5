"""TCP connections of a machine, and what each shows of its TLS handshake."""

from __future__ import annotations

import msgspec

from amtdecode.provisioning.state.fact import Fact, Ref


class Alert(Fact):
    """A TLS alert. `code` is -1 where it is encrypted."""

    ref: Ref
    from_server: bool
    level: int
    code: int
    phase: str = ""


class Handshake(Fact):
    """What one TLS connection showed. A ref of 0 means: not seen."""

    client_hello: Ref = 0
    server_hello: Ref = 0
    offered_version: int = 0
    offered_suites: tuple[int, ...] = ()
    server_name: str = ""
    version: int = 0
    suite: int = -1
    suite_name: str = ""
    server_chain: tuple[bytes, ...] = ()  # DER
    server_certificate: Ref = 0
    request: Ref = 0
    client_chain: tuple[bytes, ...] = ()  # DER
    client_certificate: Ref = 0
    key_exchange: Ref = 0
    psk_identity: str = ""
    verify: Ref = 0
    client_ccs: Ref = 0
    server_ccs: Ref = 0
    alerts: list[Alert] = msgspec.field(default_factory=list)
    client_records: int = 0  # application data records
    server_records: int = 0
    client_bytes: int = 0  # application data
    server_bytes: int = 0
    last_data: Ref = 0
    opened: bool = False  # decrypted with the keys given
    complete: bool = False  # both Finished came, seen or by their place
    client_finished: Ref = 0
    server_finished: Ref = 0

    @property
    def established(self) -> bool:
        """Both sides switched to encryption and went on to send data."""
        return bool((self.client_ccs and self.server_ccs) or (self.client_records and self.server_records))

    @property
    def psk(self) -> bool:
        """A pre-shared key suite was chosen, or an identity was sent."""
        return bool(self.psk_identity) or "PSK" in self.suite_name


class Session(Fact):
    """One TCP connection to or from a machine."""

    number: int  # tcp.stream
    client: str
    client_port: int
    server: str
    port: int
    ref: Ref
    time: int | None
    last_ref: Ref = 0
    last_time: int | None = None
    state: str = ""  # refused, unanswered, reset, closed, open; "" while it goes on
    syn_count: int = 0
    client_bytes: int = 0
    server_bytes: int = 0
    client_missing: int = 0  # bytes of the client that the capture lacks
    server_missing: int = 0
    only: str = ""  # "client" or "server": the capture has its packets alone
    who_closed: str = ""
    handshake: Handshake | None = None
    messages: int = 0  # HTTP messages seen
    setup: bool = False  # takes part in setup and configuration rather than later management
    after_gap: int = 0  # nanoseconds since the latest hello; 0 when there was none

    @property
    def whole(self) -> bool:
        """The capture has both directions, and lacks no byte of them."""
        return not (self.only or self.client_missing or self.server_missing)

    @property
    def connected(self) -> bool:
        """The machine answered."""
        return self.state not in ("refused", "unanswered")
