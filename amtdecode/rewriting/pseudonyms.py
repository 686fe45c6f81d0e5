"""What things are called instead: addresses, MACs, UUIDs, PIDs and names, each always by the same other one.

Addresses come from ranges that are nobody's: 198.18.0.0/15 (RFC 2544), 240.0.0.0/4 and 0.0.0.0/8 (RFC 6890) and, where
a text leaves room for no other, 10.0.0.0/8; 2001:db8::/32 (RFC 3849). MACs are locally administered (02:…). Names are
replaced label by label by others of the same length.
"""

from __future__ import annotations

import re
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import TYPE_CHECKING

from amtdecode.errors import OutputError
from amtdecode.provisioning.private import PUBLIC_USERS
from amtdecode.provisioning.state.placeholders import tells_apart
from amtdecode.secrets.pid import PID_SIZE, check_character, pid_is_valid

if TYPE_CHECKING:
    from collections.abc import Iterator

MAX_ORIGINALS = 100_000  # addresses, cards and names of one bundle
PUBLIC_LABELS = frozenset(
    ("provisionserver", "localhost", "wpad", "arpa", "in-addr", "ip6", "_tcp", "_udp", "_ldap", "_kerberos", "_kpasswd",
     "_gc", "_msdcs", "_sites", "default-first-site-name")
)  # fmt: skip
"""Labels that tell of nobody: those of protocols."""
LETTERS = "abcdefghijklmnopqrstuvwxyz0123456789"
_LABEL = re.compile(r"[A-Za-z0-9_$][\w$-]*\Z")


class Pseudonyms:
    """Remembers what everything is called. `originals` must be told first, so that no pseudonym is one of them."""

    def __init__(self) -> None:
        self.addresses: dict[str, str] = {}
        self.macs: dict[bytes, bytes] = {}
        self.uuids: dict[str, str] = {}
        self.pids: dict[str, str] = {}
        self.labels: dict[str, str] = {}
        self.names: dict[str, str] = {}
        """Whole names as they were met, for the guard."""
        self._taken: set[str] = set()
        self._pools: dict[int, Iterator[str]] = {}

    def reserve(self, original: str) -> None:
        """What no pseudonym may be."""
        if len(self._taken) < MAX_ORIGINALS:
            self._taken.add(original)

    def address(self, text: str) -> str:
        """The other address; of the same family, and as a text of IPv4 of the same length."""
        try:
            known = ip_address(text.partition("%")[0])
        except ValueError:
            return text
        plain = str(known)
        if known.is_multicast or known.is_unspecified or plain == "255.255.255.255":
            return text
        if plain not in self.addresses:
            self._room(self.addresses)
            kind = 6 if known.version == 6 else 127 if known.is_loopback else len(plain)
            if plain == "::1":
                kind = 1
            pool = self._pools.setdefault(kind, _pool(kind))
            self.addresses[plain] = next(each for each in pool if each not in self._taken and each != plain)
        return self.addresses[plain]

    def packed(self, address: bytes) -> bytes:
        """The same of 4 or 16 bytes."""
        known = IPv4Address(address) if len(address) == 4 else IPv6Address(address)
        return ip_address(self.address(str(known))).packed

    def mac(self, mac: bytes) -> bytes:
        """The other card; groups and nobody stay."""
        if mac[0] & 1 or not any(mac):
            return mac
        if mac not in self.macs:
            self._room(self.macs)
            number = len(self.macs) + 1
            while (other := b"\x02\x5e\xed" + number.to_bytes(3, "big")).hex() in self._taken:
                number += MAX_ORIGINALS
            self.macs[mac] = other
        return self.macs[mac]

    def uuid(self, text: str) -> str:
        """The other UUID, with dashes; placeholders, which many machines have, stay."""
        digits = re.sub("[^0-9a-f]", "", text.lower())
        if len(digits) != 32:
            return text
        plain = "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]))
        if not tells_apart(plain):
            return plain
        if plain not in self.uuids:
            self._room(self.uuids)
            self.uuids[plain] = f"5eed0000-0000-4000-8000-{len(self.uuids) + 1:012x}"
        return self.uuids[plain]

    def pid(self, text: str) -> str:
        """The other PID, dashes where they were, with a check character that is right where it was."""
        bare = text.replace("-", "")
        if len(bare) != PID_SIZE or not bare.isascii():
            return self.fill(text)
        if bare not in self.pids:
            self._room(self.pids)
            head = f"Q{len(self.pids) + 1:06d}"[:7]
            check = check_character(head)
            self.pids[bare] = head + (check if pid_is_valid(bare) else "A" if check != "A" else "B")
        found = self.pids[bare]
        return found if "-" not in text else f"{found[:4]}-{found[4:]}"

    def name(self, text: str) -> str:
        """The other name, of the same length, label by label; the last of several stays, and those of protocols."""
        if text.lower() in PUBLIC_USERS:
            return text
        if len(text) > 255:
            return self.fill(text)
        labels = text.split(".")
        several = len([label for label in labels if label]) > 1
        last = max((at for at, label in enumerate(labels) if label), default=0)
        other = ".".join(
            label if several and at == last and label.isalpha() and len(label) <= 6 else self.label(label)
            for at, label in enumerate(labels)
        )
        if other != text and len(self.names) < MAX_ORIGINALS:
            self.names.setdefault(text.lower(), other)
        return other

    def label(self, label: str) -> str:
        """The other label: letters and digits, never two alike for different ones while their length leaves room."""
        low = label.lower()
        if not label or low in PUBLIC_LABELS or low == "*":
            return label
        if low not in self.labels:
            self._room(self.labels)
            self.labels[low] = _label(len(self.labels) + 1, len(low), self._taken)
        return self.labels[low]

    @staticmethod
    def fill(text: str) -> str:
        """Letters and digits as x, everything else as it is."""
        return re.sub(r"[^\W_]", "x", text)

    def _room(self, table: dict[str, str] | dict[bytes, bytes]) -> None:
        if len(table) >= MAX_ORIGINALS:
            raise OutputError(f"more than {MAX_ORIGINALS} things to be renamed: give fewer captures")


