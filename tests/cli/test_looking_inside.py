"""`-V`, `-O`, `-x`, `--field`, `-t`, `-N`: what they show of known bytes, and what tshark shows of the same."""

from __future__ import annotations

import gzip
import re
from pathlib import Path
from xml.etree import ElementTree as ET

import oracle
import pytest

import amtdecode
from amtdecode.cli.main import run
from amtdecode.render.hex_text import hex_dump, overlaps

ROOT = Path(__file__).parents[2]
DNS, OFFICE, HELLO, WSMAN, MUTUAL = (
    str(ROOT / "pcaps" / name)
    for name in ("dns.pcap", "office.pcapng", "hello.pcap", "wsman.pcap", "tls10_mutual.pcap")
)
SECRETS = ROOT / "tests" / "data" / "secrets.pcap.gz"


@pytest.fixture
def call(capfd, monkeypatch):
    monkeypatch.delenv("SSLKEYLOGFILE", raising=False)

    def command(*arguments):
        code = run(["-r", *arguments, "--color", "never"])
        return code, *capfd.readouterr()

    return command


def theirs(tshark, *arguments):
    return oracle.run([tshark, "-n", *arguments], text=True, check=False).stdout


# -- the tree ---------------------------------------------------------------------------------------------------------


def test_fields_of_packets_stand_in_the_tree_as_tshark_has_them(call, tshark):
    names = ["ip.src", "ip.dst", "ip.id", "ip.ttl", "udp.srcport", "udp.dstport", "udp.stream", "frame.len"]
    asked = [word for name in names for word in ("-e", name)]
    rows = theirs(tshark, "-r", DNS, "-c", "12", "-T", "fields", *asked).splitlines()
    code, out, err = call(DNS, "-c", "12", "-V")
    assert (code, err) == (0, "")
    trees = re.split(r"(?m)^Frame ", out)[1:]
    assert len(trees) == len(rows) == 12
    for tree, row in zip(trees, rows, strict=True):
        shown = dict(re.findall(r"(?m)^ +([\w.]+): (\S+)", tree))
        assert [int(shown[name], 0) if shown[name].isdigit() else shown[name] for name in names] == [
            int(value, 0) if re.fullmatch(r"0x[0-9a-f]+|\d+", value) else value for value in row.split("\t")
        ]


def test_one_branch_for_each_certificate_extension_and_element(call):
    out = call(MUTUAL, "-V")[1]
    assert re.search(
        r"(?m)^    Extension: session_ticket  \[49-52\]\n        tls\.handshake\.extension\.type: 35 ", out
    )
    assert len(re.findall(r"(?m)^ +tls\.handshake\.certificate: ", out)) >= 2
    soap = call(WSMAN, "-V", "-O", "iamt.soap")[1]
    assert re.search(
        r"(?m)^    Envelope  \[38-713\]\n        Header  \[312-694\]\n            iamt\.wsman\.action: http", soap
    )
    assert "http.request.method" not in soap
    assert re.search(r"(?m)^http, HttpRequest, 782 bytes", soap)


def test_places_are_those_of_the_tree(call):
    observation = next(each for each in amtdecode.read(HELLO, pdus=True) if type(each.event).__name__ == "HelloMessage")
    out = call(HELLO, "-V", "-O", "iamt")[1]
    message = out[out.index("iamt.hello, HelloMessage") :]
    for node in (node for each in observation.tree() for node in each.walk() if node.name):
        last = node.start + node.length - 1
        place = f"[{node.start}]" if node.length == 1 else f"[{node.start}-{last}]"
        assert re.search(rf"(?m)^ +{re.escape(node.name)}: .*  {re.escape(place)}", message), node


def test_no_secret_stands_in_a_tree(call, tmp_path):
    capture = tmp_path / "secrets.pcap"
    capture.write_bytes(gzip.decompress(SECRETS.read_bytes()))
    masked = set(re.findall(r"Zq\d\d\dXy", call(capture, "-T", "json")[1]))
    code, out, _ = call(capture, "-V")
    assert code == 0
    assert "********" in out
    assert set(re.findall(r"Zq\d\d\dXy", out)) <= masked
    assert len(set(re.findall(r"Zq\d\d\dXy", call(capture, "-V", "--show-secrets")[1]))) > len(masked)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("-O", "hello"), "-O hello: is no protocol here; did you mean iamt.hello?"),
        (("-O", "quic"), "-O quic: is no protocol here; there are arp, capture, "),
        (("-O", "tls", "-T", "json"), "-O goes with -T text"),
        (("--field", "hello.uuid"), "hello.uuid is no field (did you mean iamt.hello.uuid?)"),
        (("--field", "dns.id", "-T", "ek"), "--field goes with -T text"),
        (("-t", "x"), "'x' is not one of 'a', 'ad'"),
        (("-t", "r", "-T", "json"), "-t goes with -T text"),
        (("-N", "q"), "-N q: takes letters of dmnNstv"),
    ],
)
def test_wrong_usage_is_one_line(call, arguments, said):
    code, out, err = call(DNS, *arguments)
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert said in err


