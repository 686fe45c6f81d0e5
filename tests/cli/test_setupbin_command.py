"""`setupbin` and `psk`: what they write, what they refuse, and that no secret is shown."""

from __future__ import annotations

import csv
import json
import stat

import pytest

from amtdecode.artifacts.setupbin import read_setupbin
from amtdecode.cli.main import run
from amtdecode.secrets import Keys
from amtdecode.secrets.pid import pid_is_valid, pps_is_valid

PASSWORD = "Aa1!aaaa"
PPS = "NKLDG5DCRRNQE9YZZIJL7LFLVJED69XJ"


@pytest.fixture
def made(tmp_path):
    """A setup.bin with three records, and the table for the server."""
    file, table, password = tmp_path / "setup.bin", tmp_path / "server.csv", tmp_path / "password"
    password.write_text(f"{PASSWORD}\r\nmore\n")
    command = ["setupbin", "make", "--amt", "2.5", "--out", str(file), "--psk", "3", "--csv", str(table)]
    assert run([*command, "--set", f"new-password=@{password}"]) == 0
    return file, table


def test_the_table_is_that_of_the_file(made):
    file, table = made
    rows = [*csv.DictReader(table.read_text().splitlines())]
    assert [row["mebx_password"] for row in rows] == [PASSWORD] * 3
    found = read_setupbin(file.read_bytes())
    assert [record.get(2, 1).decode() for record in found.records] == [row["pid"].replace("-", "") for row in rows]
    assert [record.get(2, 2).decode() for record in found.records] == [row["pps"].replace("-", "") for row in rows]
    assert {record.get(1, 1) for record in found.records} == {b"admin"}
    assert {record.get(1, 2) for record in found.records} == {PASSWORD.encode()}
    for each in made:
        assert stat.S_IMODE(each.stat().st_mode) == 0o600
    pid = rows[0]["pid"].replace("-", "").encode()
    for source in made:
        assert Keys.load(psk_files=[str(source)]).psks(pid)[0].decode() == rows[0]["pps"].replace("-", "")


def test_show_masks_secrets(made, capsys):
    file, table = made
    rows = [*csv.DictReader(table.read_text().splitlines())]
    capsys.readouterr()
    assert run(["setupbin", "show", str(file)]) == 0
    text = capsys.readouterr().out
    assert text.startswith("setup.bin version 1.0, for AMT 2.x and later: 3 records\n    records consumed: 0\n")
    assert f"    pid                    {rows[1]['pid'].replace('-', '')}\n" in text
    assert run(["setupbin", "show", "-T", "json", str(file)]) == 0
    shown = json.loads(capsys.readouterr().out)
    assert [each["name"] for each in shown["records"][2]["values"]] == [
        "current-password",
        "new-password",
        "pid",
        "pps",
    ]
    assert [each["value"] for each in shown["records"][2]["values"]][3] == "********"
    for secret in (PASSWORD, *(row["pps"].replace("-", "") for row in rows)):
        assert secret not in text
        assert secret not in json.dumps(shown)
    assert run(["setupbin", "show", "--show-secrets", str(file)]) == 0
    text = capsys.readouterr().out
    assert all(row["pps"].replace("-", "") in text for row in rows)
    assert PASSWORD in text


def test_a_value_that_nobody_knows_is_masked_as_if_it_were_secret(made, tmp_path, capsys):
    data = bytearray(made[0].read_bytes())
    data[538] = 99  # the variable of the first entry
    file = tmp_path / "strange.bin"
    file.write_bytes(data)
    capsys.readouterr()
    assert run(["setupbin", "show", str(file)]) == 0
    text = capsys.readouterr().out
    assert "    odd: record 1, variable 1/99 is in no public document\n" in text
    assert "    1/99 (unknown)         ********\n" in text


def test_pairs_of_a_table_or_of_another_file(made, tmp_path):
    file, table = made
    again = tmp_path / "again.bin"
    for source in (table, file):
        assert run(["setupbin", "make", "--amt", "3.0", "--out", str(again), "--pairs", str(source),
                    "--set", f"new-password={PASSWORD}", "--set", "remote-configuration=on", "-q"]) == 0  # fmt: skip
        found = read_setupbin(again.read_bytes())
        assert found.version == "2.0"
        expected = [record.get(2, 2) for record in read_setupbin(file.read_bytes()).records]
        assert [record.get(2, 2) for record in found.records] == expected
        assert [record.get(2, 5) for record in found.records] == [b"\1"] * 3


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (["--amt", "1.0"], "AMT 1.0 reads no setup.bin; 2.0 is the first"),
        (["--amt", "6", "--set", "kmv=on"], "--set kmv: no such setting; did you mean kvm?"),
        (["--amt", "6", "--set", "zzz"], "--set zzz: no such setting; amtdecode setupbin variables lists them"),
        (["--amt", "6", "--set", "kvm"], "--set kvm: a value is wanted, as kvm=VALUE"),
        (["--amt", "6", "--set", "kvm=perhaps"], "kvm=perhaps: off, on are possible"),
        (["--amt", "6", "--csv", "x"], "--csv writes pairs, but there are none: add --psk N"),
        (["--amt", "6", "--set", f"new-password={PASSWORD}", "--psk", "1", "--out", "t", "--csv", "./t"],
         "--out and --csv name the same file"),
        (["--amt", "6", "--psk", "1", "--pairs", "x"],
         "--psk makes new pairs, --pairs takes given ones: name one of them"),
        (["--amt", "6", "--pairs", "/nowhere"], "file of pairs /nowhere: no such file or directory"),
        (["--amt", "6", "--set", "new-password=@/nowhere"], "file of a setting /nowhere: no such file or directory"),
        (["--amt", "6"],
         "new-password is wanted: the password of the factory (admin) must be changed in the same record"),
        (["--amt", "12", "--set", f"new-password={PASSWORD}", "--psk", "1"],
         "AMT 12.0 has no PSK provisioning: it ended with AMT 10"),
    ],
)  # fmt: skip
def test_what_make_refuses(tmp_path, capsys, words, line):
    file = tmp_path / "setup.bin"
    assert run(["setupbin", "make", "--out", str(file), *words]) in {2, 3}
    assert capsys.readouterr().err == f"amtdecode: {line}\n"
    assert not file.exists()


