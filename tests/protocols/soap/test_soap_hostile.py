"""XML written to hurt, and XML that is merely broken."""

from __future__ import annotations

import codecs
import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st
from soap_exchange import Conversation, Told, invoke, returned, wsman

from amtdecode.model import LimitReached, Malformed, Note
from amtdecode.protocols.soap import document
from amtdecode.protocols.soap.document import read
from amtdecode.protocols.soap.envelope import glance
from amtdecode.protocols.soap.events import SoapMessage, SoapResponse

GET = wsman(
    "AMT_GeneralSettings", "GetResponse", "<n:AMT_GeneralSettings><n:HostName>pc</n:HostName></n:AMT_GeneralSettings>"
)
BOMB = '<!DOCTYPE lolz [<!ENTITY a "AAAAAAAAAA">' + "".join(
    f'<!ENTITY {chr(98 + i)} "{f"&{chr(97 + i)};" * 10}">' for i in range(9)
)


def attack(doctype: str, text: str = "&j;") -> str:
    declaration, _, rest = GET.partition("?>")
    return f"{declaration}?>{doctype}{rest.replace('pc', text)}"


@pytest.mark.parametrize(
    "body",
    [
        attack(BOMB + "]>").encode(),
        attack('<!DOCTYPE x [<!ENTITY j SYSTEM "file:///etc/passwd">]>').encode(),
        attack('<!DOCTYPE x [<!ENTITY j SYSTEM "http://192.0.2.1/x">]>').encode(),
        attack('<!DOCTYPE x SYSTEM "http://192.0.2.1/x.dtd">', "pc").encode(),
        attack('<!DOCTYPE x [<!ENTITY % p SYSTEM "http://192.0.2.1/x"> %p;]>', "pc").encode(),
        attack(BOMB + "]>").replace("utf-8", "utf-16").encode("utf-16"),
        attack(BOMB + "]>").replace("utf-8", "utf-16").encode("utf-16-be"),
        attack(BOMB + "]>").replace("utf-8", "utf-16").encode("utf-16-le"),
        codecs.BOM_UTF8 + attack(BOMB + "]>").encode(),
        attack('<!DOCTYPE x [<!ATTLIST x y CDATA "z">]>', "pc").encode(),
    ],
)
def test_a_dtd_is_refused_in_any_encoding_and_nothing_of_it_used(body):
    talk = Conversation().tell(body)
    assert talk.of(Malformed) == [Malformed("iamt.soap", "holds a DTD, which SOAP forbids; not read")]
    assert not talk.of(SoapMessage)
    (call,) = talk.calls
    assert call.result_text == "200 OK, body not readable"
    assert call.succeeded is False


def test_an_entity_bomb_costs_no_memory():
    body = attack(BOMB + "]>").encode()
    read(body)
    tracemalloc.start()
    read(body)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 100_000


def nested(depth: int) -> str:
    return wsman("AMT_GeneralSettings", "Get", "<n:x>" * depth + "deep" + "</n:x>" * depth)


def test_depth_is_capped_and_what_stands_before_is_kept():
    assert read(nested(document.MAX_DEPTH - 2).encode()).document is not None
    reading = read(nested(100_000).encode())
    assert reading.faults == (
        LimitReached("iamt.soap", "MAX_DEPTH", document.MAX_DEPTH, "the body is not read further"),
    )
    assert reading.partial
    (message,) = Conversation().tell(nested(100_000)).of(SoapResponse)
    assert message.class_name == "AMT_GeneralSettings"
    assert message.partial
    assert message.arguments == ()


