"""The compiled reader of envelopes: what it reads is what the tree says; the rest it leaves alone."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from soap_exchange import eoi, fault, invoke, wsman

from amtdecode.compiled import TEXTS
from amtdecode.protocols.soap import document
from amtdecode.protocols.soap.elements import Names
from amtdecode.protocols.soap.envelope import content_of, usual

sys.path.append(str(Path(__file__).parents[2] / "fuzz"))
from bodies import changed

pytestmark = pytest.mark.skipif(TEXTS is None, reason="the compiled module is not built, or left out")

ITEMS = (
    "<Items><n:AMT_A><n:Id>1</n:Id><n:EPR><w:SelectorSet>"
    "<w:Selector Name='InstanceID'>x &amp; y</w:Selector><w:Selector Name='Password'>s3cret</w:Selector>"
    "</w:SelectorSet></n:EPR></n:AMT_A><n:AMT_A a='1'/></Items><EndOfSequence/>"
)
SETTINGS = (
    "<n:AMT_GeneralSettings><n:HostName>pc</n:HostName><n:MEBxPassword>x</n:MEBxPassword>"
    "<n:Token><n:UserName>u</n:UserName><n:More><n:Deep>y</n:Deep></n:More></n:Token></n:AMT_GeneralSettings>"
)
BODIES = [
    wsman("AMT_GeneralSettings", "Get").encode(),
    wsman("AMT_GeneralSettings", "GetResponse", SETTINGS).encode(),
    wsman("AMT_A", "PullResponse", f"<n:PullResponse>{ITEMS}</n:PullResponse>").encode(),
    invoke("AMT_SetupAndConfigurationService", "SetMEBxPassword", "<n:Password>Adm1n</n:Password>").encode(),
    fault("AccessDenied", "AMT-STATUS 0x10", "no").encode(),
]


def both(body: bytes):
    names = Names()
    compiled = usual(body, names)
    reading = document.read(body)
    return compiled, reading, content_of(reading.document, names) if reading.document is not None else None


@pytest.mark.parametrize("body", BODIES)
def test_the_usual_envelope_is_read_and_says_what_the_tree_says(body):
    compiled, _, reference = both(body)
    assert compiled is not None
    held(compiled, reference)
    assert reference.known[0].startswith("http://")


def held(compiled, reference) -> None:
    assert compiled == reference
    for field in ("selectors", "headers", "arguments"):
        assert list(getattr(compiled, field).secrets) == list(getattr(reference, field).secrets), field


@given(st.sampled_from(BODIES), st.randoms(use_true_random=False))
def test_of_any_body_it_says_the_same_or_nothing(body, rng):
    compiled, reading, reference = both(changed(rng, body))
    if compiled is not None:
        assert not reading.faults
        assert not reading.partial
        held(compiled, reference)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"</s:Envelope>", b"</s:Envelope><!-- more -->"),
        (b"<s:Body>", b"<s:Body/><s:Body>"),
        (b"<s:Body>", b"<s:Body><!-- -->"),
        (b"pc", b"&#112;c"),
        (b"pc", b"<![CDATA[pc]]>"),
        (b"pc", b"p\rc"),
        (b"<n:HostName>", b"text<n:HostName>"),
        (b"<n:HostName>", b"<n:HostName Name='Password'>"),
        (b"<n:HostName>pc", b"<n:Name>Password</n:Name><n:Value>x</n:Value><n:HostName>pc"),
        (b"pc", b"\xff"),
        (b"pc", b"\xef\xbf\xbf"),
        (b"utf-8", b"latin-1"),
        (b"<n:HostName>", b"<n:HostName xmlns:q=''>"),
        (b"<n:HostName>", b"<q:q/><n:HostName>"),
    ],
)
def test_what_is_unusual_is_left_to_the_tree(old, new):
    assert old in BODIES[1]
    assert usual(BODIES[1].replace(old, new), Names()) is None


def test_the_older_envelope_is_read_too():
    compiled, _, reference = both(eoi("SecurityAdministration", "<x:GetDigestRealm/>").encode())
    held(compiled, reference)
