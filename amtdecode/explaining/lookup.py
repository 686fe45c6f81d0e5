"""Finds what a question means."""

from __future__ import annotations

import re
from difflib import get_close_matches
from functools import lru_cache
from typing import TYPE_CHECKING

from amtdecode.errors import UsageError
from amtdecode.explaining import codes, machines, words

if TYPE_CHECKING:
    from collections.abc import Sequence

    from amtdecode.explaining.topic import Topic

MAX_FOUND = 30  # answers to one question
KINDS = {
    # a word in front, and the kind it stands for
    "alert": "alert", "tls": "alert", "port": "port", "tcp": "port", "udp": "port", "rpc": "rpc", "rule": "rule",
    "field": "field", "scs": "scs", "pt_status": "pt_status", "status": "pt_status", "returnvalue": "returnvalue",
    "windows": "windows", "schannel": "windows", "win32": "windows", "line": "line", "log": "line", "root": "root",
    "certificate": "certificate", "store": "certificate", "codename": "codename", "word": "word",
    "conflict": "conflict",
}  # fmt: skip
NOISE = {"error", "code", "number", "version"}


class NotKnownError(UsageError):
    """No table knows it; the text says what is near."""


def explain(question: str) -> list[Topic]:
    """What is known of a word, number or name, the best answers first; at most MAX_FOUND.

    A word in front may say what kind of thing it is: `alert 42`, `port 623`, `scs 3.0`, `amt 2.5`,
    `power wireless battery`. Raises `NotKnownError`.
    """
    text = " ".join(question.split())
    asked = [word for word in text.lower().split() if word not in NOISE] or text.lower().split()
    if not asked:
        raise NotKnownError("a word is wanted")
    found = _special(asked)
    if found:
        return found
    every = _every()
    found = _named(every, " ".join(asked))
    if not found and len(asked) > 1 and asked[0] in KINDS:
        kind = KINDS[asked[0]]
        found = _matching([topic for topic in every if topic.kind == kind], asked[1:])
    found = found or _matching(every, asked)
    version = machines.amt_version(asked[0]) if len(asked) == 1 and "." in asked[0] else None
    if version is not None:
        found = [version, *found]
    if not found:
        raise NotKnownError(f"{text}: in no table here{_near(every, ' '.join(asked))}")
    return found[:MAX_FOUND]


@lru_cache(maxsize=1)
def _every() -> tuple[Topic, ...]:
    """All topics of the tables, which do not change."""
    return (*words.topics(), *codes.topics(), *machines.topics())


def _special(asked: Sequence[str]) -> list[Topic]:
    """Answers that are put together from rows of tables."""
    if asked[0] == "power":
        return machines.power(asked[1:])
    glued = re.fullmatch(r"(amt|scs) ?([0-9][0-9.]*)", " ".join(asked))
    if glued is None:
        return []
    kind, version = glued.groups()
    if kind == "scs" and "." not in version:  # an error number of the event log
        return []
    topic = (machines.amt_version if kind == "amt" else machines.scs_version)(version)
    return [topic] if topic else []


def _matching(topics: Sequence[Topic], asked: Sequence[str]) -> list[Topic]:
    """Those asked for by exactly this; else those in whose title or keys every word stands."""
    text = " ".join(asked)
    exact = _named(topics, text)
    if exact or text.lstrip("-").isdecimal():
        return exact
    return [topic for topic in topics if _has_all(topic, asked)]


def _named(topics: Sequence[Topic], text: str) -> list[Topic]:
    return [topic for topic in topics if any(key.lower() == text for key in topic.keys)]


def _has_all(topic: Topic, asked: Sequence[str]) -> bool:
    low = " ".join((topic.title, *topic.keys)).lower()
    return all(word in low for word in asked)


def _near(every: Sequence[Topic], text: str) -> str:
    keys = {key.lower(): key for topic in every for key in topic.keys}
    near = [keys[key] for key in get_close_matches(text, keys, 3, 0.75)]
    return f"; did you mean {' or '.join(near)}?" if near else ""
