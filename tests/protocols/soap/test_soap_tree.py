"""Where the elements of an envelope stand, and that crafted bodies leave nothing behind that others pay for."""

from __future__ import annotations

import sys

from hypothesis import given
from hypothesis import strategies as st
from soap_exchange import Conversation, fixtures, invoke, wsman

from amtdecode.protocols.soap.events import SoapResponse
from amtdecode.protocols.soap.spec import tree

SETUP = "AMT_SetupAndConfigurationService"
BODY = invoke(
    SETUP, "SetMEBxPassword", "<n:Password>P@ss</n:Password><n:Deep><n:A x='1'>1</n:A><n:B/></n:Deep>"
).encode()


def walk(pdu):
    return [one for root in tree(pdu) for one in root.walk()]


def test_each_element_has_the_bytes_from_its_start_tag_to_its_end_tag():
    found = {one.value or one.words: BODY[one.start : one.start + one.length] for one in walk(BODY)}
    assert found["Password=P@ss"] == b"<n:Password>P@ss</n:Password>"
    assert found["Deep/A=1"] == b"<n:A x='1'>1</n:A>"
    assert found["Deep/B="] == b"<n:B/>"
    assert found["Deep"] == b"<n:Deep><n:A x='1'>1</n:A><n:B/></n:Deep>"
    assert found["1"] == b"<a:MessageID>1</a:MessageID>"
    assert found["Envelope"].startswith(b"<s:Envelope xmlns:s=")
    assert found["Envelope"].endswith(b"</s:Envelope>")


def test_secrets_are_masked_in_repr():
    (secret,) = [one for one in walk(BODY) if one.secret]
    assert (secret.name, secret.value) == ("iamt.soap.secret", "Password=P@ss")
    assert "P@ss" not in repr(tree(BODY))


def test_the_tree_holds_every_value_of_every_recorded_response(shared):
    for path in fixtures(shared):
        data = path.read_bytes()
        (message,) = Conversation().tell(data).of(SoapResponse)
        told = [one.value for one in walk(data) if one.name in ("iamt.soap.argument", "iamt.soap.secret")]
        numbered = [f"{name}={text}" for name, text in message.arguments if "/@" not in name and "[" not in name]
        assert set(numbered) <= set(told), path


@given(st.integers(0, len(BODY)), st.binary(max_size=20))
def test_no_bytes_raise_and_places_lie_inside(cut, data):
    pdu = BODY[:cut] + data
    for one in walk(pdu):
        assert 0 <= one.start <= one.start + one.length <= len(pdu)


def test_crafted_bodies_cost_those_after_them_nothing():
    def calls(body):
        count = 0

        def counted(frame, event, arg):
            nonlocal count
            count += event in ("call", "c_call")

        talk = Conversation()
        sys.setprofile(counted)
        try:
            talk.tell(body)
        finally:
            sys.setprofile(None)
        return count

    plain = wsman("CIM_Card", "GetResponse", "<n:CIM_Card><n:Model>x</n:Model></n:CIM_Card>")
    calls(plain)  # tables are read
    before = calls(plain)
    for number in range(512):
        names = "".join(f"<n:a{number}b{inner}>{number}</n:a{number}b{inner}>" for inner in range(20))
        Conversation().tell(wsman("CIM_Card", "GetResponse", f"<n:x{number}>{names}</n:x{number}>"))
    calls(plain)  # whether its names are secrets may have been forgotten, and is judged once more
    assert calls(plain) == before
