"""Requests and responses: never two halves of different calls, whatever is missing."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st
from soap_exchange import Asked, Conversation, Told, eoi, fault, invoke, returned, wsman

from amtdecode.model import LimitReached
from amtdecode.protocols.soap.dissector import MAX_WAITING

CLASSES = ["AMT_GeneralSettings", "AMT_SetupAndConfigurationService", "CIM_Card", "IPS_HostBasedSetupService"]


def request(number: int) -> str:
    return invoke(CLASSES[number % 4], "Probe", f"<n:Mark>{number}</n:Mark>", f"uuid:{number}")


def response(number: int) -> str:
    return returned(CLASSES[number % 4], "Probe", 0, f"uuid:{number}", f"<n:Mark>{number}</n:Mark>")


@st.composite
def traffic(draw):
    """Messages of exchanges in the order of HTTP, some missing, requests up to three ahead of their responses."""
    count = draw(st.integers(1, 10))
    depth = draw(st.integers(1, 3))
    order = []
    answered = 0
    for number in range(count):
        order.append(("ask", number))
        if number - answered + 1 >= depth or draw(st.booleans()):
            order += [("tell", n) for n in range(answered, number + 1)]
            answered = number + 1
    order += [("tell", n) for n in range(answered, count)]
    kept = [draw(st.integers(0, 4)) > 0 for _ in order]
    return order, kept


@given(traffic(), st.booleans())
def test_halves_that_name_each_other_are_never_crossed(plan, told_of_gaps):
    order, kept = plan
    talk = Conversation()
    for (what, number), here in zip(order, kept, strict=True):
        if not here:
            if told_of_gaps:
                talk.gap(int(what == "tell"))
        elif what == "ask":
            talk.ask(request(number))
        else:
            talk.tell(response(number))
    seen = {"ask": set(), "tell": set()}
    for (what, number), here in zip(order, kept, strict=True):
        if here:
            seen[what].add(number)
    both, lone_requests, lone_responses = [], [], []
    for made in talk.end().calls:
        asked, told = made.arguments.value("Mark"), made.answer.value("Mark")
        if made.missing == "response":
            lone_requests.append(int(asked))
        elif made.missing == "request":
            lone_responses.append(int(told))
        else:
            assert asked == told
            both.append(int(asked))
    # every message is in exactly one call, and halves of one exchange find each other
    assert sorted(both + lone_requests) == sorted(seen["ask"])
    assert sorted(both + lone_responses) == sorted(seen["tell"])
    assert sorted(both) == sorted(seen["ask"] & seen["tell"])


@given(st.lists(st.sampled_from(["soap", "bare", "page"]), min_size=1, max_size=8), st.integers(1, 4))
def test_in_order_without_loss_all_pair_even_when_pipelined(kinds, depth):
    talk = Conversation()
    for start in range(0, len(kinds), depth):
        batch = range(start, min(start + depth, len(kinds)))
        for number in batch:
            talk.ask(request(number))
        for number in batch:
            if kinds[number] == "soap":
                talk.tell(response(number))
            else:
                talk.tell(b"" if kinds[number] == "bare" else b"<html><h2>no</h2></html>", Told(401, str(number)))
    calls = talk.end().calls
    assert [made.missing for made in calls] == [""] * len(kinds)
    assert [made.arguments.value("Mark") for made in calls] == [str(number) for number in range(len(kinds))]
    assert [made.http_status for made in calls] == [200 if kind == "soap" else 401 for kind in kinds]


@given(traffic())
def test_bare_answers_after_a_gap_go_to_no_request_but_their_own(plan):
    order, kept = plan
    talk = Conversation()
    for (what, number), here in zip(order, kept, strict=True):
        if not here:
            talk.gap(int(what == "tell"))
        elif what == "ask":
            talk.ask(request(number))
        else:
            talk.tell(b"", Told(500, f"answer {number}"))
    pairs = [made for made in talk.end().calls if not made.missing]
    if all(kept):
        assert len(pairs) == sum(what == "ask" for what, _ in order)
    for made in pairs:
        told = int(made.result_text.rpartition(" ")[2])
        assert told == int(made.arguments.value("Mark")), (order, kept)


def test_the_first_response_of_a_capture_that_starts_midway():
    talk = Conversation().tell(response(7)).ask(request(8)).tell(response(8)).end()
    assert [made.missing for made in talk.calls] == ["request", ""]
    assert talk.calls[0].class_name == CLASSES[3]
    assert talk.calls[0].summary().startswith("request not seen: IPS_HostBasedSetupService.Probe → ")


def test_a_request_that_is_never_answered():
    talk = Conversation().ask(request(1)).end()
    (made,) = talk.calls
    assert (made.missing, made.http_status, made.succeeded) == ("response", 0, None)
    assert made.summary() == "AMT_SetupAndConfigurationService.Probe → no response seen"
    assert made.fields()["iamt.call.missing"] == "response"


def test_a_response_to_another_message_is_not_taken():
    talk = Conversation().ask(request(1)).tell(response(2)).end()
    assert [(made.missing, made.class_name) for made in talk.calls] == [
        ("request", CLASSES[2]),
        ("response", CLASSES[1]),
    ]


def test_the_same_message_id_for_another_class_is_not_taken():
    talk = Conversation().ask(invoke("CIM_Card", "Probe", "", "0")).tell(returned("CIM_Chip", "Probe", 0, "0")).end()
    assert [made.missing for made in talk.calls] == ["request", "response"]


def test_eoi_has_no_ids_so_service_and_method_must_fit():
    asked = eoi("NetworkTime", "<x:GetLowAccuracyTimeSynch/>")
    other = eoi(
        "NetworkTime", "<x:SetHighAccuracyTimeSynchResponse><x:Status>0</x:Status></x:SetHighAccuracyTimeSynchResponse>"
    )
    mine = eoi(
        "NetworkTime", "<x:GetLowAccuracyTimeSynchResponse><x:Status>0</x:Status></x:GetLowAccuracyTimeSynchResponse>"
    )
    talk = Conversation().ask(asked).tell(other).tell(mine).end()
    assert [made.missing for made in talk.calls] == ["request", ""]


def test_a_fault_answers_by_its_id():
    talk = (
        Conversation()
        .ask(request(1))
        .ask(request(2))
        .tell(fault("InternalError", relates_to="uuid:2"), Told(500, ""))
        .end()
    )
    assert [(made.missing, made.arguments.value("Mark")) for made in talk.calls] == [("response", "1"), ("", "2")]


def test_ids_compare_without_uuid_and_case():
    talk = (
        Conversation().ask(invoke("CIM_Card", "Get", "", "ABCD-1")).tell(returned("CIM_Card", "Get", 0, "uuid:abcd-1"))
    )
    assert [made.missing for made in talk.calls] == [""]


def test_a_request_without_body_is_not_answered_by_soap():
    talk = Conversation().ask(b"", Asked("GET", "/")).tell(response(1)).end()
    assert [made.missing for made in talk.calls] == ["request", "response"]


def test_waiting_requests_are_bounded():
    talk = Conversation()
    for number in range(MAX_WAITING + 10):
        talk.ask(request(number))
    assert len(talk.of(LimitReached)) == 10
    assert [made.arguments.value("Mark") for made in talk.calls] == [str(number) for number in range(10)]
    assert len(talk.end().calls) == MAX_WAITING + 10


@dataclass
class NumberedAsked(Asked):
    exchange: int = 0


@dataclass
class NumberedTold(Told):
    exchange: int = 0


@given(traffic())
def test_numbers_given_by_http_are_followed(plan):
    order, kept = plan
    talk = Conversation()
    for (what, number), here in zip(order, kept, strict=True):
        if here and what == "ask":
            talk.ask(request(number), NumberedAsked(exchange=number + 1))
        elif here:
            talk.tell(b"", NumberedTold(500, f"answer {number}", exchange=number + 1))
    here = {
        what: {n for (w, n), kept_ in zip(order, kept, strict=True) if w == what and kept_} for what in ("ask", "tell")
    }
    calls = talk.end().calls
    pairs = [made for made in calls if not made.missing]
    for made in pairs:
        assert made.result_text == f"500 answer {made.arguments.value('Mark')}"
    assert len(pairs) == len(here["ask"] & here["tell"])
    assert len(calls) == len(here["ask"] | here["tell"])


def test_a_response_before_its_request_waits_for_it():
    talk = Conversation().tell(response(1), NumberedTold(exchange=1))
    assert talk.calls == []
    talk.ask(request(1), NumberedAsked(exchange=1)).end()
    assert [made.missing for made in talk.calls] == [""]


def test_a_response_http_cannot_place_is_placed_by_its_id_only():
    talk = Conversation().ask(request(1), NumberedAsked(exchange=1)).tell(b"", NumberedTold(401, "", exchange=0))
    assert [made.missing for made in talk.calls] == ["request"]
    talk.tell(response(1), NumberedTold(exchange=0))
    assert [made.missing for made in talk.calls] == ["request", ""]


def test_numbers_do_not_outweigh_what_the_halves_say():
    talk = Conversation().ask(request(1), NumberedAsked(exchange=1)).tell(response(2), NumberedTold(exchange=1)).end()
    assert [made.missing for made in talk.calls] == ["request", "response"]


def test_get_then_put_of_one_class():
    talk = Conversation().ask(wsman("CIM_Card", "Get", "", "")).tell(wsman("CIM_Card", "PutResponse", "", "", "")).end()
    assert [made.missing for made in talk.calls] == ["request", "response"]


@pytest.mark.parametrize("early", [False, True])
def test_a_post_without_a_body_that_is_answered_is_one_call(early):
    """As clients send one before the digest challenge, and servers answer that want none."""
    talk = Conversation()
    ask, tell = NumberedAsked(exchange=1), NumberedTold(exchange=1)
    talk.tell(response(1), tell).ask(b"", ask) if early else talk.ask(b"", ask).tell(response(1), tell)
    (made,) = talk.end().calls
    assert (made.missing, made.class_name, made.result) == ("", CLASSES[1], 0)
    assert made.summary().endswith(", to a request without a body")