@pytest.mark.parametrize(
    ("inside", "limit"),
    [
        ("<n:a/>" * 30_000, "MAX_ELEMENTS"),
        (f"<n:{'a' * 5000}/>", "MAX_PATH_SIZE"),
        ("".join(f"<n:{'a' * 250}>" for _ in range(5)), "MAX_PATH_SIZE"),
        ('<n:a b="' + "x" * 100_000 + '"/>', "MAX_ATTRIBUTE_SIZE"),
        ("<n:a " + " ".join(f'a{i}=""' for i in range(1000)) + "/>", "MAX_ATTRIBUTES"),
        ("<n:a " + " ".join(f'xmlns:a{i}="urn:{i}"' for i in range(1000)) + "/>", "MAX_ATTRIBUTES"),
        ("<n:a " + " ".join(f'a{i}=""' for i in range(100_000)) + "/>", "MAX_ALL_ATTRIBUTES"),
        ("x" * (document.MAX_BODY_SIZE + 1), "MAX_BODY_SIZE"),
    ],
)
def test_caps(inside, limit):
    talk = Conversation().tell(wsman("AMT_GeneralSettings", "Get", inside))
    assert [(event.limit, event.value) for event in talk.of(LimitReached)] == [(limit, getattr(document, limit))]
    assert len(talk.calls) == 1


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (GET.replace("pc", "p\udcffc").encode("utf-8", "surrogateescape"), "not valid utf-8 at byte"),
        (GET.replace("pc", "p\udcc0\udcafc").encode("utf-8", "surrogateescape"), "not valid utf-8 at byte"),
        (GET.replace('"utf-8"', '"utf-7"').encode(), "encoding utf-7 is not read"),
        (GET.replace('"utf-8"', '"ebcdic-cp-us"').encode(), "encoding ebcdic-cp-us is not read"),
        (GET.replace('"utf-8"', '"cp037"').encode("cp037"), "encoding ebcdic is not read"),
        (GET.encode("utf-32-le"), "encoding utf-32 is not read"),
        (GET.encode("utf-32-be"), "encoding utf-32 is not read"),
        (codecs.BOM_UTF32_LE + GET.encode("utf-32-le"), "encoding utf-32 is not read"),
        (codecs.BOM_UTF16_LE + b"<" + GET.encode("utf-16-le"), "not valid utf-16"),
        (GET.replace("pc", "a\0b").encode(), "not well-formed XML"),
        (GET.replace("pc", "a\x1bb").encode(), "not well-formed XML"),
        (GET.replace("pc", "&undefined;").encode(), "not well-formed XML"),
        (GET.replace("pc", "a]]>b").encode(), "not well-formed XML"),
        (GET.replace("</n:HostName>", "</n:Hostname>").encode(), "not well-formed XML"),
        (GET.replace("<n:HostName>", "<q:HostName>").encode(), "not well-formed XML"),
        (GET.replace("<n:HostName>", '<n:HostName a="1" a="2">').encode(), "not well-formed XML"),
        (GET.encode() + b"<more/>", "not well-formed XML"),
        (GET.encode()[:-4], "not well-formed XML"),
        (b"<", "not well-formed XML"),
    ],
)
def test_broken_xml_says_what_is_wrong(body, reason):
    talk = Conversation().tell(body)
    (fault,) = talk.of(Malformed)
    assert reason in fault.reason
    assert len(talk.calls) == 1


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (GET.replace("pc", "Zürich"), "Zürich"),
        (GET.replace("pc", "a&lt;b &amp;amp; c&#x41;&#66;"), "a<b &amp; cAB"),
        (GET.replace("pc", "<![CDATA[<x>&]]>"), "<x>&"),
        (GET.replace("pc", "a<!-- no -->b<?pi?>c"), "abc"),
        (GET.replace("pc", "a\r\nb"), "a\nb"),
        (GET.replace("pc", "a > b"), "a > b"),
        (GET.replace("<n:HostName>", "<n:HostName\n\tb='>' >"), "pc"),
    ],
)
def test_all_of_xml_is_understood(body, expected):
    (message,) = Conversation().tell(body).of(SoapResponse)
    assert message.value("HostName") == expected


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-8-sig", "iso-8859-1", "windows-1252"])
def test_encodings_that_are_read(encoding):
    declared = encoding.removesuffix("-le").removesuffix("-be").removesuffix("-sig")
    body = GET.replace("utf-8", declared).replace("pc", "Zürich").encode(encoding)
    (message,) = Conversation().tell(body).of(SoapResponse)
    assert message.value("HostName") == "Zürich"


def test_utf_16_declared_but_not_written_is_read_as_written():
    (message,) = Conversation().tell(GET.replace("utf-8", "utf-16")).of(SoapResponse)
    assert message.value("HostName") == "pc"


@given(st.integers(0, len(GET)))
def test_cut_anywhere_it_keeps_whole_values_only(size):
    body = GET.encode()[:size]
    head = Told(complete=False)
    talk = Conversation().tell(body, head).end()
    assert not talk.of(Malformed)  # HTTP has said that the body is cut
    for message in talk.of(SoapResponse):
        assert message.action in ("", "http://schemas.xmlsoap.org/ws/2004/09/transfer/GetResponse")
        assert message.arguments in ((), (("HostName", "pc"),))
        assert message.partial == (size < len(GET))
    assert len(talk.calls) == 1


