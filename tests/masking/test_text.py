"""Secrets in free text: what is covered, where the cover ends, and what stays. Phrasings: `tests/test_canaries.py`."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from amtdecode.masking import doubtful, is_word, masked, names, text
from amtdecode.masking.names import words

M = "********"


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        ("password=X7, host 10.0.0.5 refused", f"password={M}, host 10.0.0.5 refused"),
        ("password=X7 for user joe at 10.0.0.5 was refused", f"password={M} for user joe at 10.0.0.5 was refused"),
        ("password=a b c", f"password={M}"),
        ("password=X7;server=sql1", f"password={M};server=sql1"),
        ("a=1&password=X7&b=2", f"a=1&password={M}&b=2"),
        ("GET /?pwd=X7 HTTP/1.1", f"GET /?pwd={M} HTTP/1.1"),
        ("/AdminPassword X 7 /Output console", f"/AdminPassword {M} /Output console"),
        ("-password -n", "-password -n"),
        ("rpc -password X7 -n", f"rpc -password {M} -n"),
        ('{"password":"a\\"b","x":1}', f'{{"password":{M},"x":1}}'),
        ('{"password":{"a":[1,2]},"x":1}', f'{{"password":{M},"x":1}}'),
        ("<a:Pwd x='1'>X7</a:Pwd><b>1</b>", f"<a:Pwd x='1'>{M}</a:Pwd><b>1</b>"),
        ("<Pwd>a<c/>X7</Pwd><b>1</b>", f"<Pwd>{M}</Pwd><b>1</b>"),
        ("<AMT_MPSUsernamePassword><a>1</a></AMT_MPSUsernamePassword>", None),
        ("<Name>Pwd</Name><Value>X7</Value><b>1</b>", f"<Name>Pwd</Name><Value>{M}</Value><b>1</b>"),
        ('<add key="pwd" value="X7" x="1"/>', f'<add key={M} value={M} x="1"/>'),
        ("Authorization: Basic X7y=, next", f"Authorization: Basic {M}, next"),
        ("Authorization: X7y", f"Authorization: {M}"),
        ("http://joe:X7@host:16992/x", f"http://joe:{M}@host:16992/x"),
        ("http://X7@host/", f"http://{M}@host/"),
        ("http://host:16992/wsman", None),
        ("mailto:joe@example.com", None),
        ("/password/X7y/z", f"/password/{M}/z"),
        ("the password was refused", None),
        ("Invalid password", None),
        ("password: not set", None),
        ("Failed to set MEBx password, status=401.", None),
        ("Basic authentication was refused", None),
        ("credential with error=0x8009030E by AcquireCredentialsHandle", None),
        ("its password is lost.", None),
        ("the length of the password (8 to 16 characters)", None),
        ("Intel(r) AMT Key: Handle: 0", None),
        ("Digest:34BF4B5A0561F95248F58509A406E046", None),
        ("PID 0000-037M used", None),
        ("PPS NKLD-G5DC-RRNQ-E9YZ-ZIJL-7LFL-VJED-69XJ", f"PPS {M}"),
        ("x NKLDG5DCRRNQE9YZZIJL7LFLVJED69XJ y", f"x {M} y"),
        ("x 4B529B93D413181DE4871C697A6B7A2B y", None),
        ("x AMTSetupAndConfigurationServices y", None),
        ("x eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIx.c2ln y", f"x {M} y"),
        ("-----BEGIN PRIVATE KEY-----MIIE-----END X-----", f"-----BEGIN PRIVATE KEY-----{M}-----END X-----"),
        ("changed the password from X7 to Y8z", f"changed the password from {M} to {M}"),
        ("X7y is not a valid password", f"{M} is not a valid password"),
        ("challenge answered with 401", None),
        ("challenge answered with Negotiate", None),
        ("challenge response 401 Unauthorized", None),
        ("digest response received", None),
        ("NTLM response was refused", None),
        ("SAS controller found, sas disk 5 failed", None),
        ("the password prompt was shown", None),
        ("sent X7y to the passphrase prompt", f"sent {M} to the passphrase prompt"),
        ("NTLMv2 response X7y on host1", f"NTLMv2 response {M} on host1"),
        ("uuid:00000000-8086-8086-8086-000000000000", None),
        ("http://intel.com/wbem/wscim/1/amt-schema/1/AMT_AuthorizationService", None),
    ],
)  # fmt: skip
def test_what_is_covered_and_where_that_ends(given, shown):
    assert masked(given) == (given if shown is None else shown)


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        ("-P X7y -U admin", f"-P {M} -U admin"),
        ("-w X7y -u admin", f"-w {M} -u admin"),
        ("args: [-p, X7y]", f"args: [-p, {M}]"),
        ('["-p", "X7y", "-x"]', f'["-p", "{M}", "-x"]'),
        ("login as admin:hunter refused", f"login as admin:{M} refused"),
        ("the admin:users are many", None),
        ("auth admin/hunter rejected", f"auth admin/{M} rejected"),
        ("admin/etc is a path", None),
        ("user.SetUser(joe, X7y)", f"user.SetUser(joe, {M}"),
        ("admin with X7y", f"admin with {M}"),
        ("admin with care", None),
        ("MEBx: expected X7y!, got Ab3$d", f"MEBx: expected {M} got {M}"),
        ("MEBx: expected nothing, got nothing", None),
        ('old "a b" new "c d" in MEBx', f"old {M} new {M} in MEBx"),
        ("password list: X7yAbc / Ab9Def", f"password list: {M} / {M}"),
        ("MEBx password X7yAbc -> next one", f"MEBx password {M} -> next one"),
        ("key Ab3dEf9 was read", f"key {M} was read"),
        ("code 123456 to the user", f"code {M} to the user"),
        ("code 12345 to the user", None),
        ("Ab3dEf9 " + "y " * 50 + "MEBx", M + " " + "y " * 50 + "MEBx"),
        ("Ab3dEf9 " + "y " * 70 + "MEBx", None),
        ("MEBx C:\\Logs\\Ab3\\x.log 00:1A:2B:3C:4D:5E AMT_Gen12 10ms", None),
        ("the token was sent: 200", None),
        ("session id: X7y9", f"session id: {M}"),
        ("setPassword(X7y)", f"setPassword({M})"),
        ("SetPassword(the old one)", None),
        ("checking password ... OK", None),
        ("checking password .... X7y9", f"checking password .... {M}"),
        ("Passwort ist: falsch", None),
        ("reg add HKLM\\X /v AdminPassword /t REG_SZ /d X7y", f"reg add HKLM\\X /v AdminPassword /t REG_SZ /d {M}"),
        ("reg add HKLM\\X /v Colour /t REG_SZ /d X7y", None),
        ("'X7y' | ConvertTo-SecureString", f"'{M}' | ConvertTo-SecureString"),
        ("the pin is set now", None),
        ("“X7y” is the pin", f"{M} is the pin"),
        ("«falsch» pin", None),
        ("logged in by X7y9", f"logged in by {M}"),
        ("logged on to host with care", None),
        (f"Authorization: Basic {M}, x=1", None),
        ("password={a{b}c} x=1", f"password={M} x=1"),
        ("password=[a] b", f"password={M} b"),
        ("</password> x", None),
        ("password=<X7y> y", f"password={M} y"),
        ("password='a\\\\' b", f"password={M} b"),
        ("password='a\\' b", f"password={M}"),
        ("password='a'b c", f"password={M} c"),
        ("a " + "0123456789abcdef" * 4 + " is hex", None),
        ("a " + "aB3/" * 4 + "aB3x" * 12 + " is base64", f"a {M} is base64"),
        ("a " + "aB3/" * 5 + "aB3x" * 12 + " is a path", None),
    ],
)  # fmt: skip
def test_what_is_covered_beside_accounts_in_sentences_and_by_its_looks(given, shown):
    """Each with its near miss, where nothing is covered."""
    assert masked(given) == (given if shown is None else shown)


@pytest.mark.parametrize(
    ("ahead", "piece", "ending", "shown"),
    [
        ("password ", "admin/", "", f"password {M}"),
        ("password ", "aB/", "", f"password {M}"),
        ("the password ", "it's-", "'", f"the password {M}"),
        ("", "password......", "", f"password....{M}"),
        ("", "-p", " -u admin", None),
        ("", "-p-p-p", " -u admin", None),
        ("", "-p ", "-u admin", None),
        ("", "aUser", "(", None),
    ],
)
def test_long_words_of_like_pieces_come_to_an_end(ahead, piece, ending, shown):
    """Each took time without end once, or grew with the square of its length, or looks as if it might."""
    for count in (30, text.MAX_TEXT // len(piece) - 4):
        line = ahead + piece * count + ending
        assert masked(line) == (line if shown is None else shown)


PIECES = words("password= : ; , ' \" < > / @ ( ) { } [ ] \\ & % X7y Zq user -p for is http:// Name Value")
WORDS = st.sampled_from([*sorted(PIECES), " ", "\n"])


@given(st.lists(WORDS, max_size=14).map("".join))
def test_any_text_is_masked_without_an_error_and_twice_as_once(line):
    shown = masked(line)
    assert masked(masked(shown)) == masked(shown)


@given(st.text(max_size=12).filter(lambda value: value.strip() and "'" not in value and "\\" not in value))
def test_a_quoted_value_is_covered_whatever_it_is(value):
    assert masked(f"x password='{value}' y") == f"x password={M} y"


@given(st.lists(st.sampled_from(["true", "5", "Intel(R) AMT", "uuid:1", "a b", "password: X", "joe@x", "k=v"])))
def test_no_doubt_means_nothing_to_cover(texts):
    assert doubtful(texts) or [masked(each) for each in texts] == texts


def test_of_a_long_text_the_rest_is_covered_where_it_is_doubtful():
    plain = "a " * text.MAX_TEXT
    assert masked(plain) == plain
    assert masked(plain + "password=X7") == plain[: text.MAX_TEXT] + M


def test_what_is_remembered_is_bounded():
    for number in range(3 * text.MAX_KEPT):
        masked(f"text {number} of many")
    assert 0 < len(text._SHOWN) <= text.MAX_KEPT
    held = dict(text._SHOWN)
    masked("a " * text.MAX_KEPT_SIZE)
    assert held == text._SHOWN


def test_what_is_remembered_holds_no_secret():
    secret = "Zq000Xy!"
    for line in (f"password={secret}", f"the PPS is {secret}", f"{secret}: no such user, pin wrong", secret):
        masked(line)
        doubtful([line, secret])
        names.grade(secret)
    held = [text._SHOWN, text._NO_DOUBT, names._GRADES]
    assert not any("Zq000Xy" in repr(each) for each in held)


def test_certificates_in_elements_are_shown():
    """Base64 is one word, whatever letters stand beside each other in it."""
    certificate = "MIIDpassA/keyU+tokenMIIDaTCCAlGgAwIBAgIUM03tqukvcy8hY3h/2P5wSc5SCTUwDQYJKoZIhvcNAQEL=="
    assert is_word(certificate)
    assert not doubtful([certificate, "x"])
    assert not is_word("/" + certificate)
    assert not is_word("a" * 30 + "/password/X7y")
    assert doubtful(["a" * 30 + "/password/X7y"])


@given(st.text("apsword kyi", max_size=30))
def test_stems_are_found_as_one_after_another_would_be(line):
    assert text._has_stem(line) is any(stem in line.lower() for stem in text._STEMS)
