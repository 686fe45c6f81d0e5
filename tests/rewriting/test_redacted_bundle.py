"""`bundle`: what is in it, that nothing of the originals is, and that packets and findings stay true."""

from __future__ import annotations

import base64
import ipaddress
import json
import re
import stat
import sys
import uuid
import zipfile
from pathlib import Path
from typing import Any

import dpkt
import oracle
import pytest

import amtdecode

ROOT = Path(__file__).resolve().parents[2]
PCAPS = ROOT / "pcaps"
CAPTURES = sorted(path for path in PCAPS.iterdir() if path.suffix in (".pcap", ".pcapng"))
sys.path.insert(0, str(ROOT / "tests" / "diagnosis"))

from diagnosis_lab import command  # noqa: E402

KEYS = {
    "psk_clean.pcapng": ("--psk", "0000-037M=NKLD-G5DC-RRNQ-E9YZ-ZIJL-7LFL-VJED-69XJ"),
    "wsman_tls.pcap": ("--keylog", str(PCAPS / "wsman_tls.keylog.txt")),
    "cira_tls.pcap": ("--keylog", str(PCAPS / "cira_tls.keylog.txt")),
}
LOST = {
    # what renamed packets cannot show: what is inside APF, redirection, TLS, a ticket, a trap or 802.1X
    "cira.pcap": {"AMT-CIRA-012", "AMT-HTTP-001"},
    "cira_tls.pcap": {"AMT-CIRA-012", "AMT-HTTP-001"},
    "kdc.pcapng": {"AMT-KRB-002"},
    "negotiate.pcapng": {"AMT-KRB-001", "AMT-KRB-002"},
    "port.pcapng": {"AMT-NET-007", "AMT-NET-008"},
    "presence.pcapng": {"AMT-PET-001"},
    "redirection.pcapng": {"AMT-REDIR-001", "AMT-SEC-004"},
    "sol.pcap": {"AMT-REDIR-002"},
    "tls10_mutual.pcap": {"AMT-RCFG-039"},
    "psk_clean.pcapng": {"AMT-OK-001", "AMT-HTTP-001"},
    "wsman_tls.pcap": {"AMT-WSM-001", "AMT-HTTP-001"},
}
NEW = {"port.pcapng": {"AMT-NET-004"}}  # 802.1X, which explains it, is left out


def packed(target: Path, *arguments: str) -> dict[str, bytes]:
    code, _, err = command("bundle", "-q", "-w", str(target), *arguments)
    assert code == 0, err
    with zipfile.ZipFile(target) as found:
        assert found.testzip() is None
        return {name: found.read(name) for name in found.namelist()}


def originals(capture: Path) -> set[bytes]:
    """Every address, card, UUID, host name and user of a capture, in every spelling, read by dpkt and by the report."""
    addresses, cards = set[bytes](), set[bytes]()
    for packet in _frames(capture):
        frame = dpkt.ethernet.Ethernet(packet)
        cards |= {frame.src, frame.dst}
        if isinstance(frame.data, dpkt.ip.IP):
            addresses |= {frame.data.src, frame.data.dst}
    found = set[bytes]()
    for address in addresses - {bytes(4), b"\xff" * 4}:
        text = str(ipaddress.ip_address(address))
        found |= {address, address[::-1], text.encode(), text.encode("utf-16-le"), address.hex().encode()}
        found.add(".".join(reversed(text.split("."))).encode())
    for card in cards - {bytes(6), b"\xff" * 6}:
        found |= {card, card.hex().encode(), card.hex(":").encode(), card.hex("-").encode()}
    report = amtdecode.diagnose(str(capture))
    names = {"example.com", "desk-21", "desk-22", "desk-23", "desk-24", "branch", "alice", "0000037M", "0000-037M"}
    for device in report.devices:
        names |= {device.fqdn or "example.com"}
        if device.uuid:
            known = uuid.UUID(device.uuid)
            found |= {known.bytes, known.bytes_le, known.hex.encode(), str(known).encode(), str(known).upper().encode()}
            found |= {known.hex.upper().encode(), known.bytes_le.hex().encode()}
    for name in names:
        found |= {name.encode(), name.upper().encode(), name.encode("utf-16-le"), base64.b64encode(name.encode())}
    return found


