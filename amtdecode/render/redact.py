"""Masks in a report what tells whose it is, each thing by the same word wherever it occurs and however it is spelt.

UUIDs, MAC addresses, IP addresses, names of hosts, accounts, mail addresses, shares and paths, and the names that the
story knows. Our own words, numbers of rules, names of classes, methods and fields stay.
"""

from __future__ import annotations

import re
from functools import cache
from ipaddress import ip_address
from typing import TYPE_CHECKING, TypeAlias, TypeVar

from amtdecode.masking.names import words

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from amtdecode.diagnosis.report import Report

Value = TypeVar("Value")
Spell: TypeAlias = "Callable[[str, str], str | None]"

_LABEL = r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?"
_PATTERNS = {
    "uuid": r"\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b|(?<![0-9a-z])[0-9a-f]{32}(?![0-9a-z])",
    "mac": r"(?<![0-9a-f:-])[0-9a-f]{2}(?:(?::[0-9a-f]{2}){5}|(?:-[0-9a-f]{2}){5})(?![0-9a-f:-])"
    r"|\b[0-9a-f]{4}\.[0-9a-f]{4}\.[0-9a-f]{4}\b|(?<![0-9a-z])(?=\d*[a-f]|00)[0-9a-f]{12}(?![0-9a-z])",
    "mail": r"(?<![\w.+-])[\w.+-]{1,64}@(?:[a-z0-9-]{1,63}\.)*[a-z0-9-]{1,63}",
    "share": r"\\\\[\w.$-]+(?:\\[^\s\"'<>|;,]*)?",
    "path": r"\b[a-z]:\\[^\s\"'<>|;,:]*"
    r"|(?<![\w/.:])/(?:home|root|users|srv|mnt|media|var|tmp|opt|data|export)/[^\s\"'<>|;,:]+",
    "account": r"(?<![\w\\.:])[a-z0-9][\w.-]{0,62}\\[\w.$-]{1,64}(?![\w\\])",
    "host": r"(?<=://)(?!\d{1,3}(?:\.\d{1,3}){3}\b)(?:[^\s/?#@\"'<>]{0,128}@)?[a-z0-9_](?:[\w.-]{0,252}[\w-])?"
    r"|(?<=\bhost/)[a-z_](?:[\w.-]{0,252}[\w-])?",
    "ipv6": r"(?<![\w:.])(?:[0-9a-f]{0,4}:){2,7}(?:(?:\d{1,3}\.){3}\d{1,3}|[0-9a-f]{0,4})(?:%\w{1,16})?(?![\w:])",
    "ipv4": r"(?<![\d.])(?:\d{1,3}\.){3}\d{1,3}(?![\d.]*\d)",
    "subject": r"(?-i:(?<=\bCN=)|(?<=\bOU=)|(?<=\bDC=)|(?<=\bST=)|(?<=\bO=)|(?<=\bL=))(?!Intel\(R\))[^,;/\"+]+",
    "name": rf"(?<![\w.*/\\-])(?:\*\.)?(?:{_LABEL}\.)+[a-z][a-z0-9-]{{1,62}}\b(?![\w(=\\])",
}
_WORDS = {"ipv4": "address", "ipv6": "address", "host": "name", "subject": "name", "private": "name"}
NAME = re.compile(_PATTERNS["name"], re.IGNORECASE)
_URL_HOST = re.compile(r"(?<=://)[\w.-]*\w")
STANDARDS = ("intel.com", "schemas.intel.com", "schemas.dmtf.org", "schemas.xmlsoap.org", "www.w3.org")
"""Hosts in the names of XML namespaces and actions."""
HEX = re.compile(r"(\bhex |= )((?:[0-9a-f]{2} ){2,}[0-9a-f]{2}|[0-9a-f]{8,})( …)?", re.IGNORECASE)
_QUOTED_HOST = re.compile(
    r"(\b(?:host(?:name)?|machine|computer|server|device|system|workstation|client|netbios(?: name)?|user(?:name)?"
    r"|login|account|owner|domain|fqdn)\b(?:\s+name)?[\s:=\"'(]{1,4})(?=\w*[A-Z0-9_-])([A-Za-z][\w-]{1,62})(?![\w.\\=-])"
)
"""In a quoted line: what stands behind such a word and looks like a name, which has capitals, digits or dashes."""
_VERSION = re.compile(r"(?:\bAMT|\bversion|\bfirmware|\bv|\bver\.?)[ :=]{0,2}$", re.IGNORECASE)
_CLASS = re.compile(r"(?:AMT|CIM|IPS|Msvm|PT)_", re.IGNORECASE)

