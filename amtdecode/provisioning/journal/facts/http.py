"""What a journal keeps of HTTP and calls."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

import msgspec

from amtdecode.masking import masked
from amtdecode.provisioning.journal.kept import MAX_TEXT, MAX_VALUES, Kept, short

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Self

REALM_TEXT = 8  # characters of a realm's number


class Credentials(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """How a request logs in, or a response offers it; nothing that is secret."""

    scheme: str
    realm: str
    stale: str = ""

    @property
    def name(self) -> str:
        """The scheme as it is called."""
        return self.scheme

    @property
    def parameters(self) -> dict[str, str]:
        """Those asked for."""
        return {"realm": self.realm, "stale": self.stale}


class Ticket(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """What a server says of a Kerberos login."""

    error: int | None
    spn: str
    realm: str
    skew: int | None


class HttpRequest(Kept, tag="http-request", frozen=True):
    """A request with or without credentials."""

    protocol: ClassVar[str] = "http"
    credentials: Credentials | None
    auth_user: str

    @classmethod
    def of(cls, event: Any) -> Self | None:
        given = event.credentials
        if given is None:
            return cls(None, "")
        held = Credentials(short(given.name), short(given.parameters.get("realm", "")))
        return cls(held, short(event.auth_user))


class HttpResponse(Kept, tag="http-response", frozen=True):
    """A status, perhaps a challenge."""

    protocol: ClassVar[str] = "http"
    status: int
    method: str
    target: str
    reason: str
    amt_version: str
    challenges: tuple[Credentials, ...]
    kerberos: Ticket | None
    date: int | None

    @classmethod
    def of(cls, event: Any) -> Self | None:
        offers: tuple[Credentials, ...] = ()
        ticket = date = None
        if event.status == 401:
            date = event.date
            offers = tuple(
                Credentials(
                    short(each.scheme),
                    short(each.parameters.get("realm", "")),
                    short(each.parameters.get("stale", "")),
                )
                for each in event.challenges[:MAX_VALUES]
            )
            if (told := event.kerberos) is not None:
                ticket = Ticket(told.error, short(told.spn), short(told.realm), told.skew)
        return cls(
            event.status,
            short(event.method),
            masked(event.target)[:MAX_TEXT],
            masked(event.reason)[:MAX_TEXT],
            short(event.amt_version),
            offers,
            ticket,
            date,
        )


class LoginLoop(Kept, tag="http-loop", frozen=True):
    """Login after login is refused."""

    protocol: ClassVar[str] = "http"
    target: str
    user: str
    scheme: str
    count: int

    @classmethod
    def of(cls, event: Any) -> Self | None:
        return cls(masked(event.target)[:MAX_TEXT], short(event.user), short(event.scheme), event.count)


class Call(Kept, tag="call", frozen=True):
    """One exchange of SOAP or WS-Man."""

    protocol: ClassVar[str] = "iamt.soap"
    kind: str
    label: str
    owner: str
    method: str
    user: str
    arguments: tuple[tuple[str, str], ...]  # those that the story asks for; a secret one has no text
    answer: tuple[tuple[str, str], ...]  # the same of what came back
    result: int | None
    result_text: str
    result_name: str
    meaning: str
    http_status: int
    step: str
    missing: str
    faulted: bool
    succeeded: bool | None

    @classmethod
    def of(cls, event: Any) -> Self | None:
        if event.kind == "http":
            return None
        return cls(
            event.kind,
            short(event.label),
            short(event.owner),
            short(event.method),
            short(event.user),
            _asked_for(event.arguments, _argument),
            _asked_for(event.answer, _result),
            event.result,
            masked(event.result_text)[:MAX_TEXT],
            short(event.result_name),
            masked(event.meaning)[:MAX_TEXT],
            event.http_status,
            event.step,
            event.missing,
            event.faulted,
            event.succeeded,
        )


def _asked_for(values: Any, told: Callable[[str, str], tuple[str, str] | None]) -> tuple[tuple[str, str], ...]:
    return tuple([each for path, text in values if (each := told(path, text)) is not None][:MAX_VALUES])


def _result(path: str, text: str) -> tuple[str, str] | None:
    """What the fold may ask of an answer: the name of a management presence server."""
    from amtdecode.provisioning.fold.calls import NAME_OF_SERVER

    return (path[-MAX_TEXT:], text[:MAX_TEXT]) if path.endswith(NAME_OF_SERVER) else None


def _argument(path: str, text: str) -> tuple[str, str] | None:
    """What the fold may ask of an argument: that it is a secret, a realm, a user, domains, a server, a clock."""
    from amtdecode.protocols.soap.tables import is_secret
    from amtdecode.provisioning.fold.calls import CLOCKS, NAME_OF_SERVER, NAMES_OF_USERS

    lower = path.lower()
    if path.endswith(("DetectionStrings", NAME_OF_SERVER)) or path.rpartition("/")[2] in CLOCKS:
        return path[-MAX_TEXT:], text[:MAX_TEXT]
    if is_secret(path) or "password" in lower or "digest" in lower:
        return path[-MAX_TEXT:], ""
    if "realm" in lower:
        return path[-MAX_TEXT:], text if len(text) <= REALM_TEXT else ""
    if path.rpartition("/")[2] in NAMES_OF_USERS:
        return path[-MAX_TEXT:], text[:MAX_TEXT]
    return None
