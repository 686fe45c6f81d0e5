"""Whole documents by their tags: machines of one kind write the same ones over and over, only the texts differ.

A plan says, for one sequence of tags, where in such a document the texts stand that matter. It is made with the
tokeniser, from the second time on that a sequence is seen, and holds no texts.
"""

from __future__ import annotations

from operator import itemgetter
from typing import TYPE_CHECKING, NamedTuple

from amtdecode.protocols.soap.outline import Outline, outline
from amtdecode.protocols.soap.tokeniser import Places, split, walk
from amtdecode.protocols.soap.tree import (
    MAX_PLAN_SIZE,
    MAX_PLAN_TAGS,
    MAX_PLANS,
    MAX_REMEMBERED,
    Row,
    Tree,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from amtdecode.protocols.soap.events import Values

_Slots = tuple[tuple[str, int], ...]
"""Paths, and behind which tag the text stands; -1: there is none."""


class _Plan(NamedTuple):
    outline: Outline  # without texts
    known: tuple[int, ...]
    selectors: _Slots
    headers: _Slots
    arguments: _Slots
    blanks: Callable[[Sequence[str]], tuple[str, ...]]  # the texts that must be blank


_plans: dict[tuple[str, ...], _Plan] = {}
_seen: set[int] = set()


def read_plain(data: bytes) -> Outline | None:
    """Read plain XML; `None` for anything that the tokeniser is not sure of, well-formed or not."""
    cut = split(data)
    if cut is None:
        return None
    tags, texts = cut
    plan = _plans.get(tags)
    if plan is not None and b"&" not in data:
        return _fill(plan, texts)
    header: Places = []
    body: Places = []
    tree = walk(tags, texts, header, body)
    if tree is None:
        return None
    if plan is None:
        _remember(tags, tree, header, body)
    return outline(tree)


def _fill(plan: _Plan, texts: tuple[str, ...]) -> Outline | None:
    blank = "".join(plan.blanks(texts))
    if blank and not blank.isspace():
        return None
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


def _remember(tags: tuple[str, ...], tree: Tree, header: Places, body: Places) -> None:
    """Keep a plan, within bounds."""
    seen = hash(tags)
    if seen not in _seen:
        if len(_seen) >= MAX_REMEMBERED:
            _seen.clear()
        _seen.add(seen)
        return
    size = sum(map(len, tags)) + sum([len(row[0]) for row in tree.header]) + sum([len(row[0]) for row in tree.body])
    leaves = {behind for _, behind in header} | {behind for _, behind in body}
    blanks = [at for at in range(len(tags)) if at not in leaves]
    if len(tags) > MAX_PLAN_TAGS or size > MAX_PLAN_SIZE or len(blanks) < 2:  # of one blank itemgetter gives no tuple
        return
    # the tree once more, with marks for texts, shows where each text goes
    marked = outline(tree._replace(header=_marked(tree.header, header), body=_marked(tree.body, body)))
    if _constants(marked):
        return
    if len(_plans) >= MAX_PLANS:
        _plans.clear()
    selectors, headers, arguments = (tuple([(path, _place(text)) for path, text in part]) for part in marked[6:])
    empty: Values = ()
    bare = marked._replace(known=(), selectors=empty, headers=empty, arguments=empty)
    known = tuple([_place(text) for text in marked.known])
    _plans[tags] = _Plan(bare, known, selectors, headers, arguments, itemgetter(*blanks))


_MARK = "\0"  # in no text that is read


def _marked(rows: list[Row], places: Places) -> list[Row]:
    rows = rows.copy()
    for at, behind in places:
        path, namespace, _, attributes = rows[at]
        rows[at] = (path, namespace, f"{_MARK}{behind}", attributes)
    return rows


def _place(text: str) -> int:
    return int(text[1:]) if text else -1


def _constants(marked: Outline) -> bool:
    """Whether it holds texts from elsewhere than between tags: values of attributes."""
    values = (*marked.selectors, *marked.headers, *marked.arguments)
    return any(text and text[0] != _MARK for _, text in values)
