"""FreeIPMI, ipmitool and OpenIPMI's simulator on loopback: what they say against what they print, and tshark."""

from __future__ import annotations

import re
import selectors
import socket
import subprocess
import threading
import time

import pytest
import wire
from loopback import PATIENCE, need
from rmcp_tshark import ASKED, by_tshark, shown

import amtdecode
from amtdecode.model import Gap, LimitReached, Malformed, Truncated, Unrecognised
from amtdecode.protocols.rmcp import AsfMessage, AsfPong, RmcpMessage
from amtdecode.protocols.rmcp.fields import PING, PONG
from amtdecode.protocols.rmcp.messages import read

HOME, BEHIND = "127.0.0.62", "127.0.0.63"
IPMI = "IPMI message over RMCP, not read further"
PASSWORD = "P4ssw0rd"
CONTROLLER = f"""\
name "bmc"
set_working_mc 0x20
  startlan 1
    addr {BEHIND} 623
    priv_limit admin
    allowed_auths_callback none md2 md5 straight
    allowed_auths_user none md2 md5 straight
    allowed_auths_operator none md2 md5 straight
    allowed_auths_admin none md2 md5 straight
    guid a123456789abcdefa123456789abcdef
  endlan
  user 1 true "" "test" user 10 none md2 md5 straight
  user 2 true "admin" "{PASSWORD}" admin 10 none md2 md5 straight
"""
INSIDE = """\
mc_setbmc 0x20
mc_add 0x20 0 no-device-sdrs 0x23 9 8 0x9f 0x1291 0xf02 persist_sdr
mc_enable 0x20
"""


def listen(address: str) -> socket.socket:
    one = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    try:
        one.bind((address, 623))
    except OSError as error:
        one.close()
        pytest.skip(f"UDP port 623 is not to be had: {error.strerror}")
    return one


class Answering(threading.Thread):
    """Listens on port 623 and keeps what is said, with the side that says it: 0 asks, 1 answers."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.said: list[tuple[int, bytes]] = []
        self.socket = listen(HOME)
        self.over = False

    @property
    def heard(self) -> list[bytes]:
        return [data for side, data in self.said if side == 0]

    def observations(self) -> list:
        """What passed, as a capture that is read."""
        ends = ((wire.CLIENT, wire.SERVER, 40000, 623), (wire.SERVER, wire.CLIENT, 623, 40000))
        packets = []
        for side, data in self.said:
            src, dst, sport, dport = ends[side]
            packets.append(wire.ipv4(wire.udp(data, sport, dport), src, dst, 17))
        self.capture = wire.pcap(wire.frames(packets))
        return wire.observe(self.capture)

    def stop(self) -> None:
        self.over = True
        self.join()
        self.socket.close()


OF_A_CONTROLLER = bytes.fromhex("000011be 00000000 81 00 000000000000")
OF_AMT = bytes.fromhex("00000157 4260 62 06 00 20 000000000000")  # constructed: AMT 6.2, provisioned, port 16992, DASH


class Machine(Answering):
    """Answers pings with a pong that holds these 16 bytes."""

    body = OF_A_CONTROLLER

    def run(self) -> None:
        self.socket.settimeout(0.1)
        while not self.over:
            try:
                data, asker = self.socket.recvfrom(2048)
            except TimeoutError:
                continue
            self.said.append((0, data))
            event = read(data)[0]
            if isinstance(event, AsfMessage) and event.type == PING:
                self.said.append((1, data[:8] + bytes((PONG, event.tag, 0, len(self.body))) + self.body))
                self.socket.sendto(self.said[-1][1], asker)


class Relay(Answering):
    """Stands before OpenIPMI's simulated controller."""

    def run(self) -> None:
        asker = None
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as inside, selectors.DefaultSelector() as selector:
            inside.connect((BEHIND, 623))
            for side, one in enumerate((self.socket, inside)):
                selector.register(one, selectors.EVENT_READ, side)
            while not self.over:
                for key, _ in selector.select(0.1):
                    try:
                        data, sender = key.fileobj.recvfrom(2048)
                    except ConnectionRefusedError:
                        continue
                    self.said.append((key.data, data))
                    if key.data:
                        self.socket.sendto(data, asker)
                    else:
                        asker = sender
                        inside.send(data)


@pytest.fixture
def machine():
    one = Machine()
    one.start()
    yield one
    one.stop()


@pytest.fixture
def controller(tmp_path):
    """OpenIPMI's controller, and a relay before it."""
    program = need("ipmi_sim")
    listen(BEHIND).close()
    lan, commands = tmp_path / "lan.conf", tmp_path / "inside.emu"
    lan.write_text(CONTROLLER)
    commands.write_text(INSIDE)
    command = [program, "-c", str(lan), "-f", str(commands), "-s", str(tmp_path / "state"), "-n"]
    relay = Relay()
    with subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL) as process:
        relay.start()
        try:
            answers(BEHIND)
            yield relay
        finally:
            process.kill()
            relay.stop()