LEFT = words(
    """
    source id severity verdict layer started ended first last method stage outcome missing amt_version
    protection version suite time not_after by
    """
)
"""Members that tell of nobody."""
OWN = frozenset(("title", "explanation", "fix"))
"""Members in our words, in which a private name is masked only where it is no word of ours."""
ENDINGS = words(
    """
    pcap pcapng cap log txt gz zst lz4 pem cer crt der pfx p12 key bin reg csv toml json keys etl
    """
)
"""Endings of file names that are kept: any other may be a part of a private name."""


class Redactor:
    """Remembers what it called each thing. `public` names are left as they are, `private` ones masked everywhere.

    `own`: words of ours, in lower case, that are left in our sentences though somebody gave a machine such a name.
    `spell`: what a thing is called, by its kind and as it was met, where not "name-1"; `None` leaves it at that.
    """

    def __init__(
        self,
        public: Iterable[str] = (),
        private: Iterable[str] = (),
        own: Callable[[], frozenset[str]] = frozenset,
        spell: Spell | None = None,
    ) -> None:
        self._spell = spell
        self._public = {name.lower() for name in (*public, *STANDARDS)}
        self._own = own
        self._known: dict[str, str] = {}
        self._counts: dict[str, int] = {}
        names = sorted({name for name in private if len(name) > 2}, key=len, reverse=True)
        patterns = [f"(?P<{kind}>{pattern})" for kind, pattern in _PATTERNS.items()]
        if names:
            alternatives = "|".join(map(re.escape, names))
            patterns.append(rf"(?P<private>(?<![\w-])(?:{alternatives})(?![\w-]))")
        self._pattern = re.compile("|".join(patterns), re.IGNORECASE)

    def __call__(self, text: str, *, quoted: bool = False, ours: bool = False) -> str:
        """The text, masked. `quoted`: somebody else wrote it, as a line of a log; `ours`: it is a sentence of ours."""
        if quoted:
            text = _QUOTED_HOST.sub(lambda found: found[1] + self._mask("name", found[2]), text)
        text = self._pattern.sub(lambda found: self._replace(found, ours), text)
        return HEX.sub(r"\1…", text)

    def call(self, found: str, word: str) -> None:
        """Decide what a thing is called."""
        self._known.setdefault(_same("", found), word)

    def _replace(self, match: re.Match[str], ours: bool) -> str:
        kind, found = match.lastgroup or "name", match[0]
        low = found.lower()
        if low in self._public or (ours and kind == "private" and low in self._own()):
            return found
        if kind in ("ipv4", "ipv6") and not _is_address(found):
            return found
        if kind == "ipv4" and _VERSION.search(match.string, max(0, match.start() - 12), match.start()):
            return found
        if kind == "account" and low.startswith(("hkey_", "hklm\\", "hkcu\\", "software\\")):
            return found
        if kind == "name" and (_CLASS.match(found) or low in _terms() or low.partition(".")[0] in _terms()):
            return found
        return self._mask(_WORDS.get(kind, kind), found, kind)

    def _mask(self, word: str, found: str, kind: str = "") -> str:
        key = _same(kind, found)
        if self._spell is not None and key not in self._known and (spelt := self._spell(kind, found)) is not None:
            return spelt
        if key not in self._known:
            self._counts[word] = number = self._counts.get(word, 0) + 1
            self._known[key] = f"{word}-{number}"
        return self._known[key]


