"""Takes observations and log rows one by one, and keeps what the rules may ask about each machine.

Machines are joined by UUID, by address as it is at that time, by MAC and by name. Which event says what is in the
modules beside this one; here is where facts are put. Every table is bounded by a named constant.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

from amtdecode.model import PACKET_NUMBER_BITS
from amtdecode.provisioning import attempts
from amtdecode.provisioning.facts import (
    CIRA_PORT,
    DEVICE_PORTS,
    MAX_ALIKE_ROWS,
    MAX_ATTEMPTS,
    MAX_HELLOS,
    MAX_LOOKUPS,
    MAX_MARKS,
    MAX_ROWS,
    MAX_SESSIONS,
    SETUP_PORTS,
    Address,
    Attempt,
    Device,
    Hello,
    Lease,
    Lookup,
    Mark,
    Ref,
    Row,
    Session,
    Story,
    ref,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from amtdecode.model import FlowKey, Observation

MAX_DEVICES = 200_000
MAX_LEASES = 65_536  # MAC addresses whose latest lease is remembered
MAX_NAMES = 16_384  # (host, name) pairs of DNS remembered
MAX_ADDRESSES = 16_384  # addresses ARP or ICMP spoke of
MAX_FLOWS = 65_536  # connections under way
MAX_SHARED = 4_096  # certificate chains and hash lists kept once for all machines
MAX_FLEET_ROWS = 512  # log rows of no known machine
MAX_DEVICE_ADDRESSES = 8
RECENT_HELLOS = 16  # machines asked whether a contact elsewhere was meant for them

Key = TypeVar("Key")
Value = TypeVar("Value")


def bounded(table: dict[Key, Value], limit: int) -> None:
    """Make room in a table for one more, at the cost of its oldest entry."""
    if len(table) >= limit:
        del table[next(iter(table))]


class Tracker:
    """Feed it everything, then ask for the story."""

    def __init__(self) -> None:
        self.story = Story()
        self._inputs: dict[str, int] = {}
        self._by_uuid: dict[str, Device] = {}
        self._by_address: dict[str, Device] = {}
        self._by_mac: dict[str, Device] = {}
        self._by_name: dict[str, Device] = {}
        self._devices: dict[int, Device] = {}  # by id(), in order of appearance
        self.flows: dict[int, tuple[Device, Session | Hello]] = {}
        self.others: dict[int, None] = {}  # connections to CIRA's port that are none of AMT's
        self.web: dict[int, Any] = {}  # HTTP state of connections under way
        self._shared: dict[Any, Any] = {}
        self.recent: dict[int, Device] = {}  # machines that said hello last
        self.resolvers: dict[str, None] = {}  # hosts that answer names: what they ask themselves is not theirs
        self.resolved: dict[str, list[Lookup]] = {}  # latest name lookups of each host, for contacts elsewhere
        self._handlers: dict[type, Callable[[Tracker, Observation], None] | None] = {}

    # -- feeding ---------------------------------------------------------------------------------------------

    def feed(self, observation: Observation) -> None:
        """One observation, in the order of the capture."""
        kind = type(observation.event)
        try:
            handler = self._handlers[kind]
        except KeyError:
            from amtdecode.provisioning.handlers import handler_of

            handler = self._handlers[kind] = handler_of(kind)
        story = self.story
        story.observations += 1
        if (time := observation.time_ns) is not None:
            if story.first is None or time < story.first:
                story.first = time
            if story.last is None or time > story.last:
                story.last = time
        if handler is not None:
            handler(self, observation)

    def feed_log(self, row: Any) -> None:
        """One row of a log (`amtdecode.artifacts.logs`)."""
        from amtdecode.provisioning.rows import take_row

        take_row(self, row)

    def finish(self) -> Story:
        """Nothing more comes: join what is left, judge the attempts, give the story."""
        story = self.story
        story.devices = [
            device for device in self._devices.values() if not device.merged and (not device.guessed or device.rows)
        ]
        leases: dict[str, list[Lease]] = {}  # by MAC and by address
        for lease in story.leases.values():
            leases.setdefault(lease.mac, []).append(lease)
            leases.setdefault(lease.address, []).append(lease)
        for device in story.devices:
            self._join(device, leases)
            attempts.settle(device)
            attempts.judge(device, story)
        if "log" in story.seen:
            from amtdecode.provisioning.rows import compare_clocks

            story.clock = compare_clocks(self)
        return story

    # -- proofs ----------------------------------------------------------------------------------------------

    def input(self, name: str, *, lines: bool = False) -> int:
        """The index of an input."""
        index = self._inputs.get(name)
        if index is None:
            index = self._inputs[name] = len(self.story.inputs)
            self.story.inputs.append(name)
        if lines:
            self.story.lined.add(index)
        return index

    def ref(self, observation: Observation) -> Ref:
        """The proof number of the packet that completes an observation."""
        index = self._inputs.get(observation.input)
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
        known = self._shared.get(value)
        if known is None:
            bounded(self._shared, MAX_SHARED)
            known = self._shared[value] = value
        return known

    # -- machines --------------------------------------------------------------------------------------------

    def find(self, address: str) -> Device | None:
        """The machine at an address now."""
        return self._by_address.get(address)

    def find_by(self, uuid: str = "", mac: str = "", name: str = "") -> Device | None:
        """The machine with this UUID, MAC or name."""
        if uuid and (device := self._by_uuid.get(uuid)):
            return device
        if mac and (device := self._by_mac.get(mac)):
            return device
        return self._by_name.get(name.lower()) if name else None

    def machine_at(self, address: str, time: int | None, proof: Ref, *, guessed: bool = False) -> Device:
        """The machine at an address now; a new one if nobody was known there.

        One that is `guessed` counts only if something else names it too, earlier or later.
        """
        device = self._by_address.get(address)
        if device is not None:
            device.guessed = device.guessed and guessed
        if device is None:
            device = self._new()
            device.guessed = guessed
            self.place(device, address, time, proof)
        elif device.addresses[-1].text == address:
            device.addresses[-1].last = time
        return device

    def machine_with(self, uuid: str, address: str, time: int | None, proof: Ref) -> Device:
        """The machine with a UUID, seen at an address now."""
        key = uuid if _tells_apart(uuid) else f"{uuid}@{address}"
        device = self._by_uuid.get(key)
        there = self._by_address.get(address)
        if device is None:
            device = there if there is not None and not there.uuid else self._new()
            device.uuid, device.guessed = uuid, False
            self._by_uuid[key] = device
        elif there is not None and there is not device and not there.uuid:
            self._merge(there, device)
        self.place(device, address, time, proof)
        return device

    def machine_named(self, uuid: str, fqdn: str, proof: Ref) -> Device:  # noqa: ARG002 - proofs stay with the rows
        """A machine that only a log names."""
        device = self._new()
        if uuid:
            device.uuid = uuid
            self._by_uuid[uuid] = device
        self.name(device, fqdn=fqdn)
        return device

    def place(self, device: Device, address: str, time: int | None, proof: Ref) -> None:
        """Note that a machine has an address from now on."""
        self._by_address[address] = device
        for known in device.addresses:
            if known.text == address:
                known.last = time
                if known is not device.addresses[-1]:
                    device.addresses.remove(known)
                    device.addresses.append(known)
                return
        device.addresses.append(Address(address, time, time, proof))
        if len(device.addresses) > MAX_DEVICE_ADDRESSES:
            self._by_address.pop(device.addresses.pop(1).text, None)

    def name(self, device: Device, mac: str = "", fqdn: str = "") -> None:
        """Note the MAC or the name of a machine."""
        if mac and not device.mac:
            device.mac = mac
            self._by_mac[mac] = device
        if fqdn and (not device.fqdn or "." not in device.fqdn):
            device.fqdn = fqdn
            self._by_name[fqdn.lower()] = device

    def _new(self) -> Device:
        if len(self._devices) >= MAX_DEVICES:
            if "MAX_DEVICES" not in self.story.limits:
                self.story.limits.append("MAX_DEVICES")
            return Device()  # judged by nobody, so that memory stays bounded
        device = Device()
        self._devices[id(device)] = device
        return device

    def _merge(self, other: Device, device: Device) -> None:
        """`other`, known by address only, turns out to be `device`."""
        for lookup in other.lookups:
            self.add_lookup(device, lookup)
        device.leases += other.leases
        for kind, marks in other.marks.items():
            for mark in marks:
                self.mark(device, kind, mark)
        for attempt in other.attempts:
            for session in attempt.sessions:
                self.add_session(device, session)
        for row in other.rows:
            self.add_row(device, row)
        for address in other.addresses:
            self.place(device, address.text, address.first, address.ref)
        self.name(device, other.mac, other.fqdn)
        device.amt_version = device.amt_version or other.amt_version
        other.merged = True
        self._devices.pop(id(other), None)

    def _join(self, device: Device, leases: dict[str, list[Lease]]) -> None:
        """Leases and names that surround a machine."""
        story = self.story
        macs = {hello.mac for hello in device.hellos if hello.mac} | ({device.mac} if device.mac else set())
        addresses = {address.text for address in device.addresses}
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

    # -- facts -----------------------------------------------------------------------------------------------

    def mark(self, device: Device, kind: str, mark: Mark) -> None:
        """Note a rare thing; of many of one kind and name the first are kept, and the others counted."""
        marks = device.marks_of(kind)
        for known in marks:
            if known.name == mark.name and known.text == mark.text and known.session == mark.session:
                known.count += mark.count
                return
        if len(marks) < MAX_MARKS:
            marks.append(mark)
        else:
            marks[-1].count += 1
            device.dropped += 1

    def add_row(self, device: Device, row: Row) -> None:
        """Put a log row down for a machine."""
        rows = device.rows
        if len(rows) >= MAX_ALIKE_ROWS:
            alike = [known for known in rows if known.anchor == row.anchor]
            if len(alike) >= MAX_ALIKE_ROWS:
                rows.remove(alike[1])
                device.dropped += 1
            elif len(rows) >= MAX_ROWS:
                del rows[MAX_ROWS // 2]
                device.dropped += 1
        rows.append(row)

    def add_lookup(self, device: Device, lookup: Lookup) -> None:
        """Put a name lookup down for a machine."""
        if all(known is not lookup for known in device.lookups):
            if len(device.lookups) >= MAX_LOOKUPS:
                device.lookups = (device.lookups[0], *device.lookups[2:])
                device.dropped += 1
            device.lookups += (lookup,)

    def add_hello(self, device: Device, hello: Hello) -> None:
        """A machine says hello: this goes on with its attempt, or begins a new one."""
        attempt = device.attempts[-1] if device.attempts else None
        if attempt is None or attempts.begins_anew(attempt, hello, device):
            attempt = self._attempt(device, hello.time)
        attempt.started = hello.time if attempt.started is None else attempt.started
        attempt.ended = hello.time
        attempt.hello_count += 1
        if len(attempt.hellos) >= MAX_HELLOS:
            del attempt.hellos[MAX_HELLOS // 2]
            device.dropped += 1
        attempt.hellos.append(hello)
        if self.recent.pop(id(device), None) is None:
            bounded(self.recent, RECENT_HELLOS)
        self.recent[id(device)] = device

    def _attempt(self, device: Device, time: int | None) -> Attempt:
        attempt = Attempt(started=time, ended=time)
        if len(device.attempts) >= MAX_ATTEMPTS:
            del device.attempts[1]
            device.dropped += 1
        device.attempts.append(attempt)
        return attempt

    def attempt(self, device: Device, time: int | None) -> Attempt:
        """The machine's attempt under way."""
        return device.attempts[-1] if device.attempts else self._attempt(device, time)

    def add_session(self, device: Device, session: Session) -> None:
        """A connection to or from a machine."""
        attempt = self.attempt(device, session.time)
        attempt.session_count += 1
        if len(attempt.sessions) >= MAX_SESSIONS:
            victim = next((s for s in attempt.sessions[1:] if s.state and not s.setup), attempt.sessions[1])
            attempt.sessions.remove(victim)
            device.dropped += 1
        attempt.sessions.append(session)
        if session.last_time is not None or session.time is not None:
            attempt.ended = session.last_time if session.last_time is not None else session.time

    def session(self, observation: Observation) -> tuple[Device, Session] | None:
        """The connection of an observation, if it is one of a machine; begun here when it is new."""
        flow = observation.flow
        if flow is None or flow.transport != "tcp":
            return None
        known = self.flows.get(flow.number) if flow.number >= 0 else None
        if known is not None:
            return known if isinstance(known[1], Session) else None  # type: ignore[return-value]
        port = flow.server.port
        if port in DEVICE_PORTS:
            return self._begin(flow, flow.server.address, observation)
        if port == CIRA_PORT and observation.protocol != "iamt.apf":
            if getattr(observation.event, "server_name", ""):  # AMT names no server (SNI) when it calls home
                bounded(self.others, MAX_FLOWS)
                self.others[flow.number] = None
            if flow.number in self.others:
                return None
        if port == CIRA_PORT or observation.protocol == "iamt.apf":
            return self._begin(flow, flow.client.address, observation, guessed=observation.protocol != "iamt.apf")
        return None

    def _begin(
        self, flow: FlowKey, address: str, observation: Observation, *, guessed: bool = False
    ) -> tuple[Device, Session]:
        proof = self.first_ref(observation)
        device = self.machine_at(address, observation.time_ns, proof, guessed=guessed)
        session = self.begin(device, flow, observation.time_ns, proof)
        return device, session

    def _held(self, device: Device, address: str) -> str:
        """The same text, as it is held already."""
        known = device.address
        return known if known == address else self.share(address)

    def begin(self, device: Device, flow: FlowKey, time: int | None, proof: Ref) -> Session:
        """Note a new connection of a machine."""
        session = Session(
            flow.number,
            self._held(device, flow.client.address),
            flow.client.port,
            self._held(device, flow.server.address),
            flow.server.port,
            proof,
            time,
            last_ref=proof,
            last_time=time,
        )
        hello = device.last_hello
        if hello is not None and hello.time is not None and time is not None and flow.server.port in SETUP_PORTS:
            session.after_gap = max(0, time - hello.time)
            session.setup = attempts.in_setup(device)
        self.add_session(device, session)
        if flow.number >= 0:
            bounded(self.flows, MAX_FLOWS)
            self.flows[flow.number] = (device, session)
        return session


def _tells_apart(uuid: str) -> bool:
    """Whether a UUID names one machine: not when a BIOS left it all 00 or all FF."""
    return uuid.count(uuid[:1]) + uuid.count("-") < len(uuid)


__all__ = ["MAX_ADDRESSES", "MAX_FLEET_ROWS", "MAX_LEASES", "MAX_NAMES", "Tracker", "bounded"]
