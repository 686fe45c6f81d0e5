"""Real programs on loopback: what they send is read, and they read what the declaration builds."""

from __future__ import annotations

import shutil
import socket
import subprocess
import threading

import pytest

from amtdecode.protocols.rmcp import AsfMessage
from amtdecode.protocols.rmcp.fields import ASF_NUMBER, PING
from amtdecode.protocols.rmcp.messages import read
from amtdecode.protocols.rmcp.spec import UNSECURE

PATIENCE = 10  # seconds
HOME = "127.0.0.62"


class Machine(threading.Thread):
    """Answers pings as a management controller does, with a pong out of the declaration; keeps what it heard."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.heard: list[bytes] = []
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        try:
            self.socket.bind((HOME, 623))
        except OSError as error:
            self.socket.close()
            pytest.skip(f"UDP port 623 is not to be had: {error.strerror}")
        self.socket.settimeout(0.1)
        self.over = False

    def run(self) -> None:
        while not self.over:
            try:
                data, asker = self.socket.recvfrom(2048)
            except TimeoutError:
                continue
            self.heard.append(data)
            event = read(data)[0]
            if isinstance(event, AsfMessage) and event.type == PING:
                body = {"enterprise": ASF_NUMBER, "oem": 0, "entities": 0x81, "interactions": 0, "reserved": bytes(6)}
                asf = {"iana": ASF_NUMBER, "type": 0x40, "tag": event.tag, "reserved": 0, "data": body}
                head = {
                    "version": 6,
                    "reserved": 0,
                    "sequence": 255,
                    "kind": 6,
                    "asf": asf,
                    "trailer": b"",
                    "own": None,
                }
                self.socket.sendto(UNSECURE.build(head | {"asf": asf | {"data": body | {"own": None}}}), asker)


@pytest.fixture
def machine():
    one = Machine()
    one.start()
    yield one
    one.over = True
    one.join()
    one.socket.close()


def need(program: str) -> str:
    path = shutil.which(program) or shutil.which(program, path="/usr/sbin:/usr/local/sbin")
    if path is None:
        pytest.skip(f"{program} is not installed")
    return path


def test_rmcpping_of_freeipmi_takes_our_pong_and_its_pings_are_read(machine) -> None:
    done = subprocess.run(
        [need("rmcpping"), "-c", "2", HOME], capture_output=True, text=True, timeout=PATIENCE, check=False
    )
    assert "2 pongs received" in done.stdout, done.stdout + done.stderr
    events = [read(data) for data in machine.heard]
    assert [[event.summary().partition(",")[0] for event in each] for each in events] == [["ASF presence ping"]] * 2
    first, second = (each[0].tag for each in events)
    assert second == first + 1
    assert f"message_tag={first}" in done.stdout


def test_ipmitool_is_told_as_ipmi(machine) -> None:
    command = [need("ipmitool"), "-I", "lan", "-H", HOME, "-U", "admin", "-P", "P4ssw0rd", "-R", "1", "-N", "1"]
    subprocess.run([*command, "mc", "info"], capture_output=True, timeout=3 * PATIENCE, check=False)
    summaries = [event.summary() for data in machine.heard for event in read(data)]
    assert "IPMI message over RMCP, not read further" in summaries
    assert set(summaries) <= {"IPMI message over RMCP, not read further", summaries[0]}
    assert "P4ssw0rd" not in repr([read(data) for data in machine.heard])
