"""What is rare and worth remembering of a machine: one class for each kind of incident.

Incidents of one kind that are alike are one object, and counted.
"""

from __future__ import annotations

from typing import ClassVar

from amtdecode.provisioning.state.fact import Fact, Ref


class Incident(Fact):
    """Base. `ref` proves the first of its kind, `count` says how many came."""

    changing: ClassVar[frozenset[str]] = frozenset(("ref", "time", "count"))
    """Attributes in which two that are alike may differ."""
    most: ClassVar[int] = 6
    """Of this kind that are kept per machine; further ones are counted."""

    ref: Ref
    time: int | None
    count: int = 1

    def alike(self, other: Incident) -> bool:
        """Whether another incident of this class is the same thing once more."""
        return all(
            getattr(self, name) == getattr(other, name) for name in self.__struct_fields__ if name not in self.changing
        )


# -- hellos and connections ------------------------------------------------------------------------------------------


class MalformedHello(Incident, kw_only=True):
    """A hello that breaks its rules, or is cut."""

    fault: str
    cut: bool = False  # bytes of it are missing from the capture: the machine may have sent it whole


class HelloAnswered(Incident, kw_only=True):
    """A host answered a hello with bytes: it is no setup server."""

    changing: ClassVar[frozenset[str]] = Incident.changing | {"data"}

    server: str
    port: int
    speaks: str  # "HTTP"; "" where its bytes tell nothing
    data: bytes


class ContactElsewhere(Incident, kw_only=True):
    """A server that heard the machine's hello contacts an address where nobody said hello."""

    server: str
    address: str
    name: str = ""  # that the server looked up before, and that leads to `address`


class ClearRedirection(Incident, kw_only=True):
    """Redirection (serial over LAN, storage) without TLS."""

    client: str
    connection: int


# -- HTTP ------------------------------------------------------------------------------------------------------------


class Login(Incident, kw_only=True):
    """A login that succeeded after a challenge."""

    scheme: str  # "" where the request that succeeded carried no credentials
    connection: int


class LoginRefused(Incident, kw_only=True):
    """Logins refused in a row, in whatever connections: a success ends the row."""

    changing: ClassVar[frozenset[str]] = Incident.changing | {"target", "connection"}

    target: str
    user: str
    scheme: str
    connection: int


class LoginLoop(Incident, kw_only=True):
    """Login after login refused for one address."""

    changing: ClassVar[frozenset[str]] = Incident.changing | {"refusals"}

    target: str
    user: str
    scheme: str
    connection: int
    refusals: int


class StaleNonce(Incident, kw_only=True):
    """A challenge because the nonce was too old (RFC 7616 section 3.3)."""

    connection: int


class RealmMismatch(Incident, kw_only=True):
    """Credentials for another realm than the machine asked for."""

    answered: str
    asked: str
    connection: int


class NegotiateRefused(Incident, kw_only=True):
    """Negotiate (Kerberos) was refused, then Digest succeeded."""

    changing: ClassVar[frozenset[str]] = Incident.changing | {"digest"}

    digest: Ref  # the response to Digest
    connection: int


class KerberosLogin(Incident, kw_only=True):
    """A request with Negotiate or Kerberos credentials."""

    scheme: str
    connection: int


class KerberosRefused(Incident, kw_only=True):
    """A Kerberos login is refused with a code."""

    changing: ClassVar[frozenset[str]] = Incident.changing | {"connection", "skew"}

    code: int
    spn: str
    realm: str
    skew: int | None  # seconds by which the server's clock is ahead of the client's
    connection: int


class ClockApart(Incident, kw_only=True):
    """The machine refuses a Kerberos login, and its clock (Date header) is far from that of the capture."""

    changing: ClassVar[frozenset[str]] = Incident.changing | {"connection", "skew"}

    skew: int  # seconds by which the machine's clock is ahead
    connection: int


class ClockSet(Incident, kw_only=True):
    """A call that sets the machine's clock (SetHighAccuracyTimeSynch), and what its caller found before."""

    skew: int  # seconds by which the machine's clock was ahead of the caller's
    done: bool  # the machine says that it is set
    connection: int


class ErrorStatus(Incident, kw_only=True):
    """An HTTP status that says that something is wrong."""

    request: str  # method and target, without secrets
    status: int
    reason: str
    connection: int

    @property
    def text(self) -> str:
        """Request, status and reason in one line."""
        return f"{self.request}: {self.status} {self.reason}".strip()


