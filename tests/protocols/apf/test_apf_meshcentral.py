"""MeshCentral's MPS on loopback: a machine that calls it, and all that is said, against what the server writes down."""

from __future__ import annotations

import json
import socket
import ssl
import subprocess
import uuid
import warnings
from pathlib import Path
from typing import NamedTuple

import pytest
import wire
from issuing import issue
from loopback import PATIENCE, Proxy, free_port, need, until_listening
from meshcentral_log import as_logged, lines_of

import amtdecode
from amtdecode.model import Gap, LimitReached, Malformed, Truncated, Unrecognised
from amtdecode.protocols.apf import events as e
from amtdecode.protocols.apf import fields as f
from amtdecode.protocols.apf.reading import size_of
from amtdecode.protocols.apf.spec import MESSAGE
from amtdecode.protocols.http.events import HttpRequest, HttpResponse
from amtdecode.secrets import Keys
from pcaps import apf

MACHINE = uuid.UUID("44b3d470-afdb-11e5-be66-1e7a66911400")
GROUP, WITHOUT_AGENT = "mesh//AbCdEfGhIjKlMnOpQrStUvWx", "mesh//ZyXwVuTsRqPoNmLkJiHgFeDc"
USER, PASSWORD = GROUP.rpartition("/")[2][:16].encode(), b"P@ssw0rd-16"
PORTS = (16992, 16993, 16994, 16995, 623)
WINDOW = 500  # bytes that the machine takes at a time
ASKED = "POST /wsman HTTP/1.1\r\nHost: machine\r\nContent-Length: 1200\r\n\r\n" + "x" * 1200
PAGE = b"HTTP/1.1 200 OK\r\nContent-Length: 40000\r\n\r\n" + bytes(40_000)
UNREAD = (Malformed, Unrecognised, Gap, LimitReached, Truncated)


def node(group: str) -> dict:
    """The machine, as the server keeps it."""
    return {"_id": "node//x", "meshid": group, "domain": "", "name": "desk-41", "intelamt": {"uuid": str(MACHINE)}}