def _frames(capture: Path) -> list[bytes]:
    with capture.open("rb") as file:
        head = file.read(4)
        file.seek(0)
        reader = dpkt.pcapng.Reader(file) if head == b"\x0a\x0d\x0d\x0a" else dpkt.pcap.Reader(file)
        return [bytes(data) for _, data in reader]


@pytest.mark.parametrize("capture", CAPTURES, ids=lambda path: path.name)
def test_nothing_of_the_originals_is_in_it_and_all_else_stays_true(tmp_path: Path, tshark: str, capture: Path) -> None:
    keys = KEYS.get(capture.name, ())
    members = packed(tmp_path / "ticket.zip", "--redact", str(capture), *keys)
    wanted = originals(capture)
    for name, data in members.items():
        leaks = [each for each in wanted if each in data]
        assert not leaks, (name, leaks)
    report = json.loads(members["report.json"])
    manifest = json.loads(members["manifest.json"])
    file = tmp_path / "packets.pcapng"
    file.write_bytes(members["packets.pcapng"])
    assert not manifest["packets"] or len(_frames(file)) == len(manifest["packets"])  # dpkt reads no empty file
    faults = " or ".join(["_ws.malformed", *(f"{each}.checksum.status == 0" for each in ("ip", "tcp", "udp", "icmp"))])
    checked = [option for each in ("ip", "tcp", "udp") for option in ("-o", f"{each}.check_checksum:TRUE")]
    wrong = oracle.run([tshark, "-n", "-r", str(file), *checked, "-Y", faults], text=True, check=True)
    assert wrong.stdout == ""
    again = {(each.id, each.device) for each in amtdecode.diagnose(str(file)).findings}
    before = {(each["id"], each["device"]) for each in report["findings"]}
    assert {rule for rule, _ in before - again} <= LOST.get(capture.name, set())
    new = {rule for rule, _ in again - before} - NEW.get(capture.name, set())
    assert not new or keys, "what was opened with a key is less sure without it"
    assert len(manifest["findings_packets_show"]) + len(manifest["findings_packets_do_not_show"]) == len(
        report["findings"]
    )


def test_the_packets_keep_their_times_lengths_and_streams(tmp_path: Path) -> None:
    members = packed(tmp_path / "ticket.zip", "--redact", str(PCAPS / "office.pcapng"))
    manifest = json.loads(members["manifest.json"])
    (tmp_path / "packets.pcapng").write_bytes(members["packets.pcapng"])
    old, new = _frames(PCAPS / "office.pcapng"), _frames(tmp_path / "packets.pcapng")
    assert manifest["packets_told"] == {"whole": len(new)}
    for (_, number), data in zip(manifest["packets"], new, strict=True):
        assert len(old[number - 1]) == len(data)
        before, after = dpkt.ethernet.Ethernet(old[number - 1]), dpkt.ethernet.Ethernet(data)
        if isinstance(getattr(before.data, "data", None), dpkt.tcp.TCP):
            one, other = before.data.data, after.data.data
            assert (one.seq, one.ack, one.flags, one.sport, one.dport) == (
                other.seq, other.ack, other.flags, other.sport, other.dport,
            )  # fmt: skip


def test_report_and_packets_call_things_alike(tmp_path: Path) -> None:
    members = packed(tmp_path / "ticket.zip", "--redact", str(PCAPS / "office.pcapng"))
    (tmp_path / "packets.pcapng").write_bytes(members["packets.pcapng"])
    report = json.loads(members["report.json"])
    again = amtdecode.diagnose(str(tmp_path / "packets.pcapng"))

    def machines(devices: list[Any]) -> set[tuple[str | None, tuple[str, ...], str | None]]:
        return {(each["uuid"], tuple(each["addresses"]), each["fqdn"]) for each in devices}

    assert machines(report["devices"]) == machines(again.to_dict()["devices"])
    assert all(
        re.fullmatch(r"198\.1[89]\.\d+\.\d+|240\.\d+\.\d+\.\d+", a) for d in report["devices"] for a in d["addresses"]
    )


