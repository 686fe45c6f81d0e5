"""Reading logs. Lines of MeshCentral, ConfigMgr, ACUConfig and rps are as published; those of Intel SCS are SYNTHETIC:
no public sample shows their layout, only the phrases are known."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma

import pytest
from hypothesis import given
from hypothesis import strategies as st

from amtdecode.artifacts.logs import explain, looks_like_a_log, read_log, table
from amtdecode.artifacts.logs.reader import MAX_TEXT
from amtdecode.artifacts.logs.source import BLOCK, MAX_ENDLESS, MAX_LINE
from amtdecode.errors import ArtifactError

UUID = "939b524b-13d4-1d18-e487-1c697a6b7a2b"
SCS_SYNTHETIC = (
    "07/14/2016 03:10:04 PM\tE\tError 102 - Intel AMT device is already provisioned\r\n"
    "07/14/2016 03:10:05 PM\tV\tpoller looks at the queue\r\n"
    f"07/14/2016 03:10:06 PM\tE\tError 913 - No rows found in get UuidMap {UUID.upper()}\r\n"
    "07/14/2016 03:10:07 PM\tE\tCannot contact back AMT with IP:192.0.2.99 Exception\r\n"
    "   at the place where it happened\r\n"
    "07/14/2016 03:10:08 PM\tV\tCommit Changes pc5.example.com\r\n"
)
CMTRACE = (
    "<![LOG[Error 0x80090308 returned by InitializeSecurityContext during follow up TLS handshaking with server.]LOG]!>"
    '<time="15:10:04.029-480" date="07-14-2016" component="SMS_AMT_OPERATION_MANAGER" context="" type="3" '
    'thread="2724" '
    'file="tlsutil.cpp:895">\r\n'
)
ACU = (
    "Details: Failed to complete remote configuration of this Intel(R) AMT device. Failed to get the "
    "certificate from the CA. "
    "(Certificate ID: 3310051103).  (0xc0002825). The certificate chain could not be built. Please make sure "
    "that the root "
    "certificate is installed properly. (0xc0003e93). Intel(R) AMT Operation failed. (Request Certificate). "
    "(0xc00007d5). "
    "The RCS failed to process the request.\r\n"
)


def rows(text: str | bytes, **options):
    reader = read_log(io.BytesIO(text.encode() if isinstance(text, str) else text), "x.log", **options)
    return list(reader), reader


def one(text: str | bytes):
    (row,), _ = rows(text)
    return row


def test_the_rows_of_a_log_and_what_was_counted():
    found, reader = rows(SCS_SYNTHETIC)
    assert [(row.line, row.anchor, row.code, row.rule) for row in found] == [
        (1, "scs-102", "102", "AMT-LOG-102"),
        (3, "scs-913", "913", "AMT-LOG-913"),
        (4, "scs-contact-back", "", "AMT-LOG-CCB"),
        (6, "scs-commit", "", ""),
    ]
    assert [row.time for row in found] == [f"2016-07-14T15:10:0{second}" for second in (4, 6, 7, 8)]
    assert [row.level for row in found] == ["error", "error", "error", "debug"]
    assert (found[1].uuid, found[2].ip, found[3].fqdn) == (UUID, "192.0.2.99", "pc5.example.com")
    assert found[3].kind == "success"
    assert found[0].text == "Error 102 - Intel AMT device is already provisioned"
    assert (reader.lines, reader.anchored, reader.unknown, reader.cut_lines, reader.fault) == (6, 4, 2, 0, "")
    assert reader.levels == {"error", "debug"}
    assert not reader.dates_are_ambiguous  # the 14th is no month
    assert reader.first_time.ns == found[0].time_ns
    assert reader.last_time.ns == found[-1].time_ns


@pytest.mark.parametrize(
    ("line", "anchor", "code"),
    [
        ("Error 102 - Intel AMT device is already provisioned", "scs-102", "102"),
        ("Error 103 - Request is already in the queue", "scs-103", "103"),
        ("Error 137 - Another process currently working on AMT", "scs-137", "137"),
        (
            "Error 139 - Failed to update Kerberos Password with Kerberos Integration is disabled on server",
            "scs-139",
            "139",
        ),
        ("Error 407 - Batch exit code 0xfffff", "scs-407", "407"),
        ("Error 602 - Exception in clock sync worker", "scs-602", "602"),
        ("Error 913 - No rows found in get UuidMap", "scs-913", "913"),
        ("error code: 137", "scs-137", "137"),
        ("ERROR: 407", "scs-407", "407"),
        ("Batch exit code 0xffffffff", "scs-407", "407"),
        ("ANOTHER PROCESS CURRENTLY WORKING ON AMT!", "scs-137", "137"),
        ("error code 555 (was error 102)", "scs-102", "102"),
        ("Error 555 - something nobody wrote down", "unknown-error", "555"),
        ("Cannot contact back AMT with IP:192.0.2.99 Exception", "scs-contact-back", ""),
        ("getFullCoreVersion failed", "scs-tcp", ""),
        ("tcp_connect() timed out", "scs-tcp", ""),
        (CMTRACE.strip(), "schannel", "0x80090308"),
        ("Error 0x6fcb970 returned by ApplyControlToken", "cm-apply-control-token", ""),
        (
            "Failed to create SSPI credential with error=0x8009030E by AcquireCredentialsHandle",
            "schannel",
            "0x8009030e",
        ),
        (
            "Error: Device internal error. This may be caused by: 1. SChannel hotfix applied",
            "cm-device-internal-error",
            "",
        ),
        ("Failed to call CheckCertificate provider method, 80041001", "cm-check-certificate", ""),
        ("GetAMTPowerState fail with result:0x80072EE9", "schannel", "0x80072ee9"),
        (ACU.strip(), "acu-chain", "0xc0002825"),
        ("Exit with code 75.", "acu-exit", "75"),
        ("Got invalid hello from: 192.0.2.99", "mc-bad-hello", ""),
        ("Got hello from 192.0.2.99", "mc-hello", ""),
        ("Unable to find a matching ACM activation certificate.", "mc-no-certificate", ""),
        (
            'No opportunity for ACM activation: No matching ACM activation certificate for "(x)"',
            "mc-no-certificate",
            "",
        ),
        ("Unable to create TLS certificate chain.", "mc-chain", ""),
        ("Launching TLS connection...", "mc-tls-start", ""),
        ("Failed TLS connection, status=408.", "mc-tls-failed", "408"),
        ("Succesful TLS connection, Intel AMT v11.8.70.3626", "mc-tls-ok", ""),
        ("Failed to set MEBx password, status=401.", "mc-mebx-password", "401"),
        ("Could not get Intel AMT digest realm.", "mc-realm", ""),
        ("Calling Commit...", "mc-commit", ""),
        ("Performing commit...", "mc-commit", ""),
        ("Failed perform commit (400).", "mc-commit-failed", "400"),
        ("Commited, holding 5 seconds...", "mc-committed", ""),
        ("Intel AMT ACM activation completed.", "mc-committed", ""),
        ("AddNextCertInChain error, status=400", "mc-next-certificate", "400"),
        (
            "Specified AMT domain suffix: dontmatch.com does not match list of available AMT domain suffixes.",
            "rps-suffix",
            "",
        ),
        ("Failed to extract domain certificate. ACM activation failed", "rps-domain-certificate", ""),
        ("Device x activation failed. Error while adding the certificates to AMT.", "rps-add-certificates", ""),
        ("Device x activation failed.", "rps-activation-failed", ""),
        ("Error 102: ActivationFailed", "rpc-error", "102"),
        ("ActivationFailed: root certificate not found in the pfx", "rpc-pfx", ""),
        ("provisioning cert password incorrect", "rpc-pfx", ""),
        ("the root of the provisioning certificate does not match any of the trusted roots in AMT", "rpc-root", ""),
        ("Failed to connect to LMS.  We're probably going to fail now.   Sorry!", "rpc-lms", ""),
        ("link status is down, unable to activate AMT in Admin Control Mode (ACM)", "rpc-link", ""),
        ("activation failed. Missing DNS Suffix", "rps-no-suffix", ""),
        ("FQDN not associated with provisioning certificate", "rps-fqdn", ""),
        ("Please check with your OEM for a firmware update.", "rps-oem-update", ""),
        ("Failed to disable TLS Setting Data", "rps-tls-off", ""),
        ("No match, activating in CCM instead...", "mc-ccm", ""),
        ("No trusted DNS suffix reported", "mc-no-suffix", ""),
        ("Trusted DNS suffix not set", "mc-no-suffix", ""),
        ("Log on failed. Incorrect user name or password, or user account temporarily locked.", "amt-log-on", ""),
        ("error:1425F102:SSL routines:ssl_choose_client_version:unsupported protocol", "openssl-protocol", ""),
        (r"{\"Status\":\"undefined.ACM activation failed.\"}", "rps-activation-failed", ""),
        ("2209 - USB Provisioning Error", "usb-provisioning", "2209"),
        ("ISVS_RegisterApplication returns 4103 (0x1007)PTSDK_STATUS_NETWORK_ERROR", "ptsdk-network", "4103"),
        ("certificate thumbprint mismatch", "rcfg-thumbprint", ""),
        ("Partial unprovision requested", "unprovision", ""),
    ],
)
def test_phrases_find_their_anchor(line, anchor, code):
    row = one(line + "\n")
    assert (row.anchor, row.code) == (anchor, code)
    explanation = explain(row)
    assert explanation.meaning
    assert explanation.certainty in ("doc", "code", "page", "recall")


@pytest.mark.parametrize(
    "line",
    [
        "The profile is committed to memory by nobody",
        "already done",
        "Exit with code 0",
        "ERROR 2016-07-14 10:00:00 database slow",
        "error 10:22:01 database slow",
        "hello world",
        "No errors 12",
        "Error in row",
        "AMT Connection established",
        "another process ended",
        "Kerberos ticket renewed",
        "value 0x8000",
        "thumbprint ad7e1c28 matches",
        "trusted DNS suffix: example.com",
    ],
)
def test_near_misses_are_no_rows(line):
    assert rows(line + "\n")[0] == []


def test_codes_of_a_chained_message_are_explained_in_their_order():
    row = one(ACU)
    assert row.codes == ("0xc0002825", "0xc0003e93", "0xc00007d5")
    assert [code.name for code in explain(row).codes] == [
        "certificate not got from the CA",
        "certificate chain not built",
        "AMT operation failed",
    ]
    assert explain(one(CMTRACE)).codes[0].name == "SEC_E_INVALID_TOKEN"


def test_a_cmtrace_row_and_its_bias():
    row = one(CMTRACE)
    assert row.time == "2016-07-14T15:10:04.029000+08:00"
    assert row.utc_offset == 480
    assert (row.level, row.component) == ("error", "SMS_AMT_OPERATION_MANAGER")
    assert (
        row.text
        == "Error 0x80090308 returned by InitializeSecurityContext during follow up TLS handshaking with server."
    )


def test_a_cmtrace_record_of_several_lines_is_one_row():
    text = CMTRACE + (
        "<![LOG[Error: Device internal error. This may be caused by:\r\n1. SChannel hotfix applied\r\n4. AMT "
        "firmware is not ready; "
        'error 0x80090304 returned by InitializeSecurityContext]LOG]!><time="15:10:05.000+060" '
        'date="07-14-2016" component="B" '
        'context="" type="2" thread="1" file="x">\r\nGot hello from 192.0.2.1\r\n'
    )
    found, reader = rows(text)
    assert [(row.line, row.anchor, row.component) for row in found] == [
        (1, "schannel", "SMS_AMT_OPERATION_MANAGER"),
        (2, "cm-device-internal-error", "B"),
        (5, "mc-hello", ""),
    ]
    assert found[1].time == "2016-07-14T15:10:05-01:00"
    assert found[1].codes == ("0x80090304",)
    assert found[1].text.count("\n") == 2
    assert reader.lines == 5


def test_an_older_configmgr_line():
    row = one(
        "Error 0x80090308 returned by InitializeSecurityContext~  $$<SMS_AMT><Thu Jul 14 15:10:04.029 2008 W. "
        "Europe><thread=1 (0x1)>\n"
    )
    assert (row.component, row.time) == ("SMS_AMT", "2008-07-14T15:10:04.029000")
    assert row.text == "Error 0x80090308 returned by InitializeSecurityContext~"


def test_logrus_and_json():
    logrus = (
        'rps-1  | time="2022-08-16T09:06:38+02:00" level=error msg="{\\"Status\\":\\"Device '
        "1cf33dee-0000-1111-2222-333344445555 "
        'activation failed. Error while adding the certificates to AMT.\\"}"\n'
    )
    row = one(logrus)
    assert row.text.startswith("Status: Device 1cf33dee")
    assert (row.level, row.time, row.uuid) == (
        "error",
        "2022-08-16T09:06:38+02:00",
        "1cf33dee-0000-1111-2222-333344445555",
    )
    row = one('{"level":"warn","time":"2024-01-02T03:04:05Z","message":"Got hello from 192.0.2.9"}\n')
    assert (row.level, row.time, row.text, row.ip) == (
        "warning",
        "2024-01-02T03:04:05+00:00",
        "Got hello from 192.0.2.9",
        "192.0.2.9",
    )
    assert one('{"ts":1700000000.5,"msg":"Got hello from 192.0.2.9"}\n').time == "2023-11-14T22:13:20.500000+00:00"
    assert one('{"ts":1700000000500,"msg":"Got hello from 192.0.2.9"}\n').time == "2023-11-14T22:13:20.500000+00:00"
    assert one('{"ts":"x","msg":"Got hello from 192.0.2.9"\n').ip == "192.0.2.9"


@pytest.mark.parametrize(
    ("stamp", "time"),
    [
        ("2016-07-14 15:10:04", "2016-07-14T15:10:04"),
        ("2016-07-14T15:10:04.25Z", "2016-07-14T15:10:04.250000+00:00"),
        ("2016-07-14 15:10:04,123", "2016-07-14T15:10:04.123000"),
        ("2016/07/14 15:10:04", "2016-07-14T15:10:04"),
        ("2016-07-14T15:10:04-0730", "2016-07-14T15:10:04-07:30"),
        ("7/14/2016 3:10:04 PM", "2016-07-14T15:10:04"),
        ("7/14/2016 12:10:04 AM", "2016-07-14T00:10:04"),
        ("7/14/2016 12:10:04 pm", "2016-07-14T12:10:04"),
        ("07/14/2016 15:10:04", "2016-07-14T15:10:04"),
        ("07-14-2016 15:10:04", "2016-07-14T15:10:04"),
        ("14/07/2016 15:10:04", "2016-07-14T15:10:04"),
        ("14.07.2016 15:10:04", "2016-07-14T15:10:04"),
        ("05.07.2016 15:10:04", "2016-07-05T15:10:04"),
        ("05/07/2016 15:10:04", "2016-05-07T15:10:04"),  # nothing tells: month first
        ("14.07.16 15:10", "2016-07-14T15:10:00"),
        ("[2016-07-14 15:10:04]", "2016-07-14T15:10:04"),
        ("INFO 2016-07-14 15:10:04 -", "2016-07-14T15:10:04"),
        ("07/14/2016 15:10:04-0700", "2016-07-14T15:10:04-07:00"),
        ("07/14/2016 15:10:04-10", "2016-07-14T15:10:04"),  # a bias is only ConfigMgr's
        ("2016-07-14T15:10:04+99:99", "2016-07-14T15:10:04"),
        ("0001-01-01 00:00:00", None),
        ("9999-12-31 23:59:59", None),
        ("2016-13-14 15:10:04", None),
        ("2016-07-14 25:10:04", None),
        ("Jul 14 15:10:04 host", None),  # no year
        ("no time at all", None),
    ],
)
def test_times_of_many_layouts(stamp, time):
    assert one(f"{stamp} Got hello from 192.0.2.9\n").time == time


def test_one_date_past_the_twelfth_tells_the_order_of_all():
    text = (
        "05/07/2016 10:00:00 Got hello from 192.0.2.1\n"
        "15/07/2016 10:00:00 quiet\n06/07/2016 10:00:00 Got hello from 192.0.2.1\n"
    )
    found, reader = rows(text)
    assert [row.time for row in found] == ["2016-07-05T10:00:00", "2016-07-06T10:00:00"]
    assert not reader.dates_are_ambiguous
    assert rows("05/07/2016 10:00:00 Got hello from 192.0.2.1\n")[1].dates_are_ambiguous


def test_a_time_inside_a_sentence_is_not_the_lines():
    row = one("Failed TLS connection, status=1. The certificate of the server ends 2036-07-17 23:59:59 and is fine\n")
    assert row.time is None
    assert row.text.endswith("is fine")


@pytest.mark.parametrize(
    "line",
    [
        '"Error","SCS","102","Intel AMT device is already provisioned","7/14/2016 3:10:04 PM","admin"',
        "SCS on the server of the main office;Intel AMT device is already provisioned;14.07.2016 15:10:04",
        "Error,7/14/2016 3:10:04 PM,SCS,102,None,Intel AMT device is already provisioned",
    ],
)
def test_a_time_in_a_later_column_is_the_lines(line):
    """Exports of event logs: synthetic, since no public sample exists."""
    row = one(line + "\n")
    assert (row.code, row.time) == ("102", "2016-07-14T15:10:04")
    assert "already provisioned" in row.text


def test_a_line_without_time_takes_that_of_a_line_before():
    found, _ = rows("2016-07-14 15:10:04 starting\nExit with code 75.\n" + "x\n" * 30 + "Exit with code 76.\n")
    assert [(row.time, row.time_inherited) for row in found] == [("2016-07-14T15:10:04", True), (None, False)]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "cp1252"])
def test_encodings_give_the_same_rows(encoding):
    text = SCS_SYNTHETIC.replace("Intel AMT", "Intel® AMT")
    found, reader = rows(text.encode(encoding))
    assert [row.line for row in found] == [1, 3, 4, 6]
    assert found[0].text == "Error 102 - Intel® AMT device is already provisioned"
    assert reader.encoding == {"utf-8": "bytes", "cp1252": "bytes", "utf-16": "utf-16-le"}.get(encoding, encoding)


@pytest.mark.parametrize(("pack", "name"), [(gzip.compress, "gzip"), (bz2.compress, "bzip2"), (lzma.compress, "xz")])
def test_compressed_logs(pack, name):
    found, reader = rows(pack(SCS_SYNTHETIC.encode("utf-16")))
    assert len(found) == 4
    assert reader.compression == name


def test_a_cut_archive_gives_what_it_holds():
    text = "".join(f"2016-07-14 15:10:04 line {n * 7919} Got hello from 192.0.2.9\n" for n in range(50_000))
    packed = gzip.compress(text.encode())
    found, reader = rows(packed[: len(packed) // 2])
    assert 1000 < len(found) < 50_000
    assert reader.fault.startswith("cannot be read further")


@pytest.mark.parametrize("pack", [gzip.compress, bz2.compress, lzma.compress])
def test_a_short_archive_without_its_end_gives_what_it_holds(pack):
    text = "".join(f"2016-07-14 15:10:04 line {n * 7919} Got hello from 192.0.2.9\n" for n in range(5000))
    found, reader = rows(pack(text.encode())[:-8])
    assert len(found) > 4000
    assert reader.fault.endswith("data ends before its end mark")


def test_lf_crlf_no_last_newline_and_nul_bytes():
    assert one("Got hello from 192.0.2.9").line == 1
    assert one("a\r\n\r\nGot hello from 192.0.2.9\r\n").line == 3
    assert one(b"Got hel" + b"lo from 192.0.2.9\0\0\0\0\n").text == "Got hello from 192.0.2.9"
    assert rows("")[1].lines == 0


def test_line_numbers_go_on_over_blocks():
    line = b"2016-07-14 15:10:04 nothing to see on this line, it only fills the block\n"
    many = BLOCK // len(line) + 100
    data = line * many + b"Got hello from 192.0.2.1\n" + line * many + b"Got hello from 192.0.2.2\n"
    found, reader = rows(data)
    assert [(row.line, row.ip) for row in found] == [(many + 1, "192.0.2.1"), (2 * many + 2, "192.0.2.2")]
    assert all(row.time == "2016-07-14T15:10:04" for row in found)
    assert reader.lines == 2 * many + 2


def test_a_line_without_end_is_cut_and_counted():
    data = b"Got hello from 192.0.2.1 " + b"x" * (3 * BLOCK) + b"\nGot hello from 192.0.2.2\n"
    found, reader = rows(data)
    assert [(row.line, row.ip) for row in found] == [(1, "192.0.2.1"), (2, "192.0.2.2")]
    assert len(found[0].text) == MAX_TEXT
    assert reader.cut_lines == 1
    assert len(found[0].text) < MAX_LINE


class Endless(io.RawIOBase):
    """A device that never ends, after a beginning; counts how often it is asked. An end comes far behind the cap."""

    def __init__(self, head: bytes, byte: bytes = b"\0", most: int = 2 * MAX_ENDLESS) -> None:
        self.head, self.byte, self.left, self.reads = head, byte, most, 0

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        self.reads += 1
        data = (self.head + self.byte * (size - len(self.head)))[: min(size, self.left)]
        self.head = b""
        self.left -= len(data)
        return data


@pytest.mark.parametrize("byte", [b"\0", b"x"])
def test_a_line_that_never_ends_ends_the_reading(byte):
    device = Endless(b"Got hello from 192.0.2.1\nGot hello from 192.0.2.2", byte)
    reader = read_log(device, "/dev/zero")
    assert [(row.line, row.ip) for row in reader] == [(1, "192.0.2.1"), (2, "192.0.2.2")]
    assert reader.fault == "cannot be read further: no end of a line in 64 MiB"
    assert (reader.lines, reader.cut_lines) == (2, 1)
    assert MAX_ENDLESS // BLOCK <= device.reads <= MAX_ENDLESS // BLOCK + 2


def test_a_long_line_that_ends_in_time_ends_nothing():
    head = b"Got hello from 192.0.2.1\n"
    device = Endless(head, b"x", MAX_ENDLESS + len(head))
    reader = read_log(device, "long.log")
    assert [row.line for row in reader] == [1]
    assert (reader.fault, reader.lines, reader.cut_lines) == ("", 2, 1)
    assert device.left == 0


def test_everything_keeps_unknown_lines():
    found, reader = rows(SCS_SYNTHETIC, everything=True)
    assert [row.line for row in found] == [1, 2, 3, 4, 5, 6]
    assert (found[1].anchor, found[1].text, found[1].time) == ("", "poller looks at the queue", "2016-07-14T15:10:05")
    assert explain(found[1]) is None
    assert reader.unknown == 2


@given(
    st.lists(
        st.sampled_from(
            [*SCS_SYNTHETIC.splitlines(True), CMTRACE, ACU, "x\n", "<![LOG[ open\n", "]LOG]!>\n", "Error 102\n"]
        )
    )
)
def test_everything_and_the_anchored_rows_agree(lines):
    """Line numbers of the fast search are those of a plain count."""
    text = "".join(lines)
    plain, fast = rows(text, everything=True)[0], rows(text)[0]
    assert [row for row in plain if row.anchor] == fast
    for row in fast:
        assert 1 <= row.line <= text.count("\n")
    assert [row.line for row in plain] == sorted({row.line for row in plain})


@given(st.binary(max_size=400), st.integers(0, 6))
def test_any_bytes_are_read_without_complaint(data, repeat):
    mixed = data * repeat + b"Error 102 <![LOG[ time= level=error {" + data + b'\n{"ts": 1e400, "msg": 1}\n' + data
    for everything in (False, True):
        for row in read_log(io.BytesIO(mixed), "x", everything=everything):
            assert row.time is None or row.time
    looks_like_a_log(mixed)


def test_a_file_a_stream_and_what_cannot_be_opened(tmp_path):
    path = tmp_path / "scs_server.log"
    path.write_text(SCS_SYNTHETIC)
    assert {row.input for row in read_log(path)} == {str(path)}
    assert {row.input for row in read_log(path, "short")} == {"short"}
    for missing in (tmp_path / "none.log", tmp_path):
        with pytest.raises(ArtifactError, match=str(missing)):
            read_log(missing)


def test_text_is_told_from_anything_binary():
    assert looks_like_a_log(SCS_SYNTHETIC.encode())
    assert looks_like_a_log(SCS_SYNTHETIC.encode("utf-16"))
    assert looks_like_a_log("Größe\n".encode("cp1252"))
    assert not looks_like_a_log(bytes.fromhex("d4c3b2a1020004000000000000000000ffff000001000000"))
    assert not looks_like_a_log(b"")
    assert not looks_like_a_log(bytes(range(256)) * 4)


def test_the_table_is_whole():
    """Each row of the table names its source and its certainty, and can be reached."""
    known = table()
    assert len(known.by_id) == len(known.anchors)
    for anchor in known.anchors:
        assert anchor.meaning, anchor.id
        assert anchor.fix
        assert anchor.source
        assert anchor.kind in ("failure", "success", "state", "hello")
        assert anchor.certainty in ("doc", "code", "page", "recall")
        assert anchor.step or anchor.id == "unknown-error", anchor.id
        assert anchor.severity in ("", "high", "medium", "low"), anchor.id
        assert anchor.sets in ("", "commit", "unprovision"), anchor.id
        assert anchor.needles or anchor.id == "unknown-error"
        assert all(needle == needle.lower() for needle in anchor.needles)
        for pattern in (anchor.pattern, anchor.unless):
            assert pattern is None or not pattern.search(""), anchor.id  # compiled at the first search
    for code in known.codes.values():
        assert code.code == code.code.lower()
        assert code.source
        assert code.certainty in ("doc", "code", "page", "recall")
    assert set(known.numbered) == {b"102", b"103", b"137", b"139", b"407", b"602", b"913"}


def test_the_numbers_are_those_the_rules_know():
    """The rules keep a table of the same numbers: neither may know one that the other does not."""
    from amtdecode.diagnosis import knowledge

    known = table()
    assert all(row.rank == known.by_id[row.id].rank for row in known.numbered.values())
    assert {int(number) for number in known.numbered} == set(knowledge.scs_errors())


def test_codes_of_windows_and_rcs_have_one_table():
    codes = table().codes
    assert codes["0x80090308"].name == "SEC_E_INVALID_TOKEN"
    assert codes["0x80072ee9"].name == "ERROR_INTERNET_INVALID_OPTION"
    assert 0x80072EE9 & 0xFFFF == 12009  # its number in wininet.h
    assert "without its root" in codes["0x80090304"].meaning
    by_text = table().by_id["cm-device-internal-error"]  # the same five causes, from the line that lists them
    assert by_text.meaning.partition("ConfigMgr")[2] == codes["0x80090304"].meaning.partition("ConfigMgr")[2]
    assert [code for code, row in codes.items() if row.outcome] == ["0xc00007d5"]


HOSTILE = [
    "hello ",
    "error 12 ",
    "AMT connection ",
    "<![LOG[",
    'time="" level=a ',
    "already ",
    "commit ",
    "got a b ",
    "(0xc000",
    "$$<",
    "   ",
]


@given(st.lists(st.sampled_from(HOSTILE), min_size=1, max_size=4), st.integers(1, 4000))
def test_repeated_anchors_and_marks_end(pieces, times):
    """Nothing in a line is repeated without bound by a pattern: these end at once, or the test run does not."""
    found, reader = rows("".join(pieces) * times + "\nGot hello from 192.0.2.9\n")
    assert found[-1].ip == "192.0.2.9"
    assert reader.lines == 2