def answers(address: str) -> None:
    """Wait until a controller answers pings."""
    ping = bytes.fromhex("0600ff06000011be80010000")
    stop = time.monotonic() + PATIENCE
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asking:
        asking.settimeout(0.1)
        asking.connect((address, 623))
        while True:
            assert time.monotonic() < stop, "the controller does not start"
            try:
                asking.send(ping)
                asking.recv(2048)
            except OSError:
                time.sleep(0.05)
            else:
                return


def run(program: str, *arguments: str, check: bool = True) -> str:
    done = subprocess.run([need(program), *arguments], capture_output=True, text=True, timeout=PATIENCE, check=False)
    assert not check or not done.returncode, done.stdout + done.stderr
    return done.stdout


def ipmitool(interface: str, *command: str, check: bool = True) -> str:
    common = ("-H", HOME, "-U", "admin", "-P", PASSWORD, "-R", "1", "-N", "1")
    return run("ipmitool", "-I", interface, *common, *command, check=check)


UNREAD = (Malformed, Unrecognised, Gap, LimitReached, Truncated)


def told(answering: Answering) -> list[RmcpMessage]:
    """All that was said, one message a datagram, with nothing left over."""
    observations = answering.observations()
    assert not [one for one in observations if isinstance(one.event, UNREAD)]
    messages = [one.event for one in observations if isinstance(one.event, RmcpMessage)]
    assert len(messages) == len(answering.said)
    return messages


@pytest.mark.parametrize(
    ("body", "ipmi", "summary"),
    [(OF_A_CONTROLLER, True, "ASF presence pong"), (OF_AMT, False, "Pong of Intel AMT 6.2")],
)
def test_rmcpping_of_freeipmi_takes_our_pong_and_its_pings_are_read(machine, tmp_path, body, ipmi, summary) -> None:
    machine.body = body
    printed = run("rmcpping", "-v", "-c", "2", HOME)
    assert "2 pongs received" in printed
    messages = told(machine)
    assert [each.summary().partition(",")[0] for each in messages] == ["ASF presence ping", summary] * 2
    tags = [each.tag for each in messages]
    assert tags == [tags[0], tags[0], tags[0] + 1, tags[0] + 1]
    assert f"message_tag={tags[0]}" in printed
    assert [each.fields()["iamt.pong.ipmi"] for each in messages[1::2]] == [ipmi] * 2
    assert ("ipmi supported" in printed) is ipmi
    path = tmp_path / "pings.pcap"
    path.write_bytes(machine.capture)
    assert [device.amt_version for device in amtdecode.diagnose(path).devices] == ([] if ipmi else ["6.2"])


def test_ipmitool_is_told_as_ipmi(machine) -> None:
    """It pings first, and gives up where nobody speaks IPMI."""
    ipmitool("lan", "mc", "info", check=False)
    messages = told(machine)
    assert IPMI in {each.summary() for each in messages}
    assert PASSWORD not in repr(messages)


def test_pings_of_a_simulated_controller(controller, tshark, tmp_path) -> None:
    printed = run("rmcpping", "-v", "-c", "3", HOME)
    tags = [int(tag) for tag in re.findall(r"message_tag=(\d+), ipmi supported", printed)]
    assert len(tags) == 3
    messages = told(controller)
    pongs = [each for each in messages if isinstance(each, AsfPong)]
    assert [each.tag for each in pongs] == tags
    assert {each.fields()["iamt.pong.ipmi"] for each in pongs} == {True}
    assert not any(each.is_amt for each in pongs)
    path = tmp_path / "pings.pcap"
    path.write_bytes(controller.capture)
    assert [{name: shown(each.fields().get(name)) for name in ASKED} for each in messages] == by_tshark(tshark, path)
    assert amtdecode.diagnose(path).devices == []


def test_what_is_said_to_a_simulated_controller_is_told_as_ipmi(controller, tmp_path) -> None:
    """FreeIPMI's ping, and ipmitool in sessions of IPMI 1.5 and 2.0."""
    assert "response received" in run("ipmiping", "-c", "1", HOME)
    for interface in ("lan", "lanplus"):
        assert "Manufacturer ID           : 4753" in ipmitool(interface, "mc", "info")
    messages = told(controller)
    assert len(messages) > 20
    # ipmitool pings before a session of IPMI 1.5
    assert [each.summary() for each in messages if each.summary() != IPMI] == [
        "ASF presence ping, tag 0",
        "ASF presence pong, tag 0: not AMT's, IPMI",
    ]
    assert PASSWORD not in repr(messages)
    path = tmp_path / "ipmi.pcap"
    path.write_bytes(controller.capture)
    assert amtdecode.diagnose(path).devices == []
