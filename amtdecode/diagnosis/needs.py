"""The conditions that rules declare: what they concern, and the evidence without which they cannot be judged.

Adding a rule mostly takes conditions from here; a new one is one line.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

from amtdecode.diagnosis.addressing import latest_lease, port_login, resolved, server_lookups
from amtdecode.diagnosis.chains import presented
from amtdecode.diagnosis.circumstances import Way, circumstances
from amtdecode.diagnosis.contacts import contacts, setup_contacts, unreached
from amtdecode.diagnosis.handshakes import management, pki_stops, psk_stops, setup_sessions
from amtdecode.diagnosis.need import Need
from amtdecode.diagnosis.phrases import no_dhcp, no_dns
from amtdecode.diagnosis.setup_chain import setup_chain
from amtdecode.diagnosis.site import NOBODY, Site
from amtdecode.diagnosis.versions import version_tuple
from amtdecode.provisioning.calling_home import calls_home
from amtdecode.provisioning.state import Method, Outcome
from amtdecode.provisioning.state.incidents import (
    ClockApart,
    ClockSet,
    ContactElsewhere,
    HelloAnswered,
    KerberosLogin,
    KerberosRefused,
    LoginLoop,
    LoginRefused,
    SetupStep,
)

if TYPE_CHECKING:
    from amtdecode.diagnosis.case import Case
    from amtdecode.provisioning.state import Attempt, Device
    from amtdecode.provisioning.state.incidents import Incident

NO_SITE = Site()
EVEN = 0.5

# -- on the network --------------------------------------------------------------------------------------------------

DHCP = Need(missing=no_dhcp, machine=lambda _case, device: bool(device.leases))
"""DHCP messages of the machine."""
LEASE = Need(missing=no_dhcp, machine=lambda _case, device: latest_lease(device) is not None)
"""A lease that was granted."""
DNS = Need(missing="no DNS in this capture", inputs=lambda case: "dns" in case.story.seen)
"""Any DNS at all."""
LOOKUP = Need(missing=no_dns, machine=lambda _case, device: bool(device.lookups))
"""The machine asked for ProvisionServer."""
RESOLVED = Need(missing=no_dns, machine=lambda _case, device: bool(resolved(device)))
"""The machine asked for ProvisionServer, and got an address."""

SERVER_LOOKUP = Need(machine=lambda case, device: bool(server_lookups(case, device)))
"""The machine asked for the name of a server to call home to, as far as that is known to be one."""

PORT_LOGIN = Need(machine=lambda case, device: port_login(case, device) is not None)
"""The machine's switch port asks for a login (802.1X)."""


def _kerberos(case: Case, device: Device) -> bool:
    told = device.incidents
    if KerberosRefused in told or ClockApart in told or (ClockSet in told and KerberosLogin in told):
        return True
    return bool(case.story.kdc_errors)


KERBEROS = Need(machine=_kerberos)
"""A Kerberos login to the machine, or a ticket for somebody, is refused."""
PORT_ASKS = Need(inputs=lambda case: "eapol" in case.story.seen)
"""Some switch port asks for a login."""

PINGED = Need(machine=lambda case, device: any(each in case.story.pings for each in device.addresses))
"""Somebody pings the machine (RMCP)."""

# -- hellos and attempts ---------------------------------------------------------------------------------------------

NO_HELLO = "no hello in this capture"
HELLO = Need(missing=NO_HELLO, machine=lambda _case, device: device.last_hello is not None)
"""A hello of the machine."""
SOME_HELLO = Need(missing=NO_HELLO, inputs=lambda case: "hello" in case.story.seen)
"""A hello of any machine."""
PID = Need(
    missing="no hello of the machine, whose PID would be compared with the PSK identity",
    machine=lambda _case, device: device.last_hello is not None,
)
"""A hello, for the PID in it."""


def _hashes(_case: Case, device: Device) -> bool:
    hello = device.last_hello
    return hello is not None and bool(hello.hashes)


HASHES = Need(machine=_hashes)
"""A hello that lists hashes of roots."""
SERVER_KNOWN = Need(machine=lambda _case, device: bool(device.hellos or resolved(device)))
"""The machine says where its server is: by DNS, or by its hello."""


def _psk_hello(_case: Case, device: Device) -> bool:
    return device.method == Method.PSK and device.last_hello is not None


