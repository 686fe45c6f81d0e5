"""Rules asked of the story of each machine, and the report made of their answers."""

from typing import TYPE_CHECKING

from amtdecode.late import late

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

__getattr__ = late(  # who shows a report needs no rules
    __name__,
    inputs="diagnose_files",
    report="Evidence Finding Report evidence_packets",
    rule="Rule Text",
    run="diagnose",
    severity="Severity Verdict",
    site="Site load",
)
