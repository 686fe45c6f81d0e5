"""An audit as SARIF 2.1.0 (OASIS Standard, 27 March 2020): what pipelines and code scanners take.

A packet has no place in SARIF's words: its number is `packet` among the properties of a location, and in its message.
A line of a log is a region.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from amtdecode.safe import encodable

if TYPE_CHECKING:
    from amtdecode.audit import Audit
    from amtdecode.diagnosis.report import Evidence, Finding

SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
LEVELS = {"critical": "error", "high": "error", "medium": "warning", "low": "note", "info": "note"}  # §3.27.10


def sarif(audit: Audit, version: str) -> dict[str, Any]:
    """One run. `version`: that of amtdecode."""
    ids = list(dict.fromkeys(finding.id for finding in audit.findings))
    unjudged = [f"{each.id} is not judged: {each.missing}" for each in audit.not_judged]
    unseen = [f"Not seen: {words}" for words in audit.unseen]
    unseen += [f"Not seen of {machine.name}: {words}" for machine in audit.machines for words in machine.unseen]
    notes = [{"level": "note", "message": {"text": text}} for text in (*unjudged, *unseen)]
    run = {
        "tool": {
            "driver": {
                "name": "amtdecode",
                "version": version,
                "rules": [_rule(next(each for each in audit.findings if each.id == rule_id)) for rule_id in ids],
            }
        },
        "invocations": [{"executionSuccessful": True, "toolExecutionNotifications": notes}],
        "artifacts": [{"location": {"uri": _uri(name)}} for name in audit.inputs],
        "results": [_result(finding, ids.index(finding.id), audit.inputs) for finding in audit.findings],
    }
    whole: dict[str, Any] = encodable({"$schema": SCHEMA, "version": "2.1.0", "runs": [run]})
    return whole


def _rule(finding: Finding) -> dict[str, Any]:
    """The rule as its first finding words it: titles may have names filled in."""
    return {
        "id": finding.id,
        "shortDescription": {"text": finding.title},
        "fullDescription": {"text": finding.explanation},
        "help": {"text": finding.fix},
        "defaultConfiguration": {"level": LEVELS[finding.severity]},
    }


def _result(finding: Finding, index: int, inputs: list[str]) -> dict[str, Any]:
    where = f"{finding.device}: " if finding.device else ""
    mark = "|".join((finding.id, finding.device or "", finding.title))
    return {
        "ruleId": finding.id,
        "ruleIndex": index,
        "level": LEVELS[finding.severity],
        "message": {"text": f"{where}{finding.title}. {finding.explanation} Fix: {finding.fix}"},
        "locations": [_location(proof, inputs) for proof in finding.evidence if proof.input],
        "partialFingerprints": {"amtdecode/v1": hashlib.sha256(mark.encode("utf-8", "surrogateescape")).hexdigest()},
        "properties": {
            "severity": finding.severity,
            "verdict": finding.verdict,
            "layer": finding.layer,
            "device": finding.device,
        },
    }


def _location(proof: Evidence, inputs: list[str]) -> dict[str, Any]:
    artifact: dict[str, Any] = {"uri": _uri(proof.input)}
    if proof.input in inputs:
        artifact["index"] = inputs.index(proof.input)
    place: dict[str, Any] = {"artifactLocation": artifact}
    location: dict[str, Any] = {"physicalLocation": place}
    if proof.line:
        place["region"] = {"startLine": proof.line}
    words = proof.text
    if proof.packet:
        words = f"packet {proof.packet}: {words}"
        location["properties"] = {"packet": proof.packet}
    location["message"] = {"text": words}
    return location


def _uri(name: str) -> str:
    """A file name as a relative or absolute reference (RFC 3986); a drive letter would read as a scheme."""
    path = name.replace("\\", "/")
    return quote(path.encode("utf-8", "surrogateescape"), safe="/._-~") or "input"
