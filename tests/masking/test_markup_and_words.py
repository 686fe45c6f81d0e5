"""Where a value in a text ends, and which elements and pairs of XML are covered: exact ends, at their limits."""

from __future__ import annotations

import pytest

from amtdecode.masking import markup, words

M = "********"


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ('"X7', '"X7'),  # nothing closes it
        ('"X7" y', '"X7"'),
        ('"a"b"', '"a"b"'),  # a quote inside, and one behind it
        ('"a"b', '"a"b'),  # a quote inside, none behind it: up to the next blank
        ('"a"b c', '"a"b'),
        ('"a"b, c', '"a"b'),
        ("''", "''"),
        ("'' x", "''"),
        ("'a'' b' c", "'a'' b'"),
        ("'a''b' c", "'a''b'"),  # doubled, as SQL escapes it
        (r'"a\"b" c', r'"a\"b"'),
        (r'"a\\" c', r'"a\\"'),  # two backslashes are one, and escape nothing
        (r'"a\\\"b" c', r'"a\\\"b"'),
        (r'"a\\\\" c', r'"a\\\\"'),
        (r'"a\" c', r'"a\" c'),
        ("“a” b", "“a”"),
        ("«a» b", "«a»"),
        ("&quot;a&quot; b", "&quot;a&quot;"),
        ("(a(b)c) d", "(a(b)c)"),
        ("[a] b", "[a]"),
        ("{a", "{a"),
        ("</b>", ""),  # an end tag is no bracket
        ("<a", "<a"),
        ("<a>x</a> y", "<a>x"),
        ("<a><b>x</b></a>", "<a><b>x"),
        ("a;b c\nnext", "a;b c"),
        ("a&b=1", "a"),
        ("a --next b", "a"),
        ("X7y for joe", "X7y"),
    ],
)
def test_where_a_value_ends(text: str, value: str) -> None:
    assert text[: words.value_end(text, 0)] == value
    behind = f"password={text}"
    assert behind[9 : words.value_end(behind, 9)] == value


@pytest.mark.parametrize("text", ["to joe", "for X7y! was refused", "at"])
def test_a_value_may_begin_like_the_rest_of_a_sentence(text: str) -> None:
    assert words.value_end(f"password {text}", 9) > 9


def test_a_bracket_is_looked_for_so_far() -> None:
    inside = "x" * (words.MAX_BRACKETS - 2)
    assert words.value_end(f"({inside}) y", 0) == words.MAX_BRACKETS
    assert (
        words.value_end(f"({inside}x) y", 0) == words.MAX_BRACKETS + 3
    )  # all there is: too much rather than too little


@pytest.mark.parametrize("length", [words.MAX_SENTENCE, words.MAX_SENTENCE + 1])
def test_a_sentence_is_no_longer(length: int) -> None:
    text = ("word " * 100)[:length].ljust(length)
    assert words.is_all_prose(text) is (length <= words.MAX_SENTENCE)
    assert not words.is_all_prose("word X7y!q")


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("&lt;Pwd&gt;X7&lt;/Pwd&gt; y", f"&lt;Pwd&gt;{M}&lt;/Pwd&gt; y"),
        ("%3CPwd%3EX7%3C/Pwd%3E y", f"%3CPwd%3E{M}%3C/Pwd%3E y"),
        (r"\u003cPwd\u003eX7\u003c/Pwd\u003e y", rf"\u003cPwd\u003e{M}\u003c/Pwd\u003e y"),
        ("<Pwd>X7", f"<Pwd>{M}"),  # cut: up to the end of what there is
        ("a <Pwd>X7<b>y</b>", f"a <Pwd>{M}"),
        ("<Pwd>a</Pwd><b>c</b><Pwd>d</Pwd>", f"<Pwd>{M}</Pwd><b>c</b><Pwd>{M}</Pwd>"),
        ("<Pwd>a<Pwd>b</Pwd></Pwd>", f"<Pwd>{M}</Pwd></Pwd>"),
        ("<x:Pwd>a</y:Pwd> z", f"<x:Pwd>{M}</y:Pwd> z"),
        ("<Pwd>a</PwdX>b</Pwd> z", f"<Pwd>{M}</Pwd> z"),  # only the end tag of that name
        ("<User>a</User> z", "<User>a</User> z"),
        (f"<Pwd>{M}</Pwd> z", f"<Pwd>{M}</Pwd> z"),
        ("Pwd>a</Pwd", "Pwd>a</Pwd"),
        ("no tag", "no tag"),
    ],
)
def test_the_text_of_elements_is_covered_by_their_names(text: str, shown: str) -> None:
    assert markup.cover_elements(text) == shown


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("<Name>Pwd</Name><Value>X7</Value> y", f"<Name>Pwd</Name><Value>{M}</Value> y"),
        ("<Name>Pwd</Name><Value>X7", f"<Name>Pwd</Name><Value>{M}"),
        ("<Name>User</Name><Value>X7</Value>", "<Name>User</Name><Value>X7</Value>"),
        ("<Name>Pwd</Name> nothing", "<Name>Pwd</Name> nothing"),
        (f"name=pwd value={M} for joe", f"name=pwd value={M} for joe"),
        ("name=pwd, value=X7, host=a", f"name=pwd, value={M}, host=a"),
        ("<Name>Pwd</Name><Value>Name=Pin value=Q</Value><b>1</b>", f"<Name>Pwd</Name><Value>{M}</Value><b>1</b>"),
        ("<Name>Pwd</Name><Value>a</Value><Name>Pin</Name><Value>b</Value>",
         f"<Name>Pwd</Name><Value>{M}</Value><Name>Pin</Name><Value>{M}</Value>"),
    ],
)  # fmt: skip
def test_values_are_covered_by_the_names_beside_them(text: str, shown: str) -> None:
    assert markup.cover_pairs(text) == shown


@pytest.mark.parametrize(("far", "covered"), [(226, True), (227, False)])
def test_a_value_belongs_to_a_name_so_far_ahead(far: int, covered: bool) -> None:
    """`</Name>`, so many characters and `<Value>` are at most 240."""
    text = f"<Name>Pwd</Name>{'x' * far}<Value>X7</Value>"
    assert (M in markup.cover_pairs(text)) is covered