class Machine:
    """Plays AMT that calls home: says what the declaration builds, and reads by it what the server says."""

    def __init__(self, port: int, version: ssl.TLSVersion, client: tuple[str, str]) -> None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        context.set_ciphers("ALL:@SECLEVEL=0")
        context.load_cert_chain(*client)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # TLS 1.0 is what old firmware speaks
            context.minimum_version = context.maximum_version = version
        self.socket = context.wrap_socket(socket.create_connection(("127.0.0.1", port), PATIENCE))
        self.waiting, self.asked = b"", b"tcpip-forward"

    def say(self, *messages: bytes) -> None:
        self.socket.sendall(b"".join(messages))

    def hear(self):
        """The next message of the server, `None` at the end."""
        while True:
            size = self._size()
            if size and len(self.waiting) >= size:
                message, self.waiting = self.waiting[:size], self.waiting[size:]
                return MESSAGE.parse(message)
            try:
                more = self.socket.recv(65_536)
            except (ConnectionError, ssl.SSLError):
                more = b""
            if not more:
                assert not self.waiting
                return None
            self.waiting += more

    def _size(self) -> int:
        """Bytes of the message that waits, by what this server is known to send."""
        if not self.waiting:
            return 0
        kind = self.waiting[0]
        if kind == f.REQUEST_SUCCESS:
            return 5 if self.asked == b"tcpip-forward" else 1
        if kind == f.USERAUTH_FAILURE:
            return size_of(self.waiting) + 1
        if kind == f.CHANNEL_DATA:
            return 9 + int.from_bytes(self.waiting[5:9], "big")
        return size_of(self.waiting)

    def expect(self, kind: int, **body):
        heard = self.hear()
        assert heard is not None
        assert (heard.type, {name: heard.body[name] for name in body}) == (kind, body)

    def log_in(self, user: bytes = USER, password: bytes = PASSWORD) -> None:
        self.say(apf.version(MACHINE), apf.service(apf.AUTH))
        self.expect(f.SERVICE_ACCEPT, service=apf.AUTH)
        self.say(apf.login(user, password))

    def forward(self) -> None:
        self.say(apf.service(apf.PFWD))
        self.expect(f.SERVICE_ACCEPT, service=apf.PFWD)
        for port in PORTS:
            self.say(apf.forward(port))
            self.expect(f.REQUEST_SUCCESS, port=port)
        self.asked = b"cancel-tcpip-forward"
        self.say(apf.forward(16995, request=self.asked))
        self.expect(f.REQUEST_SUCCESS, port=None)
        self.asked = b"tcpip-forward"
        self.say(apf.forward(5900))  # behind which this server asks for keep-alives
        self.expect(f.REQUEST_SUCCESS, port=5900)
        self.expect(f.KEEPALIVE_OPTIONS_REQUEST, interval=30, timeout=0)
        self.say(apf.build(f.KEEPALIVE_OPTIONS_REPLY, interval=30, timeout=0))
        self.say(apf.build(f.KEEPALIVE_REQUEST, cookie=0x01020304))
        self.expect(f.KEEPALIVE_REPLY, cookie=0x01020304)

    def serve(self) -> None:
        """Take one channel to a web server of small windows; refuse the one behind it."""
        opened = self.hear()
        assert (opened.type, opened.body.port, opened.body.window) == (f.CHANNEL_OPEN, 16992, 32768)
        theirs, ours, request, room = opened.body.sender, 7, b"", 0
        self.say(apf.confirmation(theirs, ours, WINDOW))
        while len(request) < len(ASKED):
            part = self.hear()
            assert (part.type, part.body.recipient) == (f.CHANNEL_DATA, ours)
            request, room = request + part.body.data, room + len(part.body.data)
            if room == WINDOW and len(request) < len(ASKED):
                self.say(apf.adjust(theirs, WINDOW))
                room = 0
        assert request == ASKED.encode()
        left, credit = PAGE, 32768
        while left:
            part, left = left[: min(4096, credit)], left[min(4096, credit) :]
            self.say(apf.data(theirs, part))
            credit -= len(part)
            if left and credit < 4096:
                granted = self.hear()
                assert (granted.type, granted.body.recipient) == (f.CHANNEL_WINDOW_ADJUST, ours)
                credit += granted.body.add
        while (closing := self.hear()).type != f.CHANNEL_CLOSE:
            assert closing.type == f.CHANNEL_WINDOW_ADJUST
        self.say(apf.closing(theirs))
        refused = self.hear()
        assert (refused.type, refused.body.port) == (f.CHANNEL_OPEN, 16994)
        self.say(apf.failure(refused.body.sender, 2))

    def until_the_end(self) -> list[int]:
        """The types of what the server still says."""
        heard = []
        while (message := self.hear()) is not None:
            heard.append(message.type)
        return heard


class Call(NamedTuple):
    """What passed, what the server wrote down, and what we make of both."""

    capture: Path
    log: str
    keys: Keys
    observations: list

    @property
    def messages(self) -> list:
        return [one for one in self.observations if isinstance(one.event, e.ApfMessage)]

    def of(self, kind: type) -> list:
        return [one.event for one in self.observations if isinstance(one.event, kind)]

    @property
    def stats(self) -> dict:
        return json.loads(self.log.rpartition("STATS ")[2])

    def diagnosis(self, tmp_path: Path):
        log = tmp_path / "mps.log"
        log.write_text(self.log)
        return amtdecode.diagnose([self.capture, log], keys=self.keys)


@pytest.fixture(scope="module")
def certificates(tmp_path_factory):
    folder = tmp_path_factory.mktemp("mps")
    return issue(folder, "mps.example.com"), issue(folder, "machine.example.com")


