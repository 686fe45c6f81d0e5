"""`amtdecode cert check` as a user runs it."""

from __future__ import annotations

import json
import shutil
import struct
import subprocess

import pytest

from amtdecode.artifacts.certificates import read_bundle
from amtdecode.cli.main import run


@pytest.fixture
def call(capfd):
    """Run a command line: exit code, standard output, standard error."""

    def call_(*arguments):
        code = run([str(each) for each in arguments])
        out, err = capfd.readouterr()
        return code, out, err

    return call_


@pytest.fixture
def pem(tmp_path, leaf, middle, root):
    path = tmp_path / "chain.pem"
    path.write_text(leaf.pem + middle.pem + root.pem)
    return path


def hello(*hashes: tuple[int, str]) -> bytes:
    entries = b"".join(bytes((algorithm, len(value) // 2)) + bytes.fromhex(value) for algorithm, value in hashes)
    return struct.pack("<HHI", 1, 3, 0) + bytes(range(16)) + bytes((len(hashes),)) + entries


def lines(out):
    """Outcome by id."""
    words = [line.split(maxsplit=2) for line in out.splitlines() if " AMT-" in line and not line.startswith(" ")]
    return {each[1]: each[0] for each in words}


AT = ("--at", "2027-01-01")


def test_clean_chain_with_hello_and_suffix(call, pem, root, leaf, tmp_path):
    (tmp_path / "hello.bin").write_bytes(hello((2, root.info.sha256)))
    code, out, err = call(
        *("cert", "check", pem, "--hello", tmp_path / "hello.bin", "--suffix", "example.com"),
        *("--amt-version", "16.1.25", *AT, "--fail-on", "warn"),
    )
    assert (code, err) == (0, "")
    assert set(lines(out).values()) == {"PASS", "UNKNOWN"}
    assert [id_ for id_, outcome in lines(out).items() if outcome == "UNKNOWN"] == ["AMT-RCFG-036"]
    assert "hello of 03020100-0504-0706-0809-0a0b0c0d0e0f" in out
    assert "leaf  O=Example, OU=Intel(R) Client Setup Certificate, CN=provisionserver.example.com" in out
    assert out.splitlines()[-1] == "0 failed, 0 warnings, 1 unknown, 22 passed"


@pytest.mark.parametrize("form", ["hex", "file of hex"])
def test_hello_as_hex(call, pem, root, tmp_path, form):
    text = hello((2, root.info.sha256)).hex(" ")
    if form == "file of hex":
        (tmp_path / "hello.txt").write_text(text)
        text = tmp_path / "hello.txt"
    _, out, _ = call("cert", "check", pem, "--hello", text)
    assert lines(out)["AMT-RCFG-003"] == "PASS"


def test_capture_of_a_hello_gives_the_hashes(call, pem, shared):
    capture = shared / "captures" / "loopback" / "hello" / "amt_hello_9971.pcap"
    code, out, _ = call("cert", "check", pem, "--hello", capture, *AT)
    assert code == 0
    assert lines(out)["AMT-RCFG-003"] == "FAIL"
    assert "Go Daddy Class 2 CA" in out


def test_worst_comes_first_and_decides_the_exit_code(call, pem):
    for fail_on, code in (((), 0), (("--fail-on", "fail"), 1)):
        found, out, _ = call("cert", "check", pem, "--suffix", "example.org", "--amt-version", "16.1", *AT, *fail_on)
        assert found == code
        assert next(iter(lines(out).items())) == ("AMT-RCFG-009", "FAIL")


def test_several_files_are_one_chain_in_any_order(call, leaf, middle, root):
    code, out, _ = call("cert", "check", root.path, leaf.key, middle.path, leaf.path, *AT)
    assert code == 0
    found = lines(out)
    assert (found["AMT-RCFG-006"], found["AMT-RCFG-036"], found["AMT-CERT-011"]) == ("PASS", "PASS", "PASS")
    assert found["AMT-CERT-008"] == "PASS"


def test_json_holds_what_the_text_tells(call, pem, leaf):
    code, out, _ = call("cert", "check", pem, "-T", "json", "--suffix", "ехample.com", "--amt-version", "16.1", *AT)
    found = json.loads(out)
    assert (code, found["schema"], len(found["chains"])) == (0, 1, 1)
    chain = found["chains"][0]
    assert (chain["at"], chain["order"]) == ("2027-01-01T00:00:00Z", [0, 1, 2])
    assert chain["certificates"][0]["sha256"] == leaf.info.sha256
    check = next(each for each in chain["checks"] if each["id"] == "AMT-RCFG-009")
    assert check["outcome"] == "fail"
    assert check["compared"][1]["text"] == "ехample.com"


def test_chain_is_written_in_order_and_never_over_an_input(call, tmp_path, leaf, middle, root):
    (tmp_path / "wrong.pem").write_text(root.pem + leaf.pem + middle.pem)
    target = tmp_path / "right.pem"
    _, out, _ = call("cert", "check", tmp_path / "wrong.pem", "--write-pem", target, *AT)
    assert lines(out)["AMT-RCFG-006"] == "FAIL"
    assert target.read_text() == leaf.pem + middle.pem + root.pem
    code, _, err = call("cert", "check", target, "--write-pem", target)
    assert code == 2
    assert "is one of the inputs" in err
    assert target.read_text() == leaf.pem + middle.pem + root.pem


def test_pfx_opens_with_its_password(call, openssl, leaf, middle, tmp_path):
    path = tmp_path / "setup.pfx"
    openssl.run(
        *("pkcs12", "-export", "-in", leaf.path, "-inkey", leaf.key, "-certfile", middle.path),
        *("-passout", "pass:secret", "-out", path),
    )
    code, out, _ = call("cert", "check", path, "--password", "secret", *AT)
    assert code == 0
    assert (lines(out)["AMT-RCFG-036"], lines(out)["AMT-RCFG-007"]) == ("PASS", "FAIL")
    code, out, err = call("cert", "check", path, "--password", "wrong")
    assert (code, out) == (3, "")
    assert "PFX cannot be opened" in err


def test_placement_needs_no_file(call):
    code, out, _ = call("cert", "check", "--placement")
    assert code == 0
    assert (
        "  setup certificate (remote configuration)\n"
        "    store: certificate store of the SCS service account; private key: yes" in out
    )
    code, out, _ = call("cert", "check", "--placement", "-T", "json")
    assert len(json.loads(out)["placement"]) == 14


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (("nosuch.pem",), 3, "no such file"),
        ((), 2, "name a file"),
        (("CHAIN", "--at", "yesterday"), 2, "not a time"),
        (("CHAIN", "--amt-version", "new"), 2, "not a version"),
        (("CHAIN", "--hello", "zz"), 3, "neither a file nor hex"),
        (("CHAIN", "--hello", "0100030000000000"), 3, "not a whole hello"),
    ],
)
def test_what_a_user_can_mend_is_one_line(call, pem, arguments, code, words):
    found, _, err = call("cert", "check", *(pem if each == "CHAIN" else each for each in arguments))
    assert found == code
    assert words in err
    assert err.count("\n") == 1


def test_one_unreadable_file_does_not_hide_the_others(call, pem, tmp_path):
    (tmp_path / "junk").write_bytes(b"nothing")
    code, out, err = call("cert", "check", tmp_path / "junk", pem, *AT)
    assert code == 3
    assert "neither PEM nor DER" in err
    assert lines(out)["AMT-RCFG-001"] == "PASS"


def test_control_characters_of_a_certificate_never_reach_the_terminal(call, openssl, middle, root, tmp_path):
    name = "ps.example.com"
    made = openssl.issue(f"/CN={name}", "basicConstraints=CA:FALSE", middle)
    evil = made.info.der.replace(b"\x0c\x0eps.example.com", b"\x0c\x0e\x1b[2Jps.exa\r\n.c")
    assert read_bundle(evil).certificates[0].common_names == ("\x1b[2Jps.exa\r\n.c",)
    (tmp_path / "evil.der").write_bytes(evil)
    for form in ("text", "json"):
        _, out, _ = call("cert", "check", tmp_path / "evil.der", "--suffix", "example.com\x1b[0m", "-T", form)
        assert "\x1b" not in out
        assert "\r" not in out


def test_secrets_stay_out_of_every_output(call, tmp_path, leaf, middle, root):
    (tmp_path / "all.pem").write_text(leaf.pem + middle.pem + root.pem + leaf.key.read_text())
    inside = leaf.key.read_text().splitlines()[3]
    for form in ("text", "json"):
        _, out, err = call("cert", "check", tmp_path / "all.pem", "-V", "-T", form, "--password", "hushhush")
        assert inside not in out + err
        assert "hushhush" not in out + err
        assert "AMT-CERT-011" in out


def test_capture_with_a_client_certificate_is_judged_at_its_own_time(call, shared):
    capture = shared / "captures" / "loopback" / "tls" / "gnutls-tls1.0-mtls-rsa-aes128-noems.pcap"
    code, out, _ = call("cert", "check", capture, "--suffix", "example.com", "--amt-version", "6.0")
    assert code == 0
    assert "packet 8, 127.0.0.1:45424 to 127.0.0.1:16993" in out
    assert "judged at 2026-11-24T00:23:05Z" in out
    assert lines(out)["AMT-RCFG-009"] == "PASS"


def test_capture_brings_the_hello_of_the_machine_too(call, shared, tmp_path):
    if shutil.which("mergecap") is None:
        pytest.skip("mergecap is not installed")
    loopback = shared / "captures" / "loopback"
    both = tmp_path / "both.pcapng"
    parts = (loopback / "hello" / "amt_hello_9971.pcap", loopback / "tls" / "gnutls-tls1.0-mtls-rsa-aes128-noems.pcap")
    subprocess.run(["mergecap", "-a", "-w", both, *parts], check=True, capture_output=True, timeout=60)
    code, out, _ = call("cert", "check", both)
    assert code == 0
    assert lines(out)["AMT-RCFG-003"] == "FAIL"
    assert "hello of " in out


def test_capture_without_a_client_certificate_says_so(call, shared):
    capture = shared / "captures" / "loopback" / "hello" / "amt_hello_9971.pcap"
    code, out, err = call("cert", "check", capture)
    assert (code, out) == (3, "")
    assert "no client shows a certificate" in err


def test_files_that_cannot_be_read_are_said_in_words(call, leaf, middle, root, tmp_path):
    (tmp_path / "leaf.cer").write_bytes(b"\x30\x82\x01\x00nonsense")
    (tmp_path / "ca.pem").write_text(middle.pem + root.pem)
    code, out, err = call("cert", "check", tmp_path / "leaf.cer", tmp_path / "ca.pem", "--suffix", "example.com")
    assert code == 3
    assert "leaf.cer" in err
    assert lines(out)["AMT-RCFG-001"] == "UNKNOWN"
    assert lines(out)["AMT-RCFG-009"] == "UNKNOWN"
    assert "The setup certificate itself cannot be read" in " ".join(out.split())


def test_a_damaged_block_of_a_pem_file(call, leaf, middle, root, tmp_path):
    first, *rest = leaf.pem.splitlines()
    damaged = "\n".join([first, rest[0][:20], rest[-1], ""])
    assert read_bundle((damaged + root.pem).encode()).unread
    (tmp_path / "chain.pem").write_text(damaged + middle.pem + root.pem)
    code, out, _ = call("cert", "check", tmp_path / "chain.pem", "--suffix", "example.com")
    assert code == 0
    assert lines(out)["AMT-RCFG-001"] == "UNKNOWN"
    assert lines(out)["AMT-RCFG-023"] == "FAIL"
    assert lines(out)["AMT-CERT-008"] == "FAIL"