def test_a_wrong_check_character_of_a_pid_stays_wrong(tmp_path: Path) -> None:
    members = packed(tmp_path / "ticket.zip", "--redact", str(PCAPS / "hello.pcap"))
    assert any(
        each.startswith("AMT-HELLO-017") for each in json.loads(members["manifest.json"])["findings_packets_show"]
    )


def test_without_redact_the_packets_are_those_of_the_capture(tmp_path: Path) -> None:
    members = packed(tmp_path / "ticket.zip", str(PCAPS / "office.pcapng"))
    manifest = json.loads(members["manifest.json"])
    (tmp_path / "packets.pcapng").write_bytes(members["packets.pcapng"])
    old = _frames(PCAPS / "office.pcapng")
    assert [old[number - 1] for _, number in manifest["packets"]] == _frames(tmp_path / "packets.pcapng")
    assert manifest["findings_packets_do_not_show"] == []
    assert set(members) >= {
        "README.txt",
        "report.txt",
        "report.json",
        "packets.pcapng",
        "log-lines.txt",
        "manifest.json",
    }


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "site"
    (made / "below").mkdir(parents=True)
    (made / "below" / "office.pcapng").write_bytes((PCAPS / "office.pcapng").read_bytes())
    (made / "scs.log").write_text(
        "2007-11-05 09:10:00 Error 102 - Intel AMT device is already provisioned 192.0.2.24 desk-24.example.com "
        "CORP\\alice password=Hunter2-x\n"
    )
    (made / "notes.bin").write_bytes(bytes(range(256)))
    return made


def test_folders_logs_and_what_is_passed_over(tmp_path: Path, folder: Path) -> None:
    target = tmp_path / "ticket.zip"
    code, _, err = command("bundle", "--redact", "-w", str(target), str(folder))
    assert code == 0
    assert "1 file of folders passed over" in err
    assert stat.S_IMODE(target.stat().st_mode) == 0o600
    with zipfile.ZipFile(target) as found:
        lines = found.read("log-lines.txt").decode()
        whole = b"".join(found.read(name) for name in found.namelist())
    assert "Error 102 - Intel AMT device is already provisioned 198.18." in lines
    for known in (b"alice", b"Hunter2", b"192.0.2.24", b"desk-24", str(folder).encode(), b"office.pcapng"):
        assert known not in whole


def test_private_keys_are_never_packed(tmp_path: Path, folder: Path) -> None:
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import rsa

    key = rsa.generate_private_key(65537, 2048).private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    (folder / "setup.key").write_bytes(key)
    for more in ((), ("--redact",)):
        members = packed(tmp_path / "ticket.zip", *more, str(folder))
        assert all(line not in data for data in members.values() for line in key.splitlines()[1:-1])


def test_the_same_inputs_give_the_same_bundle(tmp_path: Path) -> None:
    for name in ("one.zip", "two.zip"):
        packed(tmp_path / name, "--redact", str(PCAPS / "office.pcapng"))
    assert (tmp_path / "one.zip").read_bytes() == (tmp_path / "two.zip").read_bytes()


def test_bad_input_is_one_line(tmp_path: Path) -> None:
    capture = str(PCAPS / "office.pcapng")
    for arguments, said in (
        ((capture,), "-w"),
        (("-w", capture, capture), "is one of the inputs"),
        (("-w", str(tmp_path / "a.zip"), "-"), "reads its inputs several times"),
        (("-w", str(tmp_path / "a.zip"), str(tmp_path / "nothing.pcap")), "nothing.pcap"),
        (("-w", str(tmp_path), capture), "is a directory"),
    ):
        code, out, err = command("bundle", "-q", *arguments)
        assert (code in (2, 3), out) == (True, "")
        assert said in err
    assert not (tmp_path / "a.zip").exists()
