"""Recorded conversations through the HTTP room: clear, and inside TLS as tshark decrypted them."""

from __future__ import annotations

import collections
from typing import TYPE_CHECKING

import pytest
from soap_exchange import CONTEXT

from amtdecode.model import TO_CLIENT, TO_SERVER, End, Payload
from amtdecode.protocols.http.dissector import HttpDissector
from amtdecode.protocols.soap import SOAP
from amtdecode.protocols.soap.events import Call, SoapResponse

if TYPE_CHECKING:
    from pathlib import Path


def calls_of(pieces) -> list:
    """All events of a conversation of (direction, bytes)."""
    http, soap = HttpDissector(CONTEXT._replace(carrier="")), SOAP.dissector(CONTEXT)
    events = []

    def pass_on(statements) -> None:
        for statement in statements:
            if isinstance(statement.event, Payload):
                events.extend(s.event for s in soap.receive_message(statement.direction, statement.event))

    for direction, data in pieces:
        pass_on(http.receive_data(direction, data))
    for direction in (TO_SERVER, TO_CLIENT):
        pass_on(http.receive_eof(direction, End.FIN))
    for direction in (TO_SERVER, TO_CLIENT):
        events.extend(s.event for s in soap.receive_eof(direction, End.FIN))
    return events


def clear_streams(path: Path, port: int):
    """The TCP conversations of a small capture without loss, in order of their ports."""
    import dpkt

    flows: dict[int, list] = collections.defaultdict(list)
    first: dict[tuple[int, int], int] = {}
    done: dict[tuple[int, int], int] = {}
    with path.open("rb") as file:
        for _, frame in dpkt.pcap.Reader(file):
            tcp = dpkt.ethernet.Ethernet(frame).data.data
            key, direction = (tcp.sport, TO_SERVER) if tcp.dport == port else (tcp.dport, TO_CLIENT)
            if tcp.flags & dpkt.tcp.TH_SYN:
                first[key, direction] = tcp.seq + 1
                continue
            start = tcp.seq - first[key, direction]
            seen = done.get((key, direction), 0)
            if tcp.data and start + len(tcp.data) > seen:
                assert start <= seen
                flows[key].append((direction, bytes(tcp.data)[seen - start :]))
                done[key, direction] = start + len(tcp.data)
    return list(flows.values())


def decrypted_streams(path: Path):
    """The conversations that tshark's `follow,tls,raw` printed."""
    streams: list[list[tuple[bool, bytes]]] = []
    for line in path.read_text().splitlines():
        if line.startswith("### stream"):
            streams.append([])
        elif line.strip() and not line.strip("\t0123456789abcdef"):
            streams[-1].append((line.startswith("\t"), bytes.fromhex(line.strip())))
    for pieces in streams:
        if pieces:
            server = next((node for node, data in pieces if data.startswith(b"HTTP/")), not pieces[0][0])
            yield [(TO_CLIENT if node == server else TO_SERVER, data) for node, data in pieces]


MESHCENTRAL = [
    "Get AMT_GeneralSettings → 401 authentication required",
    "Get AMT_GeneralSettings → OK",
    "Enumerate CIM_SoftwareIdentity → OK",
    "Pull CIM_SoftwareIdentity → OK",
    "Get AMT_SetupAndConfigurationService → OK",
    "Get AMT_RedirectionService → fault Sender: unsupported AMT_RedirectionService Get",
    "Enumerate AMT_TLSSettingData → OK",
    "Pull AMT_TLSSettingData → OK",
]


def judge_meshcentral(events: list) -> None:
    calls = [event for event in events if isinstance(event, Call)]
    assert [call.summary() for call in calls] == MESHCENTRAL
    assert [call.missing for call in calls] == [""] * 8
    assert [call.user for call in calls] == [""] + ["admin"] * 7
    assert calls[3].enumeration == "CIM_SoftwareIdentity"
    assert ("Items/CIM_SoftwareIdentity[4]/VersionString", "12.0.67") in calls[3].answer
    settings = next(event for event in events if isinstance(event, SoapResponse))
    assert settings.value("DigestRealm") == "Digest:F3EB554784E729164447A89F60B641C5"
    assert settings.value("HostName") == "Test Host Name"
    assert len(settings.arguments) == 24
    states = calls[4].answer
    assert ("ProvisioningState", "2") in states
    assert ("PasswordModel", "1") in states


def test_wsman_in_the_clear(shared):
    streams = clear_streams(shared / "captures/loopback/wsman/wsman_digest_16992_meshcentral.pcap", 16992)
    judge_meshcentral([event for pieces in streams for event in calls_of(pieces)])


def test_wsman_in_mutual_tls(shared):
    streams = decrypted_streams(shared / "captures/loopback/wsman/wsman_mtls_16993_meshcentral.keylog.expected.txt")
    judge_meshcentral([event for pieces in streams for event in calls_of(pieces)])


def test_eoi_in_the_clear(shared):
    streams = clear_streams(shared / "captures/loopback/wsman/soap_digest_16992_amttool.pcap", 16992)
    calls = [event for pieces in streams for event in calls_of(pieces) if isinstance(event, Call)]
    assert [(call.kind, call.service, call.method, call.http_status) for call in calls] == [
        ("eoi", "SecurityAdministration", "GetCoreVersion", 401),
        ("eoi", "SecurityAdministration", "GetCoreVersion", 400),
        ("eoi", "NetworkAdministration", "GetHostName", 401),
        ("eoi", "NetworkAdministration", "GetHostName", 400),
        ("eoi", "NetworkAdministration", "GetDomainName", 400),
        ("eoi", "RemoteControl", "GetSystemPowerState", 401),
        ("eoi", "RemoteControl", "GetSystemPowerState", 400),
        ("eoi", "RemoteControl", "GetRemoteControlCapabilities", 400),
    ]
    assert {call.result_text for call in calls} == {
        "401 authentication required",
        "fault Sender: unsupported undefined",
    }


def test_every_wsman_call_of_the_tls_captures(shared):
    texts = collections.Counter()
    for path in sorted((shared / "captures/loopback/tls").glob("*.expected.txt")):
        for pieces in decrypted_streams(path):
            calls = [event for event in calls_of(pieces) if isinstance(event, Call)]
            assert len(calls) == 1, path
            texts[calls[0].summary()] += 1
    # GnuTLS' server echoes what it is sent, which is no response
    assert texts == {"Get AMT_GeneralSettings → OK": 32, "Get AMT_GeneralSettings → no response seen": 27}


@pytest.mark.parametrize(("name", "label"), [("cimCardResponse", "CIM_Card"), ("cimComputerPackageResponse", "")])
def test_real_responses_with_padded_chunks(shared, name, label):
    data = (shared / f"data/http/http200_{name}.bin").read_bytes()
    events = calls_of([(TO_CLIENT, data)])
    (call,) = [event for event in events if isinstance(event, Call)]
    (answer,) = [event for event in events if isinstance(event, SoapResponse)]
    assert (call.missing, call.method) == ("request", "Get")
    if label:
        assert answer.value("SerialNumber") == "/6KB3PF3/CNPEC0017500BC/"
        assert len(answer.arguments) == 10
    else:
        assert call.class_name == "CIM_ComputerSystemPackage"
        assert ("Antecedent/ReferenceParameters/SelectorSet/Selector[Tag]", "CIM_Chassis") in answer.arguments
        assert answer.value("PlatformGUID") == "44454C4C4B0010428033B6C04F504633"
