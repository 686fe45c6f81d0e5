"""Outcomes and causes as Prometheus' textfile collector takes them.

Form: text-based exposition format 0.0.4 (prometheus.io/docs/instrumenting/exposition_formats). No address, name or UUID
of a machine is a label: these would be many, and private.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from amtdecode.archive.run import Archive


def metrics_of(archive: Archive) -> bytes:
    """All metrics of an archive."""
    manifest = archive.manifest
    lines: list[str] = []
    report = archive.report
    if report is not None:
        ended = Counter(
            (device.attempts[-1].stage.value, device.attempts[-1].outcome.value)
            if device.attempts
            else ("none", "none")
            for device in report.devices
        )
        lines += _gauge(
            "amtdecode_machines",
            "Machines by how far the latest attempt got, and how it ended.",
            {(("stage", stage), ("outcome", outcome)): count for (stage, outcome), count in sorted(ended.items())},
        )
        lines += _gauge(
            "amtdecode_cause_machines",
            "Machines by what troubles them foremost: the rule, its severity and verdict.",
            {
                (("rule", cause.id), ("severity", cause.severity.value), ("verdict", cause.verdict.value)): cause.count
                for cause in report.causes
            },
        )
    captures = Counter("error" if scan.error else "read" for scan in manifest.files.values())
    lines += _gauge(
        "amtdecode_captures",
        "Captures by whether they could be read.",
        {(("state", state),): captures[state] for state in ("read", "error")},
    )
    latest: dict[str, int] = {}
    for scan in (capture.scan for capture in manifest.captures.values()):
        if scan.last is not None:
            latest[scan.sensor] = max(scan.last, latest.get(scan.sensor, 0))
    lines += _gauge(
        "amtdecode_last_packet_timestamp_seconds",
        "Time of the latest packet of each sensor.",
        {(("sensor", sensor),): f"{time / 1e9:.3f}" for sensor, time in sorted(latest.items())},
    )
    return "".join(lines).encode("utf-8", "replace")


def _gauge(name: str, meaning: str, values: Mapping[tuple[tuple[str, str], ...], Any]) -> list[str]:
    lines = [f"# HELP {name} {meaning}\n", f"# TYPE {name} gauge\n"]
    for labels, value in values.items():
        said = ",".join(f'{label}="{_escaped(text)}"' for label, text in labels)
        lines.append(f"{name}{{{said}}} {value}\n")
    return lines


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
