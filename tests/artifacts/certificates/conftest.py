"""Real certificates, made with the OpenSSL command line: old digests, small keys and odd dates included."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path  # noqa: TC003
from typing import NamedTuple

import pytest

from amtdecode.artifacts.certificates import read_bundle

MARK = "Intel(R) Client Setup Certificate"
SETUP = "2.16.840.1.113741.1.2.3"
CA = "basicConstraints=critical,CA:TRUE\nkeyUsage=keyCertSign,cRLSign"
LEAF = f"basicConstraints=CA:FALSE\nextendedKeyUsage=serverAuth,{SETUP}"

CONFIG = """
[ca]
default_ca = it
[it]
dir = {folder}
database = {folder}/index.txt
new_certs_dir = {folder}
serial = {folder}/serial
unique_subject = no
copy_extensions = none
preserve = yes
policy = any
default_md = sha256
string_mask = utf8only
[any]
O = optional
OU = optional
CN = optional
[req]
distinguished_name = name
string_mask = utf8only
[name]
"""


class Made(NamedTuple):
    """A certificate with the key that signs for it."""

    subject: str
    path: Path
    key: Path

    @property
    def pem(self) -> str:
        return self.path.read_text()

    @property
    def info(self):
        return read_bundle(self.path.read_bytes()).certificates[0]


class OpenSSL:
    """Issues certificates."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.count = 0
        self.keys: dict[tuple[str, str], Path] = {}

    def run(self, *arguments: str | Path, **kwargs) -> bytes:
        command = ["openssl", *map(str, arguments)]
        done = subprocess.run(command, capture_output=True, check=False, timeout=120, **kwargs)
        assert done.returncode == 0, f"{command}: {done.stderr.decode(errors='replace')}"
        return done.stdout

    def key(self, who: str, kind: str = "2048") -> Path:
        if (who, kind) not in self.keys:
            path = self.folder / f"{who}-{kind}.key"
            options = ["-algorithm", "RSA", "-pkeyopt", f"rsa_keygen_bits:{kind}"]
            if kind == "EC":
                options = ["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256"]
            self.run("genpkey", *options, "-out", path)
            self.keys[who, kind] = path
        return self.keys[who, kind]

    def issue(
        self,
        subject: str,
        extensions: str = LEAF,
        issuer: Made | None = None,
        *,
        digest: str = "sha256",
        key: str = "2048",
        owner: str = "",
        start: str = "20260101000000Z",
        end: str = "20360101000000Z",
        serial: str = "",
    ) -> Made:
        self.count += 1
        folder = self.folder / f"c{self.count}"
        folder.mkdir()
        (folder / "index.txt").touch()
        (folder / "serial").write_text(serial or f"{0x1000 + self.count:04X}")
        (folder / "config").write_text(CONFIG.format(folder=folder))
        (folder / "extensions").write_text(extensions + "\n")
        private = self.key(owner or ("leaf" if issuer else "root"), key)
        request, certificate = folder / "request", folder / "certificate"
        self.run(
            "req", "-new", "-utf8", "-config", folder / "config", "-key", private, "-subj", subject, "-out", request
        )
        signer = ["-selfsign", "-keyfile", private]
        if issuer:
            signer = ["-cert", issuer.path, "-keyfile", issuer.key]
        self.run(
            *("ca", "-batch", "-notext", "-utf8", "-config", folder / "config", *signer, "-md", digest),
            *("-startdate", start, "-enddate", end, "-extfile", folder / "extensions"),
            *("-in", request, "-out", certificate),
        )
        return Made(subject, certificate, private)


@pytest.fixture(scope="session")
def openssl(tmp_path_factory) -> OpenSSL:
    if shutil.which("openssl") is None:
        pytest.skip("openssl is not installed")
    return OpenSSL(tmp_path_factory.mktemp("openssl"))


@pytest.fixture(scope="session")
def root(openssl) -> Made:
    return openssl.issue("/O=Example/CN=Example Root", CA)


@pytest.fixture(scope="session")
def middle(openssl, root) -> Made:
    return openssl.issue("/O=Example/CN=Example Issuing CA", CA, root, owner="middle")


@pytest.fixture(scope="session")
def leaf(openssl, middle) -> Made:
    return openssl.issue(f"/O=Example/OU={MARK}/CN=provisionserver.example.com", LEAF, middle)


@pytest.fixture(scope="session")
def chain(leaf, middle, root) -> tuple:
    return (leaf.info, middle.info, root.info)
