"""Pre-shared keys: the option, the table, the setup.bin, and the identities that find them."""

from __future__ import annotations

import io
import struct

import pytest

from amtdecode.errors import KeyFileError
from amtdecode.secrets import Keys
from amtdecode.secrets.psk import MAX_KEYS, MAX_NOTES, PskTable, read_pairs

PID, PPS = b"0000037M", b"NKLDG5DCRRNQE9YZZIJL7LFLVJED69XJ"
DASHED = "NKLD-G5DC-RRNQ-E9YZ-ZIJL-7LFL-VJED-69XJ"


def test_identities_compare_without_dashes():
    keys = Keys.load(psk=[f"0000-037M={DASHED}"])
    assert keys.psks(PID)[0] == PPS
    assert keys.psks(b"0000-037M")[0] == PPS
    assert keys.psks(b"0000037M\0")[0] == PPS
    assert keys.psks(b"0000037m") == []
    assert keys.psks(b"") == []
    assert keys.notes == []


def test_a_pps_is_read_without_dashes_first_and_as_it_stands_after():
    assert Keys.load(psk=[f"{PID.decode()}={DASHED}"]).psks(PID) == [PPS, DASHED.encode()]
    assert Keys.load(psk=[f"{PID.decode()}={PPS.decode()}"]).psks(PID) == [PPS]
    assert Keys.load(psk=[f"{PID.decode()}={PPS.decode().lower()}"]).psks(PID) == [PPS.lower(), PPS]
    assert Keys.load(psk=["someone=not-a-pps"]).psks(b"someone") == [b"not-a-pps", b"notapps"]


def test_keys_of_the_identity_come_before_those_for_any():
    keys = Keys.load(psk=["*=hex:00ff", "abc=hex:01:02", "*=secret", "abc=hex:00ff"])
    assert keys.psks(b"abc") == [b"\x01\x02", b"\x00\xff", b"secret"]
    assert keys.psks(b"\xff\xfe") == [b"\x00\xff", b"secret"]


@pytest.mark.parametrize("option", ["", "x", "=secret", "x=", "x=hex:", "x=hex:0", "x=hex:zz", "*"])
def test_options_that_make_no_sense(option):
    with pytest.raises(KeyFileError) as caught:
        Keys.load(psk=[option])
    assert "\n" not in str(caught.value)


def test_wrong_check_characters_are_notes_and_the_key_is_used():
    keys = Keys.load(psk=["0000-037N=NKLXG5DCRRNQE9YZZIJL7LFLVJED69XJ"])
    assert keys.psks(b"0000037N") == [b"NKLXG5DCRRNQE9YZZIJL7LFLVJED69XJ"]
    pid, pps = keys.notes
    assert "check character of the PID is N and should be M" in pid
    assert "group 1 of the PPS" in pps
    assert "NKLX" not in pps
    short = Keys.load(psk=["0000-037M=NKLD"])
    assert "32 characters" in short.notes[0]
    assert short.psks(PID) == [b"NKLD"]
    assert Keys.load(psk=["Client_identity=anything"]).notes == []


@pytest.mark.parametrize(
    "data",
    [
        f"pid,pps\n0000-037M,{DASHED}\n".encode(),
        f"\ufeffPID;PPS;uuid;fqdn\r\n0000037M;{DASHED};;host.example.com\r\n".encode(),
        f"uuid\tpps\tpid\n\t{DASHED}\t0000037M\n".encode(),
        f'"pid","pps"\n"0000-037M","{PPS.decode()}"\n'.encode("utf-16"),
    ],
)
def test_tables(tmp_path, data):
    path = tmp_path / "machines.csv"
    path.write_bytes(data)
    assert Keys.load(psk_files=[str(path)]).psks(PID)[0] == PPS


def test_a_table_of_many_machines(tmp_path):
    path = tmp_path / "machines.csv"
    rows = "".join(f"{number:08d},{number:032d}\n" for number in range(10_000))
    path.write_text("pid,pps\n" + rows)
    keys = Keys.load(psk_files=[str(path)])
    assert keys.psks(b"00004711") == [b"%032d" % 4711]
    assert repr(keys).startswith("Keys(10000 PSK identities")
    assert len(keys.notes) <= 100


def test_incomplete_rows_are_noted(tmp_path):
    path = tmp_path / "machines.csv"
    path.write_text(f"pid,pps\n\n0000-037M\n,{DASHED}\n0000-037M,{DASHED}\n")
    keys = Keys.load(psk_files=[str(path)])
    assert keys.psks(PID)[0] == PPS
    assert [note.split(": ")[1] for note in keys.notes] == ["no PPS, line passed over", "no PID, line passed over"]
    assert "line 3" in keys.notes[0]


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"a,b\n1,2\n",
        b"pid,secret\n1,2\n",
        b"uuid,pps\n1,2\n",
        b"pps\n",
        b"\xff\xff\xff\xff",
        b'pid,pps\n"' + b"x" * 200_000,
    ],
)
def test_files_that_are_no_table(tmp_path, data):
    path = tmp_path / "file"
    path.write_bytes(data)
    with pytest.raises(KeyFileError, match=str(path)) as caught:
        Keys.load(psk_files=[str(path)])
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        ("missing.csv", "PSK file missing.csv:"),
        (f"0000-037M={DASHED}", "PSK file 0000-037M=… (a FILE is wanted):"),
        (DASHED, "PSK file … (a FILE is wanted):"),
        (PPS.decode().lower(), "PSK file … (a FILE is wanted):"),
    ],
)
def test_a_key_given_where_a_file_is_wanted_is_not_told(tmp_path, monkeypatch, given, shown):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(KeyFileError) as caught:
        Keys.load(psk_files=[given])
    assert str(caught.value).startswith(shown)
    assert "NKLD" not in str(caught.value).upper()


