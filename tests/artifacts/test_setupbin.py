"""setup.bin: known bytes, what is odd, what a release takes, and MeshCentral's own reader and writer."""

from __future__ import annotations

import hashlib
import json
import struct
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from amtdecode.artifacts.setupbin import (
    VARIABLES,
    is_setupbin,
    make,
    read_setting,
    read_setupbin,
    release_of,
    spec,
    variable_named,
)
from amtdecode.artifacts.setupbin.variables import Shape
from amtdecode.errors import ArtifactError, UsageError
from amtdecode.secrets.pairs import new_pairs
from amtdecode.secrets.setupbin import psk_pairs

PAIR = ("0000-037M", "NKLD-G5DC-RRNQ-E9YZ-ZIJL-7LFL-VJED-69XJ")
PASSWORD = "Aa1!aaaa"


def settings(**named):
    """Settings by name, an underscore for a dash; the factory's password among them."""
    texts = {"current_password": "admin", "new_password": PASSWORD, **named}
    found = []
    for name, text in texts.items():
        if text is None:
            continue
        variable = variable_named(name.replace("_", "-"))
        found.append((variable, read_setting(variable, text)))
    return found


def values(record):
    return {(entry.module, entry.number): entry.value for entry in record.entries}


def test_the_bytes_of_a_file_for_amt_2():
    made = make((2, 5), settings(), [PAIR])
    data = made.data
    assert len(data) == 1024
    assert data[:40].hex() == (
        "b516fb7187cbf94ab441ca7b383578f9"  # file type of version 1
        "0100"  # one chunk of header
        "2e00"  # 46 bytes of it
        "00000000"
        "01000000"  # version 1.0, records are consumed
        "01000000"  # one data record
        "00000000"  # none consumed
        "01000000"  # one chunk a record
    )
    assert data[40:46].hex() == "010002000000"  # modules 1 and 2
    assert data[512:536].hex() == "0100000001000000" + "00" * 8 + "0100180001000000"
    assert data[536:552].hex() == "0100010005000000" + b"admin".hex() + "000000"
    assert data[552:568].hex() == "0100020008000000" + PASSWORD.encode().hex()
    assert data[568:584].hex() == "0200010008000000" + b"0000037M".hex()
    assert data[584:624] == bytes.fromhex("0200020020000000") + PAIR[1].replace("-", "").encode()
    assert not any(data[624:])
    assert made.version == (1, 0)
    assert made.remarks == ()


def test_a_scrambled_record_has_17_added_to_each_byte():
    plain = make((6, 0), settings(), [PAIR]).data
    scrambled = make((6, 0), settings(), [PAIR], scramble=True).data
    assert scrambled[516] == 3
    assert scrambled[536:] == bytes((byte + 17) & 0xFF for byte in plain[536:])
    assert read_setupbin(scrambled).records[0].entries == read_setupbin(plain).records[0].entries
    assert psk_pairs(scrambled) == psk_pairs(plain) == [(b"0000037M", PAIR[1].replace("-", "").encode())]


# SHA-256 of what MeshCentral's writer (npm package 1.1.55) makes of the same settings
MESHCENTRAL = "9aa930bfc9650dc26289c57498bc88ab829ac75fe447d9193572e121dc10aecc"


def test_a_file_is_what_meshcentral_makes_to_the_byte():
    made = make((6, 0), settings(kvm="on", manageability="amt"), keep=True)
    assert hashlib.sha256(made.data).hexdigest() == MESHCENTRAL


@pytest.fixture
def setupbin_of_meshcentral(meshcentral):
    """MeshCentral's module, run with these words."""
    command = ["node", Path(__file__).with_name("meshcentral.js"), meshcentral / "amt" / "amt-setupbin.js"]
    return lambda *words: subprocess.run([*command, *words], check=True, capture_output=True, timeout=60).stdout


def test_meshcentral_reads_what_is_made(setupbin_of_meshcentral, tmp_path):
    file = tmp_path / "setup.bin"
    pairs = [*new_pairs(3)]
    file.write_bytes(make((2, 5), settings(), pairs, scramble=True).data)
    found = json.loads(setupbin_of_meshcentral("read", file))
    assert (found["fileType"], found["flags"], len(found["records"])) == (1, 0, 3)
    for record, (pid, pps) in zip(found["records"], pairs, strict=True):
        assert [(each["moduleid"], each["varid"], each["value"]) for each in record["variables"]] == [
            (1, 1, "admin"),
            (1, 2, PASSWORD),
            (2, 1, pid),
            (2, 2, pps),
        ]


