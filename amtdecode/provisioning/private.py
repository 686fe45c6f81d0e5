"""What in a story is private though it looks like any word: redaction renames it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from amtdecode.secrets.pid import dashed

if TYPE_CHECKING:
    from collections.abc import Iterator

    from amtdecode.provisioning.state import Story

PUBLIC_USERS = frozenset(("admin", "$$osadmin", "administrator"))  # whom every machine knows


def private_names(story: Story) -> Iterator[str]:
    """Give the names that no pattern recognises: of hosts, domains and accounts, and PIDs; some are empty."""
    for device in story.devices:
        yield device.fqdn.partition(".")[0]
        yield device.fqdn
        for hello in device.hellos:
            yield hello.pid
            yield dashed(hello.pid)
        for lease in device.leases:
            yield lease.hostname
            yield (lease.suffix or b"").rstrip(b"\0").decode("latin-1")
        for lookup in device.lookups:
            yield lookup.name.partition(".")[2] or lookup.name
        for incidents in device.incidents.values():
            for incident in incidents:
                user = getattr(incident, "user", "")
                yield "" if user.lower() in PUBLIC_USERS else user