def _same(kind: str, found: str) -> str:
    """What spellings of one thing have in common."""
    low = found.lower()
    if kind in ("uuid", "mac"):
        return re.sub("[^0-9a-f]", "", low)
    if kind in ("ipv4", "ipv6"):
        return str(ip_address(low.partition("%")[0]))
    return low.removesuffix(".")


def _is_address(text: str) -> bool:
    try:
        address = ip_address(text.partition("%")[0])
    except ValueError:
        return False
    return not address.is_unspecified


@cache
def _terms() -> frozenset[str]:
    """Names with dots that are terms: fields of the catalogue, services and classes of AMT, keys of a site file."""
    from amtdecode.protocols.catalogue import catalogue
    from amtdecode.protocols.soap.tables import classes, services

    rooms = ("scs", "network", "certificates", "policy", "machines", "amt")  # tables of a site file
    return frozenset(
        [name.lower() for name in (*(f.name for f in catalogue()), *services().values(), *classes(), *rooms)]
    )


@cache
def vocabulary() -> frozenset[str]:
    """The words of our texts, in lower case."""
    from amtdecode.diagnosis.rule import texts

    return frozenset(
        word.lower()
        for text in texts().values()
        for field in (text.title, text.explanation, text.fix)
        for word in re.findall(r"[\w-]+", re.sub(r"\{\w*\}", " ", field))
    )


class Redaction:
    """Masks a report, and texts that go with it, each thing by the same word. `private`: further names to mask."""

    def __init__(self, report: Report, private: Iterable[str] = (), spell: Spell | None = None) -> None:
        from amtdecode.diagnosis.rule import texts

        public = {
            match[0]
            for text in texts().values()
            for field in (text.title, text.explanation, text.fix, text.evidence)
            for match in (*NAME.finditer(field), *_URL_HOST.finditer(field))
        }
        self._report = report
        self._files = {name: f"input-{number}{ending(name)}" for number, name in enumerate(report.inputs, 1)}
        bare = {re.split(r"[\\/]", name)[-1] for name in self._files}
        self._mask = Redactor(public, {*private, *self._files, *bare}, vocabulary, spell)
        for name, called in self._files.items():
            self._mask.call(name, called)
            self._mask.call(re.split(r"[\\/]", name)[-1], called)

    def report(self) -> Report:
        """A copy of the report with everything masked that tells whose it is."""
        return self.value(self._report, type(self._report))

    def value(self, value: object, kind: type[Value]) -> Value:
        """A copy of a report, or of an audit of the same inputs, with everything masked that tells whose it is."""
        import msgspec

        plain = msgspec.to_builtins(value)
        del plain["inputs"]
        masked = self._walk(plain)
        assert isinstance(masked, dict)  # noqa: S101 - for the type checker
        masked["inputs"] = [*self._files.values()]
        return msgspec.convert(masked, kind)

    def text(self, text: str) -> str:
        """Captured text, masked."""
        return self._mask(text, quoted=True)

    def input(self, name: str) -> str:
        """What an input is called."""
        return self._files.get(name, name)

    def _walk(self, value: object, key: str = "", quoted: bool = False) -> object:
        if key == "sha256":  # of a certificate: whoever has it knows whose it is
            return ""
        if key == "comment":  # somebody's own words, in which no pattern finds every name
            return None
        if isinstance(value, str):
            if key == "input":
                return self.input(value)
            return value if key in LEFT else self._mask(value, quoted=quoted, ours=key in OWN)
        if isinstance(value, list):
            return [self._walk(each, key) for each in value]
        if isinstance(value, dict):
            return {name: self._walk(each, name, quoted=value.get("line") is not None) for name, each in value.items()}
        return value


def redacted(report: Report, private: Iterable[str] = ()) -> Report:
    """A copy of a report with everything masked that tells whose it is. `private`: further names to mask."""
    return Redaction(report, private).report()


def ending(name: str) -> str:
    """The ending of a file name, with its dot, where it is a common one; else ""."""
    last = name.rpartition(".")[2].lower()
    return f".{last}" if "." in name and last in ENDINGS else ""
