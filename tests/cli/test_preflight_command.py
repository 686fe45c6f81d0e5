"""`preflight` as an administrator uses it: from an empty folder on; what it writes, refuses, and how it ends."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from amtdecode.artifacts.reg import read_reg
from amtdecode.cli.main import run
from amtdecode.diagnosis.site import load
from amtdecode.preflight.texts import KINDS

CAPTURES = Path(__file__).resolve().parents[2] / "pcaps"


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """An empty folder to work in."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def told(capsys, *arguments, code):
    capsys.readouterr()
    assert run(["preflight", *map(str, arguments)]) == code
    done = capsys.readouterr()
    return done.out, done.err


@pytest.fixture
def site(folder, capsys):
    """The example, as a file."""
    (folder / "site.toml").write_text(told(capsys, "--example", code=0)[0])
    return folder / "site.toml"


def known(site):
    """Every fact of the example taken for true, but for those of which there is none to say."""
    lines = []
    for line in site.read_text().partition("# [[machine]]")[0].splitlines():
        fact = line.removeprefix("# ")
        lines.append(line if "…" in line or "product" in line or "=" not in fact else fact)
    site.write_text("\n".join(lines))
    return load(site)


def test_from_an_empty_folder_to_green(site, capsys, folder):
    """Only what --help and the output itself say: example, facts, request, certificate of an own authority."""
    openssl = shutil.which("openssl")
    if openssl is None:
        pytest.skip("openssl is not installed")
    out, _ = told(capsys, "site.toml", code=4)
    assert "UNKNOWN AMT-PRE-003" in out
    assert "--example" in out
    facts = known(site)
    assert (facts.policy.method, facts.hosts.agent, facts.scs.key_in_service_store) == ("pki", True, True)
    told(capsys, "site.toml", "--texts", "csr-openssl", "-o", "request.cnf", code=0)

    def ran(*words):
        subprocess.run([openssl, *words], check=True, capture_output=True, timeout=60)

    ran(
        "req",
        "-x509",
        "-newkey",
        "rsa:2048",
        "-nodes",
        "-keyout",
        "ca.key",
        "-out",
        "ca.pem",
        "-subj",
        "/CN=Own",
        "-days",
        "90",
    )
    ran("req", "-new", "-newkey", "rsa:2048", "-nodes", "-keyout", "k", "-out", "r.csr", "-config", "request.cnf")
    signing = ["x509", "-req", "-in", "r.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-set_serial", "7", "-days", "60"]
    ran(*signing, "-extfile", "request.cnf", "-extensions", "wanted", "-out", "leaf.pem")
    out, _ = told(capsys, "site.toml", "leaf.pem", "ca.pem", code=4)
    assert out.count("\nUNKNOWN ") == 1
    assert "AMT-PRE-005" in out
    assert "certificates.roots" in out
    told(capsys, "site.toml", "ca.pem", "leaf.pem", "--texts", "pem-chain", "-o", "chain.pem", code=0)
    digest = (
        subprocess.run(
            [openssl, "x509", "-in", "ca.pem", "-noout", "-fingerprint", "-sha256"],
            capture_output=True,
            check=True,
            text=True,
        )
        .stdout.partition("=")[2]
        .strip()
    )
    site.write_text(site.read_text().replace("[certificates]", f'[certificates]\nroots = ["{digest}"]'))
    out, err = told(capsys, "site.toml", "chain.pem", code=0)
    assert "agent starts (RCFG, TLS-PKI): ready" in out
    assert err == ""
    found = json.loads(told(capsys, "site.toml", "chain.pem", "-T", "json", code=0)[0])
    assert (found["schema"], found["outcome"], found["ways"][0]["way"]) == (1, "pass", "agent")
    assert set(found["ways"][0]["prerequisites"][0]) == {
        "id", "title", "outcome", "what", "doubt", "fix", "source", "evidence",
    }  # fmt: skip


def test_psk_to_green(site, capsys, folder):
    known(site)
    site.write_text(site.read_text().replace('method = "pki"', 'method = "psk"'))
    (folder / "password").write_text("Aa1!aaaa\n")
    make = ["setupbin", "make", "--amt", "2.6", "--psk", "2", "--out", "setup.bin", "--set", "new-password=@password"]
    assert run(make) == 0
    out, _ = told(capsys, "site.toml", "setup.bin", code=0)
    assert "setup.bin holds 2 records not yet used" in out


def test_every_key_of_the_example_is_one(site):
    """Each line behind a `#` that looks like a fact can be used."""
    lines = [line.removeprefix("# ") for line in site.read_text().splitlines()[3:]]
    text = "\n".join(line for line in lines if "=" in line or line.startswith("["))
    site.write_text(text.replace('"…"', '"00"'))
    assert load(site).scs.product == "other"


