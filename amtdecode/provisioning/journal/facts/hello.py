"""What a journal keeps of hellos."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

import msgspec

from amtdecode.provisioning.journal.kept import MAX_TEXT, Kept

if TYPE_CHECKING:
    from typing import Self


class Hello(Kept, tag="hello", frozen=True):
    """A machine asks to be set up."""

    protocol: ClassVar[str] = "iamt.hello"
    uuid: str
    version: int
    admin_credentials_set: int
    retry_count: int
    pid: str
    hashes: tuple[tuple[int, bytes, str], ...]

    @classmethod
    def of(cls, event: Any) -> Self | None:
        hashes = tuple((each[0], each[1], each[2]) for each in event.hashes)
        return cls(event.uuid, event.version, event.admin_credentials_set, event.retry_count, event.pid, hashes)


class Begun(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """What a cut hello still says."""

    uuid: str


class PartialHello(Kept, tag="hello-cut", frozen=True):
    """The beginning of one."""

    protocol: ClassVar[str] = "iamt.hello"
    begun: Begun

    @classmethod
    def of(cls, event: Any) -> Self | None:
        return cls(Begun(event.begun.uuid))


class HelloAnswer(Kept, tag="hello-answer", frozen=True):
    """The host that heard a hello answers it."""

    protocol: ClassVar[str] = "iamt.hello"
    speaks: str
    data: bytes

    @classmethod
    def of(cls, event: Any) -> Self | None:
        return cls(event.speaks, bytes(event.data[:MAX_TEXT]))
