"""A machine, its addresses, and its attempts at being provisioned.

Nothing here holds an observation: a machine with one hello and one handshake costs about 1.4 KB.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, TypeVar, cast

import msgspec

from amtdecode.provisioning.state.fact import Fact, Ref
from amtdecode.provisioning.state.incidents import Incident
from amtdecode.provisioning.state.placeholders import tells_apart
from amtdecode.provisioning.state.terms import METHOD_OF_HELLO, Method, Outcome, Stage, Standing

if TYPE_CHECKING:
    from collections.abc import Mapping

    from amtdecode.provisioning.state.connection import Session
    from amtdecode.provisioning.state.hello import Hello
    from amtdecode.provisioning.state.log import LogEntry
    from amtdecode.provisioning.state.network import Lease, Lookup


class Ending(msgspec.Struct, gc=False, frozen=True):
    """How an attempt ended. Most end alike, and share one."""

    outcome: Outcome = Outcome.UNKNOWN
    confidence: float = 0.0
    reasons: tuple[str, ...] = ()  # why success is inferred


UNJUDGED = Ending()


class Attempt(Fact):
    """One try at provisioning a machine."""

    started: int | None = None
    ended: int | None = None
    hellos: tuple[Hello, ...] = ()  # tuples, since most hold one: a list of one takes twice as much
    hello_count: int = 0
    sessions: tuple[Session, ...] = ()
    stage: Stage = Stage.NONE
    ending: Ending = UNJUDGED
    commit: Ref = 0  # proof of the commit

    @property
    def outcome(self) -> Outcome:
        """How it ended."""
        return self.ending.outcome

    @property
    def confidence(self) -> float:
        """How sure that is: 1 is certainty."""
        return self.ending.confidence

    @property
    def reasons(self) -> tuple[str, ...]:
        """Why success is inferred."""
        return self.ending.reasons

    @property
    def hello(self) -> Hello | None:
        """The latest hello."""
        return self.hellos[-1] if self.hellos else None

    def refs(self) -> list[Ref]:
        """The packets that mark its steps, ascending."""
        refs = {hello.ref for hello in self.hellos}
        for session in self.sessions:
            refs.update((session.ref, session.last_ref))
            if tls := session.handshake:
                refs.update((tls.client_hello, tls.server_hello, tls.server_certificate, tls.client_certificate))
                refs.update((tls.key_exchange, tls.client_ccs, tls.server_ccs))
                refs.update(alert.ref for alert in tls.alerts)
        refs.add(self.commit)
        refs.discard(0)
        return sorted(refs)


Kind = TypeVar("Kind", bound=Incident)
NO_INCIDENTS: Mapping[type[Incident], list[Incident]] = MappingProxyType({})


def name_of(uuid: str, fqdn: str, address: str) -> str:
    """What a machine is called: a UUID that tells it apart, else its name, else its address."""
    return uuid if uuid and tells_apart(uuid) else fqdn or address


class Device(Fact):
    """A machine with AMT: it asked for ProvisionServer, said hello, was contacted on AMT's ports, or calls home."""

    id: int = 0  # from 1, in the order of appearance; numbers of machines that turned out to be another stay unused
    uuid: str = ""
    mac: str = ""
    fqdn: str = ""
    amt_version: str = ""
    version_ref: Ref = 0
    address: str = ""  # its latest
    earlier: tuple[str, ...] = ()  # addresses that it had before
    attempts: tuple[Attempt, ...] = ()
    lookups: tuple[Lookup, ...] = ()
    leases: tuple[Lease, ...] = ()
    incidents: Mapping[type[Incident], list[Incident]] = NO_INCIDENTS  # by their class
    log_entries: tuple[LogEntry, ...] = ()
    dropped: int = 0  # facts let go because a cap was reached
    standing: Standing = Standing.SAID
    turned_out: Device | None = None  # the machine that this one turned out to be

    @property
    def itself(self) -> Device:
        """The machine that this one is, as far as is known by now."""
        return self if self.turned_out is None else self.turned_out.itself

    @property
    def guessed(self) -> bool:
        """Nothing but the port of a connection says that it has AMT."""
        return self.standing is Standing.PORT

    @property
    def called_home(self) -> bool:
        """Nothing but how it calls home says so."""
        return self.standing is Standing.CALLS_HOME

    @property
    def suspected(self) -> bool:
        """Nothing but contacts in vain says so: at most possible."""
        return self.standing is Standing.IN_VAIN

    @property
    def name(self) -> str:
        """What a report calls it: UUID, else name, else address. Two may be called the same; `id` tells them apart."""
        return name_of(self.uuid, self.fqdn, self.address) or self.mac

    @property
    def addresses(self) -> tuple[str, ...]:
        """All its addresses, the latest last."""
        return (*self.earlier, self.address) if self.address else ()

    @property
    def hellos(self) -> tuple[Hello, ...]:
        """All hellos kept, in order."""
        attempts = self.attempts
        if len(attempts) == 1:
            return attempts[0].hellos
        return tuple([hello for attempt in attempts for hello in attempt.hellos])

    @property
    def sessions(self) -> tuple[Session, ...]:
        """All connections kept, in order."""
        attempts = self.attempts
        if len(attempts) == 1:
            return attempts[0].sessions
        return tuple([session for attempt in attempts for session in attempt.sessions])

    def attempt_of(self, connection: int) -> Attempt | None:
        """The attempt to which a connection belongs, by its number; `None` where it was let go."""
        for attempt in self.attempts:
            if any(session.number == connection for session in attempt.sessions):
                return attempt
        return None

    @property
    def last_hello(self) -> Hello | None:
        """The latest hello."""
        for attempt in reversed(self.attempts):
            if attempt.hellos:
                return attempt.hellos[-1]
        return None

    @property
    def method(self) -> Method:
        """How it is provisioned, by its latest hello, else by its setup connections."""
        if hello := self.last_hello:
            return METHOD_OF_HELLO.get(hello.version, Method.UNKNOWN)
        for session in reversed(self.sessions):
            if session.setup and session.handshake:
                if session.handshake.psk:
                    return Method.PSK
                if session.handshake.client_chain:
                    return Method.PKI
        return Method.UNKNOWN

    @property
    def committed(self) -> bool:
        """Whether an attempt ended with a commit, seen or inferred."""
        return any(attempt.outcome == Outcome.COMMITTED for attempt in self.attempts)

    def incidents_of(self, kind: type[Kind]) -> list[Kind]:
        """The incidents of one class, in their order. Not to be changed."""
        return cast("list[Kind]", self.incidents.get(kind, []))
