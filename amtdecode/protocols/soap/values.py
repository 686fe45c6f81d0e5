"""Values by path, as the elements of an envelope give them: what of them is shown, what is secret, what has a name."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from amtdecode.masking import doubtful, is_word, masked
from amtdecode.protocols.pairs import Pairs, worked_out
from amtdecode.protocols.soap import tables

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence


class Lines(NamedTuple):
    """Values as `path=text`."""

    shown: list[str]
    hidden: list[str]  # those that are secrets

    def __repr__(self) -> str:
        return f"Lines({len(self.shown)} shown, {len(self.hidden)} hidden)"


class Values(Pairs):
    """Paths of elements (local names joined with `/`) and their texts, in document order; paths repeat.

    A message and the call it belongs to share them, so that they are looked through once.
    """

    written: bytes | None = None
    """Those that are shown as JSON, once the compiled module has written them."""

    @classmethod
    def of(cls, pairs: Iterable[tuple[str, str]], secrets: Sequence[int]) -> Values:
        """Make values of which it is known already which are secrets."""
        values = cls(pairs)
        values.secrets = secrets
        return values

    @worked_out
    def secrets(self) -> Sequence[int]:
        """Positions of the values that are secrets, by their paths."""
        return [at for at, (path, _) in enumerate(self) if tables.is_secret(path)]

    @worked_out
    def lines(self) -> Lines:
        """Each value as `path=text`."""
        shown = list(map("=".join, self))
        hidden = [shown[at] for at in self.secrets]
        for at in reversed(self.secrets):
            del shown[at]
        return Lines(shown, hidden)

    @worked_out
    def covered(self) -> list[str] | None:
        """`lines.shown`, what looks like a secret in a text covered; `None` where nothing does."""
        if not doubtful([text for _, text in self]):
            return None
        found = False
        lines = []
        for at, (path, text) in enumerate(self):
            if at not in self.secrets:
                shown = text if is_word(text) else masked(text)
                found = found or shown != text
                lines.append(f"{path}={shown}")
        return lines if found else None

    @property
    def safe_lines(self) -> list[str]:
        """`lines.shown` as it may be shown."""
        return self.lines.shown if self.covered is None else self.covered

    def named(self, owner: str, operation: str) -> list[str]:
        """`path=name` of each value that is no secret and has a name in a class (or service) and operation."""
        return [
            f"{path}={name}"
            for at, (path, text) in enumerate(self)
            if text.isdecimal() and (name := tables.value_name(owner, operation, path, text)) and at not in self.secrets
        ]

    def value(self, path: str) -> str | None:
        """Give the text of the first value with this path, or whose path ends so; `None` if there is none."""
        end = f"/{path}"
        return next((text for name, text in self if name == path or name.endswith(end)), None)


NO_VALUES = Values()


def hidden_in(*several: Values) -> list[str]:
    """`path=text` of each secret among the values."""
    return [line for values in several if values.secrets for line in values.lines.hidden]
