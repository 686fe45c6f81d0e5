"""Answers about certificates that are asked for again and again, as whether a signature is good.

They hold what was captured, and private keys: so they are kept only inside `remembering`, which one report or one check
of files opens, and are gone with it.
"""

from __future__ import annotations

from contextlib import contextmanager
from contextvars import ContextVar
from functools import wraps
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

P = ParamSpec("P")
R = TypeVar("R")

MAX_KEPT = 8192
"""Answers of one report; there are some ten to a certificate."""

_answers: ContextVar[dict[Any, Any] | None] = ContextVar("answers about certificates", default=None)


@contextmanager
def remembering() -> Iterator[None]:
    """Keep answers until the end of the block; a block inside another one shares its answers."""
    if _answers.get() is not None:
        yield
        return
    token = _answers.set({})
    try:
        yield
    finally:
        _answers.reset(token)


def remembered(function: Callable[P, R]) -> Callable[P, R]:
    """Make a function answer only once for the same arguments, all positional, inside `remembering`."""

    @wraps(function)
    def ask(*args: P.args, **kwargs: P.kwargs) -> R:
        answers = _answers.get()
        if answers is None:
            return function(*args, **kwargs)
        key = function, args
        if key in answers:
            found: R = answers[key]
            return found
        if len(answers) >= MAX_KEPT:
            answers.clear()
        result = answers[key] = function(*args, **kwargs)
        return result

    return ask
