"""Real clients and servers on loopback, with a proxy between them that records both directions in order."""

from __future__ import annotations

import datetime as dt
import selectors
import shutil
import socket
import subprocess
import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID, ObjectIdentifier

from amtdecode.model import TO_CLIENT, TO_SERVER, Direction, End

PATIENCE = 20  # seconds for a program to start or end


def need(program: str) -> str:
    path = shutil.which(program)
    if path is None:
        pytest.skip(f"{program} is not installed")
    return path


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def _listening(port: int) -> bool:
    return any(
        line.split()[1].endswith(f":{port:04X}") and line.split()[3] == "0A"
        for table in ("/proc/net/tcp", "/proc/net/tcp6")
        for line in Path(table).read_text().splitlines()[1:]
    )


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
            stop = time.monotonic() + PATIENCE
            while not _listening(port):
                assert time.monotonic() < stop, f"{server[0]} does not start"
                assert serving.poll() is None, f"{server[0]} stopped"
                time.sleep(0.02)
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


class Issued(NamedTuple):
    """A certificate, its key, and where both stand as PEM."""

    certificate: x509.Certificate
    key: rsa.RSAPrivateKey
    path: str
    key_path: str

    @property
    def der(self) -> bytes:
        return self.certificate.public_bytes(serialization.Encoding.DER)

    @property
    def pem(self) -> str:
        return self.certificate.public_bytes(serialization.Encoding.PEM).decode()


SETUP = "2.16.840.1.113741.1.2.3"


def issue(
    folder: Path,
    name: str,
    issuer: Issued | None = None,
    *,
    ca: bool = False,
    setup: bool = False,
    expired: bool = False,
) -> Issued:
    """Issue a certificate; by itself where no issuer is given."""
    key = rsa.generate_private_key(65537, 2048)
    attributes = [x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Test")]
    if setup:
        units = ("Provisioning", "Intel(R) Client Setup Certificate")
        attributes += [x509.NameAttribute(NameOID.ORGANIZATIONAL_UNIT_NAME, unit) for unit in units]
    attributes.append(x509.NameAttribute(NameOID.COMMON_NAME, name))
    subject = x509.Name(attributes)
    year = 2001 if expired else 2020
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer.certificate.subject if issuer else subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(dt.datetime(year, 1, 1, tzinfo=dt.UTC))
        .not_valid_after(dt.datetime(year + (1 if expired else 40), 1, 1, tzinfo=dt.UTC))
        .add_extension(x509.BasicConstraints(ca, None), critical=True)
    )
    if setup:
        usages = [ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH, ObjectIdentifier(SETUP)]
        builder = builder.add_extension(x509.ExtendedKeyUsage(usages), critical=False)
        builder = builder.add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
    certificate = builder.sign(issuer.key if issuer else key, hashes.SHA256())
    path, key_path = folder / f"{name}.pem", folder / f"{name}.key"
    path.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    key_path.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return Issued(certificate, key, str(path), str(key_path))
