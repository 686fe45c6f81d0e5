"""What the page shows beyond the report, from the story and the captures once more."""

from __future__ import annotations

from typing import TYPE_CHECKING

from amtdecode.diagnosis.told_chains import chains_of
from amtdecode.dialogue import tell
from amtdecode.render.html.evidence import proving
from amtdecode.render.html.page import MAX_LISTED, Retold
from amtdecode.render.ladders import mark, redact

if TYPE_CHECKING:
    from collections.abc import Iterable

    from amtdecode.diagnosis.report import Report
    from amtdecode.diagnosis.site import Site
    from amtdecode.model import Observation
    from amtdecode.provisioning import Story
    from amtdecode.render.redact import Redaction


def retell(
    report: Report,
    story: Story,
    observations: Iterable[Observation],
    *,
    site: Site | None = None,
    redaction: Redaction | None = None,
) -> Retold:
    """Dialogues, certificate chains and evidence.

    `observations`: those that made the `story`, once more, with the bytes of their messages (`pdus=True`). With a
    `redaction`, that of the `report`, there are neither chains nor bytes: names stand in both.
    """
    by_id = {device.id: device for device in story.devices}
    devices = [by_id[device.id] for device in report.devices[:MAX_LISTED] if device.id in by_id]
    evidence = proving(report) if redaction is None else frozenset()
    ladders = tell(story, observations, devices, evidence)
    if redaction is not None:
        redact(ladders, redaction)
        return Retold(mark(ladders, report))
    return Retold(mark(ladders, report), chains_of(story, site))
