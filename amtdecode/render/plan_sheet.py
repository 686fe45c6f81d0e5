"""The sheet for the help desk: what happens when a machine is plugged in for the first time, on one page."""

from __future__ import annotations

from typing import TYPE_CHECKING

from amtdecode.planning.step import Phase
from amtdecode.render.safe import safe
from amtdecode.render.wrapping import wrapped

if TYPE_CHECKING:
    from collections.abc import Iterator

    from amtdecode.planning.plan import Plan

TIMES = {
    "lease": "within a minute of plugging in",
    "name": "right after the lease",
    "hello": "right after that; then each minute for five minutes, each 5 minutes for an hour, each hour (a documented "
    "example; firmware differs)",
    "contact": "within seconds, or as late as the server's queue and approval allow",
    "handshake": "within seconds of the connection back",
    "commit": "within minutes of the handshake",
}
"""When to expect what. Only the rhythm of hellos is documented (Microsoft, Configuration Manager 2007)."""
SHOWN = (Phase.MACHINES, Phase.HELLO, Phase.SETUP)
BY_HAND = ("help desk",)


def sheet_lines(plan: Plan, *, width: int) -> Iterator[str]:
    """The lines of the sheet."""
    yield "First plug-in: " + safe(plan.title)
    if plan.amt_version:
        yield f"AMT {safe(plan.amt_version)}"
    yield ""
    yield "What you do"
    for step in plan.steps:
        if step.who in BY_HAND:
            yield from wrapped(safe(f"{step.title}. {step.text}"), width, "  [ ] ", "      ")
    yield ""
    yield "What then happens by itself"
    for step in plan.steps:
        if step.phase in SHOWN and step.who not in BY_HAND and step.visible and step.id != "keys":
            when = f" Expected {TIMES[step.id]}." if step.id in TIMES else ""
            yield from wrapped(safe(f"{step.title}.{when}"), width, "  [ ] ", "      ")
            yield from wrapped(safe(f"Seen as: {step.proof}"), width, "      ")
    yield ""
    yield "Times are what experience suggests, but for the hellos, whose rhythm is that of Microsoft's documents."
    yield "Nothing after ten minutes? Leave the machine connected, and capture on the setup server:"
    yield "  amtdecode live -i IFACE --diagnose"
    yield "or hand the capture to whoever wrote this plan: amtdecode diagnose --plan SITE.toml CAPTURE"
