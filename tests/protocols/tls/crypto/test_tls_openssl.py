"""Fresh traffic between OpenSSL's own programs: suites and ways of TLS that the captures lack.

A relay between the two keeps the bytes; nothing is captured, and nothing leaves the loopback address.
"""

from __future__ import annotations

import datetime as dt
import selectors
import shutil
import socket
import subprocess
import threading

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from tls_replay import CLIENT, SERVER, Replay

from amtdecode.protocols.tls.registry import suite_parameters
from amtdecode.secrets import Keys

PID, PPS = "0000037M", "NKLDG5DCRRNQE9YZZIJL7LFLVJED69XJ"
TIMEOUT = 20


@pytest.fixture(scope="module")
def openssl():
    path = shutil.which("openssl")
    if path is None:
        pytest.skip("no openssl command")
    return path


@pytest.fixture(scope="module")
def identity(tmp_path_factory):
    """Certificate and key of a server."""
    folder = tmp_path_factory.mktemp("identity")
    key = rsa.generate_private_key(65537, 2048)
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "amt.example.com")])
    start, end = dt.datetime(2020, 1, 1, tzinfo=dt.UTC), dt.datetime(2090, 1, 1, tzinfo=dt.UTC)
    builder = x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number(), start, end)
    (folder / "cert.pem").write_bytes(builder.sign(key, hashes.SHA256()).public_bytes(Encoding.PEM))
    (folder / "key.pem").write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    return folder


class Relay(threading.Thread):
    """Passes bytes between a client and a server, and keeps them in order of arrival."""

    def __init__(self, server_port):
        super().__init__(daemon=True)
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.listener.settimeout(TIMEOUT)
        self.port = self.listener.getsockname()[1]
        self.server_port = server_port
        self.chunks = []

    def run(self):
        with (
            self.listener,
            self.listener.accept()[0] as client,
            socket.create_connection(("127.0.0.1", self.server_port), TIMEOUT) as server,
            selectors.DefaultSelector() as selector,
        ):
            selector.register(client, selectors.EVENT_READ, (CLIENT, server))
            selector.register(server, selectors.EVENT_READ, (SERVER, client))
            while ready := selector.select(TIMEOUT):
                for chosen, _ in ready:
                    side, other = chosen.data
                    try:
                        data = chosen.fileobj.recv(65536)
                        other.sendall(data)
                    except OSError:
                        return
                    if not data:
                        return
                    self.chunks.append((side, data))


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as one:
        return one.getsockname()[1]