def test_meshcentral_writes_what_is_read(setupbin_of_meshcentral, tmp_path):
    file = tmp_path / "setup.bin"
    setupbin_of_meshcentral("write", file)
    data = file.read_bytes()
    assert hashlib.sha256(data).hexdigest() == MESHCENTRAL
    found = read_setupbin(data)
    assert (found.version, found.keeps_records, found.remarks) == ("3.0", True, ())
    assert values(found.records[0]) == {
        (1, 1): b"admin",
        (1, 2): PASSWORD.encode(),
        (1, 3): b"\1",
        (2, 25): b"\1",
    }


def test_values_in_words():
    found = read_setupbin(
        make(
            (11, 8),
            settings(
                power_package="73227346-23dc-432f-a98a-13d37982d855",
                redirection="sol+ider+user",
                dhcp="on",
                server_address="10.1.2.3",
                server_port="9971",
                user_consent="all",
                add_user_hash=f"SHA-256:{'ab' * 32}:Site root",
                user_hashes="on",
                vlan="hex:0102",
            ),
        ).data
    )
    assert {entry.variable.name: entry.shown for entry in found.records[0].entries} == {
        "current-password": "admin",
        "new-password": PASSWORD,
        "power-package": "desktop: ME on in S0, wakes in S3, S4-5",
        "user-hashes": "1 (on)",
        "add-user-hash": f"sha256:{'ab' * 32} Site root",
        "redirection": "7 (sol+ider+user)",
        "dhcp": "2 (on)",
        "server-address": "10.1.2.3",
        "server-port": "9971",
        "vlan": "hex:0102",
        "user-consent": "255 (all)",
    }
    record = found.records[0]
    assert record.get(2, 17) == bytes((3, 2, 1, 10))
    assert record.get(2, 8) == b"\2" + b"\xab" * 32 + b"\x09Site root"
    assert [entry.place for entry in record.entries[:2]] == [536, 552]


@pytest.mark.parametrize(
    ("release", "version"),
    [
        ("2.0", (1, 0)),
        ("2.6", (1, 0)),
        ("3.0", (2, 0)),
        ("3.2.1", (2, 0)),
        ("4.0", (2, 1)),
        ("5.2", (2, 1)),
        ("6.0", (3, 0)),
        ("10.0.55", (3, 0)),
        ("11.8.50.3425", (4, 0)),
        ("16.1", (4, 0)),
    ],
)
def test_each_release_gets_the_newest_version_it_takes(release, version):
    made = make(release_of(release), settings())
    assert made.version == version
    found = read_setupbin(made.data)
    assert (found.major, found.minor, found.remarks) == (*version, ())


@pytest.mark.parametrize("text", ["", "x", "2.x", "-1", "1.0", "0", "2..5", "999", "2.5 ", "２.5"])
def test_what_is_no_release(text):
    with pytest.raises(UsageError, match=r"not an AMT version|reads no setup\.bin"):
        release_of(text)


@pytest.mark.parametrize(
    ("release", "named", "options", "reason"),
    [
        ("2.5", {"kvm": "on"}, {}, "AMT 2.5 does not take kvm: its setup.bin is version 1.0"),
        ("3.0", {"hostname": "a"}, {}, "does not take hostname"),
        ("5.0", {"ipv6": "hex:00"}, {}, "does not take ipv6"),
        ("2.5", {}, {"keep": True}, "consumes every record"),
        ("3.0", {"add_user_hash": f"sha256:{'00' * 32}"}, {}, "SHA-1 root hashes only"),
        ("16.0", {"add_user_hash": f"sha1:{'00' * 20}"}, {}, "no SHA-1"),
        ("12.0", {}, {"pairs": [PAIR]}, "no PSK provisioning"),
        ("12.0", {"pid": PAIR[0], "pps": PAIR[1]}, {}, "no PSK provisioning"),
        ("6.0", {"pid": PAIR[0]}, {}, "go together"),
        ("6.0", {"pid": PAIR[0], "pps": PAIR[1]}, {"pairs": [PAIR]}, "as settings and as pairs"),
        ("6.0", {}, {"pairs": [("0000-037N", PAIR[1])]}, "PID 0000037N: not a PID"),
        ("6.0", {}, {"pairs": [(PAIR[0], PAIR[1].replace("NKLD", "NKLE"))]}, "PPS of PID 0000037M: not a PPS"),
        ("6.0", {"new_password": None}, {}, "must be changed"),
        ("6.0", {"current_password": None}, {}, "current-password is wanted"),
        ("6.0", {"new_password": "Aa1!aaa"}, {}, "8 to 32 characters are wanted, this has 7"),
        ("6.0", {"new_password": "Aa1aaaaa"}, {}, "a special character is missing"),
        (
            "6.0",
            {"new_password": "aa_aaaaa"},
            {},
            "an upper-case letter and a digit and a special character are missing",
        ),
        ("6.0", {"pki_dns_suffix": "a" * 250, "server_fqdn": "b" * 250}, {}, "a record has 488"),
    ],
)
def test_what_a_release_does_not_take(release, named, options, reason):
    pairs = options.pop("pairs", ())
    with pytest.raises(UsageError) as caught:
        make(release_of(release), settings(**named), pairs, **options)
    assert reason in str(caught.value)
    assert PAIR[1] not in str(caught.value)


