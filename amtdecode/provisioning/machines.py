"""Which machine is meant: machines are joined by UUID, by address as it is at that time, by MAC and by name."""

from __future__ import annotations

from operator import itemgetter
from typing import TYPE_CHECKING, TypeVar, cast

from amtdecode import ports
from amtdecode.model import PACKET_NUMBER_BITS
from amtdecode.provisioning.attempts import begins_anew, in_setup
from amtdecode.provisioning.keeping import (
    add_attempt,
    add_hello,
    add_incident,
    add_log_entry,
    add_lookup,
    add_session,
    attempt_under_way,
)
from amtdecode.provisioning.state import Device, Lease, Ref, Session, ref
from amtdecode.provisioning.state.placeholders import tells_apart
from amtdecode.provisioning.state.tables import (
    MAX_DEVICE_ADDRESSES,
    MAX_DEVICES,
    MAX_FLOWS,
    MAX_SHARED,
    RECENT_HELLOS,
    Tables,
    bounded,
)
from amtdecode.provisioning.state.terms import Standing

if TYPE_CHECKING:
    from collections.abc import Iterator

    from amtdecode.model import FlowKey, Observation
    from amtdecode.provisioning.state import Hello, Lookup

Value = TypeVar("Value")


class Machines(Tables):
    """The tables, and how a machine or a connection is found in them."""

    # -- proofs ----------------------------------------------------------------------------------------------

    def input(self, name: str, *, lines: bool = False) -> int:
        """The index of an input."""
        index = self.inputs.get(name)
        if index is None:
            index = self.inputs[name] = len(self.story.inputs)
            self.story.inputs.append(name)
        if lines:
            self.story.line_inputs.add(index)
        return index

    def ref(self, observation: Observation) -> Ref:
        """The proof number of the packet that completes an observation."""
        index = self.inputs.get(observation.input)
        if index is None:
            index = self.input(observation.input)
        return index << PACKET_NUMBER_BITS | observation.packet

    def first_ref(self, observation: Observation) -> Ref:
        """The proof number of the first packet of an observation."""
        if not observation.packets:
            return self.ref(observation)
        return ref(self.input(observation.input), observation.packets[0])

    def share(self, value: Value) -> Value:
        """The one copy of a value that many machines have in common."""
        known = self.shared.get(value)
        if known is None:
            bounded(self.shared, MAX_SHARED)
            self.shared[value] = value
            return value
        return cast("Value", known)

    # -- machines --------------------------------------------------------------------------------------------

    def find(self, address: str) -> Device | None:
        """The machine at an address now."""
        return self.by_address.get(address)

    def find_by(self, uuid: str = "", mac: str = "", name: str = "") -> Device | None:
        """The machine with this UUID, MAC or name."""
        if uuid and (device := self.by_uuid.get(uuid)):
            return device
        if mac and (device := self.with_mac(mac)):
            return device
        found = self.by_name.get(name.lower()) if name else None
        return found and found.itself

    def with_mac(self, mac: str) -> Device | None:
        """The machine with this MAC. The table is made when first asked for: without DHCP nobody does."""
        if self.by_mac is None:
            self.by_mac = {device.mac: device for device in self.present() if device.mac}
        found = self.by_mac.get(mac)
        return found and found.itself

    def machine_at(self, address: str, *, guessed: bool = False) -> Device:
        """The machine at an address now; a new one if nobody was known there.

        One that is `guessed` counts only if something else names it too, earlier or later.
        """
        device = self.by_address.get(address)
        if device is not None:
            if device.guessed and not guessed:
                device.standing = Standing.SAID
        else:
            device = self._new()
            device.standing = Standing.PORT if guessed else Standing.SAID
            self.place(device, address)
        return device

    def key_of(self, uuid: str, address: str) -> str:
        """By what a machine is known: a placeholder tells machines apart only with an address."""
        return uuid if tells_apart(uuid) else f"{uuid}@{address}"

    def machine_with(self, uuid: str, address: str) -> Device:
        """The machine with a UUID, seen at an address now."""
        key = self.key_of(uuid, address)
        device = self.by_uuid.get(key)
        there = self.by_address.get(address)
        if device is None:
            device = there if there is not None and not there.uuid else self._new()
            device.uuid, device.standing = uuid, Standing.SAID
            if device.id:
                self.by_uuid[key] = device
        elif there is not None and there is not device and not there.uuid:
            self._merge(there, device)
        self.place(device, address)
        return device

    def machine_named(self, uuid: str, fqdn: str) -> Device:
        """A machine that only a log names."""
        device = self._new()
        if uuid:
            device.uuid = uuid
            if device.id:
                self.by_uuid[uuid] = device
        self.name(device, fqdn=fqdn)
        return device

    def place(self, device: Device, address: str) -> None:
        """Note that a machine has an address from now on."""
        if device.id:
            self.by_address[address] = device
        if device.address == address:
            return
        earlier = tuple([other for other in device.addresses if other != address])
        if len(earlier) == MAX_DEVICE_ADDRESSES:
            first, forgotten, *rest = earlier
            if self.by_address.get(forgotten) is device:
                del self.by_address[forgotten]
            earlier = (first, *rest)
        device.address, device.earlier = address, earlier

    def name(self, device: Device, mac: str = "", fqdn: str = "") -> None:
        """Note the MAC or the name of a machine."""
        if mac and not device.mac:
            device.mac = mac
            if self.by_mac is not None and device.id:
                bounded(self.by_mac, MAX_DEVICES)
                self.by_mac[mac] = device
        if fqdn and (not device.fqdn or "." not in device.fqdn):
            device.fqdn = fqdn
            if device.id:
                bounded(self.by_name, MAX_DEVICES)
                self.by_name[fqdn.lower()] = device

    def _new(self) -> Device:
        if len(self.devices) - self.joined >= MAX_DEVICES:
            if "MAX_DEVICES" not in self.story.limits:
                self.story.limits.append("MAX_DEVICES")
            return Device()  # in no table and judged by nobody, so that memory stays bounded
        self.numbered += 1
        device = Device(self.numbered)
        self.devices.append(device)
        return device

    def _merge(self, other: Device, device: Device) -> None:
        """`other`, known by address only, turns out to be `device`."""
        for lookup in other.lookups:
            add_lookup(device, lookup)
        device.leases += other.leases
        for incidents in other.incidents.values():
            for incident in incidents:
                add_incident(device, incident)
        for attempt in other.attempts:
            for session in attempt.sessions:
                add_session(device, session)
            if attempt.commit:
                under_way = attempt_under_way(device, attempt.ended)
                under_way.commit = under_way.commit or attempt.commit
        for entry in other.log_entries:
            add_log_entry(device, entry)
        for address in other.addresses:
            self.place(device, address)
        self.name(device, other.mac, other.fqdn)
        if not device.amt_version:
            device.amt_version, device.version_ref = other.amt_version, other.version_ref
        device.dropped += other.dropped
        other.turned_out = device
        if other.id:
            other.standing = Standing.JOINED
            self.joined += 1
            if 2 * self.joined > len(self.devices):
                self.devices, self.joined = [*self.present()], 0

    def present(self) -> Iterator[Device]:
        """The machines, in the order of appearance, without those that turned out to be another."""
        return (device for device in self.devices if device.standing is not Standing.JOINED)

    def unite(self, other: Device, device: Device) -> None:
        """`other`, with all its attempts, turns out to be `device`: the attempts of both are told anew, in order."""
        attempts = (*device.attempts, *other.attempts)
        facts: list[tuple[int, int, Ref, Hello | Session | None]] = []
        for attempt in attempts:
            facts += [(hello.time or 0, 0, hello.ref, hello) for hello in attempt.hellos]
            facts += [(session.time or 0, 1, session.ref, session) for session in attempt.sessions]
            if attempt.commit:
                facts.append((attempt.ended or 0, 2, attempt.commit, None))
        facts.sort(key=itemgetter(0, 1, 2))
        other.attempts = device.attempts = ()
        if device.guessed and not other.guessed:
            device.standing = Standing.SAID
        self._merge(other, device)
        for time, _, proof, fact in facts:
            if fact is None:
                attempt = attempt_under_way(device, time or None)
                attempt.commit = attempt.commit or proof
            elif isinstance(fact, Session):
                add_session(device, fact)
            else:
                self.hello(device, fact)
        let_go = sum(attempt.hello_count - len(attempt.hellos) for attempt in attempts)
        if let_go:
            attempt_under_way(device, None).hello_count += let_go
        device.uuid = device.uuid or other.uuid

    def join(self, device: Device, leases: dict[str, list[Lease]]) -> None:
        """Leases and names that surround a machine."""
        story = self.story
        macs = {hello.mac for hello in device.hellos if hello.mac} | ({device.mac} if device.mac else set())
        addresses = set(device.addresses)
        for key in (*macs, *addresses):
            for lease in leases.get(key, ()):
                if lease not in device.leases:
                    device.leases += (lease,)
                if not device.mac:
                    device.mac = lease.mac
        if len(device.leases) > 1:
            device.leases = tuple(sorted(device.leases, key=lambda lease: lease.ref))
        for lease in device.leases:
            if name := lease.fqdn or lease.hostname:
                suffix = (lease.suffix or b"").rstrip(b"\0").decode("latin-1")
                full = name if "." in name or not suffix else f"{name}.{suffix}"
                device.fqdn = device.fqdn or full.rstrip(".")
        if not device.fqdn:
            for address in addresses:
                for lookup in story.reverse.get(address, ()):
                    if lookup.addresses:
                        device.fqdn = lookup.addresses[0].rstrip(".")

    # -- hellos and connections ------------------------------------------------------------------------------

    def hello(self, device: Device, hello: Hello) -> None:
        """A machine says hello: this goes on with its attempt, or begins a new one."""
        attempt = device.attempts[-1] if device.attempts else None
        if attempt is None or begins_anew(attempt, hello, device):
            attempt = add_attempt(device, hello.time)
        add_hello(device, attempt, hello)
        if self.recent.pop(device.id, None) is None:
            bounded(self.recent, RECENT_HELLOS)
        self.recent[device.id] = device

    def session(self, observation: Observation) -> tuple[Device, Session] | None:
        """The connection of an observation, if it is one of a machine; begun here when it is new."""
        flow = observation.flow
        if flow is None or flow.transport != "tcp":
            return None
        known = self.flows.get(flow.number) if flow.number >= 0 else None
        if known is not None:
            device, session = known[0].itself, known[1]
            return (device, session) if isinstance(session, Session) else None
        port = flow.server.port
        if port in ports.MACHINE:
            return self._begin(flow, flow.server.address, observation)
        if port == ports.CIRA and observation.protocol != "iamt.apf":
            if getattr(observation.event, "server_name", ""):  # AMT names no server (SNI) when it calls home
                bounded(self.not_amt, MAX_FLOWS)
                self.not_amt[flow.number] = None
            if flow.number in self.not_amt:
                return None
        if port == ports.CIRA or observation.protocol == "iamt.apf":
            return self._begin(flow, flow.client.address, observation, guessed=observation.protocol != "iamt.apf")
        return None

    def _begin(
        self, flow: FlowKey, address: str, observation: Observation, *, guessed: bool = False
    ) -> tuple[Device, Session]:
        proof = self.first_ref(observation)
        device = self.machine_at(address, guessed=guessed)
        session = self.begin(device, flow, observation.time_ns, proof)
        return device, session

    def _held(self, device: Device, address: str) -> str:
        """The same text, as it is held already."""
        known = device.address
        return known if known == address else self.share(address)

    def _named(self, session: Session) -> Lookup | None:
        """The name whose address the client asked for before it connected there."""
        lookup = self.named.get((session.client, session.server))
        if lookup is None or lookup.time is None or session.time is None or lookup.time > session.time:
            return None
        return lookup

    def begin(self, device: Device, flow: FlowKey, time: int | None, proof: Ref) -> Session:
        """Note a new connection of a machine."""
        session = Session(
            flow.number,
            self._held(device, flow.client.address),
            self._held(device, flow.server.address),
            self.share(flow.server.port),
            proof,
            time,
            last_ref=proof,
            last_time=time,
        )
        if flow.server.port not in ports.MACHINE:
            session.lookup = self._named(session)
        hello = device.last_hello
        if flow.server.port in ports.SETUP and time is not None:
            if hello is not None:
                session.hello_time = hello.time
            session.setup = in_setup(device)
        add_session(device, session)
        if flow.number >= 0:
            bounded(self.flows, MAX_FLOWS)
            self.flows[flow.number] = (device, session)
        return session