def test_pdml_has_the_fields_of_tshark(call, tshark):
    ours = ET.fromstring(call(DNS, "-c", "12", "-T", "pdml")[1])
    other = ET.fromstring(theirs(tshark, "-r", DNS, "-c", "12", "-T", "pdml"))
    assert [each.tag for each in ours] == ["packet"] * 12
    for mine, packet in zip(ours, other, strict=True):
        known = {each.get("name"): each for each in packet.iter() if each.get("name")}
        for name in ("dns.id", "dns.flags", "dns.qry.name", "dns.qry.type", "dns.count.queries"):
            (found,) = [each for each in mine.iter("field") if each.get("name") == name]
            assert found.get("size") == known[name].get("size"), name
            assert int(found.get("pos")) == int(known[name].get("pos")) - int(known["dns"].get("pos")), name
        for name in ("ip", "udp"):
            (found,) = [each for each in mine.iter("proto") if each.get("name") == name]
            assert (found.get("pos"), found.get("size")) == (known[name].get("pos"), known[name].get("size"))
        assert not [each for each in mine.iter() if each.get("value")]


def test_pdml_masks_and_is_xml(call, tmp_path):
    capture = tmp_path / "secrets.pcap"
    capture.write_bytes(gzip.decompress(SECRETS.read_bytes()))
    marks = re.compile(r"Zq\d\d\dXy|5a71(?:3\d){3}5879")  # as text and as hex
    masked = set(marks.findall(call(capture, "-T", "json")[1]))
    out = call(capture, "-T", "pdml")[1]
    ET.fromstring(out)
    assert set(marks.findall(out)) <= masked


# -- bytes ------------------------------------------------------------------------------------------------------------


def test_bytes_are_those_tshark_dumps(call, tshark):
    row = re.compile(r"(?m)^([0-9a-f]{4}  [0-9a-f ]{47})  +(.*)$")
    ours = row.findall(call(DNS, "-c", "12", "-x")[1])
    assert ours == row.findall(theirs(tshark, "-r", DNS, "-c", "12", "-x"))
    assert len(ours) >= 12 * 5
    assert "packet 1 (dns in bytes 42 to 74):" in call(DNS, "-c", "1", "-x")[1]


def test_the_bytes_of_a_field(call):
    code, out, err = call(OFFICE, "-c", "14", "--field", "iamt.hello.uuid")
    assert (code, err) == (0, "amtdecode: note: --field prints bytes as captured; secrets in them are not masked\n")
    assert out.splitlines()[1:-1] == [
        "",
        "iamt.hello.uuid in bytes 8-23 of 32:",
        "0000  01 00 02 00 00 00 00 00[15 00 70 a3 e5 1d dc 11] ..........p.....",
        "0010 [80 00 5e 00 00 00 53 15]30 30 30 30 30 33 37 4d  ..^...S.0000037M",
    ]


def test_dumps_with_marks():
    data = bytes(range(0x41, 0x41 + 18))
    assert hex_dump(data, [(0, 1), (15, 17)]) == (
        "0000 [41]42 43 44 45 46 47 48 49 4a 4b 4c 4d 4e 4f[50] ABCDEFGHIJKLMNOP\n"
        "0010 [51]52                                            QR\n"
    )
    colored = hex_dump(data, [(1, 3)], color=True)
    assert re.sub(r"\x1b\[2?7m", "", colored) == hex_dump(data)
    assert "\x1b[7m42 43\x1b[27m" in colored
    assert hex_dump(data, [(40, 50), (5, 5)]) == hex_dump(data)


@pytest.mark.parametrize(
    ("payload", "message", "part"),
    [
        (b"abcdef", b"cd", (2, 4)), (b"abcdef", b"abcdef", (0, 6)), (b"cd", b"abcdef", (0, 2)),
        (b"xxabcdefghij", b"abcdefghijklm", (2, 12)), (b"klmxx", b"abcdefghijklm", (0, 3)), (b"xya", b"abc", (2, 3)),
        (b"xyz", b"abc", None), (b"", b"abc", None), (b"abc", b"", None),
    ],
)  # fmt: skip
def test_which_bytes_of_a_payload_are_a_message(payload, message, part):
    assert overlaps(payload, message) == part


# -- times and names --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("form", ["a", "ad", "adoy", "d", "dd", "e", "r", "u", "ud", "udoy"])
def test_times_are_tshark_s(call, tshark, form, monkeypatch):
    monkeypatch.setenv("TZ", "UTC")
    ours = re.findall(r"(?m)^ *\d+ +(.*?) {2,}127", call(DNS, "-c", "12", "-t", form)[1])
    asked = theirs(tshark, "-r", DNS, "-c", "12", "-t", form)
    assert ours == re.findall(r"(?m)^ *\d+ +(.*?) {2,}127", asked)
    assert len(ours) == 12


def test_a_form_of_time_is_for_csv_too(call):
    assert '\n"2","0.000321","127.0.0.1:53"' in call(DNS, "-c", "2", "-T", "csv", "-t", "r")[1]


def test_names_are_those_of_the_capture(call):
    plain, named = call(OFFICE, "-c", "14")[1], call(OFFICE, "-c", "14", "-N", "n")[1]
    assert "192.0.2.21:49153 → 192.0.2.10:9971 " in plain
    assert "192.0.2.21:49153 → provisionserver.example.com:9971 " in named
    assert "192.0.2.10" not in "".join(re.findall(r"Z  (.*?)  ", named.split("DNS response")[1]))
    assert call(OFFICE, "-c", "14", "-N", "t")[1] == plain
