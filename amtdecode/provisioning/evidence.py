"""What makes a host a machine with AMT: what it says, or a contact that only setup makes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from amtdecode import ports
from amtdecode.provisioning.state.terms import Standing

if TYPE_CHECKING:
    from amtdecode.provisioning.state import Device, Session, Story

PERSISTENT_SYNS = 3  # to one port: Windows asks three times, scanners once or twice


def speaks(device: Device) -> bool:
    """Whether the machine itself, its name or a log says that it has AMT."""
    return bool(
        device.uuid
        or device.lookups
        or device.log_entries
        or device.incidents
        or device.amt_version
        or any(_said_something(session) for session in device.sessions)
    )


def _said_something(session: Session) -> bool:
    """Whether data went both ways, or came from the side that has AMT."""
    return bool(session.server_bytes or session.handshake or session.messages or session.port == ports.CIRA)


def setup_servers(story: Story) -> set[str]:
    """Hosts that set machines up, as far as it shows: they hear hellos, or talk to a machine that speaks."""
    servers = set(story.hello_servers)
    for device in story.devices:
        if speaks(device):
            servers.update(s.client for s in device.sessions if s.port in ports.INTEL and _said_something(s))
    return servers


def persistent(device: Device) -> bool:
    """Whether somebody wants this host on one port of AMT, rather than trying port after port as scanners do."""
    asked: dict[tuple[str, int], int] = {}
    for session in device.sessions:
        place = session.client, session.port
        asked[place] = asked.get(place, 0) + max(1, session.syn_count)
    alone = len({port for _, port in asked}) == 1
    return any(count >= PERSISTENT_SYNS or (alone and count > 1) for count in asked.values())


def weigh(story: Story) -> None:
    """Take for machines what is one; what only may be one is marked, and what merely lay on a scanner's way goes."""
    servers = setup_servers(story)
    kept: list[Device] = []
    for device in story.devices:
        if not speaks(device) and not any(s.client in servers or s.server in servers for s in device.sessions):
            if not persistent(device):
                continue
            device.standing = Standing.IN_VAIN
        kept.append(device)
    story.devices = kept