def test_four_root_hashes_are_one_too_many():
    root = (variable_named("add-user-hash"), read_setting(variable_named("add-user-hash"), f"sha1:{'00' * 20}"))
    assert len(read_setupbin(make((3, 0), [*settings(), root, root, root]).data).records[0].entries) == 5
    with pytest.raises(UsageError, match="at most 3"):
        make((3, 0), [*settings(), root, root, root, root])
    with pytest.raises(UsageError, match="dhcp is given twice"):
        make((6, 0), [*settings(dhcp="on"), *settings(dhcp="off")[2:]])


@pytest.mark.parametrize(
    ("name", "text", "reason"),
    [
        ("kvm", "2", "off, on are possible"),
        ("dhcp", "0", "off, on are possible"),
        ("server-port", "65536", "a number from 0 to 65535"),
        ("server-port", "-1", "a number from 0 to 65535"),
        ("server-address", "10.1.2", "not an IPv4 address"),
        ("power-package", "x", "not a UUID"),
        ("hostname", "a" * 64, "at most 63 bytes"),
        ("hostname", "", "a value is wanted"),
        ("hostname", "b\x1b", "printable ASCII"),
        ("pid", "0000-037", "exactly 8 bytes"),
        ("vlan", "5", "no public source tells how this is written"),
        ("vlan", "hex:5", "not an even number"),
        ("add-user-hash", "md5:00", "sha1:HEX[:NAME]"),
        ("add-user-hash", f"sha1:{'00' * 20}:{'n' * 33}", "a name 32 characters at most"),
    ],
)
def test_values_that_a_variable_cannot_hold(name, text, reason):
    with pytest.raises(UsageError) as caught:
        read_setting(variable_named(name), text)
    assert reason in str(caught.value)


def test_a_secret_is_in_no_error():
    for text in ("hunter2é", "s" * 33):
        with pytest.raises(UsageError) as caught:
            read_setting(variable_named("new-password"), text)
        assert text not in str(caught.value)


def test_remarks_of_what_is_made():
    assert make((6, 0), settings(), [PAIR, *new_pairs(1)], keep=True).remarks == (
        "records are not consumed: every machine takes the first one",
        "every machine gets the same PID and PPS",
    )
    assert make((6, 0), settings(shared_fqdn="shared")).remarks == ("shared-fqdn counts only together with hostname",)
    assert make((4, 0), settings()).remarks == (
        "that version 2.1 is written with the file type of version 2 is inferred",
    )


def changed(data, at, new):
    return data[:at] + new + data[at + len(new) :]


@pytest.mark.parametrize(
    ("at", "new", "remark"),
    [
        (28, b"\5\0\0\0", "the header says 5 records, the file has 2"),
        (32, b"\1\0\0\0", "the header says 1 consumed, 0 records in the file have no valid flag"),
        (516, b"\0\0\0\0", "the header says 0 consumed, 1 record in the file have no valid flag"),
        (40, b"\0\0", "the module list does not name modules 1, 2"),
        (42, b"\0\0", "the module list does not name module 2"),
        (24, b"\4\0", "the file type is that of version 3, the version says 4.0"),
        (25, b"\7", "version 3.7 is in no public document"),
        (512, b"\2", "record 1 is of type 2, which is in no public document"),
        (538, b"\x63\0", "record 1, variable 1/99 is in no public document"),
        (584 + 4, b"\xff\xff", "record 1, variable 2/2 goes past the end of the record: 432 of 65535 bytes"),
        (568 + 4, b"\7", "record 1, variable 2/1 (pid) has 7 bytes, not 8"),
    ],
)
def test_what_is_odd_is_said_and_the_rest_is_read(at, new, remark):
    data = make((6, 0), settings(), [PAIR, PAIR]).data
    found = read_setupbin(changed(data, at, new))
    assert remark in found.remarks
    assert len(found.records) == 2
    assert values(found.records[1])[2, 1] == b"0000037M"


