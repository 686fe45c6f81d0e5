"""Envelopes read by this room and by lxml, another parser, walked in another way: the same values."""

from __future__ import annotations

from xml.etree import ElementTree as ET
from xml.sax.saxutils import escape, quoteattr

from hypothesis import given
from hypothesis import strategies as st
from lxml import etree
from soap_exchange import AMT, Conversation, wsman

from amtdecode.protocols.soap import document
from amtdecode.protocols.soap.elements import MAX_NAMES, Names
from amtdecode.protocols.soap.events import SoapMessage
from amtdecode.protocols.soap.values import Values

NAMES = st.sampled_from(
    ("Password", "PPS", "Key", "AMT_KeyPair", "Setting", "InstanceID", "Ünits", "a.b-c", "PinCode", "Items", "x_Secret")
)
PREFIXES = st.sampled_from(("", "n:", "q:"))
TEXTS = st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"]), max_size=8).map(
    escape
) | st.sampled_from(
    ("", " ", "\n  ", " a b ", "<![CDATA[<&>]]>", "a<!-- b -->c", "<?pi d?>", "&#65;&lt;", "1", "\r\n\tx")
)
ATTRIBUTES = st.dictionaries(
    st.sampled_from(("a", "n:b", "xsi:nil", "Password", "xml:lang")),
    st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"]), max_size=5),
    max_size=2,
)


def written(name: str, prefix: str, attributes: dict[str, str], content: list[str]) -> str:
    """An element with its prefix, which `envelope` declares."""
    given = "".join(f" {key}={quoteattr(value)}" for key, value in attributes.items())
    return f"<{prefix}{name}{given}>{''.join(content)}</{prefix}{name}>" if content else f"<{prefix}{name}{given}/>"


LEAVES = st.builds(written, NAMES, PREFIXES, ATTRIBUTES, st.lists(TEXTS, max_size=2))
TREES = st.recursive(
    LEAVES, lambda inner: st.builds(written, NAMES, PREFIXES, ATTRIBUTES, st.lists(inner | TEXTS, max_size=4))
)


def envelope(inside: str) -> str:
    text = wsman("AMT_GeneralSettings", "Set", f"<n:Set_INPUT>{inside}</n:Set_INPUT>")
    return text.replace(
        "<n:Set_INPUT", '<n:Set_INPUT xmlns:q="urn:q" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"'
    )


def by_lxml(body: bytes) -> tuple[tuple[str, str], ...]:
    """Path and text of each element and attribute below the operation, from the tree of libxml2."""
    root = etree.fromstring(body, etree.XMLParser(resolve_entities=False, no_network=True, remove_pis=True))
    (operation,) = root.xpath("/*/*[local-name()='Body']/*")
    found = []
    own = "".join(operation.xpath("text()[normalize-space()]")).strip(" \t\r\n")
    if own:
        found.append(("Set_INPUT", own))
    for element in operation.iterdescendants("*"):
        above = [etree.QName(each).localname for each in element.iterancestors()][::-1][3:]
        path = "/".join([*above, etree.QName(element).localname])
        for key, value in element.items():
            name = etree.QName(key)
            if not (name.namespace or "").endswith(("XMLSchema-instance", "XML/1998/namespace")):
                found.append((f"{path}/@{name.localname}", value))
        if not element.xpath("*"):
            found.append((path, "".join(element.xpath("text()")).strip(" \t\r\n")))
        elif any(not piece.isspace() for piece in pieces(element)):
            found.append((path, "".join(piece for piece in pieces(element) if not piece.isspace()).strip(" \t\r\n")))
    return tuple(found)


def pieces(element) -> list[str]:
    """The texts between the child elements; comments do not part them."""
    found = [""]
    for node in element.xpath("node()"):
        if isinstance(node, str):
            found[-1] += node
        elif not isinstance(node, etree._Comment):
            found.append("")
    return [piece for piece in found if piece]


@given(st.lists(TREES, max_size=4).map("".join))
def test_any_body_has_the_values_that_lxml_finds(inside):
    body = envelope(inside).encode()
    (message,) = Conversation().ask(body).of(SoapMessage)
    assert (message.class_name, message.method, message.partial) == ("AMT_GeneralSettings", "Set", False)
    assert message.arguments == by_lxml(body)


@given(st.lists(TREES, max_size=4).map("".join))
def test_what_is_secret_is_told_alike_by_elements_and_by_paths(inside):
    (message,) = Conversation().ask(envelope(inside)).of(SoapMessage)
    for values in (message.arguments, message.headers, message.selectors):
        assert values.lines == Values(tuple(values)).lines


@given(st.lists(TREES, max_size=4).map("".join))
def test_the_careful_reader_makes_the_same_tree(inside):
    body = envelope(inside).encode()
    root, fault = document._read_carefully(body)
    assert fault is None
    assert ET.tostring(root) == ET.tostring(document.read(body).document)


def test_names_are_remembered_up_to_a_limit():
    names = Names()
    for number in range(3 * MAX_NAMES):
        assert names[f"{{{AMT}}}Setting{number}"][:3] == (f"Setting{number}", False, False)
    assert len(names) <= MAX_NAMES
    assert names["{urn:q}" + "x" * 1000].local == "x" * 1000
    assert "{urn:q}" + "x" * 1000 not in names
