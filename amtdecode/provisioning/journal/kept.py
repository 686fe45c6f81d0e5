"""What the facts of a journal have in common."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

import msgspec

if TYPE_CHECKING:
    from typing import Self

MAX_TEXT = 512  # characters of one text
MAX_VALUES = 128  # of one list


def short(value: Any) -> Any:
    """A text no longer than is kept of one; anything else as it is."""
    return value[:MAX_TEXT] if isinstance(value, str) else value


class Kept(msgspec.Struct, array_like=True, frozen=True, gc=False, tag_field="kept"):
    """Base. The fields of a class are attributes of the event, unless `of` says otherwise."""

    protocol: ClassVar[str] = ""
    """As of the event."""
    repeats: ClassVar[bool] = False
    """The fold only counts it: of many in one conversation few are kept."""

    @classmethod
    def of(cls, event: Any) -> Self | None:
        """What is kept of an event; `None`: nothing."""
        return cls(*[short(getattr(event, name)) for name in cls.__struct_fields__])

    def as_event(self) -> Any:
        """What the fold takes."""
        return self
