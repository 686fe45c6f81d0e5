"""Redirection: sessions, logins, and consoles that take no input."""

from __future__ import annotations

from typing import TYPE_CHECKING

from amtdecode.protocols.redir import names
from amtdecode.provisioning.fold.http import MAX_TEXT, in_the_clear, logins_of
from amtdecode.provisioning.keeping import add_incident, incidents_to_add_to
from amtdecode.provisioning.state.incidents import (
    ClearDigest,
    ClearSecret,
    ConsoleDeaf,
    LoginRefused,
    RedirectionRefused,
)

if TYPE_CHECKING:
    from amtdecode.model import Observation
    from amtdecode.protocols.redir.messages import (
        IderOpened,
        RedirAnswer,
        RedirLogin,
        RedirMessage,
        RedirStarted,
        SolControls,
        SolData,
        SolStarted,
    )
    from amtdecode.provisioning.machines import Machines
    from amtdecode.provisioning.state import Device, Session

TARGET = "redirection"
SCHEMES = {names.PASSWORD: "Basic", names.KERBEROS: "Negotiate", names.DIGEST_OLD: "Digest", names.DIGEST: "Digest"}


def take_message(machines: Machines, observation: Observation, event: RedirMessage) -> None:  # noqa: ARG001
    """Any message: the connection is one of a machine."""
    machines.session(observation)


def take_login(machines: Machines, observation: Observation, event: RedirLogin) -> None:
    """A login."""
    if (found := machines.session(observation)) is None:
        return
    device, session = found
    machines.story.seen.add("redirection")
    logins = logins_of(machines, session)
    proof, time, connection = machines.ref(observation), observation.time_ns, session.number
    logins.scheme, logins.user = SCHEMES.get(event.method, ""), event.user[:MAX_TEXT]
    if event.method == names.PASSWORD and in_the_clear(session):
        what = f"redirection login as {event.user}"[: 2 * MAX_TEXT]
        add_incident(device, ClearSecret(proof, time, what=what, connection=connection))
    elif event.response and in_the_clear(session):
        add_incident(device, ClearDigest(proof, time, user=logins.user, connection=connection))


def take_answer(machines: Machines, observation: Observation, event: RedirAnswer) -> None:
    """A login is accepted or refused; a challenge is neither."""
    if (found := machines.session(observation)) is None:
        return
    device, session = found
    logins = logins_of(machines, session)
    if event.status > 1:
        _refuse(machines, observation, found, "", event.status)
    elif event.refused:
        refused = LoginRefused(
            machines.ref(observation),
            observation.time_ns,
            target=TARGET,
            user=logins.user,
            scheme=logins.scheme,
            connection=session.number,
        )
        add_incident(device, refused)
    elif event.status == 0 and event.method != names.QUERY and LoginRefused in device.incidents:
        incidents_to_add_to(device, LoginRefused).clear()


def take_started(machines: Machines, observation: Observation, event: RedirStarted | SolStarted | IderOpened) -> None:
    """A session, a console or a drive begins, or is refused."""
    if (found := machines.session(observation)) is None:
        return
    if status := event.data[1]:
        what = {names.SOL_STARTED: names.SOL, names.OPENED: names.IDER}.get(event.type, event.session)
        _refuse(machines, observation, found, what, status)


def _refuse(
    machines: Machines, observation: Observation, found: tuple[Device, Session], what: str, status: int
) -> None:
    device, session = found
    refused = RedirectionRefused(
        machines.ref(observation),
        observation.time_ns,
        session=what[:MAX_TEXT],
        status=status,
        client=session.client,
        connection=session.number,
    )
    add_incident(device, refused)


def take_controls(machines: Machines, observation: Observation, event: SolControls) -> None:
    """Whether the console takes input."""
    if (found := machines.session(observation)) is not None:
        logins_of(machines, found[1]).deaf = machines.ref(observation) if event.data[9] & 2 else 0


def take_console(machines: Machines, observation: Observation, event: SolData) -> None:
    """Somebody types."""
    if event.type == names.SOL_TO_HOST and (found := machines.session(observation)) is not None:
        device, session = found
        if deaf := logins_of(machines, session).deaf:
            incident = ConsoleDeaf(deaf, observation.time_ns, client=session.client, connection=session.number)
            add_incident(device, incident)
