"""What a journal keeps of redirection."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from amtdecode.provisioning.journal.kept import Kept, short

if TYPE_CHECKING:
    from typing import Self


class Redir(Kept, tag="redir", frozen=True):
    """Any message: the connection is one of a machine."""

    protocol: ClassVar[str] = "iamt.redir"
    repeats: ClassVar[bool] = True


class RedirLogin(Kept, tag="redir-login", frozen=True):
    """A login; its password is not kept."""

    protocol: ClassVar[str] = "iamt.redir"
    method: int
    user: str
    response: bool

    @classmethod
    def of(cls, event: Any) -> Self | None:
        return cls(event.method, short(event.user), bool(event.response))


class RedirAnswer(Kept, tag="redir-answer", frozen=True):
    """A login is accepted or refused."""

    protocol: ClassVar[str] = "iamt.redir"
    status: int
    refused: bool
    method: int

    @classmethod
    def of(cls, event: Any) -> Self | None:
        return cls(event.status, bool(event.refused), event.method)


class RedirStarted(Kept, tag="redir-started", frozen=True):
    """A session, a console or a drive begins, or is refused."""

    protocol: ClassVar[str] = "iamt.redir"
    data: bytes  # the first two
    session: str

    @classmethod
    def of(cls, event: Any) -> Self | None:
        return cls(bytes(event.data[:2]), event.session)

    @property
    def type(self) -> int:
        """Of the message."""
        return self.data[0]


class SolControls(Kept, tag="sol-controls", frozen=True):
    """Whether the console takes input."""

    protocol: ClassVar[str] = "iamt.redir"
    data: bytes  # the first ten

    @classmethod
    def of(cls, event: Any) -> Self | None:
        return cls(bytes(event.data[:10]))


class SolData(Kept, tag="sol-data", frozen=True):
    """Somebody types; what, is not kept."""

    protocol: ClassVar[str] = "iamt.redir"
    repeats: ClassVar[bool] = True
    type: int
