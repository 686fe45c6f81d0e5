"""The tables that the fold keeps while it reads: machines, addresses, connections under way, names. No logic.

Every table is bounded by a named constant.
"""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, TypeVar

import msgspec

from amtdecode.provisioning.state.story import Story

if TYPE_CHECKING:
    from amtdecode.provisioning.state.connection import Session
    from amtdecode.provisioning.state.fact import Ref
    from amtdecode.provisioning.state.hello import Hello
    from amtdecode.provisioning.state.incidents import LoginLoop
    from amtdecode.provisioning.state.machine import Device
    from amtdecode.provisioning.state.network import Lease, Lookup

MAX_DEVICES = 200_000  # machines
MAX_LEASES = 65_536  # MAC addresses whose latest lease is remembered
MAX_NAMES = 16_384  # (host, name) pairs of DNS remembered
MAX_ADDRESSES = 16_384  # addresses ARP or ICMP spoke of
MAX_NEIGHBOURS = 256  # switch ports of which LLDP told
MAX_FLOWS = 65_536  # connections under way
MAX_HOSTS = 1024  # hosts whose recent lookups are kept
MAX_SHARED = 4_096  # certificate chains and hash lists kept once for all machines
MAX_FLEET_ENTRIES = 512  # log lines of no known machine
MAX_DEVICE_ADDRESSES = 8  # addresses of one machine
RECENT_HELLOS = 16  # machines asked whether a contact elsewhere was meant for them

Key = TypeVar("Key")
Value = TypeVar("Value")


COPY_NS = 100_000_000  # nobody asks again so soon: a query that comes again is a copy of the same


def is_copy(before: int | None, time: int | None) -> bool:
    """Whether a message at `time`, like one at `before`, is the same one captured twice."""
    return before is not None and time is not None and 0 <= time - before < COPY_NS


def bounded(table: dict[Key, Value], limit: int) -> None:
    """Make room in a table for more, at the cost of its oldest entries.

    Many at a time where it is large: a dictionary passes over what was deleted before it finds its first entry.
    """
    if len(table) >= limit:
        for key in list(islice(table, max(1, limit // 64))):
            del table[key]


class Logins(msgspec.Struct):
    """What a connection under way remembers of its logins."""

    realm: str = ""
    challenged: int = 0  # 401 without credentials
    scheme: str = ""  # of the latest request's credentials
    user: str = ""
    negotiate_refused: Ref = 0
    answered: bool = False
    deaf: Ref = 0  # redirection: the console is in loopback mode, since this packet
    loops: dict[str, LoginLoop] = {}  # by the address that goes on refusing


class Tables:
    """All of them, and the story that becomes of them."""

    def __init__(self) -> None:
        self.story = Story()
        self.inputs: dict[str, int] = {}  # their indices by name
        self.devices: list[Device] = []  # in the order of appearance; those joined with another go now and then
        self.joined = 0  # of them
        self.numbered = 0  # machines so far, those that turned out to be another among them
        self.by_uuid: dict[str, Device] = {}
        self.by_address: dict[str, Device] = {}  # who has it now
        self.by_mac: dict[str, Device] | None = None
        self.by_name: dict[str, Device] = {}
        self.flows: dict[int, tuple[Device, Session | Hello]] = {}  # connections under way, by tcp.stream
        self.not_amt: dict[int, None] = {}  # connections to CIRA's port that are none of AMT's
        self.logins: dict[int, Logins] = {}  # by tcp.stream
        self.recent: dict[int, Device] = {}  # machines that said hello last, by number
        self.latest_message: Lookup | Lease | None = None  # what the latest DNS or DHCP message filled
        self.resolvers: dict[str, None] = {}  # hosts that answer names: what they ask themselves is not their own
        self.eap_numbers: dict[int, str] = {}  # the machine whose latest response to its switch has this number
        self.resolved: dict[str, list[Lookup]] = {}  # latest name lookups of each host, for contacts elsewhere
        self.named: dict[tuple[str, str], Lookup] = {}  # by host and address: the name that it asked for last to get it
        self.shared: dict[object, object] = {}  # the one copy of what many machines have in common