def _label(number: int, size: int, taken: set[str]) -> str:
    digits = ""
    while number:
        number, rest = divmod(number, 36)
        digits = LETTERS[rest] + digits
    made = ("n" + digits)[:size] if size > len(digits) else digits[-size:]
    made = made.ljust(size, "x")
    return made if made not in taken else made[:-1] + ("z" if made[-1] != "z" else "y")


def _pool(kind: int) -> Iterator[str]:
    """Addresses of one length as text; 127 is for loopback, 6 for IPv6, 1 for its loopback."""
    if kind == 1:
        yield from (f"::1:{number:x}" for number in range(1, 0xFFFF))  # no loopback any more: there is but one
    elif kind == 6:
        yield from (f"2001:db8::{number:x}" for number in range(1, 0xFFFF))
        yield from (f"2001:db8::{high:x}:{low:x}" for high in range(1, 0xFF) for low in range(1, 0xFFFF))
    elif kind == 127:
        yield from (f"127.{a}.{b}.{c}" for c in range(1, 10) for b in range(1, 10) for a in range(1, 10))
    elif kind in (7, 8):
        first = "0" if kind == 7 else "10"
        yield from (f"{first}.{a}.{b}.{c}" for a in range(1, 10) for b in range(1, 10) for c in range(1, 10))
    elif kind == 9:
        yield from (f"240.{a}.{b}.{c}" for a in range(1, 10) for b in range(1, 10) for c in range(1, 10))
    elif kind == 15:
        yield from (f"240.{a}.{b}.{c}" for a in range(100, 110) for b in range(100, 255) for c in range(100, 255))
    else:
        for net in ("198.18", "198.19"):
            for a in range(256):
                for b in range(1, 255):
                    if len(found := f"{net}.{a}.{b}") == kind:
                        yield found
    while True:
        raise OutputError("more addresses than there are others for them: give fewer captures")
