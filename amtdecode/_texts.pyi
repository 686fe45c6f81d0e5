# The compiled module of texts (lane/texts/module.c). Absent where it was not built.

from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

_Pairs: TypeAlias = list[tuple[str, str]]

def envelope(
    data: bytes,
    names: dict[str, tuple[str, bool, bool, bool, bool, bool]],
    is_secret: Callable[[str], bool],
    is_secret_inside: Callable[[str], bool],
) -> (
    tuple[bool, tuple[str, str, str, str], str, str, _Pairs, list[int], _Pairs, list[int], _Pairs, list[int]] | None
): ...
def fields_json(fields: Mapping[str, Any], marks: dict[str, bool], masked: Callable[[str], str]) -> bytes | None: ...
def numbers(values: tuple[tuple[str, str], ...], names: frozenset[str]) -> list[int]: ...
def set_stems(stems: tuple[str, ...]) -> None: ...
def has_stem(text: str) -> bool: ...
def headers(data: bytes) -> tuple[list[tuple[str, str]], dict[str, str]] | None: ...
