# The compiled lane (lane/module.c). Absent where it was not built.

from collections.abc import Callable, Iterator
from typing import Any

from amtdecode.capture import Interface, RawPacket
from amtdecode.flow.tcp import TcpEndpoint

class Lane(Iterator[RawPacket | None]):
    def __init__(
        self,
        resume: Callable[..., tuple[TcpEndpoint, TcpEndpoint]],
        wanted: Callable[[int, bytes, int, bytes], bool],
        single: Callable[..., tuple[bytes, Any, Any] | None],
        borrow: Callable[[TcpEndpoint, TcpEndpoint], tuple[Any, Any, int, bytes]],
        give_back: Callable[..., None],
        out: list[Any],
        batch_size: int,
        all_outcomes: bool,
        markers: tuple[TcpEndpoint, TcpEndpoint, TcpEndpoint, TcpEndpoint],
        ports: bytes,
        openings: bytes,
        limits: tuple[int, int, int, int, int, int, int],
        every: int,
        secret: int,
        owns: Callable[[bytes], bool] | None,
    ) -> None: ...
    @staticmethod
    def checksum_is_bad(addressed: bytes, addresses: int, /) -> bool: ...
    number: int
    position: int
    @property
    def flows(self) -> int: ...
    @property
    def kept(self) -> tuple[int, int, int, int]: ...
    @property
    def tcp_count(self) -> int: ...
    def __next__(self) -> RawPacket | None: ...
    def walk(
        self,
        buffer: bytes,
        position: int,
        end: int,
        number: int,
        header: int,
        big_endian: bool,
        interface: Interface,
        /,
    ) -> None: ...
    def passes(self, packet: RawPacket, /) -> bool: ...
    def find(self, key: bytes, /) -> TcpEndpoint | None: ...
    def open(
        self, forward: bytes, client: TcpEndpoint, server: TcpEndpoint, stream: tuple[int, int, int] | None, /
    ) -> tuple[int, int, int]: ...
    def ignore(
        self,
        forward: bytes,
        client: TcpEndpoint,
        base_seq: int,
        peer_base_seq: int,
        client_ended: bool,
        server_ended: bool,
        /,
    ) -> None: ...
    def end(
        self,
        forward: bytes,
        client: TcpEndpoint,
        base_seq: int,
        peer_base_seq: int,
        client_ended: bool,
        server_ended: bool,
        /,
    ) -> None: ...
    def marker_ends(self, key: bytes, flags: int, /) -> None: ...
    def remove(self, key: bytes, /) -> None: ...
    def stream_of(self, key: bytes, /) -> tuple[int, int, int] | None: ...
    def quote(self, key: bytes, /) -> int: ...
    def set_base(self, key: bytes, stream: tuple[int, int, int], /) -> None: ...
    def oldest(self, count: int, /) -> list[TcpEndpoint]: ...
    def ignore_udp(self, key: bytes, /) -> None: ...
    def forget_udp(self, key: bytes, /) -> None: ...
