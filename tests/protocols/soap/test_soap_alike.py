"""Bodies alike but for their texts take a shorter way; what comes of it is the same, and written the same."""

from __future__ import annotations

import sys
import threading
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st
from soap_exchange import Conversation, invoke

from amtdecode.protocols.soap import tree
from amtdecode.protocols.soap.events import SoapRequest, SoapResponse
from amtdecode.protocols.soap.outline import outline
from amtdecode.protocols.soap.plans import read_plain
from amtdecode.protocols.soap.tokeniser import tokenise
from amtdecode.protocols.soap.values import Listing, form_of

SPACES = (
    'xmlns:s="http://www.w3.org/2003/05/soap-envelope" xmlns:a="http://schemas.xmlsoap.org/ws/2004/08/addressing" '
    'xmlns:w="http://schemas.dmtf.org/wbem/wsman/1/wsman.xsd" xmlns:n="http://intel.com/wbem/wscim/1/amt-schema/1/%s"'
)
TEXT = st.text("ab1 \t\n<>/&]\"\\'\x7f", max_size=6)


def envelope(class_name: str, header: str, body: str) -> str:
    return f"<s:Envelope {SPACES % class_name}><s:Header>{header}</s:Header><s:Body>{body}</s:Body></s:Envelope>"


def exchange(talk: Conversation, name: str, secret: str, texts: tuple[str, str, str]) -> None:
    first, second, third = texts
    uri = "http://intel.com/wbem/wscim/1/amt-schema/1/AMT_Thing"
    header = (
        f"<a:Action>{uri}/Do{name}</a:Action><a:To>{first}</a:To><w:ResourceURI>{uri}</w:ResourceURI>"
        f'<a:MessageID>{second}</a:MessageID><w:SelectorSet><w:Selector Name="k">{third}</w:Selector></w:SelectorSet>'
    )
    body = (
        f"<n:Do{name}_INPUT><n:Text>{first}</n:Text><n:EnabledState>2</n:EnabledState><n:{secret}>{second}</n:{secret}>"
    )
    talk.ask(envelope("AMT_Thing", header, f"{body}</n:Do{name}_INPUT>"))
    body = f"<n:Do{name}_OUTPUT><n:Text>{third}</n:Text><n:ReturnValue>1</n:ReturnValue>"
    talk.tell(envelope("AMT_Thing", f"<a:RelatesTo>{second}</a:RelatesTo>", f"{body}</n:Do{name}_OUTPUT>"))


@given(st.lists(st.tuples(TEXT, TEXT, TEXT), min_size=1, max_size=4), st.sampled_from(("Password", "Plain")))
def test_what_messages_write_is_what_their_fields_say(rows, secret):
    talk = Conversation()  # compares the two
    for texts in [("a", "b", "c")] * tree.PLAN_AFTER + rows:
        exchange(talk, "It", secret, texts)


@given(st.lists(st.tuples(TEXT, TEXT, TEXT), min_size=1, max_size=6))
def test_a_plan_reads_what_the_tokeniser_reads(rows):
    inside = "<s:a>%s</s:a><s:b/><s:c><s:a>%s</s:a>\n<s:a>%s</s:a></s:c>"
    body = f'<s:E xmlns:s="urn:u"><s:Body>{inside}</s:Body></s:E>'
    for texts in [("a", "b", "c")] * tree.PLAN_AFTER + rows:
        text = body % texts
        plain = tokenise(text)
        assert read_plain(text.encode()) == (None if plain is None else outline(plain))


@given(st.integers(0, 60), st.text("ab<>/:=\"' &\\\x7f", max_size=3), st.integers(0, 3))
def test_a_plan_is_not_misled_by_documents_as_long(at, put, cut):
    body = '<s:E xmlns:s="urn:u"><s:Body><s:a>one</s:a><s:b/><s:c>two</s:c></s:Body></s:E>'
    for _ in range(tree.PLAN_AFTER):
        assert read_plain(body.encode()) is not None
    for length in (cut, len(put)):  # mostly one of them keeps the length
        text = body[:at] + put + body[at + length :]
        plain = tokenise(text)
        assert read_plain(text.encode()) == (None if plain is None else outline(plain))


@pytest.mark.parametrize("secret", ["Password", "Plain"])
def test_messages_of_a_plan_write_themselves_unless_a_secret_is_in_them(secret):
    talk = Conversation()
    for number in range(tree.PLAN_AFTER + 1):
        exchange(talk, "Such", secret, (f"x{number}", f"y{number}", f"z{number}"))
    request, response, call = talk.of(SoapRequest)[-1], talk.of(SoapResponse)[-1], talk.calls[-1]
    assert dict(request.arguments) == {"Text": "x4", "EnabledState": "2", secret: "y4"}
    assert response.fields_json() is not None
    assert (request.fields_json() is None) == (call.fields_json() is None) == (secret == "Password")
    assert call.fields()["iamt.call.answer"] == ["Text=z4", "ReturnValue=1"]


def test_a_listing_stands_for_the_tuple_of_its_pairs():
    values = Listing(form_of(("A", "B/C")), ("1", "2"))
    pairs = (("A", "1"), ("B/C", "2"))
    assert values == pairs
    assert pairs == values
    assert values != pairs[:1]
    assert (hash(values), repr(values), len(values)) == (hash(pairs), f"<{pairs[0][0]}, {pairs[1][0]}>", 2)
    assert (list(values), values[1], values[-1], values[:1]) == (list(pairs), pairs[1], pairs[-1], pairs[:1])
    assert ("B/C", "2") in values
    assert values.json() == b'["A=1","B/C=2"]'


def test_plans_are_shared_between_threads(monkeypatch):
    bodies = [invoke("AMT_X", "Probe", "<n:Y>1</n:Y>" * count).encode() for count in (1, 2)]
    expected = [[read_plain(body) for _ in range(tree.PLAN_AFTER + 2)][-1] for body in bodies]
    interval = sys.getswitchinterval()
    monkeypatch.setattr(threading, "excepthook", lambda caught: wrong.append(caught.exc_value))
    wrong: list[object] = []
    until = time.monotonic() + 1

    def read():
        while time.monotonic() < until and not wrong:
            wrong.extend(at for at, body in enumerate(bodies) if read_plain(body) != expected[at])

    threads = [threading.Thread(target=read) for _ in range(4)]
    sys.setswitchinterval(1e-6)
    try:
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    finally:
        sys.setswitchinterval(interval)
    assert not wrong
