"""Who set a machine up, who manages it, which calls changed it, which rights they handed out."""

from __future__ import annotations

from typing import TYPE_CHECKING

from amtdecode.audit.proofs import proof_of
from amtdecode.audit.value import Actor, Change, Right, Shown
from amtdecode.diagnosis.certificates import read_chain
from amtdecode.diagnosis.contacts import contacts
from amtdecode.diagnosis.handshakes import is_setup
from amtdecode.diagnosis.run import iso
from amtdecode.protocols.soap.tables import value_name
from amtdecode.provisioning.state.incidents import ChangingCall, ClearDigest, RightsGranted

if TYPE_CHECKING:
    from amtdecode.diagnosis.case import Case
    from amtdecode.provisioning.state import Device, Session

SERVICE = "AMT_AuthorizationService"


def provisioners(case: Case, device: Device) -> list[Actor]:
    """Hosts that set it up, in the order in which they came."""
    return _actors(
        case, device, [each for each in contacts(case, device) if each.connected and _sets_up(case, device, each)]
    )


def managers(case: Case, device: Device) -> list[Actor]:
    """Hosts that call it otherwise."""
    others = [each for each in contacts(case, device) if each.connected and not _sets_up(case, device, each)]
    return _actors(case, device, others)


def _sets_up(case: Case, device: Device, session: Session) -> bool:
    return session.setup or is_setup(case, device, session)


def _actors(case: Case, device: Device, sessions: list[Session]) -> list[Actor]:
    found: dict[str, Actor] = {}
    calls = device.incidents_of(ChangingCall)
    logins = device.incidents_of(ClearDigest)
    for session in sessions:
        if session.client not in found:
            proof = proof_of(case.story, session.ref, f"connects to {session.server}:{session.port}")
            found[session.client] = Actor(host=session.client, connections=0, evidence=proof)
        actor = found[session.client]
        actor.connections += 1
        users = [call.user for call in calls if call.connection == session.number]
        users += [login.user for login in logins if login.connection == session.number]
        actor.users = [*dict.fromkeys([*actor.users, *filter(None, users)])]
        tls = session.handshake
        if tls is not None and tls.client_chain and not actor.certificate:
            actor.certificate = read_chain(case, tls.client_chain[:1])[0].subject
    return [*found.values()]


def changes(case: Case, device: Device) -> list[Change]:
    """Calls that changed settings, in their order, alike ones once."""
    return [
        Change(
            call=each.call,
            client=each.client,
            user=each.user,
            tls=each.tls,
            answered=each.answered,
            count=each.count,
            time=iso(each.time),
            evidence=proof_of(case.story, each.ref, each.call),
        )
        for each in device.incidents_of(ChangingCall)
    ]


def rights(case: Case, device: Device) -> list[Right]:
    """Entries of the access control list that were written."""
    return [
        Right(
            user=each.user,
            realms=realm_names(each),
            call=each.call,
            client=each.client,
            evidence=proof_of(case.story, each.ref, each.call),
        )
        for each in device.incidents_of(RightsGranted)
    ]


def realm_names(entry: RightsGranted) -> list[str]:
    """Names of its realms; the entry of the administrator, which names none, has them all."""
    if not entry.realms and "Admin" in entry.call:
        return ["all (the administrator)"]
    return [value_name(SERVICE, "", "Realms", str(number)) or f"realm {number}" for number in entry.realms]


def shown_certificates(case: Case, device: Device) -> list[Shown]:
    """Certificates that the machine and who calls it showed, each once."""
    found: dict[tuple[str, str, bytes], Shown] = {}
    for session in contacts(case, device):
        tls = session.handshake
        if tls is None:
            continue
        sides = (
            ("machine", session.server, tls.server_chain, tls.server_certificate),
            ("client", session.client, tls.client_chain, tls.client_certificate),
        )
        for by, host, chain, proof in sides:
            if not chain:
                continue
            if (known := found.get((by, host, chain[0]))) is not None:
                known.connections += 1
                continue
            leaf = read_chain(case, chain[:1])[0]
            found[by, host, chain[0]] = Shown(
                by=by,
                host=host,
                subject=leaf.subject,
                issuer=leaf.issuer,
                not_after=leaf.not_after,
                sha256=leaf.sha256,
                connections=1,
                evidence=proof_of(case.story, proof or session.ref, f"{host} shows {leaf.subject}"),
            )
    return [*found.values()]
