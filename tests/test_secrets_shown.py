"""What a person sees of a capture full of secrets: no `repr`, page or error shows more than `-T json`, which masks.

`tests/data/secrets.pcap.gz` is synthetic: 178 marks `Zq…Xy` wherever secrets can stand (SOAP elements and attributes,
headers, addresses, faults, comments).
"""

from __future__ import annotations

import gzip
import re
import traceback
from pathlib import Path

import pytest

import amtdecode
from amtdecode.capture import open_records
from amtdecode.model import Direction, Statement
from amtdecode.protocols.http.auth import challenges, credentials
from amtdecode.protocols.http.events import HttpRequest
from amtdecode.render.json_lines import JsonLines

CAPTURE = Path(__file__).parent / "data" / "secrets.pcap.gz"
MARK = re.compile(r"Zq\d\d\dXy")
SECRET = "Zq999Xy"


def marks(text):
    return set(MARK.findall(text))


@pytest.fixture(scope="module")
def observations():
    return list(amtdecode.read(CAPTURE, connections="all", pdus=True))


@pytest.fixture(scope="module")
def printed(observations):
    """The marks that JSON shows although it masks: names of users and hosts, addresses."""
    lines: list[bytes] = []
    JsonLines(lines.append).all(observations)
    return marks(b"".join(lines).decode())


def parts(value, seen):
    """Every object of ours that can be reached by public attributes, properties and members."""
    if isinstance(value, (list, tuple, set, frozenset)):
        for each in value:
            yield from parts(each, seen)
    elif isinstance(value, dict):
        yield from parts(list(value.values()), seen)
    if not type(value).__module__.startswith("amtdecode.") or id(value) in seen:
        return
    seen[id(value)] = value  # kept, so that no other object gets its number
    yield value
    for name in dir(value):
        if not name.startswith("_"):
            try:
                found = getattr(value, name)
            except (AttributeError, amtdecode.AmtdecodeError):
                continue
            if not callable(found):
                yield from parts(found, seen)


def test_the_capture_is_full_of_secrets(printed):
    raw = marks(gzip.decompress(CAPTURE.read_bytes()).decode("latin-1"))
    assert len(raw) > 150
    assert len(raw - printed) > 60, "the tests below compare with what JSON masks"


def test_no_repr_shows_more_than_json(observations, printed):
    seen: dict[int, object] = {}
    leaks: dict[str, set[str]] = {}
    for part in parts(observations, seen):
        if leaked := marks(repr(part) + str(part)) - printed:
            leaks.setdefault(f"{type(part).__module__}.{type(part).__name__}", set()).update(leaked)
    assert not leaks
    kinds = {type(part).__name__ for part in seen.values()}
    assert {"Observation", "FlowKey", "HttpRequest", "HttpResponse", "Challenge", "SoapRequest", "Call"} <= kinds


def test_pages_and_dicts_show_no_more(observations, printed):
    for one in observations:
        assert marks(one._repr_html_() + str(one.to_dict()) + one.event.summary()) <= printed
        assert marks(repr(one.event.__rich_repr__())) <= printed
    with_secrets = {mark for one in observations for mark in marks(str(one.to_dict(show_secrets=True)))}
    assert len(with_secrets - printed) > 40


def test_trees_show_no_more(observations, printed):
    nodes = [node for one in observations for root in one.tree() for node in root.walk()]
    assert marks("".join(f"{node!r}{node.words}{node.__rich_repr__()}" for node in nodes)) <= printed
    assert marks("".join(str(node.value) for node in nodes if not node.secret)) <= printed
    assert len({mark for node in nodes for mark in marks(str(node.value))} - printed) > 30


def test_statements_and_payloads(observations, printed):
    """What rooms hand to each other, seen by who writes one."""
    payloads = []
    engine = amtdecode.Engine(tap=lambda flow, layer, direction, payload: payloads.append(payload))
    list(engine.observe(open_records([str(CAPTURE)])))
    assert len(payloads) > 100
    assert len({mark for each in payloads for mark in marks(each.data.decode("latin-1"))} - printed) > 30
    for event in [*payloads, *(one.event for one in observations)]:
        statement = Statement(event, Direction.TO_SERVER, 0, 1)
        assert marks(repr(statement) + str(statement) + repr([event])) <= printed


def test_reports_show_no_more(printed):
    report = amtdecode.diagnose(CAPTURE)
    assert report.devices
    assert marks(repr(report) + str(report.to_dict()) + report._repr_html_()) <= printed


def test_objects_of_http_authentication():
    digest = f'Digest username="admin", realm="r", nonce="n", response="{SECRET}", cnonce="c"'
    for value in (digest, f"Basic {SECRET}", f"Negotiate {SECRET}", f"Bearer {SECRET}"):
        found = credentials(value)
        assert found.scheme == value.split()[0]
        assert SECRET not in repr([found, challenges(value)])
        request = HttpRequest("GET", "/", "HTTP/1.1", (("Authorization", value),), 0)
        assert SECRET not in repr(request)
        assert SECRET in request.header("authorization")


def test_keys_and_all_in_them(tmp_path):
    secret_hex = SECRET.encode().hex()
    table, password, keylog = tmp_path / "psk.csv", tmp_path / "password", tmp_path / "keys.log"
    table.write_text(f"pid,pps\nAAAA1111,{SECRET}\n")
    password.write_text(SECRET)
    keylog.write_text(f"CLIENT_RANDOM {'11' * 32} {secret_hex.ljust(96, '0')}\nnonsense {SECRET}\n")
    keys = amtdecode.Keys.load(
        psk=[f"BBBB2222={SECRET}", f"*={SECRET}"],
        psk_files=[table, f"pid,pps\nCCCC3333,{SECRET}\n".encode()],
        keylogs=keylog,
        http_passwords=f"admin={password}",
    )
    assert keys.psks(b"AAAA1111")[0] == SECRET.encode()
    assert keys.http_password("admin") == SECRET
    for each in [keys, keys.copy(), *vars(keys).values()]:
        if type(each).__module__.startswith("amtdecode.") or isinstance(each, list):
            assert not re.search(f"{SECRET}|{secret_hex}", repr(each))
    assert not any(SECRET in note for note in keys.notes)


@pytest.mark.parametrize(
    "refused",
    [
        {"psk": [SECRET]},
        {"psk": [f"={SECRET}"]},
        {"psk": [f"AAAA1111=hex:{SECRET}"]},
        {"psk_files": [f"AAAA1111={SECRET}"]},
        {"psk_files": [f"AAAA1111,{SECRET}\n".encode()]},
        {"psk": 5},
        {"psk_files": [5]},
        {"http_passwords": [SECRET]},
        {"http_passwords": [f"admin={SECRET}"]},
    ],
    ids=str,
)
def test_errors_about_keys(refused):
    with pytest.raises(amtdecode.AmtdecodeError) as caught:
        amtdecode.Keys.load(**refused)
    assert SECRET not in str(caught.value)
    error = caught.value
    while error is not None:  # what a traceback would print
        assert SECRET not in "".join(traceback.format_exception_only(error)), error
        error = None if error.__suppress_context__ else error.__cause__ or error.__context__
