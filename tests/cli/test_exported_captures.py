"""`export --pcap`, `--write-keylog` and `--csv`: tshark and Python's csv read back what is written."""

from __future__ import annotations

import csv
import io
import os
import shutil
import stat
import subprocess
import sys
from pathlib import Path

import oracle
import pytest
import wire

from amtdecode.capture import NOTICE
from amtdecode.capture.opening import open_capture
from amtdecode.render.csv_rows import Rows
from amtdecode.render.layout import CSV, layout

PCAPS = Path(__file__).parents[2] / "pcaps"
OFFICE, PSK, WSMAN = PCAPS / "office.pcapng", PCAPS / "psk_clean.pcapng", PCAPS / "wsman_tls.pcap"
PPS = "0000-037M=NKLD-G5DC-RRNQ-E9YZ-ZIJL-7LFL-VJED-69XJ"
needs_tshark = pytest.mark.skipif(shutil.which("tshark") is None, reason="tshark is not installed")


def tshark(path, *options):
    """The cells tshark prints of each packet, without any preference or key."""
    fields = [word for name in options for word in ("-e", name)]
    words = ["tshark", "-n", "-r", str(path), "-T", "fields", "-E", "separator=|", "-E", "aggregator=~", *fields]
    done = oracle.run(words, text=True, check=True)
    return [line.split("|") for line in done.stdout.splitlines()]


def packets(path):
    """Bytes, lengths and times of a capture's packets."""
    return [
        (data[start : start + captured], original, interface.time_ns(high, low), interface.link_type)
        for _, data, start, captured, original, high, low, interface in open_capture(str(path))
        if interface.link_type != NOTICE
    ]


def found(run, path, *options):
    """What is observed in a capture, without the words of the capture itself."""
    done = run("read", "-T", "fields", "-e", "_ws.col.Protocol", "-e", "_ws.col.Info", *options, path)
    return [line for line in done.out.splitlines() if not line.startswith("pcapng")]


@needs_tshark
def test_wireshark_opens_what_a_psk_opened(run, tmp_path):
    """No key is given to tshark: the file brings the secret."""
    assert run("export", "--pcap", "p.pcapng", "--psk", PPS, PSK).code == 0
    urls = [cells[0] for cells in tshark(tmp_path / "p.pcapng", "http.request.uri") if cells[0]]
    assert (
        urls
        == ["/SecurityAdministrationService"] * 2
        + ["/NetworkAdministrationService"] * 2
        + ["/SecurityAdministrationService"] * 3
    )
    without = run("export", "--pcap", "q.pcapng", PSK)
    assert without.code == 0
    assert not [cells for cells in tshark(tmp_path / "q.pcapng", "http.request.uri") if cells[0]]


@needs_tshark
def test_findings_are_comments_and_old_comments_stay(run, tmp_path):
    assert run("export", "--pcap", "o.pcapng", OFFICE).code == 0
    told = {cells[0]: cells[1] for cells in tshark(tmp_path / "o.pcapng", "frame.number", "frame.comment") if cells[1]}
    first = told["2"].split("~")
    assert first[0] == (
        "HIGH AMT-DNS-001 DNS has no record for provisionserver.branch.example.com [confirmed; 192.0.2.22]"
        '\\n192.0.2.22 asks 192.0.2.3 for "provisionserver.branch.example.com"\\nFix: Create a host or alias record '
        "provisionserver.branch.example.com that points to the server running AMTconfig (or another setup and "
        "configuration application)."
    )
    assert first[1] == "DNS: provisionserver.branch.example.com"  # it was in the capture
    run("export", "--pcap", "n.pcapng", "--no-comments", OFFICE)
    left = [cells[0] for cells in tshark(tmp_path / "n.pcapng", "frame.comment") if cells[0]]
    assert "DNS: provisionserver.branch.example.com" in left
    assert not any("AMT-" in text for text in left)


