"""What a rule needs before it can be asked: one condition on the machine, or on all that was given."""

from __future__ import annotations

from collections.abc import Callable  # noqa: TC003 - msgspec reads annotations

import msgspec

from amtdecode.diagnosis.case import Case  # noqa: TC001
from amtdecode.provisioning.state import Device  # noqa: TC001
from amtdecode.provisioning.state.incidents import Incident  # noqa: TC001


class Need(msgspec.Struct, frozen=True, eq=False, kw_only=True):
    """One condition. Exactly one of `machine`, `incident` and `inputs` says when it is met."""

    missing: str | Callable[[Case], str] = ""
    """What is missing where it is not met, as "not judged" says it; "" for what no evidence would tell."""
    machine: Callable[[Case, Device], bool] | None = None
    """Asked of every machine."""
    incident: type[Incident] | None = None
    """Met where the machine has an incident of this class."""
    inputs: Callable[[Case], bool] | None = None
    """Asked once, of all machines, files and the site together."""

    def said(self, case: Case) -> str:
        """What is missing, in words."""
        return self.missing if isinstance(self.missing, str) else self.missing(case)
