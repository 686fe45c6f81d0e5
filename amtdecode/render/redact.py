"""Masks UUIDs, addresses, MACs and names in a report, each by the same word wherever it occurs."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from amtdecode.diagnosis.report import Report

UUID = r"(?P<uuid>\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b)"
MAC = r"(?P<mac>\b(?:[0-9a-f]{2}:){5}[0-9a-f]{2}\b)"
IPV4 = r"(?P<ipv4>(?<![\d.])(?:\d{1,3}\.){3}\d{1,3}(?![\d.]*\d))"
IPV6 = r"(?P<ipv6>(?<![\w:])(?:[0-9a-f]{0,4}:){2,7}[0-9a-f]{0,4}(?![\w:]))"
NAME = r"(?P<name>(?<![\w.*/\\-])(?:\*\.)?(?:[a-z0-9_-]{1,63}\.)+[a-z][a-z0-9-]{1,62}\b(?![\w(=/\\]))"
HEX = re.compile(r"(\bhex |= )((?:[0-9a-f]{2} ){2,}[0-9a-f]{2}|[0-9a-f]{8,})( …)?", re.IGNORECASE)
PATTERN = re.compile(f"{UUID}|{MAC}|{IPV6}|{IPV4}|{NAME}", re.IGNORECASE)
WORDS = {"uuid": "uuid", "mac": "mac", "ipv4": "address", "ipv6": "address", "name": "name"}


class Redactor:
    """Remembers what it called each thing. `public` names are left as they are, `private` ones masked everywhere."""

    def __init__(self, public: Iterable[str] = (), private: Iterable[str] = ()) -> None:
        self._public = {name.lower() for name in public}
        self._known: dict[str, str] = {}
        self._counts: dict[str, int] = {}
        words = sorted({name for name in private if len(name) > 2}, key=len, reverse=True)
        alternatives = "|".join(map(re.escape, words))
        self._private = re.compile(rf"(?<![\w-])(?:{alternatives})(?![\w-])", re.IGNORECASE) if words else None

    def __call__(self, text: str) -> str:
        """The text, masked."""
        text = PATTERN.sub(self._replace, HEX.sub(r"\1…", text))
        if self._private is not None:
            text = self._private.sub(lambda match: self._mask("name", match[0]), text)
        return text

    def _replace(self, match: re.Match[str]) -> str:
        kind = match.lastgroup or "name"
        found = match[0]
        if found.lower() in self._public or (kind == "ipv6" and not any(char.isalnum() for char in found)):
            return found
        return self._mask(WORDS[kind], found)

    def _mask(self, word: str, found: str) -> str:
        key = found.lower()
        if key not in self._known:
            self._counts[word] = number = self._counts.get(word, 0) + 1
            self._known[key] = f"{word}-{number}"
        return self._known[key]


def redacted(report: Report, private: Iterable[str] = ()) -> Report:
    """A copy of a report with everything masked that tells whose it is. `private`: further names to mask."""
    import msgspec

    from amtdecode.diagnosis.rule import texts

    words = re.compile(NAME, re.IGNORECASE)
    public = {
        match[0]
        for text in texts().values()
        for field in (text.title, text.explanation, text.fix, text.evidence)
        for match in words.finditer(field)
    }
    mask = Redactor(public, private)

    def walk(value: object, key: str = "") -> object:
        if isinstance(value, str):
            return (
                value
                if key in ("source", "id", "severity", "verdict", "layer", "started", "ended", "first", "last")
                else mask(value)
            )
        if isinstance(value, list):
            return [walk(each, key) for each in value]
        if isinstance(value, dict):
            return {name: walk(each, name) for name, each in value.items()}
        return value

    plain = msgspec.to_builtins(report)
    plain["inputs"] = [f"input-{number + 1}{_ending(name)}" for number, name in enumerate(report.inputs)]
    called = dict(zip(report.inputs, plain["inputs"], strict=True))
    for finding in plain["findings"]:
        for proof in finding["evidence"]:
            proof["input"] = called.get(proof["input"], proof["input"])
    kept, inputs_of_health = plain.pop("inputs"), [called[health.pop("input")] for health in plain["health"]]
    masked = walk(plain)
    assert isinstance(masked, dict)  # noqa: S101 - for the type checker
    for finding, original in zip(masked["findings"], plain["findings"], strict=True):
        for proof, before in zip(finding["evidence"], original["evidence"], strict=True):
            proof["input"] = before["input"]
    for health, name in zip(masked["health"], inputs_of_health, strict=True):
        health["input"] = name
    masked["inputs"] = kept
    return msgspec.convert(masked, type(report))


def _ending(name: str) -> str:
    last = name.replace("\\", "/").rpartition("/")[2]
    return "." + last.rpartition(".")[2] if "." in last else ""