def test_a_failure_has_its_fix_and_its_code(site, capsys):
    known(site)
    site.write_text(site.read_text().replace("drivers = true", "drivers = false"))
    out, _ = told(capsys, "site.toml", "--way", "agent", code=1)
    failed = out.partition("UNKNOWN")[0]
    assert failed.splitlines()[0].endswith("not ready")
    assert "FAIL    AMT-PRE-009  Drivers of the Management Engine are on the machines" in failed
    assert "Fix: Install the update package of the maker" in failed


@pytest.mark.parametrize(
    ("arguments", "code", "text"),
    [
        ([], 2, "name a site file or other inputs; --example > site.toml makes one to begin with"),
        (["a.toml", "b.toml"], 2, "b.toml: one site file is taken, and a.toml is one"),
        (["none.toml"], 3, "none.toml: no such file or directory"),
        (["none.pem"], 3, "none.pem: no such file or directory"),
        (["wrong.toml"], 3, "wrong.toml: scs.fqnd: no such key; did you mean fqdn?"),
        (["bad.toml"], 3, "bad.toml: dhcp.domains: 'a b' is not a name of letters, digits, dashes and dots"),
        (["ok.toml", "--texts", "dns-bind"], 2, "--texts dns-bind: the setup server is missing"),
        (["ok.toml", "--texts", "dns-bnid"], 2, "--texts dns-bnid: no such text; did you mean dns-bind?"),
        (["ok.toml", "--texts", "reg-log-on", "--texts", "firewall"], 2, "these are 2 files: name a folder with -o"),
        (["ok.toml", "-o", "x"], 2, "-o goes with --texts"),
        (["ok.toml", "--try", "a:1"], 2, "--try goes with --probe"),
        (["ok.toml", "--probe", "--try", "a"], 2, "a: HOST:PORT is wanted"),
        (["ok.toml", "--probe", "--resolver", "dns"], 2, "--resolver dns: an address is wanted, not a name"),
        (["ok.toml", "--at", "soon"], 2, "--at soon: not a time such as"),
        (["ok.toml", "key.pem"], 3, "key.pem: "),
    ],
)
def test_bad_input_gets_one_clear_line(folder, capsys, arguments, code, text):
    (folder / "ok.toml").write_text("")
    (folder / "wrong.toml").write_text('[scs]\nfqnd = "x"')
    (folder / "bad.toml").write_text('[dhcp]\ndomains = ["a b"]')
    (folder / "key.pem").write_text("-----BEGIN CERTIFICATE-----\n!!\n-----END CERTIFICATE-----\n")
    _, err = told(capsys, *arguments, code=code)
    assert err.startswith(f"amtdecode: {text}")
    assert err.count("\n") == 1


def test_all_texts_into_a_folder(site, capsys, folder):
    _, err = told(capsys, "site.toml", "--texts", "all", "-o", "out", code=0)
    written = {path.name for path in (folder / "out").iterdir()}
    assert len(written) == len(KINDS) - 1
    assert "note: left out: pem-chain: the certificates of the chain are missing" in err
    assert read_reg(folder / "out" / "scs-log-on.reg").log_level == "V"
    before = (folder / "out" / "firewall.txt").read_bytes()
    told(capsys, "site.toml", "--texts", "firewall", "-o", "out", "-q", code=0)
    assert {path.name for path in (folder / "out").iterdir()} == written
    (folder / "out" / "firewall.txt").write_text("mine")
    told(capsys, "site.toml", "--texts", "firewall", "-o", "out/", "-q", code=0)
    assert (folder / "out" / "firewall.txt").read_text() == "mine"
    assert (folder / "out" / "firewall_2.txt").read_bytes() == before


def test_no_input_is_written_over(site, capsys):
    before = site.read_text()
    _, err = told(capsys, "site.toml", "--texts", "firewall", "-o", "site.toml", code=2)
    assert "is one of the inputs" in err
    assert site.read_text() == before


def test_a_probe_needs_no_file(capsys, folder):
    out, _ = told(capsys, "--probe", "--resolver", "127.0.0.1:9", "--try", "127.0.0.1:9971", "--timeout", "0.2", code=1)
    assert "FAIL    AMT-PRE-001" in out
    assert "FAIL    AMT-PRE-016" in out
    assert "127.0.0.1 port 9971: refused." in out


def test_captured_text_is_escaped(capsys, folder):
    (folder / "evil\x1b[31m.pem").write_bytes(b"-----BEGIN CERTIFICATE-----\n!!\n-----END CERTIFICATE-----\n")
    out, err = told(capsys, *folder.glob("*.pem"), code=3)
    assert "\x1b" not in out + err


def test_secrets_of_a_setup_bin_stay_there(capsys):
    out, err = told(capsys, CAPTURES / "setup.bin", "-T", "json", code=4)
    assert "0000037M" not in out + err
