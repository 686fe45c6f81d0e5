"""Live observations: by `for`, by `async for`, stopped, cancelled, given up."""

from __future__ import annotations

import asyncio
import os
import socket
import threading
import time

import pytest
import wire

import amtdecode


def say_hello(port, data=wire.PSK_HELLO):
    with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
        connection.sendall(data)


def is_free(port):
    """Whether nobody listens any more, now or very soon."""
    return any(_is_free(port) or time.sleep(0.1) for _ in range(50))


def _is_free(port):
    with socket.socket() as other:
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            other.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def test_a_loop_ends_with_break_and_closes():
    observations = amtdecode.listen(0, "127.0.0.1")
    assert not _is_free(observations.port)
    threading.Thread(target=say_hello, args=(observations.port,)).start()
    for one in observations:
        assert isinstance(one.event, amtdecode.HelloMessage)
        assert one.event.uuid == wire.UUID_TEXT
        break
    del one
    observations.close()
    assert is_free(observations.port)


def test_stop_from_another_thread_gives_what_is_known():
    observations = amtdecode.listen(0, "127.0.0.1")
    with observations, socket.create_connection(("127.0.0.1", observations.port), timeout=10) as connection:
        connection.sendall(wire.PKI_HELLO[:-10])
        timer = threading.Timer(0.5, observations.stop)
        timer.start()
        found = list(observations)
        timer.join()
    assert any(isinstance(one.event, amtdecode.PartialHello) for one in found)
    assert is_free(observations.port)


def test_closed_before_it_began():
    observations = amtdecode.listen(0, "127.0.0.1")
    observations.close()
    assert is_free(observations.port)
    assert list(observations) == []


def test_async_for():
    async def main():
        observations = amtdecode.listen(0, "127.0.0.1")
        sent = asyncio.to_thread(
            lambda: [say_hello(observations.port, data) for data in (wire.PSK_HELLO, wire.PKI_HELLO)]
        )
        task = asyncio.create_task(sent)
        versions = []
        async for one in observations:
            if isinstance(one.event, amtdecode.HelloMessage):
                versions.append(one.event.version)
                if len(versions) == 2:
                    observations.stop()
        await task
        return versions, observations.port

    versions, port = asyncio.run(main())
    assert sorted(versions) == [2, 3]
    assert is_free(port)


def test_cancelling_ends_the_capture():
    async def follow(observations):
        async for _ in observations:
            pass

    async def main():
        observations = amtdecode.listen(0, "127.0.0.1")
        task = asyncio.create_task(follow(observations))
        await asyncio.sleep(0.05)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(follow(amtdecode.listen(0, "127.0.0.1")), 0.05)
        return observations.port

    port = asyncio.run(main())
    assert is_free(port)
    alive = [thread for thread in threading.enumerate() if thread.name.startswith("amtdecode")]
    for thread in alive:
        thread.join(5)
        assert not thread.is_alive()


def test_async_break_ends_the_capture():
    async def main():
        observations = amtdecode.listen(0, "127.0.0.1")
        task = asyncio.create_task(asyncio.to_thread(say_hello, observations.port))
        async for one in observations:
            assert one.event.uuid == wire.UUID_TEXT
            break
        await task
        return observations.port

    port = asyncio.run(main())
    assert is_free(port)


def test_refusals_come_from_the_call():
    with socket.create_server(("127.0.0.1", 0)) as taken, pytest.raises(amtdecode.CaptureError, match="cannot listen"):
        amtdecode.listen(taken.getsockname()[1], "127.0.0.1")
    pytest.importorskip("scapy")
    with pytest.raises(amtdecode.CaptureError, match="nosuch0"):
        amtdecode.live("nosuch0")
    with pytest.raises(amtdecode.CaptureError, match="nosuch1"):
        amtdecode.live(["lo", "nosuch1"])
    for wrong in ([], 5, ["lo", 5]):
        with pytest.raises(amtdecode.UsageError, match="wanted is a name, or a list of names"):
            amtdecode.live(wrong)


def test_an_interface(tmp_path):
    """Loopback, as root: the hello is seen on its way, and diagnosed."""
    pytest.importorskip("scapy")
    if os.geteuid():
        pytest.skip("capturing needs root")
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        try:
            observations = amtdecode.live("lo", bpf=f"tcp port {port}")
        except amtdecode.CaptureError as error:
            pytest.skip(str(error))

        async def main():
            task = asyncio.create_task(asyncio.to_thread(say_hello, port))
            found = []
            async for one in observations:
                found.append(one)
                if isinstance(one.event, amtdecode.HelloMessage):
                    observations.stop()
            await task
            return found

        found = asyncio.run(asyncio.wait_for(main(), 30))
    (hello,) = [one for one in found if isinstance(one.event, amtdecode.HelloMessage)]
    assert hello.input == "lo"
    assert hello.dst.port == port
    assert hello.time is not None
    report = amtdecode.diagnose(found)
    assert [device.uuid for device in report.devices] == [wire.UUID_TEXT]


def test_close_while_another_thread_reads_ends_that_thread():
    observations = amtdecode.listen(0, "127.0.0.1")
    reader = threading.Thread(target=list, args=(observations,))
    reader.start()
    socket.create_connection(("127.0.0.1", observations.port)).close()  # it reads once this is accepted
    observations.close()
    reader.join(10)
    assert not reader.is_alive()
