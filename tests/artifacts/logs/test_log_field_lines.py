"""Lines people published in issues and forums, each with its source: facts only, personal details replaced.

Each is read as it stands there: the anchor it is taken for, the step that it names, and what it sets.
"""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest

from amtdecode.artifacts.logs import explain, read_log, table
from amtdecode.masking import masked

DEVICE = "5b000000-1e9b-11b2-a85c-000000000004"
SOCKET = "9d0ce601-cebf-4ac9-a13f-7fa6e107b402"
RPC = 'time="2026-05-08T11:26:30+05:30" level='

LINES = [
    tuple(json.loads(row)[key] for key in ("source", "line", "anchor", "step"))
    for row in (Path(__file__).parents[2] / "data" / "log_lines.jsonl").read_text(encoding="utf-8").splitlines()
]


def read(text: str):
    reader = read_log(io.BytesIO(text.encode()), "x.log")
    return list(reader), reader


def one(line: str):
    (row,), _ = read(line + "\n")
    return row


@pytest.mark.parametrize(
    ("line", "anchor"),
    [
        (f"D mpscmd --> PROTOCOLVERSION 1 0 {DEVICE}", "mc-cira-greeting"),
        (f"10:13:20 AM | mpscmd | --> PROTOCOLVERSION, 1, 0, {DEVICE}", "mc-cira-greeting"),
        (f"APF: Send protocol version 1 0 {DEVICE}", ""),
        (f"<-- PROTOCOLVERSION 1 0 {DEVICE}", ""),
        ("--> PROTOCOLVERSION 1 0", ""),
    ],
)
def test_the_greeting_of_a_call_home(line, anchor):
    rows, _ = read(line + "\n")
    assert [(row.anchor, row.uuid) for row in rows] == ([(anchor, DEVICE)] if anchor else [])


@pytest.mark.parametrize(("source", "line", "anchor", "step"), LINES)
def test_lines_of_the_field(source, line, anchor, step):
    row = one(line)
    assert (row.anchor, row.step) == (anchor, step), source
    said = explain(row)
    assert said.meaning
    assert said.step == step
    assert row.product in ("", *table().products)


def test_there_are_at_least_sixty_with_their_source():
    assert len({line for _, line, _, _ in LINES}) >= 60


@pytest.mark.parametrize(
    "line",
    [
        f'{{"level": "error", "message": "{DEVICE} : Failed to commit changes", "timestamp": "2026-01-01T00:00:00Z"}}',
        RPC + 'error msg="Failed to commit changes"',
        "Null object in commitSetupAndConfigurationService()",
        "CommitChanges failed: error code 2057",
    ],
)
def test_a_commit_that_failed_is_no_success(line):
    row = one(line)
    assert (row.kind, row.step) == ("failure", "commit")
    assert not table().by_id[row.anchor].sets


@pytest.mark.parametrize(
    ("line", "anchor"),
    [
        (
            RPC + 'error msg="Device belongs to another tenant. Please unprovision and re-activate device."',
            "rps-tenant",
        ),
        ("Please unprovision the machine by hand", ""),
        ("Failed to unprovision the machine", ""),
        (RPC + 'error msg="Commit Changes 192.0.2.4"', ""),  # level error is no success, whatever the words
        (RPC + 'error msg="Status: Device deactivated"', ""),
        (RPC + 'info msg="Status: Device deactivated"', "rpc-deactivated"),
        ("Calling CommitChanges on 192.0.2.4", "mc-commit"),
    ],
)
def test_what_is_asked_or_denied_did_not_happen(line, anchor):
    found, _ = read(line + "\n")
    assert [row.anchor for row in found] == ([anchor] if anchor else [])


