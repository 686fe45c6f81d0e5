"""A preflight as text: what fails first, then what is unknown, then what passes. Captured text is escaped."""

from __future__ import annotations

from typing import TYPE_CHECKING

from amtdecode.preflight.readiness import GRAVEST, Outcome
from amtdecode.render.report_words import place_of
from amtdecode.render.safe import safe
from amtdecode.render.wrapping import colored, headed, plain, wrapped

if TYPE_CHECKING:
    from collections.abc import Iterator

    from amtdecode.diagnosis.report import Evidence
    from amtdecode.preflight.readiness import Preflight, Prerequisite, Readiness
    from amtdecode.render.wrapping import Painter

COLORS = {Outcome.FAIL: "31", Outcome.UNKNOWN: "33", Outcome.PASS: "32"}  # SGR foreground colours
WORDS = {Outcome.FAIL: "fail", Outcome.UNKNOWN: "unknown", Outcome.PASS: "pass"}
VERDICTS = {
    Outcome.FAIL: "not ready",
    Outcome.UNKNOWN: "cannot be told yet",
    Outcome.PASS: "ready",
}
HINT = (
    "What is unknown: say it in the site file (`amtdecode preflight --example` shows its keys), or give what shows it. "
    "-V says what to do where it is not so."
)
INDENT = "         "
FIRST_PROOFS = 4  # shown without -V


def preflight_lines(found: Preflight, *, width: int, verbose: bool = False, color: bool = False) -> Iterator[str]:
    """The lines. `width`: columns. `verbose`: all evidence and sources."""
    paint = colored if color else plain
    shared = _shared(found)
    for number, ready in enumerate(found.ways):
        if number:
            yield ""
        yield paint("1", f"{ready.title}: {VERDICTS[ready.outcome]}")
        own = [each for each in ready.prerequisites if each not in shared]
        if len(found.ways) == 1:
            own = list(ready.prerequisites)
        yield from _listed(own, width, verbose, paint)
    if len(found.ways) > 1 and shared:
        yield ""
        yield paint("1", "Of all of them")
        yield from _listed(shared, width, verbose, paint)
    yield ""
    if not verbose and any(each.outcome is Outcome.UNKNOWN for ready in found.ways for each in ready.prerequisites):
        yield from wrapped(HINT, width, "", "  ")
    for ready in found.ways:
        yield from wrapped(f"{ready.title}: {_counts(ready)}", width, "", "  ")


def _shared(found: Preflight) -> list[Prerequisite]:
    """What all ways have in common, so that it is said once."""
    first, *rest = (ready.prerequisites for ready in found.ways)
    return [each for each in first if all(each in others for others in rest)] if rest else []


def _counts(ready: Readiness) -> str:
    outcomes = [each.outcome for each in ready.prerequisites]
    return ", ".join(f"{outcomes.count(outcome)} {WORDS[outcome]}" for outcome in reversed(GRAVEST))


def _listed(found: list[Prerequisite], width: int, verbose: bool, paint: Painter) -> Iterator[str]:
    for outcome in reversed(GRAVEST):
        alike = [each for each in found if each.outcome is outcome]
        for number, each in enumerate(alike, 1):
            following = alike[number].what if number < len(alike) else ""
            again = outcome is Outcome.UNKNOWN and not verbose and each.what == following
            yield from _one(each, width, verbose, paint, again=again)


def _one(each: Prerequisite, width: int, verbose: bool, paint: Painter, *, again: bool) -> Iterator[str]:
    """`again`: what it lacks is said with the next."""
    head = (COLORS[each.outcome], f"{each.outcome.upper():<7} {each.id}")
    yield from headed(head, f"  {each.title}", width, paint, "", INDENT)
    if again:
        return
    if each.outcome is Outcome.UNKNOWN:
        yield from _wrapped(f"Missing: {each.what}", width)
        if verbose:
            yield from _wrapped(f"Fix: {each.fix}", width)
    elif each.outcome is Outcome.FAIL:
        yield from _wrapped(each.what, width)
        yield from _wrapped(f"Fix: {each.fix}", width)
    elif each.what:
        first = each.what.partition(" ")[0]  # a name or an address stays as it is
        yield from _wrapped(
            (first.capitalize() if first.isalpha() and first.islower() else first) + each.what[len(first) :], width
        )
    if each.doubt:
        yield from _wrapped(f"But: {each.doubt}", width)
    if each.outcome is Outcome.FAIL or verbose:
        proofs = each.evidence if verbose else each.evidence[:FIRST_PROOFS]
        for proof in proofs:
            yield from wrapped(safe(_proof(proof, 2)), width, f"{INDENT}- ", f"{INDENT}  ")
        if len(proofs) < len(each.evidence):
            yield f"{INDENT}- {len(each.evidence) - len(proofs)} more with -V"
    if verbose:
        yield from _wrapped(f"Source: {each.source}", width)


def _proof(proof: Evidence, inputs: int) -> str:
    place = place_of(proof, inputs)
    return f"{place}: {proof.text}" if place else proof.text


def _wrapped(text: str, width: int) -> Iterator[str]:
    return wrapped(safe(text), width, INDENT)
