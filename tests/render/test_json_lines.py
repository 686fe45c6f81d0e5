"""JSON lines are the same whether their parts were kept from an earlier line or made anew."""

from __future__ import annotations

import json

from amtdecode.model import TO_CLIENT, TO_SERVER, Endpoint, FlowKey, Observation
from amtdecode.protocols.tls.events import ChangeCipherSpec
from amtdecode.render.json_lines import MAX_REMEMBERED, JsonLines

CLIENT, SERVER = Endpoint(bytes([192, 0, 2, 1]), 49152), Endpoint(bytes.fromhex("20010db8") + bytes(11) + b"\1", 16993)
FLOW = FlowKey("tcp", 3, CLIENT, SERVER)


def lines(*observations: Observation) -> list[dict[str, object]]:
    written: list[bytes] = []
    write = JsonLines(written.append)
    for observation in observations:
        write(observation)
    return [json.loads(line) for line in written]


def test_an_event_stated_again_is_written_again_with_its_own_place_and_proof():
    event = ChangeCipherSpec("client")
    first, second, third = lines(
        Observation(event, 7, (7,), 1_000_000_000, "a.pcap", FLOW, TO_SERVER),
        Observation(event, 9, (8, 9), 1_000_000_000, "a.pcap", FLOW, TO_CLIENT, elsewhere=(("b\x7f.pcap", 4),)),
        Observation(event, 9, (9,), None, "c.pcap", None),
    )
    told = {"protocol": "tls", "event": "ChangeCipherSpec", "summary": "ChangeCipherSpec of the client"}
    fields = {"tls.record.content_type": 20, "iamt.tls.sender": "client"}
    client, server = "192.0.2.1:49152", "[2001:db8::1]:16993"
    at = {"schema": 1, "time": "1970-01-01T00:00:01.000000Z", "input": "a.pcap", "transport": "tcp", "flow": 3}
    assert first == at | told | {"packet": 7, "packets": [7], "src": client, "dst": server, "fields": fields}
    assert second == at | told | {
        "packet": 9,
        "packets": [8, 9],
        "src": server,
        "dst": client,
        "fields": fields,
        "elsewhere": [["b\x7f.pcap", 4]],
    }
    nowhere = {"input": "c.pcap", "transport": None, "flow": None, "src": None, "dst": None, "time": None}
    assert third == at | told | nowhere | {"packet": 9, "packets": [9], "fields": fields}


def test_more_events_than_are_kept_are_all_told_apart():
    senders = [f"machine {number}" for number in range(3 * MAX_REMEMBERED)]
    events = [ChangeCipherSpec(sender) for sender in senders] * 2
    told = lines(*[Observation(event, 1, (1,), None, "a.pcap", FLOW) for event in events])
    assert [line["fields"]["iamt.tls.sender"] for line in told] == senders * 2


def test_flows_taking_turns_keep_their_addresses():
    flows = [FlowKey("tcp", n, Endpoint(bytes([10, 0, n, 1]), 1000 + n), SERVER) for n in range(3)]
    event = ChangeCipherSpec("client")
    order = [0, 0, 0, 1, 0, 1, 2, 2, 0, 2]
    told = lines(*[Observation(event, 1, (1,), None, "a.pcap", flows[n]) for n in order])
    assert [line["src"] for line in told] == [f"10.0.{n}.1:{1000 + n}" for n in order]
    assert [line["flow"] for line in told] == order
