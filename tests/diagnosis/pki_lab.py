"""Real chains, and real TLS 1.2 handshakes between the ssl module's two sides, kept in memory as flights of bytes."""

from __future__ import annotations

import datetime as dt
import hashlib
import ssl
import struct
import tempfile
import warnings
from collections.abc import Sequence  # noqa: TC003 - as in the other tests
from functools import cache
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from pcaps.build import TO_CLIENT, TO_SERVER

SETUP = "2.16.840.1.113741.1.2.3"
UNIT = "Intel(R) Client Setup Certificate"
AT = dt.datetime(2007, 11, 5, tzinfo=dt.UTC)
DAY = dt.timedelta(days=1)


@cache
def key(number: int, bits: int = 2048) -> rsa.RSAPrivateKey:
    """A key made once for all tests."""
    return rsa.generate_private_key(public_exponent=65537, key_size=bits)


def name(common: str, *units: str) -> x509.Name:
    """A distinguished name."""
    return x509.Name(
        [x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Example")]
        + [x509.NameAttribute(NameOID.ORGANIZATIONAL_UNIT_NAME, unit) for unit in units]
        + [x509.NameAttribute(NameOID.COMMON_NAME, common)]
    )


class Authority:
    """A certificate and its key; issues others."""

    def __init__(self, certificate: x509.Certificate, private: rsa.RSAPrivateKey) -> None:
        self.certificate, self.private = certificate, private

    @property
    def der(self) -> bytes:
        return self.certificate.public_bytes(serialization.Encoding.DER)

    @property
    def pem(self) -> bytes:
        return self.certificate.public_bytes(serialization.Encoding.PEM)

    @property
    def key_pem(self) -> bytes:
        return self.private.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )

    def digest(self, algorithm: hashes.HashAlgorithm | None = None) -> bytes:
        """What AMT lists for it."""
        return self.certificate.fingerprint(algorithm or hashes.SHA256())


def issue(
    common: str,
    issuer: Authority | None,
    number: int,
    *,
    units: tuple[str, ...] = (),
    purposes: tuple[str, ...] | None = None,
    authority: bool = False,
    start: dt.datetime = AT - 200 * DAY,
    end: dt.datetime = AT + 200 * DAY,
    signer: rsa.RSAPrivateKey | None = None,
    bits: int = 2048,
) -> Authority:
    """A certificate; self-signed without an issuer."""
    private = key(number, bits)
    subject = name(common, *units)
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer.certificate.subject if issuer else subject)
        .public_key(private.public_key())
        .serial_number(1000 + number)
        .not_valid_before(start)
        .not_valid_after(end)
        .add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True)
    )
    if purposes is not None:
        builder = builder.add_extension(
            x509.ExtendedKeyUsage([x509.ObjectIdentifier(each) for each in purposes]), critical=False
        )
    return Authority(builder.sign(signer or (issuer.private if issuer else private), hashes.SHA256()), private)


CLIENT_AUTH = ExtendedKeyUsageOID.CLIENT_AUTH.dotted_string  # OpenSSL, playing AMT, wants it; AMT does not
NO_CHECK_TIME = 0x200000  # X509_V_FLAG_NO_CHECK_TIME: the certificates are of the time of the captures
SERVER_AUTH = ExtendedKeyUsageOID.SERVER_AUTH.dotted_string


SHA256_RSA, SHA1_RSA = bytes.fromhex("2a864886f70d01010b"), bytes.fromhex("2a864886f70d010105")
SHA1_INFO = bytes.fromhex("3021300906052b0e03021a05000414")  # RFC 8017 §9.2


def signed_with_sha1(made: Authority, issuer: Authority) -> Authority:
    """The same certificate with a signature as of 2007, which the library no longer makes."""
    content = made.certificate.tbs_certificate_bytes.replace(SHA256_RSA, SHA1_RSA)
    numbers = issuer.private.private_numbers()
    modulus = numbers.public_numbers.n
    size = (modulus.bit_length() + 7) // 8
    info = SHA1_INFO + hashlib.sha1(content, usedforsecurity=False).digest()
    padded = b"\0\1" + b"\xff" * (size - len(info) - 3) + b"\0" + info
    signature = pow(int.from_bytes(padded, "big"), numbers.d, modulus).to_bytes(size, "big")
    der = made.der.replace(made.certificate.tbs_certificate_bytes, content).replace(SHA256_RSA, SHA1_RSA)
    return Authority(x509.load_der_x509_certificate(der[: -len(signature)] + signature), made.private)


@cache
def root() -> Authority:
    return issue("Example Root", None, 1, authority=True, start=AT - 2000 * DAY, end=AT + 2000 * DAY)


@cache
def middle() -> Authority:
    return issue("Example Issuing", root(), 2, authority=True, start=AT - 1000 * DAY, end=AT + 1000 * DAY)


@cache
def leaf(common: str = "scs.example.com", **more: object) -> Authority:
    """A sound setup certificate, unless told otherwise."""
    more.setdefault("purposes", (SERVER_AUTH, CLIENT_AUTH, SETUP))
    return issue(common, middle(), 3, **more)  # type: ignore[arg-type]


@cache
def machine_certificate() -> Authority:
    """What AMT makes for itself."""
    return issue("Intel AMT", None, 4, end=AT + 4000 * DAY)


