"""A journal tells what the captures tell; journals merge in any order; their bytes are somebody else's."""

from __future__ import annotations

import zlib
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from amtdecode.capture import open_records
from amtdecode.diagnosis import diagnose
from amtdecode.engine import Engine
from amtdecode.errors import ArtifactError
from amtdecode.provisioning import Tracker
from amtdecode.provisioning.journal import Journal, Keeper, tell

PCAPS = Path(__file__).resolve().parents[2] / "pcaps"
CAPTURES = sorted(str(path) for path in PCAPS.glob("*.pcap*"))


def seen(*captures):
    return list(Engine(None, connections="all").observe(open_records(captures)))


def report_of(story):
    return msgspec.json.encode(diagnose(story), enc_hook=str)


def alone(*captures):
    """The report of one reading."""
    tracker = Tracker()
    for name in captures:
        tracker.input(name)
    for observation in seen(*captures):
        tracker.feed(observation)
    return report_of(tracker.finish())


def kept(*captures, sensor=""):
    """Their journal, by way of its bytes."""
    keeper = Keeper(sensor, captures)
    for observation in seen(*captures):
        keeper.feed(observation)
    return Journal.from_bytes(keeper.journal().to_bytes())


@pytest.mark.parametrize("capture", CAPTURES, ids=lambda name: Path(name).name)
def test_a_journal_tells_what_its_capture_tells(capture):
    assert report_of(tell(kept(capture))) == alone(capture)


@pytest.fixture(scope="module")
def some():
    return [kept(name, sensor=name[-9:-6]) for name in CAPTURES]


@given(data=st.data())
def test_any_order_and_grouping_is_the_same_journal(some, data):
    order = data.draw(st.permutations(some))
    cuts = sorted(data.draw(st.lists(st.integers(0, len(order)), max_size=4)))
    groups = [order[a:b] for a, b in zip([0, *cuts], [*cuts, len(order)], strict=True)]
    merged = Journal()
    for group in data.draw(st.permutations([Journal.merged(group) for group in groups])):
        merged = merged | group
    twice = merged | data.draw(st.sampled_from(order))
    assert twice.to_bytes() == merged.to_bytes() == Journal.merged(some).to_bytes()


def test_the_order_in_which_journals_come_says_nothing(some):
    expected = report_of(tell(Journal.merged(some)))
    assert report_of(tell(Journal.merged(reversed(some)))) == expected


def test_bytes_come_back(some):
    merged = Journal.merged(some)
    data = merged.to_bytes()
    again = Journal.from_bytes(data)
    assert again.to_bytes() == data
    assert report_of(tell(again)) == report_of(tell(merged))


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"", "no journal of amtdecode"),
        (b"\xd4\xc3\xb2\xa1", "no journal of amtdecode"),
        (b"amtdecode journal 99\n", "another version"),
        (b"amtdecode journal 2\n\0\0\0", "the journal is cut"),
        (b"amtdecode journal 2\n\0\0\0\x02xx", "no entry of one"),
    ],
)
def test_what_is_no_journal_is_refused_in_a_line(data, why):
    with pytest.raises(ArtifactError, match=why) as caught:
        Journal.from_bytes(data, "x.journal")
    assert "\n" not in str(caught.value)


def test_a_cut_journal_and_a_changed_one_are_refused():
    data = kept(CAPTURES[0]).to_bytes()
    for end in range(len(b"amtdecode journal 2\n") + 1, len(data)):
        with pytest.raises(ArtifactError):
            Journal.from_bytes(data[:end])
    for place in range(len(b"amtdecode journal 2\n"), len(data), 7):
        changed = bytearray(data)
        changed[place] ^= 0x10
        try:
            read = Journal.from_bytes(bytes(changed))
        except ArtifactError:
            continue
        assert read == kept(CAPTURES[0]), "another way to compress the same"


def test_a_block_that_unpacks_to_gigabytes_is_refused():
    bomb = zlib.compress(b" " * (65 << 20))
    data = b"amtdecode journal 2\n" + len(bomb).to_bytes(4, "big") + bomb
    with pytest.raises(ArtifactError, match="too large"):
        Journal.from_bytes(data)
