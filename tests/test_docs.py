"""The pages show what the programs print and what the modules declare; their links lead somewhere."""

from __future__ import annotations

import doctest
import re
from typing import TYPE_CHECKING

import docs_pages
import docs_tables
import pytest
from docs_pages import BLOCK, MADE, PAGES, ROOT, agrees, doctests, printed, read, steps

if TYPE_CHECKING:
    from pathlib import Path

OUTPUTS = [
    pytest.param(command, shown, id=f"{page}: {command[:50]}")
    for page in PAGES
    for block in BLOCK.findall(read(page))
    for command, shown in steps(block)
]
REFRESH = "the page shows something else; `python tests/docs_pages.py` writes it anew"


@pytest.mark.parametrize(("command", "shown"), OUTPUTS)
def test_commands_print_what_is_shown(command, shown):
    lines = printed(command)
    assert agrees(shown, lines), f"{REFRESH}:\n" + "\n".join(lines[:60])


@pytest.mark.parametrize("page", [page for page in PAGES if ">>> " in read(page)])
def test_examples_of_the_library_run(page, monkeypatch):
    monkeypatch.chdir(ROOT)
    monkeypatch.delenv("SSLKEYLOGFILE", raising=False)
    told: list[str] = []
    result = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS).run(doctests(page), out=told.append)
    assert result.attempted
    assert not result.failed, "".join(told)


@pytest.mark.parametrize("page", [page for page in PAGES if MADE.search(read(page))])
def test_made_sections_are_current(page):
    for name, _, text in MADE.findall(read(page)):
        assert text == docs_tables.make(name), f"{page}, {name}: {REFRESH}"


def test_every_cap_is_explained():
    limits = docs_tables.limits()
    assert len(limits) > 100
    unexplained = [f"{limit.module}:{limit.name}" for limit in limits if not limit.meaning or not limit.reached]
    assert not unexplained, (
        "say in tests/docs_tables.py what happens when it is reached; then python tests/docs_pages.py"
    )
    known = {f"{limit.module}:{limit.name}" for limit in limits}
    assert {*docs_tables.REACHED, *docs_tables.MEANING} <= known, "explained, but no longer there"


def test_the_limits_page_lists_every_cap_the_sources_define():
    page = read("docs/limits.md")
    for path in docs_tables.PACKAGE.rglob("*.py"):
        for name, value in re.findall(r"^(_?MAX_[A-Z_]+)\b[^=\n]*= (\S)", path.read_text(), re.MULTILINE):
            assert value == "{" or f".{name}`" in page or f"`{name}`" in page, f"{path.name}: {name}"


@pytest.mark.parametrize(
    "page", sorted(str(p.relative_to(ROOT)) for p in [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")])
)
def test_links_lead_somewhere(page):
    for text, target in re.findall(r"\[([^\]]*)\]\(([^)\s]+)\)", re.sub(r"```.*?```", "", read(page), flags=re.DOTALL)):
        if "://" in target:
            continue
        file, _, anchor = target.partition("#")
        path = (ROOT / page).parent / file if file else ROOT / page
        assert path.exists(), f"{page}: [{text}]({target})"
        if anchor and path.suffix == ".md":
            assert anchor in anchors(path), f"{page}: no heading #{anchor} in {path.name}"


def anchors(path: Path) -> set[str]:
    """The names that GitHub gives to the headings of a page."""
    headings = re.findall(r"^#+ (.*)$", path.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def test_the_pages_are_all_in_the_index():
    index = read("docs/index.md")
    pages = [p.relative_to(ROOT / "docs") for p in ROOT.glob("docs/**/*.md") if p.parent.name != "rules"]
    assert [str(page) for page in pages if f"({page})" not in index and str(page) != "index.md"] == []


def test_the_test_of_outputs_can_fail():
    assert agrees(["a", "…", "c"], ["a", "b", "b", "c"])
    assert agrees(["…"], [])
    assert not agrees(["a", "…", "c"], ["a", "b"])
    assert not agrees(["a"], ["a", "b"])
    assert printed("echo one; echo two >&2; exit 3") == ["one", "two"]
    assert docs_pages.steps("$ x\n1\n2\n$ y\n") == [("x", ["1", "2"]), ("y", [])]
