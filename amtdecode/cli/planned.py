"""`diagnose --plan`: the plan that is held against the story."""

from __future__ import annotations

from typing import TYPE_CHECKING

from amtdecode.errors import UsageError

if TYPE_CHECKING:
    from amtdecode.diagnosis.report import Report, TickedPlan
    from amtdecode.diagnosis.site import Site
    from amtdecode.provisioning import Story


class Planned:
    """The plan of a site file, or none."""

    def __init__(self, name: str | None, *, audit: bool) -> None:
        """Raises `UsageError` for a file that makes no plan, before any capture is read."""
        self.site: Site | None = None
        self._ticked: TickedPlan | None = None
        if name is None:
            return
        if audit:
            raise UsageError("--plan does not go with --audit")
        from amtdecode.diagnosis.site import load
        from amtdecode.planning.plan import steps_of

        self.site = load(name)
        steps_of(self.site)

    def look(self, story: Story) -> None:
        """Hold the plan against a story, while its machines are there."""
        if self.site is not None:
            from amtdecode.planning.ticking import tick

            self._ticked = tick(self.site, story)

    def add_to(self, report: Report) -> None:
        """Give the steps to a report."""
        if self._ticked is not None:
            report.plan = self._ticked
