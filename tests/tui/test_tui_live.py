"""Live capture and pipes: packets that come one by one, from a source of the test's own."""

from __future__ import annotations

import os
import threading
import time

import wire

from amtdecode.capture.packets import NanosecondInterface


class Wire:
    """Gives packets when the test says so, as `Live` does."""

    def __init__(self):
        self._interface = NanosecondInterface("eth0", 1)
        self._waiting: list[bytes] = []
        self._lock = threading.Lock()

    def put(self, *frames):
        with self._lock:
            self._waiting += frames

    def packets(self, stop):
        number = 0
        while not stop():
            with self._lock:
                frames, self._waiting = self._waiting, []
            for frame in frames:
                number += 1
                yield number, frame, 0, len(frame), len(frame), 1_700_000_000 + number, 0, self._interface
            time.sleep(0.01)


def talk(sport):
    conversation = wire.Talk(sport=sport)
    packets = [*conversation.open(), *conversation.say(wire.PKI_HELLO, size=400), *conversation.close()]
    return [wire.ether(packet) for packet in packets]


def test_live(drive):
    eth = Wire()
    one, two = talk(50001), talk(50002)

    async def scenario(screen):
        app = screen.app
        packets = app.packets
        eth.put(*one)
        await screen.until(lambda: packets.list.line_count() == len(one))
        await screen.until(lambda: app._report is not None and len(app._report.devices) == 1)
        assert "live" in screen.lines[0]
        assert "1 machine so far" in screen.lines[0]
        await screen.keys("slash")
        await screen.type("iamt.hello")
        await screen.keys("enter")
        await screen.until(lambda: packets.list.line_count() == 1)
        eth.put(*two)
        await screen.until(lambda: packets.list.line_count() == 2)
        await screen.keys("backslash", "end")
        assert packets.list.current() == len(one) + len(two) - 1
        eth.put(*talk(50003))  # at the end, the cursor stays at the end
        await screen.until(lambda: packets.list.current() == len(one) * 3 - 1)
        await screen.keys("home")
        await screen.decoded()
        hello = next(row for row in range(len(one)) if app._looking.of(row))
        assert "Hello PKI" in app._looking.of(hello)[0].event.summary()

    drive(scenario, packets=eth.packets, called="eth0")


def test_a_pipe_is_listed_while_it_is_written(drive, tmp_path):
    path = tmp_path / "pipe"
    os.mkfifo(path)
    capture = wire.pcap(talk(50001))
    shown = threading.Event()

    def write():
        with open(path, "wb", buffering=0) as file:
            file.write(capture)
            shown.wait(20)

    writer = threading.Thread(target=write)
    writer.start()

    async def scenario(screen):
        await screen.until(lambda: screen.app.packets.list.line_count() == len(talk(50001)))
        shown.set()
        await screen.read()
        assert "1 machine" in screen.lines[0]

    try:
        drive(scenario, str(path), again=False)
    finally:
        shown.set()
        writer.join()