class ClearSecret(Incident, kw_only=True):
    """A secret sent without TLS."""

    what: str  # how, without the secret
    connection: int


class ClearDigest(Incident, kw_only=True):
    """A Digest login without TLS."""

    user: str
    connection: int


# -- redirection -----------------------------------------------------------------------------------------------------


class RedirectionRefused(Incident, kw_only=True):
    """AMT refuses a session of redirection, or what was to begin in it."""

    changing: ClassVar[frozenset[str]] = Incident.changing | {"connection"}

    session: str  # SOL, IDER, KVM
    status: int
    client: str
    connection: int


class ConsoleDeaf(Incident, kw_only=True):
    """Somebody types at a console (SOL) whose serial port is in loopback mode."""

    client: str
    connection: int


# -- calls to the machine --------------------------------------------------------------------------------------------


class ClearManagement(Incident, kw_only=True):
    """Calls without TLS."""

    client: str
    port: int


class CallFault(Incident, kw_only=True):
    """A call answered by a SOAP fault."""

    changing: ClassVar[frozenset[str]] = Incident.changing | {"granted"}

    call: str
    fault: str
    wsman: bool
    connection: int
    granted: Ref = 0  # the same call, when it succeeded later


class CallRefused(Incident, kw_only=True):
    """A call answered by a code other than success."""

    changing: ClassVar[frozenset[str]] = Incident.changing | {"granted"}

    call: str
    result: str  # "PT_STATUS 0x809 DATA_MISSING"
    meaning: str
    code: int
    own_value: bool  # the code is named in the value map of the method itself: it is no PT_STATUS
    connection: int
    granted: Ref = 0  # the same call, when it succeeded later


class SetupStep(Incident, kw_only=True):
    """A call that is a step of the configuration."""

    call: str
    step: str
    connection: int


class ChangingCall(Incident, kw_only=True):
    """A call that changes what the machine is set to, and that the machine did not refuse."""

    most: ClassVar[int] = 64  # a setup takes some thirty different ones

    call: str
    client: str
    user: str  # that the request authenticates as; "" where the capture does not show it
    tls: bool
    answered: bool  # False: no answer was seen, so that nobody knows whether it was done
    connection: int


class RightsGranted(Incident, kw_only=True):
    """An entry of the access control list, as written: who may use what."""

    most: ClassVar[int] = 16

    call: str
    user: str  # name, or the SID of a directory account; "" where the call names neither
    realms: tuple[int, ...]  # numbers of realms (AMT_AuthorizationService.Realms)
    client: str
    connection: int


class EnvironmentDetection(Incident, kw_only=True):
    """The domains in which the machine is inside (AMT_EnvironmentDetectionSettingData), as written to it."""

    domains: tuple[str, ...]
    connection: int


class PresenceServer(Incident, kw_only=True):
    """The management presence server that the machine is to call, as a call says it (AccessInfo)."""

    name: str  # or address
    connection: int


class AdminEntry(Incident, kw_only=True):
    """An entry of the access control list that may do everything."""

    call: str
    connection: int


class Commit(Incident, kw_only=True):
    """The call that ends setup, or a log line that says so."""

    call: str = ""
    line: str = ""  # of a log
    connection: int = -1


class CommitUnanswered(Incident, kw_only=True):
    """The call that ends setup, to which no answer came."""

    call: str
    connection: int


class Unprovision(Incident, kw_only=True):
    """Base: the machine is unprovisioned, by a call or as a log says."""

    call: str = ""
    line: str = ""  # of a log
    connection: int = -1


class FullUnprovision(Unprovision, kw_only=True):
    """Everything goes back to the factory state."""


class PartialUnprovision(Unprovision, kw_only=True):
    """PID, PPS and the list of hashes stay."""


# -- RMCP and alerts -------------------------------------------------------------------------------------------------


class Pong(Incident, kw_only=True):
    """AMT answers a ping (RMCP)."""

    version: str  # major and minor; "" before AMT 6.0
    port: int  # that it has open; 0: it is not configured
    state: int | None  # 0 not provisioned, 1 in provisioning, 2 provisioned; `None` before AMT 6.0


class SessionRefused(Incident, kw_only=True):
    """A session over RMCP (RSSP) is refused."""

    client: str
    status: int


class PlatformAlert(Incident, kw_only=True):
    """A platform event trap: the machine says what happened to it."""

    event: str
    severity: int
    receiver: str


# -- logs ------------------------------------------------------------------------------------------------------------


class RequestRefusedOften(Incident):
    """Error 137 of SCS three times within an hour."""