def talk(openssl, server_options, client_options, lines, client=None):
    """Let a client (s_client) say lines, each of which `s_server -rev` answers reversed; what went over the wire."""
    port = free_port()
    server = subprocess.Popen(
        [openssl, "s_server", "-accept", f"127.0.0.1:{port}", "-rev", "-naccept", "1", *server_options],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    relay = Relay(port)
    command = [*client, str(relay.port)] if client else None
    client = None
    try:
        for line in server.stdout:
            if line.startswith(b"ACCEPT"):
                break
        else:
            pytest.skip("this openssl refuses these options")
        relay.start()
        client = subprocess.Popen(
            command or [openssl, "s_client", "-connect", f"127.0.0.1:{relay.port}", *client_options],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        timer = threading.Timer(TIMEOUT, client.kill)
        timer.start()
        for line in lines:
            client.stdin.write(line + b"\n")
            client.stdin.flush()
            awaited = b"KEYUPDATE" if line == b"K" else line[::-1]
            while (answer := client.stdout.readline()) and answer.strip() != awaited:
                pass
        client.stdin.close()
        client.wait(TIMEOUT)
        timer.cancel()
        relay.join(TIMEOUT)
    finally:
        for process in (client, server):
            if process is not None:
                process.kill()
                process.wait()
                process.stdout.close()
    return relay.chunks


def replayed(chunks, keys):
    replay = Replay(keys)
    for side, data in chunks:
        replay.feed(side, data)
    return replay


def said(replay, side):
    return b"".join(data for sender, data in replay.application if sender == side)


PSK_OPTIONS = ["-psk", PPS.encode().hex(), "-psk_identity", PID]


@pytest.mark.parametrize(
    "cipher",
    [
        "PSK-AES128-CBC-SHA",
        "PSK-AES256-CBC-SHA384",
        "PSK-AES128-CCM8",
        "PSK-AES256-CCM",
        "PSK-AES256-GCM-SHA384",
        "PSK-CHACHA20-POLY1305",
        "PSK-CAMELLIA128-SHA256",
        "PSK-NULL-SHA384",
    ],
)
def test_psk_suites_of_tls12(openssl, cipher):
    options = ["-tls1_2", "-cipher", f"{cipher}:@SECLEVEL=0", *PSK_OPTIONS]
    chunks = talk(openssl, ["-nocert", *options], options, [b"hello", b"amt"])
    opened = replayed(chunks, Keys.load(psk=[f"0000-037M={PPS}"]))
    assert opened.failed == 0
    assert set(opened.verified) == {CLIENT, SERVER}
    assert said(opened, CLIENT) == b"hello\namt\n"
    assert said(opened, SERVER) == b"olleh\ntma\n"
    sealed = replayed(chunks, Keys.load(psk=["*=wrong"]))
    assert sealed.application == []


@pytest.mark.parametrize("version", ["-tls1", "-tls1_1", "-tls1_2"])
@pytest.mark.parametrize("cipher", ["AES128-SHA", "CAMELLIA256-SHA", "RSA-PSK-AES128-CBC-SHA", "AES256-CCM8"])
@pytest.mark.parametrize("bug", [[], ["-no_etm"]])
def test_rsa_suites(openssl, identity, version, cipher, bug):
    if "CCM" in cipher and (version != "-tls1_2" or bug):
        return
    options = [version, "-cipher", f"{cipher}:@SECLEVEL=0", *PSK_OPTIONS, *bug]
    files = ["-cert", str(identity / "cert.pem"), "-key", str(identity / "key.pem")]
    chunks = talk(openssl, [*files, *options], options, [b"hello", b"amt"])
    keys = Keys.load(psk=[f"{PID}={PPS}"], rsa_keys=[str(identity / "key.pem")])
    opened = replayed(chunks, keys)
    (suite,) = opened.suites
    assert opened.etm == (not bug and bool(suite_parameters(suite).block_size))
    assert opened.failed == 0
    assert set(opened.verified) == {CLIENT, SERVER}
    assert said(opened, CLIENT) == b"hello\namt\n"
    assert said(opened, SERVER) == b"olleh\ntma\n"


TLS13_SUITES = ["TLS_AES_128_GCM_SHA256", "TLS_CHACHA20_POLY1305_SHA256", "TLS_AES_128_CCM_SHA256"]


@pytest.mark.parametrize("suite", ["TLS_CHACHA20_POLY1305_SHA256", "TLS_AES_128_CCM_8_SHA256"])
def test_tls13_key_updates(openssl, identity, tmp_path, suite):
    log = tmp_path / "keys.log"
    options = ["-tls1_3", "-ciphersuites", suite]
    files = ["-cert", str(identity / "cert.pem"), "-key", str(identity / "key.pem")]
    lines = [b"hello", b"K", b"amt"]
    chunks = talk(openssl, [*files, *options], [*options, "-keylogfile", str(log)], lines)
    opened = replayed(chunks, Keys.load(keylogs=[str(log)]))
    assert opened.updates >= 1
    assert opened.failed == 0
    assert set(opened.verified) == {CLIENT, SERVER}
    assert said(opened, CLIENT) == b"hello\namt\n"
    assert said(opened, SERVER) == b"olleh\ntma\n"


@pytest.mark.parametrize("cipher", ["AES-128-GCM", "CHACHA20-POLY1305", "AES-128-CCM"])
def test_tls13_with_a_psk_alone(openssl, cipher):
    """GnuTLS as the client: it can be told to offer a PSK without Diffie-Hellman only."""
    gnutls = shutil.which("gnutls-cli")
    if gnutls is None:
        pytest.skip("no gnutls-cli command")
    priority = f"NONE:+VERS-TLS1.3:+{cipher}:+AEAD:+SHA256:+PSK:+SIGN-ALL:+GROUP-ALL:+COMP-NULL"
    client = [gnutls, "--priority", priority, "--pskusername", PID, "--pskkey", PPS.encode().hex(), "127.0.0.1"]
    server = ["-nocert", "-tls1_3", "-allow_no_dhe_kex", "-ciphersuites", ":".join(TLS13_SUITES), *PSK_OPTIONS]
    chunks = talk(openssl, server, None, [b"hello", b"amt"], client=[*client, "--port"])
    opened = replayed(chunks, Keys.load(psk=[f"{PID}={PPS}"]))
    assert opened.versions == {0x0304}
    assert opened.schedule_master is not None
    assert opened.failed == 0
    assert set(opened.verified) == {CLIENT, SERVER}
    assert said(opened, CLIENT) == b"hello\namt\n"
    assert said(opened, SERVER) == b"olleh\ntma\n"
