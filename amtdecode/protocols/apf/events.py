"""What the APF room states: one class for each message, and what became of a channel."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from amtdecode.counting import counted
from amtdecode.model import Event
from amtdecode.protocols.apf import fields as f

if TYPE_CHECKING:
    from amtdecode.fields import Fields
    from amtdecode.tree import Node


class ApfEvent(Event, frozen=True, gc=False):
    """What the room's events have in common."""

    protocol: ClassVar[str] = "iamt.apf"


class ApfMessage(ApfEvent, frozen=True, gc=False):
    """One message. Big-endian; offsets: the package's spec card and `spec.py`."""

    kind: ClassVar[int] = 0
    """The message type, its first byte."""

    def tree(self, pdu: bytes) -> tuple[Node, ...]:
        from amtdecode.protocols.apf.spec import MESSAGE
        from amtdecode.protocols.declaration import tree_of

        return tree_of(MESSAGE, pdu)


TYPE = f.TYPE.at("kind")


class ProtocolVersion(ApfMessage, frozen=True, gc=False):
    """The first message of each side; the machine says who it is, and why it connects."""

    kind: ClassVar[int] = f.PROTOCOLVERSION
    declared: ClassVar[Fields] = (
        TYPE,
        f.MAJOR.at("major"),
        f.MINOR.at("minor"),
        f.TRIGGER.at("trigger"),
        f.MACHINE.at("uuid"),
    )
    major: int
    minor: int
    trigger: int
    uuid: str
    """SMBIOS order, lower case, with dashes."""

    @property
    def reason(self) -> str:
        """Why the machine connects, in words."""
        return f.TRIGGERS.get(self.trigger, f"reason {self.trigger}")

    def summary(self) -> str:
        return f"APF {self.major}.{self.minor}, UUID {self.uuid}, {self.reason}"


class ServiceRequest(ApfMessage, frozen=True, gc=False):
    """A service is asked for: login, or port forwarding."""

    kind: ClassVar[int] = f.SERVICE_REQUEST
    declared: ClassVar[Fields] = (TYPE, f.SERVICE.at("service"))
    service: str

    def summary(self) -> str:
        return f"wants the service {self.service}"


class ServiceAccept(ApfMessage, frozen=True, gc=False):
    """The service is there."""

    kind: ClassVar[int] = f.SERVICE_ACCEPT
    declared: ClassVar[Fields] = (TYPE, f.SERVICE.at("service"))
    service: str

    def summary(self) -> str:
        return f"service {self.service} accepted"


class UserauthRequest(ApfMessage, frozen=True, gc=False):
    """A login."""

    kind: ClassVar[int] = f.USERAUTH_REQUEST
    declared: ClassVar[Fields] = (
        TYPE,
        f.USER.at("user"),
        f.SERVICE.at("service"),
        f.METHOD.at("method"),
        f.PASSWORD.at("password", absent=None),
    )
    user: str
    service: str
    method: str
    password: str | None = None

    def summary(self) -> str:
        return f"login as {self.user or 'nobody'}, method {self.method}"


class UserauthFailure(ApfMessage, frozen=True, gc=False):
    """The login is refused."""

    kind: ClassVar[int] = f.USERAUTH_FAILURE
    declared: ClassVar[Fields] = (TYPE, f.METHODS.at("methods"), f.PARTIAL.at("partial"))
    methods: str
    partial: bool

    def summary(self) -> str:
        return f"login refused; taken is: {self.methods or 'nothing'}"


class UserauthSuccess(ApfMessage, frozen=True, gc=False):
    """The login is accepted."""

    kind: ClassVar[int] = f.USERAUTH_SUCCESS
    declared: ClassVar[Fields] = (TYPE,)

    def summary(self) -> str:
        return "login accepted"


class GlobalRequest(ApfMessage, frozen=True, gc=False):
    """A port is to be forwarded, or not any more; or a UDP datagram is."""

    kind: ClassVar[int] = f.GLOBAL_REQUEST
    declared: ClassVar[Fields] = (
        TYPE,
        f.REQUEST.at("request"),
        f.WANT_REPLY.at("want_reply"),
        f.ADDRESS.at("address", absent=None),
        f.PORT.at("port", absent=None),
        f.ORIGIN_ADDRESS.at("origin_address", absent=None),
        f.ORIGIN_PORT.at("origin_port", absent=None),
        f.DATA.at("data", absent=None),
    )
    request: str
    want_reply: int
    address: str | None = None
    port: int | None = None
    origin_address: str | None = None
    origin_port: int | None = None
    data: bytes | None = None

    def summary(self) -> str:
        where = "" if self.port is None else f" {self.address}:{self.port}"
        carried = "" if self.data is None else f", {counted(len(self.data), 'byte')}"
        return f"{self.request or 'a request without a name'}{where}{carried}"


