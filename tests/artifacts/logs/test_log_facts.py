"""Addresses, names and secrets in lines; known file names and rotation. All lines are synthetic."""

from __future__ import annotations

import pytest

from amtdecode.artifacts.logs import in_order, known_log
from amtdecode.artifacts.logs.facts import codes, fqdn, ipv4, uuid
from amtdecode.masking import masked


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("Cannot contact back AMT with IP:192.0.2.99 Exception", "192.0.2.99"),
        ("from 192.0.2.9:16993.", "192.0.2.9"),
        ("(192.0.2.9)", "192.0.2.9"),
        ("Intel AMT v11.8.70.36", None),
        ("AMT version 12.0.22.5 at 192.0.2.9", "192.0.2.9"),
        ("firmware: 12.0.22.5", None),
        ("contact back AMT 10.0.22.5", "10.0.22.5"),
        ("256.1.1.1 and 1.2.3", None),
        ("1.2.3.4.5", None),
        ("192.000.002.009", "192.0.2.9"),
    ],
)
def test_addresses_are_told_from_versions(text, address):
    assert ipv4(text) == address


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("on AMT device pc5.example.com.", "pc5.example.com"),
        ("FQDN: PC5.corp", "pc5.corp"),
        ("FQDN=pc5.example.com, more", "pc5.example.com"),
        ("at System.Net.Sockets.SocketException in x", None),
        ("file pc5.example.log", None),
        ("http://www.example.com/x", None),
        ("example.com", None),  # two labels may be anything
        ("192.0.2.9", None),
        ("a.b.SomeException", None),
    ],
)
def test_names_of_hosts(text, name):
    assert fqdn(text) == name


def test_uuids_in_two_spellings():
    assert uuid("Device 939B524B-13D4-1D18-E487-1C697A6B7A2B activation") == "939b524b-13d4-1d18-e487-1c697a6b7a2b"
    assert uuid("UUID: 4B529B93D413181DE4871C697A6B7A2B") == "4b529b93-d413-181d-e487-1c697a6b7a2b"
    assert uuid("4B529B93D413181DE4871C697A6B7A2B") is None
    assert uuid("1939b524b-13d4-1d18-e487-1c697a6b7a2b") is None


def test_codes_keep_their_order_and_only_those_families():
    assert codes("0xC0003E93 then 0x8009030E, 0x80072EE9; 0x12345678 0x8009030Eff") == (
        "0xc0003e93",
        "0x8009030e",
        "0x80072ee9",
    )


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("password=P@ssw0rd, next", "password=********, next"),
        ('Password: "two words" x', "Password: ******** x"),
        ("rpc activate -u wss://x -password Secret1! -n", "rpc activate -u wss://x -password ******** -n"),
        ("PPS NKLD-G5DC-RRNQ-E9YZ-ZIJL-7LFL-VJED-69XJ used", "PPS ******** used"),
        ("PID 0000-037M used", "PID 0000-037M used"),
        ("the password was refused", "the password was refused"),
        ("Verifying password .... OK", "Verifying password .... OK"),
        ("Loading key ... 0x80070005", "Loading key ... 0x80070005"),
        ("ADMIN PASSWORD........ S3cr3t!", "ADMIN PASSWORD........ ********"),
        ('{"amtPassword":"S3cr3t","x":1}', '{"amtPassword":********,"x":1}'),
        (r"body \"password\":\"S3cr3t\", x", r"body \"password\":********, x"),
        ("AMTPassword: 'two words'; PSKValue=abc", "AMTPassword: ********; PSKValue=********"),
        ("<a:Password xmlns:a='x'>S3cr3t</a:Password>", "<a:Password xmlns:a='x'>********</a:Password>"),
        ("<r:PPS>S3cr3t</r:PPS><r:PID>x</r:PID>", "<r:PPS>********</r:PPS><r:PID>x</r:PID>"),
        ("Authorization: Basic YWRtaW46eA== sent", "Authorization: Basic ******** sent"),
        ('Digest username="a", response="0123456789abcdef0123"', 'Digest username="a", response="********"'),
        ("http response = 401", "http response = 401"),
        ("POST http://admin:S3cr3t@host:16992/wsman", "POST http://admin:********@host:16992/wsman"),
        ("POST http://host:16992/wsman", "POST http://host:16992/wsman"),
        ("Basic authentication was refused", "Basic authentication was refused"),
    ],
)
def test_secrets_are_covered(text, shown):
    assert masked(text) == shown


def test_rotated_files_come_oldest_first():
    given = [
        "c/scs_server.log",
        "c/scs_server.log.1",
        "c/scs_server.log.10.gz",
        "c/scs_server.log.2.gz",
        "d/amtopmgr.log",
        "d/amtopmgr.lo_",
        "d/amtopmgr-20160714-151004.log",
        "d/amtopmgr-20160713-151004.log",
        "other.log",
    ]
    assert in_order(given) == [
        "c/scs_server.log.10.gz",
        "c/scs_server.log.2.gz",
        "c/scs_server.log.1",
        "c/scs_server.log",
        "d/amtopmgr-20160713-151004.log",
        "d/amtopmgr-20160714-151004.log",
        "d/amtopmgr.lo_",
        "d/amtopmgr.log",
        "other.log",
    ]


def test_known_names():
    assert known_log("/c/SCS_SERVER.LOG.3.gz").note == "commonly appears only after errors have occurred"
    assert known_log("amtopmgr.lo_").writer == "ConfigMgr out-of-band service point"
    assert known_log("messages") is None
