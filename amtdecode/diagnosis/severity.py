"""How bad a finding is, and how sure: the worst and the surest first. The values are what the report says."""

from __future__ import annotations

from amtdecode.provisioning.state.terms import Term


class Severity(Term):
    """How bad a finding is, the worst first."""

    CRITICAL = "critical"
    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"
    INFO = "info"

    @property
    def rank(self) -> int:
        """0 for the worst."""
        return SEVERITY_RANKS[self]

    @property
    def minor(self) -> bool:
        """Low, or good to know only."""
        return self in (Severity.LOW, Severity.INFO)


class Verdict(Term):
    """How sure a finding is, the surest first."""

    CONFIRMED = "confirmed"
    """Packets or lines prove it."""
    LIKELY = "likely"
    """The pattern fits, and little else does."""
    POSSIBLE = "possible"
    """Only the circumstances suggest it."""

    @property
    def rank(self) -> int:
        """0 for the surest."""
        return VERDICT_RANKS[self]


SEVERITIES = tuple(Severity)
VERDICTS = tuple(Verdict)
SEVERITY_RANKS = {severity: rank for rank, severity in enumerate(SEVERITIES)}
VERDICT_RANKS = {verdict: rank for rank, verdict in enumerate(VERDICTS)}