@needs_tshark
def test_names_of_the_addresses_written_are_in_the_file(run, tmp_path):
    """What DNS answered, of the packets' addresses alone; the answer itself is not among the packets."""
    assert run("export", "--pcap", "o.pcapng", "--frame", "14", OFFICE).code == 0
    words = [
        "tshark",
        "-N",
        "n",
        "-r",
        str(tmp_path / "o.pcapng"),
        "-T",
        "fields",
        "-e",
        "ip.dst_host",
        "-e",
        "ip.src_host",
    ]
    shown = oracle.run(words, text=True, check=True).stdout.split()
    assert shown == ["provisionserver.example.com", "192.0.2.21"]
    resolved = [one[7].event for one in open_capture(str(tmp_path / "o.pcapng")) if one[7].link_type == NOTICE]
    assert [event.address for event in resolved if type(event).__name__ == "NameResolution"] == ["192.0.2.10"]


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (["--frame", "3"], {3}),
        (["--frame", "2-4,9"], {2, 3, 4, 9}),
        (["--frame", "1", "--frame", "170-"], {1, *range(170, 176)}),
    ],
)
def test_packets_by_number_are_byte_exact(run, tmp_path, given, expected):
    assert run("export", "--pcap", "o.pcapng", *given, OFFICE).code == 0
    everything = packets(OFFICE)
    chosen = [packet for number, packet in enumerate(everything, 1) if number in expected]
    assert packets(tmp_path / "o.pcapng") == chosen
    assert len(chosen) == len([number for number in expected if number <= len(everything)])


def test_all_packets_of_all_inputs_with_their_times(run, tmp_path):
    """Microseconds, nanoseconds and 10 MHz, two link types, cut packets; each interface says its file."""
    raw = wire.ipv4(wire.udp(b"x" * 40, 1, 2), proto=17)
    (tmp_path / "a.pcap").write_bytes(wire.pcap(wire.frames([raw]), magic=0xA1B23C4D, step=7, start=wire.T0))
    (tmp_path / "b.pcap").write_bytes(wire.pcap([raw], link=101, step=3, start=wire.T0 + 1))
    resolution = wire.option(9, bytes([7])) + wire.option(2, b"eth0")
    ticks = (wire.T0 + 2) * 10**7 + 123
    data = wire.shb() + wire.idb(snap=60, options=resolution) + wire.epb(wire.ether(raw)[:60], ticks, original=82)
    (tmp_path / "c.pcapng").write_bytes(data)
    names = ["a.pcap", "b.pcap", "c.pcapng"]
    assert run("export", "--pcap", "all.pcapng", "--frame", "1-", "--no-comments", *names).code == 0
    got = packets(tmp_path / "all.pcapng")
    assert got == [one for name in names for one in packets(tmp_path / name)]
    assert [one[2] for one in got] == [wire.T0 * 10**9, (wire.T0 + 1) * 10**9, (wire.T0 + 2) * 10**9 + 12_300]
    assert (len(got[2][0]), got[2][1], got[1][3]) == (60, 82, 101)
    if shutil.which("tshark"):
        cells = tshark(
            tmp_path / "all.pcapng", "frame.interface_description", "frame.interface_name", "frame.time_epoch"
        )
        assert [row[0] for row in cells] == names
        assert cells[2][1:] == ["eth0", f"{wire.T0 + 2}.000012300"]


def test_a_filter_chooses_and_the_connection_stays_whole_only_where_it_was_opened(run, tmp_path):
    numbers = {
        int(number) for number in run("read", "-T", "fields", "-e", "frame.number", "-Y", "dns", OFFICE).out.split()
    }
    assert run("export", "--pcap", "d.pcapng", "-Y", "dns", OFFICE).code == 0
    everything = packets(OFFICE)
    assert packets(tmp_path / "d.pcapng") == [everything[number - 1] for number in sorted(numbers)]
    flt = 'iamt.eoi.method == "CommitChanges"'
    options = ["--psk", PPS, "-Y", flt, PSK]
    assert run("export", "--pcap", "e.pcapng", "--exact", *options).code == 0
    done = run("export", "--pcap", "w.pcapng", *options)
    exact, whole = packets(tmp_path / "e.pcapng"), packets(tmp_path / "w.pcapng")
    assert 0 < len(exact) <= 4
    assert len(whole) == 44  # all of tcp flow 1
    assert f"{len(whole) - len(exact)} of them so that TLS can be opened" in done.err
    assert sum("CommitChanges → PT_STATUS 0x0 SUCCESS" in line for line in found(run, "w.pcapng")) == 1


def test_one_machine_by_uuid_name_or_address(run, tmp_path):
    uuid = "a3700018-1de5-11dc-8000-5e0000005318"
    for given in (uuid, uuid.upper(), "192.0.2.24"):
        assert run("export", "--pcap", "d.pcapng", "--device", given, OFFICE).code == 0
        hosts = {cells for cells in found(run, "d.pcapng") if "iamt.hello" in cells}
        assert hosts
        assert all(uuid in line for line in hosts)


def keylog_of(run, capture, *keys):
    done = run("export", "-q", "--write-keylog", "-", *keys, capture)
    assert (done.code, done.err) == (0, "")
    return done.out


