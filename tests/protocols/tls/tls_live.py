"""TLS clients and servers on loopback, and what they said."""

from __future__ import annotations

import subprocess
import time
from contextlib import suppress
from typing import TYPE_CHECKING, NamedTuple

from loopback import PATIENCE, Proxy, free_port, until_listening

if TYPE_CHECKING:
    from amtdecode.model import Direction, End


class Recording(NamedTuple):
    chunks: list[tuple[Direction, bytes]]
    ends: list[tuple[Direction, End]]


def record(
    server: list[str], client: list[str], *talk: bytes, then: list[str] | None = None
) -> Recording | list[Recording]:
    """Run a server and a client through the proxy; `PORT` in their arguments is the port to use.

    The client says `talk`, waits each time until the server has answered all it will, and leaves. With `then`, a second
    client follows on the same server, and there are two recordings.
    """
    port = free_port()
    with subprocess.Popen(
        [part.replace("PORT", str(port)) for part in server],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as serving:
        try:
            until_listening(port, serving)
            recordings = [_talk(port, one, talk) for one in (client, then) if one]
        finally:
            serving.kill()
    return recordings if then else recordings[0]


def _talk(port: int, client: list[str], talk: tuple[bytes, ...]) -> Recording:
    proxy = Proxy(port)
    proxy.start()
    with subprocess.Popen(
        [part.replace("PORT", str(proxy.port)) for part in client],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as asking:
        try:
            for words in talk or (b"",):
                with suppress(OSError):
                    asking.stdin.write(words)
                    asking.stdin.flush()
                quiet, seen = time.monotonic(), 0
                while asking.poll() is None and time.monotonic() - quiet < 0.4:
                    if len(proxy.chunks) != seen:
                        quiet, seen = time.monotonic(), len(proxy.chunks)
                    time.sleep(0.02)
            with suppress(OSError):
                asking.stdin.close()
            with suppress(subprocess.TimeoutExpired):
                asking.wait(2)
        finally:
            asking.terminate()  # some wait for ever whatever they are told
    proxy.join(PATIENCE)
    assert proxy.chunks
    return Recording(proxy.chunks, proxy.ends)
