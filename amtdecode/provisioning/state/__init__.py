"""What is remembered of a fleet: small facts with the numbers of the packets and lines that prove them. No logic."""

from amtdecode.provisioning.state.connection import Alert, Cira, Fate, Handshake, RefusedChannel, Session
from amtdecode.provisioning.state.fact import Fact, Ref, place, ref
from amtdecode.provisioning.state.files import CertificateFile, RegistryFile, SetupBinFile
from amtdecode.provisioning.state.hello import Hello
from amtdecode.provisioning.state.log import LogEntry, LogFile, Recognition
from amtdecode.provisioning.state.machine import Attempt, Device
from amtdecode.provisioning.state.network import (
    AddressQuery,
    KdcError,
    Lease,
    Lookup,
    Neighbour,
    PortLogin,
    ServerLookup,
    Unreachable,
)
from amtdecode.provisioning.state.story import Story
from amtdecode.provisioning.state.terms import Method, Outcome, Stage

__all__ = [
    "AddressQuery",
    "Alert",
    "Attempt",
    "CertificateFile",
    "Cira",
    "Device",
    "Fact",
    "Fate",
    "Handshake",
    "Hello",
    "KdcError",
    "Lease",
    "LogEntry",
    "LogFile",
    "Lookup",
    "Method",
    "Neighbour",
    "Outcome",
    "PortLogin",
    "Recognition",
    "Ref",
    "RefusedChannel",
    "RegistryFile",
    "ServerLookup",
    "Session",
    "SetupBinFile",
    "Stage",
    "Story",
    "Unreachable",
    "place",
    "ref",
]