def test_make_never_replaces_what_it_reads(made, capsys):
    _, table = made
    before = table.read_bytes()
    capsys.readouterr()
    command = ["setupbin", "make", "--amt", "2.5", "--pairs", str(table), "--set", f"new-password={PASSWORD}"]
    assert run([*command, "--out", str(table)]) == 2
    assert "is one of the inputs" in capsys.readouterr().err
    assert table.read_bytes() == before


def test_what_is_no_setup_bin(tmp_path, capsys):
    text, short = tmp_path / "text", tmp_path / "short"
    text.write_text("hello")
    short.write_bytes(bytes.fromhex("b516fb7187cbf94ab441ca7b383578f9") + bytes(4))
    assert run(["setupbin", "show", str(text), str(short), "/nowhere"]) == 3
    assert capsys.readouterr().err.splitlines() == [
        f"amtdecode: {text}: not a setup.bin: the first 16 bytes are none of its four file types",
        f"amtdecode: {short}: a setup.bin that ends inside its header, after 20 bytes",
        "amtdecode: setup.bin /nowhere: no such file or directory",
    ]


def test_other_commands_say_what_it_is(made, tmp_path, capsys):
    file, _ = made
    capsys.readouterr()
    assert run(["diagnose", str(file)]) == 0
    err = capsys.readouterr().err
    assert "a setup.bin, version 1.0 for AMT 2.x and later: 3 records, 3 of them not yet consumed, 3 PIDs" in err
    assert run(["hello", str(file)]) == 3
    out, err = capsys.readouterr()
    assert out == ""
    assert err == f"amtdecode: {file}: is a setup.bin; look at it with `amtdecode setupbin show {file}`\n"
    without = tmp_path / "without.bin"
    assert (
        run(["setupbin", "make", "--amt", "11.8", "--out", str(without), "--set", f"new-password={PASSWORD}", "-q"])
        == 0
    )
    assert run(["diagnose", str(without)]) == 0
    assert "1 record, 1 of them not yet consumed, no PID" in capsys.readouterr().err


def test_variables_are_listed(capsys):
    assert run(["setupbin", "variables"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 40
    assert "kvm                    2/25  AMT 6.0           KVM: off, on" in lines


def test_new_pairs(tmp_path, capfd):
    assert run(["psk", "make", "-n", "3"]) == 0
    rows = [*csv.DictReader(capfd.readouterr().out.splitlines())]
    assert len(rows) == 3
    assert all(pid_is_valid(row["pid"]) and pps_is_valid(row["pps"]) for row in rows)
    file = tmp_path / "pairs.csv"
    assert run(["psk", "make", "--out", str(file)]) == 0
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert run(["psk", "check", str(file)]) == 0
    assert capfd.readouterr().out.count(": right\n") == 2


@pytest.mark.parametrize(
    ("words", "code", "line"),
    [
        (["0000-037M"], 0, "PID 0000-037M: right"),
        (["0000-O37M"], 1, "PID 0000-O37M: the check character is wrong; character 5: O may be 0"),
        (["0000-037m"], 1, "PID 0000-037m: 1 character is none of A-Z 0-9 (lower case)"),
        (["000-right"], 1, "PID 000-right: 5 characters are none of A-Z 0-9 (lower case)"),
        ([PPS], 0, "PPS: right"),
        ([PPS.replace("G5DC", "GSDC")], 1, "PPS, group 2: the check character is wrong; character 2: S may be 5"),
        ([PPS.replace("NKLD", "NKDL")], 1,
         "PPS, group 1: the check character is wrong; characters 3 and 4 may be swapped"),
        ([PPS.replace("NKLD", "AAAA")], 1, "PPS, group 1: the check character is wrong; no single slip explains it"),
    ],
)  # fmt: skip
def test_checks(capsys, words, code, line):
    assert run(["psk", "check", *words]) == code
    out = capsys.readouterr().out
    assert out.splitlines() == [line]
    assert words[0] not in out or len(words[0]) == 9


def test_a_table_with_a_slip(tmp_path, capsys):
    file = tmp_path / "pairs.csv"
    file.write_text(f"pid,pps\n0000-037M,{PPS}\n0000-048O,{PPS.replace('69XJ', '69XI')}\n")
    assert run(["psk", "check", str(file)]) == 1
    assert capsys.readouterr().out.splitlines() == [
        "PID 0000-037M: right",
        "PPS of 0000-037M: right",
        "PID 0000-048O: right",
        "PPS of 0000-048O, group 8: the check character is wrong; no single slip explains it",
    ]


def test_what_is_no_key(capsys, tmp_path):
    assert run(["psk", "check", "secretish"]) == 2
    err = capsys.readouterr().err
    assert err == "amtdecode: neither a file nor a key: a PID has 8 characters, a PPS 32, this has 9\n"
    empty = tmp_path / "empty.csv"
    empty.write_text("pid,pps\n")
    assert run(["psk", "check", str(empty)]) == 2
    assert capsys.readouterr().err == f"amtdecode: {empty}: holds no PID and PPS\n"
