"""Real programs on loopback: what they need, and a proxy between them that records both directions in order."""

from __future__ import annotations

import selectors
import shutil
import socket
import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import wire

from amtdecode.model import TO_CLIENT, TO_SERVER, Direction, End

if TYPE_CHECKING:
    import subprocess

PATIENCE = 20  # seconds for a program to start or end


def need(program: str) -> str:
    """Where a program is; the test is skipped where it is not installed."""
    path = shutil.which(program) or shutil.which(program, path="/usr/sbin:/usr/local/sbin")
    if path is None:
        pytest.skip(f"{program} is not installed")
    return path


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def listening(port: int) -> bool:
    return any(
        line.split()[1].endswith(f":{port:04X}") and line.split()[3] == "0A"
        for table in ("/proc/net/tcp", "/proc/net/tcp6")
        for line in Path(table).read_text().splitlines()[1:]
    )


def until_listening(port: int, process: subprocess.Popen) -> None:
    """Wait for a server that was started."""
    stop = time.monotonic() + PATIENCE
    while not listening(port):
        assert time.monotonic() < stop, f"{process.args[0]} does not start"
        assert process.poll() is None, f"{process.args[0]} stopped"
        time.sleep(0.02)


class Proxy(threading.Thread):
    """Passes one connection on and writes down what passes."""

    def __init__(self, target: int) -> None:
        super().__init__(daemon=True)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._listener.settimeout(PATIENCE)
        self.port = self._listener.getsockname()[1]
        self._target = target
        self.chunks: list[tuple[Direction, bytes]] = []
        self.ends: list[tuple[Direction, End]] = []

    def run(self) -> None:
        with self._listener, suppress(OSError):
            client, _ = self._listener.accept()
            with client, socket.create_connection(("127.0.0.1", self._target)) as server:
                self._pass_on(client, server)

    def _pass_on(self, client: socket.socket, server: socket.socket) -> None:
        ways = {client: (TO_SERVER, server), server: (TO_CLIENT, client)}
        with selectors.DefaultSelector() as selector:
            for one in ways:
                selector.register(one, selectors.EVENT_READ)
            while len(self.ends) < 2:
                ready = selector.select(PATIENCE)
                if not ready:
                    return
                for key, _ in ready:
                    direction, other = ways[key.fileobj]
                    try:
                        data = key.fileobj.recv(65536)
                    except ConnectionResetError:
                        self.ends.append((direction, End.RESET))
                        return
                    if data:
                        self.chunks.append((direction, data))
                        with suppress(OSError):
                            other.sendall(data)
                    else:
                        self.ends.append((direction, End.FIN))
                        selector.unregister(key.fileobj)
                        with suppress(OSError):
                            other.shutdown(socket.SHUT_WR)

    def capture(self, port: int, size: int = 1400) -> bytes:
        """What passed as a pcap file, of a connection to `port` of the server."""
        talk = wire.Talk(dport=port)
        packets = talk.open()
        for direction, data in self.chunks:
            packets += talk.say(data, int(direction), size)
        for direction, end in self.ends:
            packets.append(talk.packet(int(direction), b"", wire.RST if end is End.RESET else wire.FIN | wire.ACK))
        return wire.pcap(wire.frames(packets))
