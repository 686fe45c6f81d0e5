"""Whole documents by their tags: machines of one kind write the same ones over and over, only the texts differ.

A plan holds what all documents with the same tags have in common, in pieces, and which texts stand between those. It is
made after the tokeniser read a sequence of tags a few times; it holds no texts.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from amtdecode.protocols.pairs import picker
from amtdecode.protocols.soap.outline import Outline, outline
from amtdecode.protocols.soap.tokeniser import Places, split, walk
from amtdecode.protocols.soap.tree import (
    MAX_PLAN_SIZE,
    MAX_PLAN_TAGS,
    MAX_PLANS,
    MAX_PLANS_ALIKE,
    MAX_REMEMBERED,
    PLAN_AFTER,
    Row,
    Tree,
)
from amtdecode.protocols.soap.values import Listing, encode, form_of, pairs

if TYPE_CHECKING:
    from collections.abc import Callable

    from amtdecode.protocols.pairs import Picker
    from amtdecode.protocols.soap.outline import Shape
    from amtdecode.protocols.soap.values import Form, Texts, Values


class _Part(NamedTuple):
    """Which texts make up one list of values."""

    make: Callable[[Form, Texts], Values]  # of texts that JSON takes as they are
    form: Form
    texts: Picker


class _Plan(NamedTuple):
    match: Callable[[str], re.Match[str] | None]
    """Says where the texts are that are taken, if the pieces fit: a group for each, an empty one before and behind."""
    pieces: list[str]  # of the whole document, with room for the groups between them
    shape: Shape
    known: Picker
    selectors: _Part | None
    headers: _Part | None
    arguments: _Part | None


_plans: dict[str, list[_Plan]] = {}
"""By the tag that ends last but two, mostly the one in the Body; the plan that fitted last stands in front."""
_TAIL = 256  # characters, among which that tag mostly is
_seen: dict[int, int] = {}
"""How often a sequence of tags was read, by its hash."""
_made = 0

_REFUSED = re.compile(r"[&\]\x00-\x08\x0b-\x1f\x7f]")  # what has to be looked at


def read_plain(data: bytes) -> Outline | None:
    """Read plain XML; `None` for anything that the tokeniser is not sure of, well-formed or not."""
    try:
        text = data.decode()
    except UnicodeDecodeError:
        return None
    if not text.isascii():
        return None
    tail = text[-_TAIL:].rsplit("</", 3)
    key = tail[1] if len(tail) > 3 else ""
    plans = _plans.get(key)
    if plans is not None:
        for plan in plans:
            found = plan.match(text)
            if found is None:
                continue
            pieces, texts = plan.pieces.copy(), found.groups()
            pieces[1::2] = texts
            if "".join(pieces) == text:  # much faster than to have the pattern compare the pieces
                if plan is not plans[0]:  # a new list: other threads may be walking this one
                    _plans[key] = [plan, *[other for other in plans if other is not plan]]
                filled = _fill(plan, texts)
                if filled is not None:
                    return filled
                break
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
    if count == PLAN_AFTER and _made < MAX_PLANS and len(plans or ()) < MAX_PLANS_ALIKE:
        _remember(key, text, tags, texts, tree, header, body)
    if len(_seen) >= MAX_REMEMBERED:
        _seen.clear()
    _seen[seen] = count
    return outline(tree)


def _fill(plan: _Plan, texts: Texts) -> Outline | None:
    """Put the texts of a document into their places; `None` where one of them is not plain."""
    _, _, shape, known, selectors, headers, arguments = plan
    joined = " < ".join(texts)  # a text with blanks around it makes two of them
    if "&" in joined or "]" in joined or "\x7f" in joined or "  " in joined or len(encode(joined)) != len(joined) + 2:
        return _fill_odd(plan, texts, joined)
    return Outline(
        shape,
        known(texts),
        selectors.make(selectors.form, selectors.texts(texts)) if selectors is not None else (),
        headers.make(headers.form, headers.texts(texts)) if headers is not None else (),
        arguments.make(arguments.form, arguments.texts(texts)) if arguments is not None else (),
    )


def _fill_odd(plan: _Plan, texts: Texts, joined: str) -> Outline | None:
    """Put in texts with blanks around them, or of which JSON would escape something."""
    if _REFUSED.search(joined):
        return None
    texts = tuple([text.strip() for text in texts])
    selectors, headers, arguments = (
        pairs(part.form, part.texts(texts)) if part is not None else ()
        for part in (plan.selectors, plan.headers, plan.arguments)
    )
    return Outline(plan.shape, plan.known(texts), selectors, headers, arguments)


def _remember(
    key: str,
    text: str,
    tags: tuple[str, ...],
    texts: Texts,
    tree: Tree,
    header: Places,
    body: Places,
) -> None:
    """Make a plan, within bounds. It holds for the life of the process, as no more than `MAX_PLANS` are made."""
    global _made  # noqa: PLW0603
    leaves = sorted(
        {behind for _, behind in header}.union([behind for _, behind in body]).union(
            [behind for behind, text in enumerate(texts) if text and not text.isspace()]
        )
    )
    taken = set(leaves)
    fixed = len(text) - sum([len(texts[behind]) for behind in leaves])
    size = fixed + sum([len(row[0]) for row in tree.header]) + sum([len(row[0]) for row in tree.body])
    if len(tags) > MAX_PLAN_TAGS or size > MAX_PLAN_SIZE:
        return
    groups = {behind: group for group, behind in enumerate(leaves, 1)}
    # the tree once more, with marks for texts, shows where each text goes
    marked = outline(tree._replace(header=_marked(tree.header, header), body=_marked(tree.body, body)))
    if _constants(marked):
        return
    _made += 1
    pieces = [text[: len(text) - sum(map(len, tags)) - sum(map(len, texts)) - 2 * len(tags)]]  # the prolog
    for at, (tag, behind) in enumerate(zip(tags, texts, strict=True)):
        pieces[-1] += f"<{tag}>"
        if at in taken:
            pieces += ("", "")
        else:
            pieces[-1] += behind
    pattern = "([^<]*+)".join([f".{{{len(piece)}}}+" for piece in pieces[::2]])  # never goes back: linear
    selectors, headers, arguments = (
        _part(tuple([path for path, _ in part]), [_group(text, groups) for _, text in part]) if part else None
        for part in (marked.selectors, marked.headers, marked.arguments)
    )
    plan = _Plan(
        re.compile(f"(){pattern}()", re.DOTALL).fullmatch,
        ["", "", *pieces, ""],
        marked.shape,
        picker([_group(text, groups) for text in marked.known]),
        selectors,
        headers,
        arguments,
    )
    _plans.setdefault(key, []).append(plan)


def _part(paths: Texts, places: list[int]) -> _Part:
    form = form_of(paths)
    return _Part(pairs if form.hidden else Listing, form, picker(places))


_MARK = "\0"  # in no text that is read


def _marked(rows: list[Row], places: Places) -> list[Row]:
    rows = rows.copy()
    for at, behind in places:
        path, namespace, _, attributes = rows[at]
        rows[at] = (path, namespace, f"{_MARK}{behind}", attributes)
    return rows


def _group(text: str, groups: dict[int, int]) -> int:
    return groups[int(text[1:])] if text else 0


def _constants(marked: Outline) -> bool:
    """Whether it holds texts from elsewhere than between tags: values of attributes."""
    values = (*marked.selectors, *marked.headers, *marked.arguments)
    return any(text and text[0] != _MARK for _, text in values)
