"""Machines seen from several places: one machine wherever it is, but an address is one machine's at one site only."""

from __future__ import annotations

from typing import TYPE_CHECKING

from amtdecode.provisioning.machines import Machines

if TYPE_CHECKING:
    from amtdecode.provisioning.state import Device

LEASE_NS = 86_400 * 10**9  # an address says nothing of who has it after a day without packets: Windows leases for eight


class Site(Machines):
    """The tables of one sensor. Machines, UUIDs, MACs and names are those of the fleet; addresses are its own."""

    def __init__(self, fleet: Machines, sensor: str) -> None:
        self.fleet = fleet
        self.sensor = sensor
        devices, joined = fleet.devices, fleet.joined
        numbered, by_mac = fleet.numbered, fleet.by_mac
        super().__init__()
        fleet.devices, fleet.joined, fleet.numbered, fleet.by_mac = devices, joined, numbered, by_mac
        self.inputs, self.shared = fleet.inputs, fleet.shared
        self.by_uuid, self.by_name = fleet.by_uuid, fleet.by_name
        self.story.inputs, self.story.line_inputs = fleet.story.inputs, fleet.story.line_inputs
        self.story.limits = fleet.story.limits
        self.spell = 0
        """Counts the times during which addresses are known."""
        self._here = frozenset([(sensor, 0)])
        self.places: dict[int, frozenset[tuple[str, int]]] = {}
        """By the number of a machine: at which sensors, and in which spells, it had an address."""
        self.last: int | None = None

    @property
    def numbered(self) -> int:
        """Of the fleet."""
        return self.fleet.numbered

    @numbered.setter
    def numbered(self, number: int) -> None:
        self.fleet.numbered = number

    @property
    def by_mac(self) -> dict[str, Device] | None:
        """Of the fleet."""
        return self.fleet.by_mac

    @by_mac.setter
    def by_mac(self, table: dict[str, Device] | None) -> None:
        self.fleet.by_mac = table

    @property
    def devices(self) -> list[Device]:
        """Of the fleet."""
        return self.fleet.devices

    @devices.setter
    def devices(self, devices: list[Device]) -> None:
        self.fleet.devices = devices

    @property
    def joined(self) -> int:
        """Of the fleet."""
        return self.fleet.joined

    @joined.setter
    def joined(self, number: int) -> None:
        self.fleet.joined = number

    def key_of(self, uuid: str, address: str) -> str:
        """A placeholder says which machine it is only with an address, and that only at one site, in one spell."""
        key = super().key_of(uuid, address)
        return key if key == uuid else f"{key}@{self.sensor}@{self.spell}"

    def place(self, device: Device, address: str) -> None:
        """Note that a machine has an address from now on."""
        super().place(device, address)
        known = self.places.get(device.id)
        if known is None:
            self.places[device.id] = self._here
        elif known is not self._here:
            self.places[device.id] = known | self._here

    def begin_reading(self, first: int | None, last: int | None) -> None:
        """Packets come again: after a long silence addresses may be others'."""
        if self.last is not None and first is not None and first - self.last > LEASE_NS:
            self.by_address.clear()
            self.named.clear()
            self.spell += 1
            self._here = frozenset([(self.sensor, self.spell)])
        if last is not None and (self.last is None or last > self.last):
            self.last = last
