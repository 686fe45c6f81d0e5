"""Two dialogues side by side, and the first step at which they part."""

from __future__ import annotations

from difflib import SequenceMatcher
from typing import TYPE_CHECKING, Any, Literal

import msgspec

from amtdecode.dialogue.varying import BYTES_OF, VARYING
from amtdecode.safe import encodable
from amtdecode.times import IsoTimes

if TYPE_CHECKING:
    from collections.abc import Iterator

    from amtdecode.dialogue.step import Dialogue, Step

SLOWER, SECONDS = 5.0, 1.0
"""A wait counts as another one where it is this many times as long, and at least so many seconds longer."""

SCHEMA_VERSION = 1


class FieldDifference(msgspec.Struct, frozen=True, kw_only=True):
    """A field that the two do not say alike. `None`: that side does not have it. Lists hold what the other lacks."""

    name: str
    good: Any = None
    bad: Any = None


class Row(msgspec.Struct, kw_only=True):
    """A step of both, or of one of them."""

    how: Literal["same", "changed", "only good", "only bad"]
    good: Step | None = None
    bad: Step | None = None
    fields: list[FieldDifference] = msgspec.field(default_factory=list)
    slower: Literal["", "good", "bad"] = ""
    """Who waited much longer before this step."""


class Comparison(msgspec.Struct, kw_only=True):
    """Two dialogues, step by step. `parts_at` is the index of the first row that is not the same in both."""

    schema: int = SCHEMA_VERSION
    good: Dialogue
    bad: Dialogue
    rows: list[Row] = msgspec.field(default_factory=list)
    parts_at: int | None = None

    @property
    def alike(self) -> bool:
        """Whether no step differs."""
        return self.parts_at is None

    def to_dict(self) -> dict[str, Any]:
        """What `diff -T json` prints: plain dicts, lists, texts and numbers; times are ISO 8601, UTC."""
        times = IsoTimes()

        def step(one: Step | None) -> dict[str, Any] | None:
            if one is None:
                return None
            return {
                "input": one.input,
                "packet": one.packet,
                "time": times(one.time_ns, 9),
                "after": one.after,
                "sender": one.sender,
                "protocol": one.protocol,
                "event": one.event,
                "summary": one.summary,
                "fields": msgspec.to_builtins(one.fields, enc_hook=str),
            }

        def side(one: Dialogue) -> dict[str, Any]:
            names = ("inputs", "machine", "uuid", "addresses", "method", "attempt", "attempts", "stage", "outcome")
            return {
                **{name: getattr(one, name) for name in names},
                "steps": len(one.steps),
                "left_out": one.left_out,
            }

        shown = {
            "schema": self.schema,
            "good": side(self.good),
            "bad": side(self.bad),
            "parts_at": self.parts_at,
            "rows": [
                {
                    "how": row.how,
                    "good": step(row.good),
                    "bad": step(row.bad),
                    "fields": msgspec.to_builtins(row.fields, enc_hook=str),
                    "slower": row.slower,
                }
                for row in self.rows
            ],
        }
        plain: dict[str, Any] = encodable(shown)
        return plain


def compare(good: Dialogue, bad: Dialogue) -> Comparison:
    """Lay two dialogues side by side.

    Steps are matched by their kind, in order; matched steps are compared field by field, but for what differs between
    any two dialogues (`varying`).
    """
    rows = [*_rows(good.steps, bad.steps)]
    parting = next((index for index, row in enumerate(rows) if row.how != "same"), None)
    return Comparison(good=good, bad=bad, rows=rows, parts_at=parting)


def _rows(good: list[Step], bad: list[Step]) -> Iterator[Row]:
    matcher = SequenceMatcher(None, [step.kind for step in good], [step.kind for step in bad], autojunk=False)
    for how, first, last, other, end in matcher.get_opcodes():
        if how == "equal":
            for one, two in zip(good[first:last], bad[other:end], strict=True):
                yield _both(one, two)
            continue
        for step in good[first:last]:
            yield Row(how="only good", good=step)
        for step in bad[other:end]:
            yield Row(how="only bad", bad=step)


def _both(good: Step, bad: Step) -> Row:
    fields = [*_differences(good.fields, bad.fields)]
    return Row(how="changed" if fields else "same", good=good, bad=bad, fields=fields, slower=_slower(good, bad))


def _slower(good: Step, bad: Step) -> Literal["", "good", "bad"]:
    if good.after is None or bad.after is None:
        return ""
    less, more = sorted((good.after, bad.after))
    if more - less < SECONDS or more < less * SLOWER:
        return ""
    return "bad" if bad.after > good.after else "good"


def _differences(good: dict[str, Any], bad: dict[str, Any]) -> Iterator[FieldDifference]:
    for name in [*good, *(name for name in bad if name not in good)]:
        one, two = good.get(name), bad.get(name)
        if name in VARYING or one == two:
            continue
        if (text := BYTES_OF.get(name)) is not None and good.get(text) != bad.get(text):
            continue
        if isinstance(one, list) and isinstance(two, list):
            lacking, added = [each for each in one if each not in two], [each for each in two if each not in one]
            if lacking or added:  # else the same members in another order: shown whole
                one, two = lacking, added
        yield FieldDifference(name=name, good=one, bad=two)