@pytest.fixture
def call(meshcentral, certificates, tmp_path):
    """Run the server, and a machine that does something to it."""

    def run(act, version=ssl.TLSVersion.TLSv1_2, **settings) -> Call:
        server, client = certificates
        meshes = {
            GROUP: {"_id": GROUP, "mtype": 2, "domain": "", "name": "desks"},
            WITHOUT_AGENT: {"_id": WITHOUT_AGENT, "mtype": 1, "domain": "", "name": "without agent"},
        }
        told = {"password": PASSWORD.decode(), "meshes": meshes, "nodes": [node(GROUP)], "plan": []} | settings
        keylog, port, script = tmp_path / "keys.txt", free_port(), Path(__file__).with_name("mps.js")
        command = [need("node"), str(script), str(meshcentral), str(port)]
        command += [server.key_path, server.path, str(keylog), json.dumps(told)]
        with subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
        ) as process:
            try:
                until_listening(port, process)
                proxy = Proxy(port)
                proxy.start()
                machine = Machine(proxy.port, version, (client.path, client.key_path))
                with machine.socket:
                    act(machine)
                proxy.join(PATIENCE)
                log = process.communicate(timeout=PATIENCE)[0]
            finally:
                process.kill()
        capture = tmp_path / "call.pcap"
        capture.write_bytes(proxy.capture(4433))
        keys = Keys.load(keylogs=[str(keylog)])
        return Call(capture, log, keys, wire.observe(capture.read_bytes(), keys=keys))

    return run


def agree(made: Call) -> None:
    """Each message both ways is the one that the server wrote down, and nothing is left over."""
    theirs = [one for one in lines_of(made.log) if one[1] != "CHANNEL_DATA"]
    # the window that is left, which the server writes behind what it was given, is no part of the message
    theirs = [
        (way, kind, text.rpartition(" ")[0] if (way, kind) == ("-->", "CHANNEL_WINDOW_ADJUST") else text)
        for way, kind, text in theirs
    ]
    ours = [as_logged(one) for one in made.messages]
    for way in ("-->", "<--"):
        assert [one for one in ours if one[0] == way] == [one for one in theirs if one[0] == way]
    assert not [one for one in made.observations if isinstance(one.event, UNREAD)]


def whole(machine: Machine) -> None:
    machine.log_in()
    machine.expect(f.USERAUTH_SUCCESS)
    machine.forward()
    machine.say(apf.opening(2, 443, kind=apf.DIRECT))
    machine.expect(f.CHANNEL_OPEN_FAILURE, recipient=2, reason=3)
    machine.serve()
    origin = {"origin_address": b"", "origin_port": 161, "data": b"\x30\0"}
    body = {"address": b"", "port": 162, **origin}
    machine.say(apf.build(f.GLOBAL_REQUEST, request=f.UDP, want_reply=0, body=body))
    machine.say(apf.disconnect(11))


VERSIONS = [ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3]


@pytest.mark.parametrize("version", VERSIONS, ids=lambda each: each.name)
def test_a_whole_call(call, version, tmp_path):
    made = call(whole, version, plan=[[16992, ASKED, len(PAGE)], [16994, "", 1]])
    agree(made)
    log = lines_of(made.log)
    assert f"CONNECTED {GROUP} node//x 2" in made.log
    assert (made.stats["channelOpenConfirmCount"], made.stats["channelOpenFailCount"]) == (1, 1)
    assert (made.stats["socketErrorCount"], made.stats["ciraTimeoutCount"]) == (0, 0)

    # the channel: what both sides counted, byte for byte
    sizes = {"-->": 0, "<--": 0}
    for way, kind, text in log:
        sizes[way] += int(text.split()[1]) if kind == "CHANNEL_DATA" else 0
    assert sizes == {"-->": len(PAGE), "<--": len(ASKED)}
    (ended,) = made.of(e.ChannelEnded)
    assert (ended.port, ended.to_server, ended.to_client) == (16992, len(ASKED), len(PAGE))
    assert not ended.excess
    assert not ended.stalled
    assert not made.of(e.BeyondWindow)
    http = [(type(one.event), one.event.body_size) for one in made.observations if one.protocol == "http"]
    assert http == [(HttpRequest, 1200), (HttpResponse, 40_000)]

    # the story
    report = made.diagnosis(tmp_path)
    (machine,) = report.devices
    assert machine.uuid == str(MACHINE)
    found = {finding.id: finding for finding in report.of(machine)}
    assert {"AMT-CIRA-006", "AMT-CIRA-012"} <= found.keys()
    assert found["AMT-CIRA-012"].title.endswith("as far as: channels")
    assert not {"AMT-CIRA-002", "AMT-CIRA-003", "AMT-CIRA-005", "AMT-CIRA-009"} & found.keys()
    told = [proof.text for proof in found["AMT-CIRA-012"].evidence]
    assert f'login: as "{USER.decode()}"' in told
    assert "ports forwarded: 16992, 16993, 16994, 623, 5900" in told
    assert PASSWORD.decode() not in str(report)