SEEDS = [
    GET,
    invoke("AMT_SetupAndConfigurationService", "SetMEBxPassword", "<n:Password>P@ssw0rd</n:Password>"),
    returned("AMT_SetupAndConfigurationService", "CommitChanges", 2057),
    wsman(
        "CIM_Card",
        "PullResponse",
        '<n:PullResponse><n:Items><n:CIM_Card a="b"/>\n<n:CIM_Card/></n:Items></n:PullResponse>',
    ),
]
PIECES = [
    "<", ">", "/", "&", "&amp;", '"', "'", "=", " ", "]]>", "<!--", "-->", "<?x?>", "<![CDATA[", 'xmlns:q="urn:q"',
    'xmlns=""', "q:", "n:", ":", "\r", "\0", "\x0b", "ü", "<a/>", "<q:a>", "</n:x>", 'xml:lang="en"', "&#65;", "\t",
    'xmlns:xml="x"', 'xmlns:n=""',
]  # fmt: skip


@st.composite
def mutated(draw) -> bytes:
    text = draw(st.sampled_from(SEEDS))
    for _ in range(draw(st.integers(0, 4))):
        at = draw(st.integers(0, len(text)))
        cut = draw(st.integers(0, 12))
        text = text[:at] + draw(st.sampled_from([*PIECES, ""])) + text[at + cut :]
    return text.encode()


@given(mutated())
def test_nothing_raises_and_every_exchange_is_one_call(data):
    talk = Conversation().ask(data).tell(data).end()
    assert len(talk.calls) == 1 or {call.missing for call in talk.calls} == {"request", "response"}
    for event in talk.events:
        event.summary()
        event.fields()


@given(mutated())
def test_the_glance_says_what_the_tree_says_or_nothing(data):
    reading = read(data)
    if reading.document is None or reading.partial:
        return
    (message, *_) = Conversation().tell(data).of(SoapMessage) or (None,)
    if message is not None:
        action, resource_uri = glance(data)
        assert action in ("", message.action)
        assert resource_uri in ("", message.resource_uri)


@given(st.binary(max_size=400))
def test_any_bytes(data):
    talk = Conversation().ask(data).tell(data).end()
    assert 1 <= len(talk.calls) <= 2


def test_a_refused_request_is_named_by_a_glance():
    talk = Conversation().ask(GET.replace("GetResponse", "Get").replace("<s:Body>", "<s:Body>" + "<n:a/>" * 30_000))
    assert len(talk.of(LimitReached)) == 1
    big = wsman("AMT_GeneralSettings", "Put", "x" * document.MAX_BODY_SIZE)
    (call,) = Conversation().ask(big).tell("", Told(400, "Bad Request")).calls
    assert (call.kind, call.class_name, call.method) == ("wsman", "AMT_GeneralSettings", "Put")


def test_an_envelope_without_namespace_as_amttool_writes_it():
    body = (
        '<?xml version="1.0" encoding="UTF-8"?><Envelope xmlns:soap="http://schemas.xmlsoap.org/soap/envelope/">'
        '<Body><GetHostName xmlns="http://schemas.intel.com/platform/client/NetworkAdministration/2004/01" />'
        "</Body></Envelope>"
    )
    talk = Conversation().ask(body).end()
    assert talk.of(Note) == [Note("iamt.soap", "the Envelope is not in a namespace of SOAP")]
    assert (talk.calls[0].service, talk.calls[0].method) == ("NetworkAdministration", "GetHostName")


def test_faults_carry_no_bytes_since_bodies_carry_passwords():
    body = invoke("AMT_SetupAndConfigurationService", "SetMEBxPassword", "<n:Password>P@ssw0rd</n:Passwort>")
    for event in Conversation().ask(body).end().events:
        assert "P@ssw0rd" not in str({k: v for k, v in event.fields().items() if k not in event.secrets()})
        assert "P@ssw0rd" not in event.summary()


def test_a_tag_without_its_end_is_no_tag():
    for broken in (GET.replace("</a:Action>", "</a:Action"), GET.replace("<s:Body>", "<s:Body")):
        assert read(broken.encode()).faults