def test_a_table_says_how_many_identities_it_holds_and_none_of_them():
    table = PskTable([])
    assert repr(table) == "PskTable(0 identities)"
    table.add_option("abc=hex:00")
    assert repr(table) == "PskTable(1 identity)"
    table.add_option("*=hex:01")
    assert repr(table) == "PskTable(2 identities)"


def test_notes_are_bounded_and_a_copy_has_its_own():
    notes = []
    table = PskTable(notes)
    for number in range(MAX_NOTES + 20):
        table.add_option(f"000000{number // 10 % 10}{number % 10}=NKLD")
    assert len(notes) == MAX_NOTES
    table.add_option("abc=hex:00")
    table.add_option("abc=hex:01")
    table.add_option("*=hex:02")
    more = []
    other = table.copy(more)
    other.add_option("abc=hex:03")
    other.add_option("*=hex:04")
    other.add_option("0000-037N=NKLDG5DCRRNQE9YZZIJL7LFLVJED69XJ")
    assert other.lookup(b"abc") == [b"\0", b"\1", b"\3", b"\2", b"\4"]
    assert table.lookup(b"abc") == [b"\0", b"\1", b"\2"]
    assert len(more) == 1
    assert len(notes) == MAX_NOTES


def test_standard_input(monkeypatch):
    class Input:
        buffer = io.BytesIO(b"pid,pps\n0000-037M," + DASHED.encode())

    monkeypatch.setattr("sys.stdin", Input)
    assert Keys.load(psk_files=["-"]).psks(PID)[0] == PPS


def entry(module, variable, value):
    return struct.pack("<HHHH", module, variable, len(value), 0) + value + bytes(-len(value) % 4)


def setupbin(records, *, file_type, scrambled, record_chunks=1):
    header = bytes.fromhex(file_type) + struct.pack(
        "<HHIBBHIIHHHHH", 1, 46, 0, 3, 0, 0, len(records), 0, record_chunks, 0, 1, 2, 0
    )
    data = header.ljust(512, b"\0")
    for number, entries in enumerate(records, 1):
        body = b"".join(entries).ljust(record_chunks * 512 - 24, b"\0")
        if scrambled:
            body = bytes((byte + 17) & 0xFF for byte in body)
        data += struct.pack("<IIIIHHI", 1, 3 if scrambled else 1, 0, 0, record_chunks, 24, number) + body
    return data


@pytest.mark.parametrize("scrambled", [False, True])
@pytest.mark.parametrize("chunks", [1, 2])
@pytest.mark.parametrize(
    "file_type",
    [
        "b516fb7187cbf94ab441ca7b383578f9",
        "96b28158cf6b724c8b91a15e512e99c4",
        "a7f7f6c689c4f64793ede2e5020da51d",
        "aaa93452e129a9448d4d081c07b96353",
    ],
)
def test_setupbin(tmp_path, scrambled, chunks, file_type):
    path = tmp_path / "setup.bin"
    records = [
        [entry(1, 1, b"admin"), entry(1, 2, b"P@ssw0rd"), entry(2, 1, PID), entry(2, 2, PPS)],
        [entry(1, 1, b"admin")],
        [entry(2, 1, b"4444000L"), entry(2, 2, b"0" * 32)],
    ]
    path.write_bytes(setupbin(records, file_type=file_type, scrambled=scrambled, record_chunks=chunks))
    keys = Keys.load(psk_files=[str(path)])
    assert keys.psks(PID) == [PPS]
    assert keys.psks(b"4444-000L") == [b"0" * 32]
    assert repr(keys).startswith("Keys(2 PSK identities")


def test_setupbin_without_a_pair(tmp_path):
    path = tmp_path / "setup.bin"
    whole = setupbin([[entry(2, 1, PID)]], file_type="a7f7f6c689c4f64793ede2e5020da51d", scrambled=False)
    for data in (whole, whole[:530], whole[:20], whole[:512] + b"\xff" * 600):
        path.write_bytes(data)
        with pytest.raises(KeyFileError, match="holds no PID and PPS"):
            Keys.load(psk_files=[str(path)])


def test_keys_of_an_identity_that_is_given_often_are_each_kept_once_and_in_order():
    rows = b"".join(b"abc,hex:%06x\n" % (number % 20_000) for number in range(40_000))
    keys = Keys.load(psk_files=[b"pid,pps\n" + rows], psk=["*=hex:000001"])
    assert keys.psks(b"abc") == [number.to_bytes(3, "big") for number in range(MAX_KEYS)]


def test_pairs_of_a_table(tmp_path):
    table = tmp_path / "pairs.csv"
    table.write_text(f"name,pps,pid\na,{DASHED},0000-037M\n\nb, x ,1\n")
    assert read_pairs(str(table)) == [("0000-037M", DASHED), ("1", "x")]
    for row, lacking in (("a,,0000-037M", "PPS"), (f"a,{DASHED}", "PID"), (f"a,{DASHED},", "PID")):
        table.write_text(f"name,pps,pid\n{row}\n")
        with pytest.raises(KeyFileError, match=rf"^file of pairs {table}, line 2: no {lacking}$"):
            read_pairs(str(table))


def test_a_file_that_is_not_there_is_named(tmp_path):
    for name in ("nosuch.csv", "nosuch-0000037M"):
        with pytest.raises(KeyFileError, match=f"PSK file {tmp_path / name}: no such file"):
            Keys.load(psk_files=[str(tmp_path / name)])