def test_a_cut_file_keeps_what_is_there():
    data = make((6, 0), settings(), [PAIR, PAIR]).data
    found = read_setupbin(data[: 1024 + 52])
    assert found.remarks == (
        "record 2 is cut: it has 52 of 512 bytes",
        "record 2, variable 1/2 goes past the end of the record: 4 of 8 bytes",
    )
    assert [len(record.entries) for record in found.records] == [4, 2]
    assert read_setupbin(data[: 1024 + 10]).remarks == (
        "10 bytes at the end are no record",
        "the header says 2 records, the file has 1",
    )
    with pytest.raises(ArtifactError, match="ends inside its header, after 30 bytes"):
        read_setupbin(data[:30])
    with pytest.raises(ArtifactError, match=r"not a setup\.bin"):
        read_setupbin(b"MZ" + data)


def test_records_of_two_chunks():
    data = make((6, 0), settings(), [PAIR]).data
    wide = changed(data, 36, b"\2\0") + bytes(512)
    found = read_setupbin(wide)
    assert len(found.records) == 1
    assert found.remarks == ()


def test_records_begin_behind_a_header_of_any_size():
    data = make((3, 0), settings(), [PAIR]).data
    wide = data[:16] + b"\2\0" + data[18:512] + bytes(512) + data[512:]
    assert [record.place for record in read_setupbin(wide).records] == [1024]
    assert psk_pairs(wide) == psk_pairs(data)


@given(st.binary(max_size=1200), st.sampled_from(["2.5", "3.0", "4.0", "6.0", "11.0"]))
def test_no_bytes_make_the_reader_raise(noise, release):
    data = make(release_of(release), settings()).data
    for made in (data[:512] + noise, data[:16] + noise.ljust(496, b"\1"), data[:536] + noise):
        found = read_setupbin(made)
        for record in found.records:
            assert all(isinstance(entry.shown, str) for entry in record.entries)
        assert psk_pairs(made) == [
            (pid.rstrip(b"\0"), pps.rstrip(b"\0"))
            for record in found.records
            if record.kind == 1
            and (pid := record.get(2, 1))
            and (pps := record.get(2, 2))
            and pid.rstrip(b"\0")
            and pps.rstrip(b"\0")
        ]


def test_the_reader_reads_as_the_declaration_does():
    data = make((11, 0), settings(kvm="on", vlan="hex:010203"), scramble=True).data
    header = spec.RecordHeader.parse(data[512:])
    found = read_setupbin(data).records[0]
    assert (found.kind, found.flags, found.number) == (header.kind, header.flags, header.number)
    body, entries = bytes((byte - 17) & 0xFF for byte in data[536:1024]), []
    while body[:2] != b"\0\0":
        entry = spec.Entry.parse(body)
        entries.append((entry.head.module, entry.head.variable, entry.value))
        body = body[len(spec.Entry.build(entry)) :]
    assert entries == [(each.module, each.number, each.value) for each in found.entries]


def texts(variable):
    if variable.values:
        return st.sampled_from([*variable.values.values()])
    numbers = {Shape.BYTE: 255, Shape.SHORT: 65535, Shape.INT: 2**32 - 1}
    if variable.shape in numbers:
        return st.integers(0, numbers[variable.shape]).map(str)
    return {
        Shape.TEXT: st.text("abcXYZ.-19!", min_size=1, max_size=12),
        Shape.GUID: st.uuids().map(str),
        Shape.IPV4: st.ip_addresses(v=4).map(str),
        Shape.ROOT_HASH: st.just(f"sha256:{'12' * 32}:x"),
        Shape.BYTES: st.binary(min_size=1, max_size=9).map(lambda raw: f"hex:{raw.hex()}"),
    }[variable.shape]


OTHERS = [each for each in VARIABLES if each.module == 2 and each.number > 2]


@given(st.lists(st.sampled_from(OTHERS), unique_by=lambda each: each.key, max_size=8).flatmap(
    lambda chosen: st.tuples(st.just(chosen), st.tuples(*map(texts, chosen)))
), st.booleans())  # fmt: skip
def test_what_is_made_is_read_again(drawn, scramble):
    chosen, given_texts = drawn
    more = [(variable, read_setting(variable, text)) for variable, text in zip(chosen, given_texts, strict=True)]
    data = make((11, 0), [*settings(), *more], scramble=scramble).data
    assert is_setupbin(data)
    record = read_setupbin(data).records[0]
    assert values(record) == {variable.key: value for variable, value in [*settings(), *more]}
    assert [*values(record)] == sorted(values(record))


def test_the_reader_is_bounded():
    data = make((2, 5), settings(), new_pairs(2)).data
    many = data[:512] + data[512:1024] * 100_002
    found = read_setupbin(many)
    assert len(found.records) == 100_000
    assert "more than 100,000 records: the others are not read" in found.remarks
    strange = changed(data, 512, struct.pack("<I", 9))
    assert len(read_setupbin(strange[:512] + strange[512:1024] * 300).remarks) <= 100
