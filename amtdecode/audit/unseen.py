"""What an audit cannot see: said, so that silence is not taken for safety."""

from __future__ import annotations

from typing import TYPE_CHECKING

from amtdecode.counting import counted

if TYPE_CHECKING:
    from amtdecode.audit.value import Channel
    from amtdecode.provisioning.state import Device, Story

NEVER = (
    "what was set at the machine itself (MEBx, a USB stick, a program on it) passes no wire",
    "what happened before the first packet and behind the last, or elsewhere on the network",
    "the access control list and the settings as they are now: only what was written while the capture ran",
    "whether a password is a good one, or known to others",
)


def unseen_of(device: Device, found: list[Channel]) -> list[str]:
    """What of one machine stays hidden."""
    said = []
    closed = sum(each.connections for each in found if each.protection == "tls" and not each.opened)
    if closed:
        said.append(f"{counted(closed, 'TLS connection')} that no key here opens: calls, logins and rights inside")
    unknown = sum(each.connections for each in found if each.protection == "unknown")
    if unknown:
        said.append(f"{counted(unknown, 'connection')} whose beginning is not in the capture: whether it was TLS")
    if device.dropped:
        said.append(f"{counted(device.dropped, 'fact')} about the machine, let go since a cap was reached")
    if device.sessions and not device.hellos:
        said.append("who asked for its setup: no hello of it is here")
    return said


def unseen_of_all(story: Story) -> list[str]:
    """What no capture can show, and what these lack."""
    said = [
        f"{story.inputs[index]}: {words}" for index, health in sorted(story.health.items()) for words in health.said
    ]
    said += [f"a cap was reached: {limit}" for limit in story.limits]
    if not story.logs:
        said.append("who asked the setup server for what: there is no log of it")
    return [*said, *NEVER]