def test_the_key_log_of_what_a_psk_opened_opens_it(run, tmp_path):
    text = keylog_of(run, PSK, "--psk", PPS)
    label, random, master = text.split()
    assert (label, len(random), len(master)) == ("CLIENT_RANDOM", 64, 96)
    (tmp_path / "log").write_text(text)
    with_log, with_psk = (found(run, PSK, *keys) for keys in (("--keylog", "log"), ("--psk", PPS)))
    changed = [line for line in with_psk if "opened by" not in line]
    assert [line for line in with_log if "opened by" not in line] == changed
    assert sum("CommitChanges → PT_STATUS 0x0 SUCCESS" in line for line in changed) == 1
    done = run("export", "--export-tls-session-keys", "again", "--keylog", "log", PSK)
    assert (tmp_path / "again").read_text() == text
    assert "1 TLS secret in again" in done.err
    if os.name == "posix":
        assert stat.S_IMODE((tmp_path / "again").stat().st_mode) == 0o600


def shared():
    folder = Path(os.environ.get("AMTDECODE_SHARED", PCAPS.parents[1] / "shared")) / "captures" / "loopback"
    return folder if folder.is_dir() else None


KINDS = (
    "tls1-psk-aes128cbc-sha.",
    "1_2-mtls-rsa-aes128sha.",
    "tls1.3",
    "1_3-psk",
    "rehandshake",
    "ecdhe",
    "1.2-rsapsk",
)


def tls_captures():
    folder = shared()
    named = sorted((folder / "tls").glob("*.pcap")) if folder else []
    return [path for path in named if any(kind in path.name for kind in KINDS)]


@needs_tshark
@pytest.mark.parametrize("capture", tls_captures(), ids=lambda path: path.stem)
def test_every_recorded_connection_stays_open_for_tshark(run, tmp_path, capture):
    """With the secrets in the file, tshark reads the same application data as with the key log beside it."""
    log = capture.with_name(f"{capture.stem}.keylog.txt")
    assert run("export", "--pcap", "p.pcapng", "--frame", "1-", "--no-comments", "--keylog", log, capture).code == 0
    assert packets(tmp_path / "p.pcapng") == packets(capture)

    def opened(path, *preferences):
        words = [
            "tshark",
            "-n",
            "-r",
            str(path),
            "-d",
            "tcp.port==16993,tls",
            *preferences,
            "-q",
            "-z",
            "follow,tls,raw,0",
        ]
        return oracle.run(words, text=True, check=True).stdout.split("Filter:")[-1]

    assert opened(tmp_path / "p.pcapng") == opened(capture, "-o", f"tls.keylog_file:{log}")
    text = keylog_of(run, capture, "--keylog", log)
    known = {tuple(line.lower().split()) for line in log.read_text().splitlines() if line and line[0] != "#"}
    assert {tuple(line.lower().split()) for line in text.splitlines()} <= known


@needs_tshark
def test_an_rsa_key_becomes_secrets_that_open_it(run, tmp_path):
    folder = shared()
    if folder is None:
        pytest.skip("the shared captures are not here")
    capture = folder / "tls" / "gnutls-tls1.2-mtls-rsa-aes128-noems.pcap"
    log = keylog_of(run, capture, "--rsa-key", folder / "keys" / "amt_selfsigned.key")
    (random,) = {line.split()[1] for line in log.splitlines()}
    recorded = (capture.with_name(f"{capture.stem}.keylog.txt")).read_text().lower()
    assert log.lower().strip() in recorded
    assert random in recorded


def test_standard_output_takes_a_capture(run, tmp_path):
    words = [sys.executable, "-m", "amtdecode", "export", "-q", "--pcap", "-", "--frame", "1-20", str(OFFICE)]
    done = subprocess.run(words, capture_output=True, check=True, cwd=tmp_path)
    assert done.stderr == b""
    (tmp_path / "o.pcapng").write_bytes(done.stdout)
    assert packets(tmp_path / "o.pcapng") == packets(OFFICE)[:20]


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ([], "export needs"),
        (["--pcap", "x", "--frame", "0"], "count from 1"),
        (["--pcap", "x", "--frame", "9-3"], "count from 1"),
        (["--pcap", "x", "--frame", "a"], "is not a packet number"),
        (["--pcap", "x", "--frame", "1,"], "is not a packet number"),
        (["--csv", "x", "--frame", "1"], "go with --pcap"),
        (["--http", "x", "--device", "y"], "--device goes with"),
        (["--pcap", "x", "--device", "y", "-Y", "dns"], "-Y chooses packets"),
        (["--csv", "x", "-Y", "dns"], "--rows observations"),
        (["--pcap", "-", "--csv", "-"], "a file each"),
        (["--pcap", "x", "--csv", "x"], "a file each"),
        (["--csv", "x", "--device", "nobody"], "no such machine"),
    ],
)
def test_options_that_make_no_sense_are_one_line(run, tmp_path, options, says):
    done = run("export", *options, OFFICE)
    assert (done.code, done.out, done.err.count("\n")) == (2, "", 1)
    assert says in done.err
    assert not (tmp_path / "x").exists()


