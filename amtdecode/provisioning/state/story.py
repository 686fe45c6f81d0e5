"""Everything the rules may ask: the machines and what surrounds them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from amtdecode.capture.health import Health  # noqa: TC001 - msgspec reads annotations
from amtdecode.provisioning.state.fact import Ref, place

if TYPE_CHECKING:
    from collections.abc import Iterable

    from amtdecode.provisioning.state.files import CertificateFile, RegistryFile, SetupBinFile
    from amtdecode.provisioning.state.log import LogEntry, LogFile
    from amtdecode.provisioning.state.machine import Device
    from amtdecode.provisioning.state.network import (
        AddressQuery,
        KdcError,
        Lease,
        Lookup,
        Neighbour,
        PortLogin,
        ServerLookup,
        Unreachable,
    )


class Story(msgspec.Struct):
    """Everything the rules may ask: the machines and what surrounds them."""

    inputs: list[str] = msgspec.field(default_factory=list)
    line_inputs: set[int] = msgspec.field(default_factory=set)  # indices of inputs that have lines, not packets
    devices: list[Device] = msgspec.field(default_factory=list)
    leases: dict[str, Lease] = msgspec.field(default_factory=dict)  # by MAC
    lookups: dict[tuple[str, str], Lookup] = msgspec.field(default_factory=dict)  # by (client, name)
    reverse: dict[str, list[Lookup]] = msgspec.field(default_factory=dict)  # PTR lookups by the address asked about
    server_lookups: dict[tuple[str, str], ServerLookup] = msgspec.field(default_factory=dict)
    """Of servers that machines call, by (client, name)."""
    arp: dict[str, AddressQuery] = msgspec.field(default_factory=dict)  # by the address asked for
    pings: dict[str, AddressQuery] = msgspec.field(default_factory=dict)  # RMCP pings by the address pinged
    port_logins: dict[str, PortLogin] = msgspec.field(default_factory=dict)  # 802.1X, by MAC
    port_asks: dict[str, AddressQuery] = msgspec.field(default_factory=dict)  # and to all, by MAC of the switch
    neighbours: dict[tuple[int, str, str], Neighbour] = msgspec.field(default_factory=dict)  # by input, switch, port
    kdc_errors: dict[tuple[str, int, str], KdcError] = msgspec.field(default_factory=dict)  # by SPN, code, client
    icmp: dict[str, Unreachable] = msgspec.field(default_factory=dict)  # by the address not reached
    hello_servers: dict[str, Ref] = msgspec.field(default_factory=dict)  # where hellos went, first proof
    log_entries: list[LogEntry] = msgspec.field(default_factory=list)  # that name no known machine
    logs: list[LogFile] = msgspec.field(default_factory=list)
    clock: str = ""  # how far the clock of the logs is from that of the capture, in words
    log_offset: int = 0  # nanoseconds to add to a time of the logs; 0 where nothing tells
    clocks: dict[int, list[str]] = msgspec.field(default_factory=dict)
    """How far the clocks of sensors are apart, in words, by index of an input of the sensor."""
    certificate_files: list[CertificateFile] = msgspec.field(default_factory=list)
    registry_files: list[RegistryFile] = msgspec.field(default_factory=list)
    setup_bins: list[SetupBinFile] = msgspec.field(default_factory=list)
    seen: set[str] = msgspec.field(default_factory=set)  # protocols of which something was seen
    first: int | None = None  # time of the first packet; where no capture was read to its end, of the first observation
    last: int | None = None
    observations: int = 0
    covered: tuple[tuple[int, int], ...] = ()  # when captures begin and end, without overlap, in order
    health: dict[int, Health] = msgspec.field(default_factory=dict)  # what each capture can show, by index of the input
    sides: dict[str, int] = msgspec.field(default_factory=dict)
    """Hosts whose packets are missing from connections that they took part in: below 0 where that is the rule."""
    limits: list[str] = msgspec.field(default_factory=list)  # caps that were reached
    comments: dict[Ref, str] = msgspec.field(default_factory=dict)  # the first on each packet, masked
    names: dict[str, str] = msgspec.field(default_factory=dict)  # by address, as the capture keeps them
    sites: list[Story] = msgspec.field(default_factory=list)
    """Where several sensors captured: what each saw around the machines. Their machines are not in there."""
    site_of: dict[int, int] = msgspec.field(default_factory=dict)  # the site of a machine that was seen at one alone

    def at(self, proof: Ref) -> tuple[str, int]:
        """The input's name and the packet or line number."""
        source, number = place(proof)
        return (self.inputs[source] if source < len(self.inputs) else "", number)

    def add_up(self, observations: int, first: int | None, last: int | None, seen: Iterable[str]) -> None:
        """Add what was observed elsewhere: how much, from when to when, of which protocols."""
        self.observations += observations
        self.seen.update(seen)
        for time in (first, last):
            if time is not None:
                self.first = time if self.first is None else min(self.first, time)
                self.last = time if self.last is None else max(self.last, time)

    def around(self, device: Device) -> Story:
        """The story as it concerns a machine: an address is one machine's at its site only."""
        return self.sites[self.site_of[device.id]] if device.id in self.site_of else self

    def watched_after(self, time: int | None) -> float | None:
        """Seconds that captures cover after `time`, up to their last packet; `None` where unknown."""
        return self.watched_between(time, self.last)

    def watched_between(self, start: int | None, end: int | None) -> float | None:
        """Seconds between two times that captures cover: silence between two files is not silence on the wire."""
        if start is None or end is None:
            return None
        if not self.covered:
            return max(0.0, (end - start) / 1e9)
        return sum(max(0, min(end, until) - max(start, begin)) for begin, until in self.covered) / 1e9

    @property
    def whole(self) -> bool:
        """Whether no capture lacks packets, as far as it shows: what is absent was not on the wire there."""
        return not any(health.lacks_packets for health in self.health.values())
