"""Addresses, UUIDs, names and codes in the text of a line."""

from __future__ import annotations

import re
from functools import lru_cache

MAX_ADDRESSES = 4096  # addresses kept read: a log speaks of the same again and again
# each begins with what is rare in a line, so that a search passes over the rest, and then looks at what stands before
IPV4 = re.compile(
    r"\.(?:(?<=(?<![\d.v])(\d)\.)|(?<=(?<![\d.v])(\d\d)\.)|(?<=(?<![\d.v])(\d\d\d)\.))"
    r"\d{1,3}\.\d{1,3}\.\d{1,3}(?![\d.]*\d)"
)
"""From the first dot on; which group is set is the number of digits before it."""
NO_ADDRESS_WORDS = ("version", " ver", "firmware", "ws", "wss")
"""Behind these 12.0.22.5 is a version, or the server of a web socket."""
UUID = re.compile(
    r"-(?<=[0-9a-fA-F]{8}-)(?<![0-9a-fA-F-]........-)(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}(?![0-9a-fA-F-])"
)
DEVICE_WORDS = ("device", "machine", "uuid", "guid", "system", " for")
OTHER_WORDS = ("client", "socket", "session", "connection", "profile", "tenant", "messageid", "relatesto", "request")
AROUND = " \t:=({[\"'#."  # between such a word and what it speaks of
SOCKET = re.compile(r"\s{1,4}:\s")  # behind the number that rps gives a web socket
LABEL_SIZE = 24  # characters before a UUID or name in which the word that says whose it is stands
BARE_UUID = re.compile(r"\bUUID\W{1,3}([0-9a-f]{32})(?![0-9a-f])", re.IGNORECASE)
DOTTED = re.compile(r"\.[^\W\d_]{2}")  # what a name ends in begins so
FQDN = re.compile(
    r"(?<![\w./\\@-])([a-z0-9][a-z0-9-]{0,62}(?:\.[a-z0-9][a-z0-9-]{0,62}){1,6}\.[a-z]{2,12})(?![\w/\\(-])",
    re.IGNORECASE,
)
LABELLED_FQDN = re.compile(r"\bFQDN\W{1,3}([a-z0-9][a-z0-9.-]{1,250}[a-z0-9])", re.IGNORECASE)
AMT_VERSION = re.compile(
    r"(?:Intel(?:\(R\)|®)? AMT v|Active Management Technology )(\d{1,3}(?:\.\d{1,5}){1,3})", re.IGNORECASE
)
CODE = re.compile(r"0x(8009[0-9a-f]{4}|8007[0-9a-f]{4}|c000[0-9a-f]{4})\b", re.IGNORECASE)

# what looks like a name with dots and is a file, a class or an Intel address
NOT_A_HOST = re.compile(
    r"log|txt|xml|exe|dll|sys|cxx|cpp|cs|js|go|java|pem|pfx|cer|crt|der|bin|ini|cfg|mof|ps1|vbs|\w*exception"
)
NOT_A_DOMAIN = frozenset({"system", "microsoft", "java", "javax", "org", "com", "www", "schemas"})


def ipv4(text: str) -> str | None:
    """The first IPv4 address, not a version number."""
    if text.count(".") < 3:
        return None
    for match in IPV4.finditer(text):
        start = match.start() - (match.lastindex or 0)
        address = _address(text[start : match.end()])
        if address:
            ahead = text[max(0, start - 12) : start].rstrip(" :=(v/").lower()
            if not ahead.endswith(NO_ADDRESS_WORDS):
                return address
    return None


@lru_cache(maxsize=MAX_ADDRESSES)
def _address(text: str) -> str:
    """Four numbers as an address; "" for what is none, or is nobody's or the machine's own."""
    parts = [*map(int, text.split("."))]
    return "" if parts[0] in (0, 127) or max(parts) > 255 else ".".join(map(str, parts))


def uuid(text: str) -> str | None:
    """The UUID of a machine, lower case, as the log spells it: SMBIOS order is not known.

    One with a word before it that says so, else the first that is not of a web socket, a message or a profile.
    """
    found = ""
    for match in UUID.finditer(text) if text.count("-") >= 4 else ():
        start = match.start() - 8
        value = text[start : match.end()].lower()
        ahead = text[max(0, start - LABEL_SIZE) : start].lower().rstrip(AROUND)
        whose = ahead[:-4].rstrip(AROUND) if ahead.endswith("uuid") else ahead
        if value[9:13] == value[14:18] or whose.removesuffix("id").removesuffix("-").endswith(OTHER_WORDS):
            continue
        if ahead.endswith(DEVICE_WORDS):
            return value
        if not found and not SOCKET.match(text, match.end()):
            found = value
    if found:
        return found
    if "uuid" not in text and "UUID" not in text:
        return None
    if bare := BARE_UUID.search(text):
        raw = bare[1].lower()
        return f"{raw[:8]}-{raw[8:12]}-{raw[12:16]}-{raw[16:20]}-{raw[20:]}"
    return None


def fqdn(text: str) -> str | None:
    """The first name of a host: behind "FQDN", or three labels and more that are no file, class or version."""
    if "fqdn" in text.lower() and (match := LABELLED_FQDN.search(text)) and not _is_suffix(text, match.start()):
        return match[1].lower()
    if text.count(".") < 2 or not DOTTED.search(text):
        return None
    for match in FQDN.finditer(text):
        labels = match[1].lower().split(".")
        if (
            not _is_suffix(text, match.start(1))
            and not NOT_A_HOST.fullmatch(labels[-1])
            and labels[0] not in NOT_A_DOMAIN
        ):
            return ".".join(labels)
    return None


def _is_suffix(text: str, start: int) -> bool:
    """Whether the name at `start` is the domain that a machine trusts, not the name of a host."""
    ahead = text[max(0, start - LABEL_SIZE) : start].lower()
    return "suffix" in ahead or "trusted" in ahead or "domain" in ahead


def amt_version(text: str) -> str:
    """The version of AMT that a line states, or an empty text."""
    match = AMT_VERSION.search(text) if "AMT v" in text or "Active Man" in text else None
    return match[1] if match else ""


def codes(text: str) -> tuple[str, ...]:
    """All codes of Windows and of RCS, lower case, in their order."""
    return tuple(match[0].lower() for match in CODE.finditer(text))