def refused(user: bytes, password: bytes):
    """A call whose login the server refuses."""

    def act(machine: Machine) -> None:
        machine.log_in(user, password)
        machine.expect(f.USERAUTH_FAILURE, methods=b"password", partial=0)
        assert machine.until_the_end() == []

    return act


@pytest.mark.parametrize(
    ("user", "password", "count", "title"),
    [
        (USER, b"Wr0ng-0ne", "incorrectPasswordCount", "The server refused the login of a machine over CIRA"),
        (b"0123456789abcdef", PASSWORD, "meshNotFoundCount", "A machine logs in over CIRA with the name of a device"),
        (b"short", PASSWORD, "badUserNameLengthCount", "The server refused the login of a machine over CIRA"),
    ],
)
def test_a_refused_login(call, tmp_path, user, password, count, title):
    made = call(refused(user, password))
    agree(made)
    assert made.stats[count] == 1
    assert made.of(e.UserauthFailure) == [e.UserauthFailure("password", False)]
    report = made.diagnosis(tmp_path)
    (refusal,) = [each for each in report.of(report.devices[0]) if each.id == "AMT-CIRA-002"]
    assert f'logs in as "{user.decode()}"' in refusal.explanation
    lines = [each for each in report.of(None) if each.id == "AMT-LOG-STEP"]
    assert [each.title.startswith(title) for each in lines] == [True]
    assert password.decode() not in str(report)


def test_a_machine_that_another_group_has_is_turned_away(call, tmp_path):
    """This server says close_notify and leaves the FIN to the machine: it is the server all the same that ends it."""

    def act(machine):
        machine.log_in()
        assert machine.until_the_end() == []

    elsewhere = {
        "_id": "node//y",
        "meshid": WITHOUT_AGENT,
        "domain": "",
        "name": "x",
        "intelamt": {"uuid": str(MACHINE)},
    }
    made = call(act, nodes=[elsewhere])
    agree(made)
    assert made.stats["unknownNodeCount"] == 1
    report = made.diagnosis(tmp_path)
    (turned,) = [each for each in report.of(report.devices[0]) if each.id == "AMT-CIRA-003"]
    assert "the server ends the connection behind the login" in turned.explanation
    (line,) = [each for each in report.of(report.devices[0]) if each.id == "AMT-LOG-STEP"]
    assert (line.severity, line.evidence[0].text) == (
        "high",
        f"CIRA connection for unknown node. candidate(s): 1, groupid: {GROUP}, uuid: {MACHINE}",
    )


def test_a_new_machine_is_added(call, tmp_path):
    def act(machine):
        machine.log_in()
        machine.expect(f.USERAUTH_SUCCESS)

    made = call(act, nodes=[])
    agree(made)
    assert "EVENT addnode" in made.log
    report = made.diagnosis(tmp_path)
    found = {each.id: each for each in report.of(report.devices[0])}
    assert found["AMT-CIRA-012"].title.endswith("as far as: login accepted")
    assert "AMT-CIRA-003" not in found
    assert found["AMT-LOG-STEP"].severity == "medium"


def test_an_agent_s_control_messages(call):
    """MeshCentral's agent, in LMS's place, says first what it is; the server tells it in JSON why it is refused."""

    def act(machine):
        machine.say(apf.build(f.JSON_CONTROL, text=b'{"action":"connType","value":2}'))
        machine.log_in(password=b"Wr0ng-0ne")
        machine.expect(f.JSON_CONTROL, text=b'{"action":"console","msg":"Invalid login username/password"}')
        machine.expect(f.USERAUTH_FAILURE)

    made = call(act)
    agree(made)
    assert [one.text for one in made.of(e.JsonControl)] == [
        '{"action":"connType","value":2}',
        '{"action":"console","msg":"Invalid login username/password"}',
    ]
