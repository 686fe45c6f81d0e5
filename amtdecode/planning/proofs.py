"""What in the story of a machine shows that a step was done: one function a step."""

from __future__ import annotations

from typing import TYPE_CHECKING

from amtdecode.diagnosis.addressing import latest_lease, resolved
from amtdecode.diagnosis.handshakes import management, setup_sessions
from amtdecode.provisioning.state import Outcome, Stage
from amtdecode.provisioning.state.incidents import SetupStep

if TYPE_CHECKING:
    from amtdecode.diagnosis.case import Case
    from amtdecode.planning.step import Proof
    from amtdecode.provisioning.state import Device

CONFIGURED = (Stage.CONFIGURATION, Stage.COMMIT, Stage.MANAGEMENT)
PSK, PKI = 2, 3  # versions of the hello


def key_file(case: Case, _device: Device) -> list[Proof]:
    """A setup.bin with pairs."""
    return [(0, f"{file.name}: {file.words}") for file in case.story.setup_bins if file.pids]


def setup_certificate(case: Case, _device: Device) -> list[Proof]:
    """A file with the certificate."""
    return [(file.ref, f"{file.name} holds it") for file in case.story.certificate_files if file.bundle.certificates]


def lease(_case: Case, device: Device) -> list[Proof]:
    """The lease."""
    found = latest_lease(device)
    return [] if found is None else [(found.ack, f"DHCP gives {found.address}")]


def name(_case: Case, device: Device) -> list[Proof]:
    """The answer about ProvisionServer."""
    return [(each.answer, f"{each.name} is {', '.join(each.addresses)}") for each in resolved(device)]


def psk_hello(_case: Case, device: Device) -> list[Proof]:
    """A hello of version 2."""
    return _hello(device, PSK)


def pki_hello(_case: Case, device: Device) -> list[Proof]:
    """A hello of version 3."""
    return _hello(device, PKI)


def _hello(device: Device, version: int) -> list[Proof]:
    return [
        (each.ref, f"hello of version {version} to {each.destination}")
        for each in device.hellos
        if each.version == version
    ]


def contact(case: Case, device: Device) -> list[Proof]:
    """The connection back."""
    return [
        (each.ref, f"{each.client} connects to port {each.port}")
        for each in setup_sessions(case, device)
        if each.connected
    ]


def psk_handshake(case: Case, device: Device) -> list[Proof]:
    """TLS with the key."""
    found = [(each, each.handshake) for each in setup_sessions(case, device)]
    return [
        (tls.server_ccs or each.ref, f"TLS with the PSK identity {tls.psk_identity}")
        for each, tls in found
        if tls is not None and tls.psk and tls.established
    ]


def pki_handshake(case: Case, device: Device) -> list[Proof]:
    """TLS in which the server showed its certificate, and the machine took it."""
    found = [(each, each.handshake) for each in setup_sessions(case, device)]
    return [
        (tls.server_ccs or tls.client_certificate or each.ref, "the machine takes the setup certificate")
        for each, tls in found
        if tls is not None and tls.client_chain and tls.established
    ]


def configuration(case: Case, device: Device) -> list[Proof]:
    """Calls of the profile, or data in the TLS connection of setup."""
    calls: list[Proof] = [(each.ref, f"{each.step}: {each.call}") for each in device.incidents_of(SetupStep)]
    if calls:
        return calls
    if not any(attempt.stage in CONFIGURED for attempt in device.attempts):
        return []
    found = [each.handshake for each in setup_sessions(case, device)]
    return [
        (tls.last_data, f"{tls.requests} requests inside TLS") for tls in found if tls is not None and tls.last_data
    ]


def commit(_case: Case, device: Device) -> list[Proof]:
    """The commit, seen or inferred with a confidence."""
    found: list[Proof] = []
    for attempt in device.attempts:
        if attempt.outcome != Outcome.COMMITTED:
            continue
        sure = "" if attempt.confidence >= 1 else f" (inferred, {attempt.confidence:.0%})"
        proof = attempt.commit or (attempt.sessions[-1].last_ref if attempt.sessions else 0)
        found.append((proof, f"setup is committed{sure}"))
    return found


def managed(case: Case, device: Device) -> list[Proof]:
    """A TLS connection of management after setup."""
    return [
        (session.ref, f"{session.client} manages it on port {session.port}") for session, _ in management(case, device)
    ]


def log_off(case: Case, _device: Device) -> list[Proof]:
    """An exported registry key without the value."""
    return [(file.ref, f"{file.name} sets no LogLevel") for file in case.story.registry_files if not file.log_level]
