"""Kerberos: whether a KDC gives tickets for a machine's services."""

from __future__ import annotations

from typing import TYPE_CHECKING

from amtdecode.provisioning.state import KdcError
from amtdecode.provisioning.state.tables import MAX_NAMES, bounded

if TYPE_CHECKING:
    from amtdecode.model import Observation
    from amtdecode.protocols.kerberos import KerberosMessage
    from amtdecode.provisioning.machines import Machines

MAX_TEXT = 128  # characters kept of a name


def take_kerberos(machines: Machines, observation: Observation, event: KerberosMessage) -> None:
    """A message between a client and its KDC: an error is remembered."""
    machines.story.seen.add("kerberos")
    flow = observation.flow
    if flow is None or event.error is None:
        return
    client, spn = flow.client.address, event.spn[:MAX_TEXT]
    errors = machines.story.kdc_errors
    key = (spn.lower(), event.error, client)
    known = errors.get(key)
    if known is None:
        bounded(errors, MAX_NAMES)
        proof = machines.ref(observation)
        realm = event.realm[:MAX_TEXT]
        errors[key] = KdcError(proof, observation.time_ns, event.error, spn, realm, client, event.skew)
    else:
        known.count += 1
