"""Keeps the pages true: what they show is what the programs print and what the modules declare.

- A block marked `console` holds commands (lines beginning with `$ `), each followed by what it prints, standard error
  included, run from the top of the checkout. A line that is only `…` stands for any lines.
- A block marked `pycon` is a doctest; the blocks of a page share their names.
- A section between `<!-- made: NAME -->` and `<!-- end -->` is the text that `tests/docs_tables.py` makes.

`python tests/docs_pages.py` writes all of it anew, but for console blocks with a `…`.
"""

from __future__ import annotations

import doctest
import os
import re
import subprocess
import sys
from pathlib import Path

import docs_tables

ROOT = Path(__file__).resolve().parent.parent
PAGES = [
    "README.md",
    "CONTRIBUTING.md",
    "CHANGELOG.md",
    "docs/index.md",
    "docs/quickstart.md",
    "docs/concepts.md",
    "docs/architecture.md",
    "docs/limits.md",
    "docs/diagnose.md",
    "docs/audit.md",
    "docs/preflight.md",
    "docs/plan.md",
    "docs/diff.md",
    "docs/library.md",
    "docs/output.md",
    "docs/filters.md",
    "docs/coming-from-wireshark.md",
    "docs/protocols/apf.md",
    "docs/protocols/hello.md",
]

BLOCK = re.compile(r"(?<=^```console\n)(.*?)(?=^```$)", re.DOTALL | re.MULTILINE)
PYTHON = re.compile(r"(?<=^```pycon\n)(.*?)(?=^```$)", re.DOTALL | re.MULTILINE)
MADE = re.compile(r"(?<=^<!-- made: )([\w-]+)( -->\n)(.*?)(?=^<!-- end -->$)", re.DOTALL | re.MULTILINE)
LEFT_OUT = "…"


def read(page: str) -> str:
    return (ROOT / page).read_text(encoding="utf-8")


def steps(block: str) -> list[tuple[str, list[str]]]:
    """The commands of a block, each with the lines shown for it."""
    found: list[tuple[str, list[str]]] = []
    for line in block.splitlines():
        if line.startswith("$ "):
            found.append((line[2:], []))
        else:
            found[-1][1].append(line)
    return found


def printed(command: str) -> list[str]:
    """What a command prints, to a pipe, without anything of this user's surroundings."""
    environment = {
        "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)]),
        "LC_ALL": "C.UTF-8",
        "PYTHONDONTWRITEBYTECODE": "1",
        "AMTDECODE_PURE": os.environ.get("AMTDECODE_PURE", ""),
    }
    done = subprocess.run(
        ["bash", "-c", command],
        cwd=ROOT,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        check=False,
    )
    lines = [line.rstrip() for line in done.stdout.decode().splitlines()]
    if "Traceback (most recent call last):" in lines:
        raise RuntimeError("\n".join([command, *lines]))
    return lines


def agrees(shown: list[str], lines: list[str]) -> bool:
    """Whether `lines` are what is shown, `…` standing for any of them."""
    pattern = "".join("(?:.*\n)*" if line == LEFT_OUT else re.escape(line) + "\n" for line in shown)
    return re.fullmatch(pattern, "".join(f"{line}\n" for line in lines)) is not None


def doctests(page: str) -> doctest.DocTest:
    source = "\n".join(PYTHON.findall(read(page)))
    return doctest.DocTestParser().get_doctest(source, {}, page, page, 0)


def refresh(page: str) -> None:
    """Write the outputs and made sections of a page anew."""

    def block(found: re.Match[str]) -> str:
        if LEFT_OUT in found[0].splitlines():
            return found[0]
        return "".join("\n".join([f"$ {command}", *printed(command)]) + "\n" for command, _ in steps(found[0]))

    text = BLOCK.sub(block, read(page))
    text = MADE.sub(lambda found: found[1] + found[2] + docs_tables.make(found[1]), text)
    (ROOT / page).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    for name in sys.argv[1:] or PAGES:
        refresh(name)
