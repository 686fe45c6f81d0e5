"""Whole documents by their tags: machines of one kind write the same ones over and over, only the texts differ.

A plan is one regular expression for all documents with the same sequence of tags, and says which of its groups is which
text of the outline. The tokeniser makes it, after a sequence was read a few times; it holds no texts.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from amtdecode.protocols.soap.outline import Outline, outline
from amtdecode.protocols.soap.tokeniser import Places, split, walk
from amtdecode.protocols.soap.tree import (
    MAX_PLAN_SIZE,
    MAX_PLAN_TAGS,
    MAX_PLANS,
    MAX_REMEMBERED,
    PLAN_AFTER,
    Row,
    Tree,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from amtdecode.protocols.soap.events import Values

_Slots = tuple[tuple[str, int], ...]
"""Paths, and the group that is the text; -1: there is none."""


class _Plan(NamedTuple):
    match: Callable[[str], re.Match[str] | None]
    outline: Outline  # without texts
    known: tuple[int, ...]
    selectors: _Slots
    headers: _Slots
    arguments: _Slots


_plans: dict[tuple[int, str], list[_Plan]] = {}
"""By number of tags, and what stands before the end of the first: the declaration and the root with its namespaces."""
_seen: dict[int, int] = {}
"""How often a sequence of tags was read, by its hash."""
_made = 0

_TEXT = r"([^<&\]\x00-\x08\x0b-\x1f\x7f]*)"
_BLANK = r"[ \t\n]*"


def read_plain(data: bytes) -> Outline | None:
    """Read plain XML; `None` for anything that the tokeniser is not sure of, well-formed or not."""
    if not data.isascii():
        return None
    text = data.decode("ascii")
    key = (text.count("<"), text[: text.find(">", text.find("<", 1) if text[:2] == "<?" else 0)])
    for plan in _plans.get(key, ()):
        found = plan.match(text)
        if found is not None:
            return _fill(plan, found.groups())
    cut = split(text)
    if cut is None:
        return None
    tags, texts = cut
    header: Places = []
    body: Places = []
    tree = walk(tags, texts, header, body)
    if tree is None:
        return None
    seen = hash(tags)
    count = _seen.get(seen, 0) + 1
    if count == PLAN_AFTER and _made < MAX_PLANS:
        _remember(key, text[: text.find(f"<{tags[0]}>")], tags, tree, header, body)
    if len(_seen) >= MAX_REMEMBERED:
        _seen.clear()
    _seen[seen] = count
    return outline(tree)


def _fill(plan: _Plan, texts: tuple[str, ...]) -> Outline:
    texts += ("",)  # at -1
    root, name, operation, namespace, leaf, *_ = plan.outline
    return Outline(
        root,
        name,
        operation,
        namespace,
        leaf,
        tuple([texts[at].strip() for at in plan.known]),
        tuple([(path, texts[at].strip()) for path, at in plan.selectors]),
        tuple([(path, texts[at].strip()) for path, at in plan.headers]),
        tuple([(path, texts[at].strip()) for path, at in plan.arguments]),
    )


def _remember(
    key: tuple[int, str], prolog: str, tags: tuple[str, ...], tree: Tree, header: Places, body: Places
) -> None:
    """Make a plan, within bounds. It holds for the life of the process, as no more than `MAX_PLANS` are made."""
    global _made  # noqa: PLW0603
    size = sum(map(len, tags)) + sum([len(row[0]) for row in tree.header]) + sum([len(row[0]) for row in tree.body])
    if len(tags) > MAX_PLAN_TAGS or size > MAX_PLAN_SIZE:
        return
    leaves = sorted([behind for _, behind in header] + [behind for _, behind in body])
    groups = {behind: group for group, behind in enumerate(leaves)}
    # the tree once more, with marks for texts, shows where each text goes
    marked = outline(tree._replace(header=_marked(tree.header, header), body=_marked(tree.body, body)))
    if _constants(marked):
        return
    _made += 1
    pattern = [re.escape(prolog)]
    for at, tag in enumerate(tags):
        pattern += (re.escape(f"<{tag}>"), _TEXT if at in groups else _BLANK)
    selectors, headers, arguments = (
        tuple([(path, _group(text, groups)) for path, text in part])
        for part in (marked.selectors, marked.headers, marked.arguments)
    )
    empty: Values = ()
    plan = _Plan(
        re.compile("".join(pattern)).fullmatch,
        marked._replace(known=(), selectors=empty, headers=empty, arguments=empty),
        tuple([_group(text, groups) for text in marked.known]),
        selectors,
        headers,
        arguments,
    )
    _plans.setdefault(key, []).append(plan)


_MARK = "\0"  # in no text that is read


def _marked(rows: list[Row], places: Places) -> list[Row]:
    rows = rows.copy()
    for at, behind in places:
        path, namespace, _, attributes = rows[at]
        rows[at] = (path, namespace, f"{_MARK}{behind}", attributes)
    return rows


def _group(text: str, groups: dict[int, int]) -> int:
    return groups[int(text[1:])] if text else -1


def _constants(marked: Outline) -> bool:
    """Whether it holds texts from elsewhere than between tags: values of attributes."""
    values = (*marked.selectors, *marked.headers, *marked.arguments)
    return any(text and text[0] != _MARK for _, text in values)