LAYOUTS = {
    "logfmt": 'time="2026-03-10T10:11:01Z" level=error msg="Error 137: WiredConfigurationFailed"',
    "level first": 'level=error ts=2026-03-10T10:11:01Z msg="Error 137: WiredConfigurationFailed"',
    "json": '{"level":"error","msg":"Error 137: WiredConfigurationFailed","time":"2026-03-10T10:11:01Z"}',
    "container": (
        '{"log":"time=\\"2026-03-10T10:11:01Z\\" level=error msg=\\"Error 137: WiredConfigurationFailed\\"\\n",'
        '"stream":"stderr"}'
    ),
    "compose": 'rpc-1  | {"level":"error","msg":"Error 137: WiredConfigurationFailed","time":"2026-03-10T10:11:01Z"}',
    "pino": '{"level":50,"time":1773137461000,"msg":"Error 137: WiredConfigurationFailed"}',
    "coloured": '\x1b[31mtime\x1b[0m="2026-03-10T10:11:01Z" level=error msg="Error 137: WiredConfigurationFailed"',
}  # fmt: skip


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_layouts_of_today(layout, end, encoding):
    found = list(read_log(io.BytesIO((LAYOUTS[layout] + end).encode(encoding)), "x.log"))
    (row,) = found
    assert (row.anchor, row.code, row.text) == ("rpc-error", "137", "Error 137: WiredConfigurationFailed")
    assert row.level == "error"
    assert row.time is None or row.time.startswith("2026-03-10T10:11:01")


def test_the_terminal_form_with_colours():
    row = one("\x1b[31mERRO\x1b[0m[0011] Error 137: WiredConfigurationFailed             ")
    assert (row.anchor, row.level, row.text) == ("rpc-error", "error", "Error 137: WiredConfigurationFailed")


def test_a_row_of_meshcentrals_trace():
    row = one('10:13:31 AM | mps | CIRA connection error, {"errno":"ECONNRESET"}')
    assert (row.component, row.text) == ("mps", 'CIRA connection error, {"errno":"ECONNRESET"}')
    assert row.product == "MeshCentral"


def test_a_row_copied_out_of_configmgrs_viewer():
    said = "Error: The provisioning certificate will expire in 4 day(s)"
    row = one(f"{said}\tSMS_AMT\t11/19/2009 11:35:01 AM\t2880 (0x0B40)")
    assert (row.component, row.time, row.level, row.code) == ("SMS_AMT", "2009-11-19T11:35:01", "error", "4")


def test_numbers_are_read_by_whose_they_are():
    assert one("Error 137 - Another process currently working on AMT").anchor == "scs-137"
    found, reader = read(
        'time="2026-03-10T10:11:01Z" level=info msg="connecting to lms"\n'
        'time="2026-03-10T10:11:02Z" level=error msg="Error 137"\n'
    )
    assert [(row.anchor, row.rule, row.code) for row in found] == [("rpc-error", "AMT-LOG-RPC", "137")]
    assert reader.product == "rpc"
    found, reader = read("12:02:07 PM - MPS: New CIRA connection\nmeshcentral: Error 137\n")
    assert [row.anchor for row in found] == ["mc-cira"]


def test_the_machines_uuid_and_not_the_web_sockets():
    row = one(
        f"2021-11-30T09:34:09.719Z error: Activator - {SOCKET} : Failed to activate - Error: Device {DEVICE} failed"
    )
    assert row.uuid == DEVICE
    assert one(f"{SOCKET} : Failed to commit changes").uuid is None
    assert one(f"client {SOCKET}: Failed to commit changes for {DEVICE}").uuid == DEVICE
    assert one("Got hello from 192.0.2.9 MessageID uuid:00000000-8086-8086-8086-00000000002B").uuid is None
    assert one("dial tcp 127.0.0.1:16992: localhost:16992 connection refused").ip is None


REPLY = (
    r"HTTP/1.1 200 OK\r\nServer: Intel(R) Active Management Technology 14.0.39.1339\r\n\r\n0425\r\n"
    r"<?xml version=\"1.0\" encoding=\"UTF-8\"?><a:Envelope xmlns:a=\"http://www.w3.org/2003/05/soap-envelope\" "
    r"xmlns:g=\"http://intel.com/wbem/wscim/1/amt-schema/1/AMT_RemoteAccessService\"><a:Header></a:Header><a:Body>"
    r"<g:AddRemoteAccessPolicyRule_OUTPUT><g:ReturnValue>%d</g:ReturnValue></g:AddRemoteAccessPolicyRule_OUTPUT>"
    r"</a:Body></a:Envelope>\r\n0\r\n\r\n"
)