def _context(side: int, chain: list[Authority], private: Authority | None, trusted: list[Authority]) -> ssl.SSLContext:
    context = ssl.SSLContext(side)
    context.minimum_version = context.maximum_version = ssl.TLSVersion.TLSv1_2
    context.verify_flags |= NO_CHECK_TIME
    context.set_ciphers("AES128-SHA256:AES128-SHA:ECDHE-RSA-AES128-SHA256:@SECLEVEL=0")
    if side == ssl.PROTOCOL_TLS_CLIENT:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    if chain:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "chain.pem"
            path.write_bytes(b"".join(each.pem for each in chain) + (private or chain[0]).key_pem)
            context.load_cert_chain(path)
    if trusted:
        context.load_verify_locations(cadata=b"".join(each.pem for each in trusted).decode())
    return context


def shake(
    chain: list[Authority],
    *,
    presented: Authority | None = None,
    trusted: list[Authority] | None = None,
    ask: bool = True,
    server_trusts: list[Authority] | None = None,
    records: int = 0,
    calls: Sequence[tuple[int, int] | tuple[bytes, bytes]] = (),
    split: bool = False,
    keylog: Path | None = None,
) -> list[tuple[int, bytes]]:
    """The flights of a handshake: the setup server is the TLS client and shows `chain`, AMT is the TLS server.

    `trusted`: what AMT verifies the chain with; `None` takes any. `server_trusts`: what the setup server verifies AMT
    against; `None` takes any. `records`: calls made inside once the handshake is complete, as in a whole setup; or
    `calls`: the bytes of each request and its answer, or how many they are. `split`: TLS 1.0, with an empty record
    ahead of the others, as old software sends it (CVE-2011-3389). `keylog`: TLS 1.3, and the file that its secrets are
    written to.
    """
    client_context = _context(ssl.PROTOCOL_TLS_CLIENT, chain, None, server_trusts or [])
    if server_trusts is not None:
        client_context.verify_mode = ssl.CERT_REQUIRED
    server_context = _context(ssl.PROTOCOL_TLS_SERVER, [presented or machine_certificate()], None, trusted or [])
    server_context.options |= ssl.OP_NO_TICKET
    if keylog is not None:
        for context in (client_context, server_context):
            context.maximum_version = ssl.TLSVersion.TLSv1_3
            context.minimum_version = ssl.TLSVersion.TLSv1_3
        client_context.keylog_filename = str(keylog)
    if split:
        warnings.simplefilter("ignore", DeprecationWarning)  # TLS 1.0 is what is wanted
        for context in (client_context, server_context):
            context.minimum_version = ssl.TLSVersion.TLSv1
            context.maximum_version = ssl.TLSVersion.TLSv1
            context.set_ciphers("AES128-SHA:@SECLEVEL=0")
            context.options &= ~0x800  # SSL_OP_DONT_INSERT_EMPTY_FRAGMENTS
    if ask:
        server_context.verify_mode = ssl.CERT_REQUIRED if trusted is not None else ssl.CERT_OPTIONAL
        if trusted is None:
            server_context.load_verify_locations(cadata=b"".join(each.pem for each in [*chain, root()]).decode())
            server_context.verify_flags |= ssl.VerifyFlags.VERIFY_X509_PARTIAL_CHAIN
    bios = [ssl.MemoryBIO() for _ in range(4)]
    client = client_context.wrap_bio(bios[0], bios[1])
    server = server_context.wrap_bio(bios[2], bios[3], server_side=True)
    flights: list[tuple[int, bytes]] = []
    done = [False, False]
    for _ in range(12):
        for which, side, out, other, way in (
            (0, client, bios[1], bios[2], TO_SERVER),
            (1, server, bios[3], bios[0], TO_CLIENT),
        ):
            if not done[which]:
                try:
                    side.do_handshake()
                    done[which] = True
                except ssl.SSLWantReadError:
                    pass
                except ssl.SSLError:
                    done[which] = True
            if data := out.read():
                flights.append((way, data))
                other.write(data)
        if all(done):
            break
    for asked, answered in calls or setup(records):
        for side, peer, out, other, way, content in (
            (client, server, bios[1], bios[2], TO_SERVER, bytes(asked)),
            (server, client, bios[3], bios[0], TO_CLIENT, bytes(answered)),
        ):
            if not content:
                continue
            side.write(content)
            data = out.read()
            flights.append((way, data))
            other.write(data)
            peer.read(len(content))
    return flights


def setup(count: int) -> list[tuple[int, int]]:
    """Bytes of the requests of a setup and of their answers: a challenge, settings, and a short commit at the end."""
    calls = [(470, 410), (640, 560), *((700 + 40 * number, 520 + 60 * (number % 2)) for number in range(count))]
    return [*calls[: count - 1], (650, 540)] if count > 1 else calls[:count]


def until_client(flights: list[tuple[int, bytes]]) -> list[tuple[int, bytes]]:
    """Up to the second flight of the TLS client, which holds its certificate: then comes the machine's verdict."""
    kept, turns = [], 0
    for way, data in flights:
        turns += way == TO_SERVER
        kept.append((way, data))
        if turns == 2:
            return kept
    return kept


def alert(code: int, level: int = 2) -> bytes:
    """A clear alert of TLS 1.2."""
    return struct.pack(">BHHBB", 21, 0x0303, 2, level, code)


def messages_of(flight: bytes) -> list[tuple[int, bytes]]:
    """The records of a flight: content type and the whole record."""
    found, at = [], 0
    while at + 5 <= len(flight):
        size = int.from_bytes(flight[at + 3 : at + 5], "big")
        found.append((flight[at], flight[at : at + 5 + size]))
        at += 5 + size
    return found