def table(data):
    return list(csv.DictReader(io.StringIO(data.decode("utf-8-sig"), newline="")))


def test_findings_as_a_table(run, tmp_path):
    assert run("export", "--csv", "t.csv", OFFICE).code == 0
    data = (tmp_path / "t.csv").read_bytes()
    assert data.startswith(b"\xef\xbb\xbfmachine,uuid,")
    rows = table(data)
    by_finding = {(row["machine"], row["finding"]): row for row in rows}
    row = by_finding["a3700018-1de5-11dc-8000-5e0000005318", "AMT-CONN-002"]
    assert (row["addresses"], row["method"], row["stage"], row["outcome"]) == (
        "192.0.2.24",
        "psk",
        "contact back",
        "failed",
    )
    assert (row["severity"], row["verdict"], row["packets"]) == ("high", "confirmed", "138 140 142")
    assert row["input"] == str(OFFICE)
    import json

    report = json.loads(run("diagnose", "-T", "json", OFFICE).out)
    assert len(rows) == len(report["findings"])
    assert [row["finding"] for row in rows if row["machine"]] == [
        finding["id"]
        for device in report["devices"]
        for finding in report["findings"]
        if finding["device_id"] == device["id"]
    ]
    only = run("export", "-q", "--csv", "-", "--device", "192.0.2.24", OFFICE)
    assert only.out.startswith("machine,uuid,")  # no mark in a pipe
    assert {row["addresses"] for row in table(only.out.encode())} == {"192.0.2.24"}


def test_observations_as_a_table(run):
    done = run("export", "-q", "--csv", "-", "--rows", "observations", "-Y", "iamt.hello", OFFICE)
    rows = table(done.out.encode())
    assert [row["packet"] for row in rows] == ["14", "78", "92", "125", "133", "147", "155", "163"]
    assert (rows[0]["src"], rows[0]["dst"], rows[0]["event"]) == ("192.0.2.21:49153", "192.0.2.10:9971", "HelloMessage")
    assert rows[0]["time"] == "2007-11-05T09:00:01.013000Z"


FORMULAS = [
    "=1+1",
    "+1",
    "-1+2",
    "@SUM(A1)",
    "\tx",
    "\r=1",
    "\n=1",
    "=cmd|' /C calc'!A0",
    "＝1",
    "＋1",
    "－1+2",
    "＠A1",
]


@pytest.mark.parametrize("text", FORMULAS)
def test_a_cell_is_never_a_formula(text):
    stream = io.StringIO(newline="")
    Rows(stream, ["a"])([text])
    (cell,) = list(csv.reader(io.StringIO(stream.getvalue(), newline="")))[1]
    assert cell[0] in "'\\"
    assert not cell.startswith(("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠"))


@pytest.mark.parametrize("quote", ["d", "s", "n"])
@pytest.mark.parametrize("text", FORMULAS)
def test_no_cell_of_columns_is_a_formula_with_any_quotes(text, quote):
    """Nor without them; a number stays one, and tshark's own form is left as it is."""
    mark = {"d": '"', "s": "'", "n": ""}[quote]
    line = layout([f"quote={quote}"], CSV).line(["1", text, "-1.5", ""])
    guarded = f"'{text}".replace(mark, mark * 2) if mark else f"'{text}"
    assert line == f"{mark}1{mark},{mark}{guarded}{mark},{mark}-1.5{mark},\n"
    assert layout([f"quote={quote}"]).line([text, "x"]) == f"{mark}{text}{mark}\t{mark}x{mark}\n"


def test_a_captured_name_is_no_formula_in_the_table(run, tmp_path):
    name = b"=1+1"
    query = wire.udp(
        b"\0\1\1\0\0\1\0\0\0\0\0\0" + bytes([len(name)]) + name + b"\x0fprovisionserver\x04test\0\0\1\0\1", 5000, 53
    )
    (tmp_path / "x.pcap").write_bytes(wire.pcap(wire.frames([wire.ipv4(query, proto=17)])))
    done = run("export", "-q", "--csv", "-", "--rows", "observations", "x.pcap")
    assert all(not cell.startswith(("=", "+", "@")) for row in csv.reader(io.StringIO(done.out)) for cell in row)
