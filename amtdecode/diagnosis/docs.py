"""Makes the pages about the rules, and the JSON Schema of the report: `python -m amtdecode.diagnosis.docs docs`."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path

from amtdecode.diagnosis.question import Question
from amtdecode.diagnosis.report import schema
from amtdecode.diagnosis.rule import Text, text_of
from amtdecode.diagnosis.rulebook import all_rules

_BLANK = re.compile(r"\{(\w+)\}")


def plain(text: str) -> str:
    """A text with its blanks shown as such: `{name}` becomes *name*."""
    return _BLANK.sub(r"*\1*", text)


def page(rule_id: str, question: Question, text: Text) -> str:
    """The page of one rule, in Markdown."""
    severity = text.level
    lines = [
        f"# {rule_id}: {plain(text.title)}",
        "",
        f"Severity: {severity}" + (f" (in the catalogue: {text.severity})" if severity != text.severity else "") + "  ",
        f"Layer at fault: {text.layer}  ",
        f"Asked about: {question.title.lower()}",
        "",
        "## Meaning",
        "",
        text.meaning or plain(text.explanation),
        "",
        "## Evidence",
        "",
        text.evidence,
        "",
        "## What to do",
        "",
        text.remedy or plain(text.fix),
        "",
    ]
    notes = []
    if text.blocks:
        notes.append("When it is confirmed, later steps that did not happen are not reported for themselves.")
    if text.absence:
        notes.append("It reports that something did not happen, and is silent where an earlier failure explains that.")
    if text.silenced_by:
        links = ", ".join(f"[{other}]({'index' if '*' in other else other}.md)" for other in text.silenced_by)
        notes.append(f"It is silent where {links} says the same with more certainty.")
    if notes:
        lines += ["## Other rules", "", *notes, ""]
    return "\n".join([*lines, "## Source", "", text.source + ".", ""])


def index() -> str:
    """The table of all rules."""
    lines = [
        "# Rules",
        "",
        "What `amtdecode diagnose` asks of each machine. Made from `amtdecode/diagnosis/rules` by",
        "`python -m amtdecode.diagnosis.docs docs`; words in *italics* are filled in from the evidence.",
        "",
    ]
    book = sorted(all_rules(), key=lambda rule: rule.id)
    for question in Question:
        lines += [f"## {question.title}", "", "| Rule | Severity | Says |", "|---|---|---|"]
        for rule in book:
            if rule.question == question:
                text = text_of(rule)
                lines.append(f"| [{rule.id}]({rule.id}.md) | {text.level} | {plain(text.title)} |")
        lines.append("")
    return "\n".join(lines)


def pages() -> dict[str, str]:
    """Every page, by file name below `rules/`."""
    return {"index.md": index()} | {
        f"{rule.id}.md": page(rule.id, rule.question, text_of(rule)) for rule in all_rules()
    }


def schema_text() -> str:
    """The JSON Schema of the report, as it is published."""
    return json.dumps(schema(), indent=2) + "\n"


def main(folder: str) -> None:
    """Write all of it below a folder of documents."""
    target = Path(folder) / "rules"
    target.mkdir(parents=True, exist_ok=True)
    for name, text in pages().items():
        (target / name).write_text(text, encoding="utf-8")
    (Path(folder) / "report-schema.json").write_text(schema_text(), encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else "docs")