PSK_HELLO = Need(machine=_psk_hello)
"""A hello of version 2."""
PSK = Need(machine=lambda _case, device: device.method == Method.PSK)
"""The machine is set up with a pre-shared key."""
PKI = Need(machine=lambda _case, device: device.method == Method.PKI)
"""The machine is set up with certificates."""
ATTEMPTS = Need(machine=lambda _case, device: len(device.attempts) > 1)
"""The machine tried more than once."""
COMMITTED = Need(machine=lambda _case, device: device.committed)
"""An attempt succeeded, seen or inferred."""


def inferred(attempt: Attempt) -> bool:
    """Whether success inside closed TLS is more likely than not."""
    return bool(attempt.reasons) and EVEN <= attempt.confidence < 1


INFERRED = Need(machine=lambda _case, device: any(map(inferred, device.attempts)))
"""Success inside closed TLS is more likely than not."""
FAILED = Need(machine=lambda _case, device: any(each.outcome == Outcome.FAILED for each in device.attempts))
"""An attempt failed."""

# -- connections and handshakes --------------------------------------------------------------------------------------

CONNECTION = Need(machine=lambda _case, device: bool(device.sessions))
"""Any TCP connection to or from the machine."""
HELLO_SENT = Need(machine=lambda _case, device: bool(device.sessions) or HelloAnswered in device.incidents)
"""A TCP connection to or from the machine, or an answer to its hello."""
CONTACT = Need(machine=lambda case, device: bool(contacts(case, device)))
"""A connection to one of the machine's ports."""
CONTACT_OR_HELLO = Need(machine=lambda case, device: device.last_hello is not None or bool(contacts(case, device)))
"""A hello of the machine, or a connection to one of its ports."""
CONTACT_OR_ELSEWHERE = Need(
    machine=lambda case, device: ContactElsewhere in device.incidents or bool(setup_contacts(case, device)),
)
"""A connection of setup to the machine, or to an address that is not its own."""
SETUP_CONTACT = Need(machine=lambda case, device: bool(setup_contacts(case, device)))
"""A connection to one of its ports for setup."""
UNREACHED = Need(
    machine=lambda case, device: case.site != NO_SITE or bool(unreached(case, device)),
)
"""The latest contact failed, or a site file says something of the machine's state."""
CALLS_HOME = Need(machine=lambda _case, device: bool(calls_home(device)))
"""A connection to a management presence server (CIRA)."""
SETUP_HANDSHAKE = Need(machine=lambda case, device: bool(setup_sessions(case, device)))
"""A TLS handshake of setup."""
PSK_STOP = Need(machine=lambda case, device: bool(psk_stops(case, device)))
"""A handshake with a pre-shared key did not come to its end."""
PKI_STOP = Need(machine=lambda case, device: bool(pki_stops(case, device)))
"""A handshake with certificates did not come to its end."""
MANAGEMENT = Need(machine=lambda case, device: bool(management(case, device)))
"""A TLS connection of management after setup."""
MANAGEMENT_CERTIFICATE = Need(
    missing="no TLS connection after setup in this capture",
    machine=lambda case, device: any(tls.server_chain for _, tls in management(case, device)),
)
"""The same, with the certificate of the machine."""


def _wireless_profile(case: Case, device: Device) -> bool:
    steps = device.incidents_of(SetupStep)
    return bool(case.machine(device).wireless_profile) or any(step.step == "wireless profile" for step in steps)


WIRELESS_PROFILE = Need(machine=_wireless_profile)
"""A wireless profile is set, or wanted by a site file."""

# -- certificates ----------------------------------------------------------------------------------------------------


def _certificates_concern(case: Case, device: Device) -> bool:
    return device.method != Method.PSK or bool(presented(case, device))


CERTIFICATE_SETUP = Need(machine=_certificates_concern)
"""The machine is not known to be set up with a pre-shared key, or was shown a setup certificate all the same."""
SETUP_CHAIN = Need(
    missing="no setup certificate was presented to the machine in this capture, and no file holds one",
    machine=lambda case, device: bool(presented(case, device)),
)
"""A setup certificate, presented or in a file."""
PRESENTED_CHAIN = Need(
    machine=lambda case, device: any(chain.session is not None for chain in presented(case, device)),
)
"""A setup certificate, presented."""
CERTIFICATE = Need(missing="no certificate in what was given", inputs=lambda case: "certificate" in case.story.seen)
"""Any certificate, in a capture or a file."""
PEM_FILE = Need(missing="a PEM file", inputs=lambda case: bool(case.story.certificate_files))
"""A file of certificates or keys."""

# -- calls -----------------------------------------------------------------------------------------------------------