def test_a_reply_in_a_trace_is_read_by_the_rooms_of_http_and_soap():
    row = one(RPC + f'trace msg="{REPLY % 2058}"')
    assert (row.anchor, row.code, row.amt_version) == ("wsman-returned", "2058", "14.0.39.1339")
    assert row.call == "AMT_RemoteAccessService.AddRemoteAccessPolicyRule"
    good = one(RPC + f'trace msg="{REPLY % 0}"')
    assert (good.anchor, good.kind, good.amt_version) == ("amt-server", "state", "14.0.39.1339")


def test_a_fault_in_a_trace():
    fault = (
        '<a:Envelope xmlns:a="http://www.w3.org/2003/05/soap-envelope"><a:Body><a:Fault><a:Code>'
        "<a:Value>a:Sender</a:Value><a:Subcode><a:Value>b:AccessDenied</a:Value></a:Subcode></a:Code>"
        "<a:Reason><a:Text>no right</a:Text></a:Reason></a:Fault></a:Body></a:Envelope>"
    )
    row = one("12:02:07 PM | amt | " + fault)
    assert row.anchor == "wsman-fault"
    assert "AccessDenied" in row.fault
    assert "no right" in row.fault


def test_a_json_answer_in_a_trace():
    row = one(
        '2021-11-30T09:34:09.719Z debug: DataProcessor - wsman response 200: {"Header":{"Method":"AdminSetup",'
        '"ResourceURI":"http://intel.com/wbem/wscim/1/ips-schema/1/IPS_HostBasedSetupService"},'
        '"Body":{"ReturnValue":5,"ReturnValueStr":"X"}}'
    )
    assert (row.call, row.code) == ("IPS_HostBasedSetupService.AdminSetup", "5")


def test_lines_of_level_error_that_nothing_knows_are_counted_and_the_first_quoted():
    line = 'time="2026-03-10T10:11:01Z" level=%s msg="the flux is out of tune %d"\n'
    text = 'time="2026-03-10T10:11:01Z" level=info msg="connecting to lms"\n'
    text += line % ("info", 0) + "".join(line % ("error", number) for number in range(1, 8)) + line % ("fatal", 8)
    found, reader = read(text)
    assert found == []
    assert reader.errors == 8
    assert reader.first_errors[0] == (3, "the flux is out of tune 1")
    record = '<![LOG[odd %d]LOG]!><time="15:10:04.029-480" date="07-14-2016" component="B" type="%d">\n'
    _, reader = read(record % (1, 1) + record % (2, 3) + record % (3, 3) + record % (4, 2))
    assert reader.errors == 2
    assert reader.first_errors[0] == (2, "odd 2")


@pytest.mark.parametrize(
    "line", ["no error was found 12", "the error counter is 3", "2026-01-01 10:00:00 without an error so far"]
)
def test_a_sentence_about_errors_is_of_no_level(line):
    assert read(line + "\n")[1].errors == 0


def test_dates_are_called_ambiguous_only_where_there_are_such_dates():
    assert not read("2026-03-10 10:00:00 Got hello from 192.0.2.9\n")[1].dates_are_ambiguous
    assert not read("Got hello from 192.0.2.9\n")[1].dates_are_ambiguous
    assert not read("05.07.2016 10:00:00 Got hello from 192.0.2.9\n")[1].dates_are_ambiguous
    assert read("05/07/2016 10:00:00 Got hello from 192.0.2.9\n")[1].dates_are_ambiguous


def test_secrets_in_such_lines_are_covered():
    line = "MPSCMD: USERAUTH_REQUEST user=group, service=pfwd@amt.intel.com, method=password, password=S3cr3t!x"
    assert "S3cr3t" not in masked(line)
    assert "S3cr3t" not in masked('{"action":"ccmactivate","user":"admin","password":"S3cr3t"}')
