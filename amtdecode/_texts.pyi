# The compiled module of texts (lane/texts/module.c). Absent where it was not built.

from collections.abc import Callable
from typing import TypeAlias

_Pairs: TypeAlias = list[tuple[str, str]]

def envelope(
    data: bytes,
    names: dict[str, tuple[str, bool, bool, bool, bool, bool]],
    is_secret: Callable[[str], bool],
    is_secret_inside: Callable[[str], bool],
) -> (
    tuple[bool, tuple[str, str, str, str], str, str, _Pairs, list[int], _Pairs, list[int], _Pairs, list[int]] | None
): ...