class RequestSuccess(ApfMessage, frozen=True, gc=False):
    """A global request is granted. The port is there for `tcpip-forward` alone."""

    kind: ClassVar[int] = f.REQUEST_SUCCESS
    declared: ClassVar[Fields] = (TYPE, f.PORT.at("port", absent=None), f.REQUEST.at("request", absent=""))
    port: int | None = None
    request: str = ""  # what it answers; "" where that is not known

    def summary(self) -> str:
        what = f"{self.request} " if self.request else "request "
        return f"{what}granted" if self.port is None else f"{what}{self.port} granted"


class RequestFailure(ApfMessage, frozen=True, gc=False):
    """A global request is refused."""

    kind: ClassVar[int] = f.REQUEST_FAILURE
    declared: ClassVar[Fields] = (TYPE, f.PORT.at("port", absent=None), f.REQUEST.at("request", absent=""))
    port: int | None = None  # what was asked for; `None` where that is not known
    request: str = ""

    def summary(self) -> str:
        return f"{self.request or 'request'}{'' if self.port is None else f' {self.port}'} refused"


class ChannelOpen(ApfMessage, frozen=True, gc=False):
    """A conversation is to begin."""

    kind: ClassVar[int] = f.CHANNEL_OPEN
    declared: ClassVar[Fields] = (
        TYPE,
        f.CHANNEL_TYPE.at("channel_type"),
        f.SENDER.at("sender"),
        f.WINDOW.at("window"),
        f.ADDRESS.at("address"),
        f.PORT.at("port"),
        f.ORIGIN_ADDRESS.at("origin_address"),
        f.ORIGIN_PORT.at("origin_port"),
    )
    channel_type: str
    sender: int
    window: int
    address: str
    port: int
    origin_address: str
    origin_port: int

    def summary(self) -> str:
        where = f"{self.address}:{self.port}" if self.address else f"port {self.port}"
        origin = f"{self.origin_address}:{self.origin_port}"
        return f"opens channel {self.sender} to {where} for {origin}, window {self.window}"


class ChannelOpenConfirmation(ApfMessage, frozen=True, gc=False):
    """A channel is open."""

    kind: ClassVar[int] = f.CHANNEL_OPEN_CONFIRMATION
    declared: ClassVar[Fields] = (
        TYPE,
        f.RECIPIENT.at("recipient"),
        f.SENDER.at("sender"),
        f.WINDOW.at("window"),
        f.PORT.at("port", absent=None),
    )
    recipient: int
    sender: int
    window: int
    port: int | None = None  # that it was opened for; `None` where the capture does not tell

    def summary(self) -> str:
        port = "" if self.port is None else f" to port {self.port}"
        return f"channel {self.recipient}{port} is open, as {self.sender}, window {self.window}"


class ChannelOpenFailure(ApfMessage, frozen=True, gc=False):
    """A channel is refused."""

    kind: ClassVar[int] = f.CHANNEL_OPEN_FAILURE
    declared: ClassVar[Fields] = (
        TYPE,
        f.RECIPIENT.at("recipient"),
        f.OPEN_FAILURE.at("code"),
        f.PORT.at("port", absent=None),
        f.CHANNEL_TYPE.at("channel_type", absent=""),
    )
    recipient: int
    code: int
    port: int | None = None  # that it was asked for; `None` where the capture does not tell
    channel_type: str = ""

    @property
    def reason(self) -> str:
        """Why, in words."""
        return f.OPEN_FAILURES.get(self.code, f"reason {self.code}")

    def summary(self) -> str:
        port = "" if self.port is None else f" to port {self.port}"
        return f"channel {self.recipient}{port} refused: {self.reason}"


class WindowAdjust(ApfMessage, frozen=True, gc=False):
    """The other side may send more."""

    kind: ClassVar[int] = f.CHANNEL_WINDOW_ADJUST
    declared: ClassVar[Fields] = (TYPE, f.RECIPIENT.at("recipient"), f.GRANTED.at("add"))
    recipient: int
    add: int

    def summary(self) -> str:
        return f"channel {self.recipient}: {counted(self.add, 'more byte')} may be sent"


class ChannelClose(ApfMessage, frozen=True, gc=False):
    """No more comes in a channel from whoever says this."""

    kind: ClassVar[int] = f.CHANNEL_CLOSE
    declared: ClassVar[Fields] = (TYPE, f.RECIPIENT.at("recipient"))
    recipient: int

    def summary(self) -> str:
        return f"closes channel {self.recipient}"