LOGIN_REFUSED = Need(
    machine=lambda _case, device: LoginLoop in device.incidents or LoginRefused in device.incidents,
)
"""A login was refused."""

# -- logs ------------------------------------------------------------------------------------------------------------

NO_LOG = "no log of the setup server"
LOG = Need(missing=NO_LOG, inputs=lambda case: "log" in case.story.seen)
"""A log with a line that says something."""
LOG_LINES = Need(machine=lambda _case, device: bool(device.log_entries))
"""Log lines about the machine."""
LOG_OR_HANDSHAKE = Need(machine=lambda case, device: bool(device.log_entries or setup_sessions(case, device)))
"""Log lines about the machine, or a handshake of setup."""
LOG_LEVEL = Need(missing=NO_LOG, inputs=lambda case: bool(case.story.logs or case.story.registry_files))
"""A log, or the registry key that says how much goes into it."""
LOG_FILE = Need(missing=NO_LOG, inputs=lambda case: bool(case.story.logs))
"""A log, even one without such a line."""
REGISTRY = Need(
    missing="the registry key of the setup service (an exported .reg file)",
    inputs=lambda case: bool(case.story.registry_files),
)
"""The registry key of the setup service."""

# -- facts no packet shows (--site) ----------------------------------------------------------------------------------

AMT_VERSION = Need(
    missing="AMT version of the machine (--site: amt_version)",
    machine=lambda case, device: bool(version_tuple(case.version(device))),
)
MACHINE_NAME = Need(
    missing="name of the machine (DHCP options 12 and 81, reverse DNS, or --site: machine.fqdn)",
    machine=lambda case, device: bool(device.fqdn or case.machine(device).fqdn),
)
MACHINE_LISTED = Need(
    machine=lambda case, device: case.machine(device) is not NOBODY,
)
UPGRADE_PLANNED = Need(machine=lambda case, device: bool(version_tuple(case.machine(device).upgrade_to)))
UNS_EXPECTED = Need(machine=lambda case, device: bool(case.machine(device).uns))
VERSION_LISTED = Need(
    machine=lambda case, device: bool(case.told_version(device)),
)
INTEL_SCS = Need(inputs=lambda case: case.site.scs.product != "other")
"""The setup server is Intel SCS, as far as is told: what is known of its versions concerns no other."""
SCS_VERSION = Need(
    missing="version of SCS (--site: scs.version)", inputs=lambda case: bool(version_tuple(case.site.scs.version))
)
SCS_ADDRESSES = Need(
    missing="the list of servers that may provision (--site: scs.addresses)",
    inputs=lambda case: bool(case.site.scs.addresses),
)
SCS_MODE = Need(
    missing="mode of the setup service, enterprise or SMB (--site: scs.mode)",
    inputs=lambda case: bool(case.site.scs.mode),
)
SCS_THUMBPRINT = Need(
    missing="thumbprint of the certificate SCS is configured to use (--site: scs.thumbprint, or an exported .reg)",
    inputs=lambda case: bool(
        case.site.scs.thumbprint.replace(":", "").replace(" ", "")
        or any(file.thumbprints for file in case.story.registry_files)
    ),
)
ROOTS = Need(
    missing="hashes of the site's own roots (--site: certificates.roots)",
    inputs=lambda case: bool(case.site.certificates.roots),
)
OTP_POLICY = Need(
    missing="whether a one-time password is required (--site: policy.otp)",
    inputs=lambda case: case.site.policy.otp is not None,
)

# -- before the first machine (preflight) ----------------------------------------------------------------------------

BY_PSK = Need(inputs=lambda case: circumstances(case).way is Way.PSK)
"""Setup with a pre-shared key is asked about."""
BY_PKI = Need(inputs=lambda case: circumstances(case).way is not Way.PSK)
"""Remote configuration is asked about."""
BY_AGENT = Need(inputs=lambda case: circumstances(case).way is Way.AGENT)
"""Remote configuration is asked about, which an agent on the host starts."""
SETUP_CERTIFICATE = Need(
    missing="the setup certificate with its chain: a file (PEM, DER, PKCS#7, PFX), or a capture that shows it",
    inputs=lambda case: bool(setup_chain(case)),
)
"""A setup certificate, in a file or in a capture."""

# -- incidents -------------------------------------------------------------------------------------------------------


@functools.cache
def incident(kind: type[Incident]) -> Need:
    """The machine had an incident of this class."""
    return Need(incident=kind)
