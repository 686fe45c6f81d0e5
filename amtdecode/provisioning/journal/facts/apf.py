"""What a journal keeps of calls home."""

from __future__ import annotations

from typing import ClassVar

from amtdecode.provisioning.journal.kept import Kept


class Apf(Kept, frozen=True):
    """Base."""

    protocol: ClassVar[str] = "iamt.apf"


class ApfMessage(Apf, tag="apf", frozen=True):
    """Any message."""

    repeats: ClassVar[bool] = True


class ProtocolVersion(Apf, tag="apf-version", frozen=True):
    """The machine says who it is, and why it calls."""

    uuid: str
    reason: str


class ServiceRequest(Apf, tag="apf-service", frozen=True):
    """A service is asked for."""

    service: str


class UserauthRequest(Apf, tag="apf-login", frozen=True):
    """A login; its password is not kept."""

    user: str
    method: str


class UserauthFailure(Apf, tag="apf-refused", frozen=True):
    """It is refused."""


class UserauthSuccess(Apf, tag="apf-accepted", frozen=True):
    """It is accepted."""


class GlobalRequest(Apf, tag="apf-request", frozen=True):
    """A port is to be forwarded, or not any more."""

    port: int | None
    request: str


class RequestSuccess(Apf, tag="apf-granted", frozen=True):
    """It is."""

    port: int | None


class RequestFailure(Apf, tag="apf-denied", frozen=True):
    """It is not."""

    port: int | None


class ChannelOpen(Apf, tag="apf-open", frozen=True):
    """A channel is open."""


class ChannelOpenFailure(Apf, tag="apf-open-failure", frozen=True):
    """A channel is refused."""

    port: int | None
    code: int
    reason: str


class BeyondWindow(Apf, tag="apf-beyond", frozen=True):
    """Somebody sends more than was granted."""

    port: int
    excess: int


class Disconnect(Apf, tag="apf-disconnect", frozen=True):
    """One side says why it leaves."""

    code: int
    reason: str


class Keepalive(Apf, tag="apf-keepalive", frozen=True):
    """A sign of life."""

    repeats: ClassVar[bool] = True


class KeepaliveOptions(Apf, tag="apf-options", frozen=True):
    """How often the server wants one."""

    interval: int