class Disconnect(ApfMessage, frozen=True, gc=False):
    """The connection ends, and why."""

    kind: ClassVar[int] = f.DISCONNECT
    declared: ClassVar[Fields] = (TYPE, f.DISCONNECT_REASON.at("code"))
    code: int

    @property
    def reason(self) -> str:
        """Why, in words."""
        return f.DISCONNECT_REASONS.get(self.code, f"reason {self.code}")

    def summary(self) -> str:
        return f"disconnects: {self.reason}"


class KeepaliveRequest(ApfMessage, frozen=True, gc=False):
    """One side asks whether the other is still there."""

    kind: ClassVar[int] = f.KEEPALIVE_REQUEST
    declared: ClassVar[Fields] = (TYPE, f.COOKIE.at("cookie"))
    cookie: int

    def summary(self) -> str:
        return f"keep-alive {self.cookie}"


class KeepaliveReply(ApfMessage, frozen=True, gc=False):
    """It is."""

    kind: ClassVar[int] = f.KEEPALIVE_REPLY
    declared: ClassVar[Fields] = (TYPE, f.COOKIE.at("cookie"))
    cookie: int

    def summary(self) -> str:
        return f"keep-alive {self.cookie} answered"


class KeepaliveOptionsRequest(ApfMessage, frozen=True, gc=False):
    """How often the machine shall ask."""

    kind: ClassVar[int] = f.KEEPALIVE_OPTIONS_REQUEST
    declared: ClassVar[Fields] = (TYPE, f.INTERVAL.at("interval"), f.TIMEOUT.at("timeout"))
    interval: int
    timeout: int

    def summary(self) -> str:
        return f"wants a keep-alive every {self.interval} s, timeout {self.timeout} s"


class KeepaliveOptionsReply(ApfMessage, frozen=True, gc=False):
    """How often it will."""

    kind: ClassVar[int] = f.KEEPALIVE_OPTIONS_REPLY
    declared: ClassVar[Fields] = (TYPE, f.INTERVAL.at("interval"), f.TIMEOUT.at("timeout"))
    interval: int
    timeout: int

    def summary(self) -> str:
        return f"keep-alive every {self.interval} s, timeout {self.timeout} s"


class JsonControl(ApfMessage, frozen=True, gc=False):
    """MeshCentral's own: what its agent and its server tell each other."""

    kind: ClassVar[int] = f.JSON_CONTROL
    declared: ClassVar[Fields] = (TYPE, f.JSON.at("text"))
    text: str

    def summary(self) -> str:
        return f"MeshCentral control message, {counted(len(self.text), 'character')}"


class BeyondWindow(ApfEvent, frozen=True, gc=False):
    """More was sent in a channel than its receiver had granted. Told once for each direction of a channel."""

    declared: ClassVar[Fields] = (f.RECIPIENT.at("recipient"), f.PORT.at("port"), f.EXCESS.at("excess"))
    recipient: int
    port: int
    excess: int

    def summary(self) -> str:
        return f"channel {self.recipient} to port {self.port}: {counted(self.excess, 'byte')} sent beyond the window"


class ChannelEnded(ApfEvent, frozen=True, gc=False):
    """What became of a channel, stated when it is closed both ways, or with the connection."""

    declared: ClassVar[Fields] = (
        f.PORT.at("port"),
        f.ADDRESS.at("address"),
        f.BYTES_TO_SERVER.at("to_server"),
        f.BYTES_TO_CLIENT.at("to_client"),
        f.MESSAGES.at("messages"),
        f.EXCESS.at("excess", absent=0),
        f.STALLED.at("stalled", absent=False),
    )
    port: int
    address: str
    to_server: int
    to_client: int
    messages: int
    excess: int = 0
    stalled: bool = False

    def summary(self) -> str:
        text = f"channel to port {self.port} ends: {counted(self.to_server, 'byte')} sent, {self.to_client} received"
        if self.excess:
            text += f", {self.excess} beyond the window"
        return text + (", its window used up" if self.stalled else "")


EVENTS = (
    ProtocolVersion,
    ServiceRequest,
    ServiceAccept,
    UserauthRequest,
    UserauthFailure,
    UserauthSuccess,
    GlobalRequest,
    RequestSuccess,
    RequestFailure,
    ChannelOpen,
    ChannelOpenConfirmation,
    ChannelOpenFailure,
    WindowAdjust,
    ChannelClose,
    Disconnect,
    KeepaliveRequest,
    KeepaliveReply,
    KeepaliveOptionsRequest,
    KeepaliveOptionsReply,
    JsonControl,
    BeyondWindow,
    ChannelEnded,
)
"""All that the room states; the bytes of channels go on as `Payload`."""
