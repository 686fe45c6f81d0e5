"""Rules asked of the story of each machine, and the report made of their answers."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from amtdecode.diagnosis.inputs import diagnose_files
    from amtdecode.diagnosis.report import Evidence, Finding, Report, evidence_packets
    from amtdecode.diagnosis.rule import Rule, Text
    from amtdecode.diagnosis.run import diagnose
    from amtdecode.diagnosis.severity import Severity, Verdict
    from amtdecode.diagnosis.site import Site, load

__all__ = [
    "Evidence",
    "Finding",
    "Report",
    "Rule",
    "Severity",
    "Site",
    "Text",
    "Verdict",
    "diagnose",
    "diagnose_files",
    "evidence_packets",
    "load",
]

_LATE = {
    **dict.fromkeys(("Evidence", "Finding", "Report", "evidence_packets"), "report"),
    **dict.fromkeys(("Rule", "Text"), "rule"),
    **dict.fromkeys(("Severity", "Verdict"), "severity"),
    **dict.fromkeys(("Site", "load"), "site"),
    "diagnose": "run",
    "diagnose_files": "inputs",
}


def __getattr__(name: str) -> Any:
    """Load what is asked for: who shows a report needs no rules."""
    if name in _LATE:
        from importlib import import_module

        return getattr(import_module(f"amtdecode.diagnosis.{_LATE[name]}"), name)
    raise AttributeError(f"module 'amtdecode.diagnosis' has no attribute {name!r}")
