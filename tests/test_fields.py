"""Fields are declared once: what a declaration says, and what is made of it."""

from __future__ import annotations

from typing import ClassVar

import oracle
import pytest
from field_values import fits

from amtdecode.fields import (
    BOOLEAN,
    BYTES,
    IPV4,
    STRING,
    UINT8,
    UINT16,
    Field,
    Fields,
    Kind,
    declared_by,
    nested,
    reader,
)
from amtdecode.model import Event, Malformed, Payload
from amtdecode.protocols.catalogue import catalogue


class Sample(Event, frozen=True):
    declared: ClassVar[Fields] = (
        Field("x.number", UINT8, "a number", "number", values={1: "one"}),
        Field("x.flag", BOOLEAN, "a flag", "flag"),
        Field("x.none", STRING, "may be None", "maybe", absent=None),
        Field("x.text", STRING, "may be empty", "text", absent=""),
        Field("x.number.of", UINT8, "-1 for none", "below", absent=-1),
        Field("x.data", BYTES, "bytes", "data"),
        Field("x.parts", BYTES, "several", "parts", absent=(), repeated=True),
        Field("x.address", IPV4, "several", lambda event: event.addresses, repeated=True),
        Field("x.inner", STRING, "of an attribute", "inside.reason", secret=True),
        Field("x.keys", STRING, "secrets", "keys", absent=(), repeated=True, secret=True),
    )
    number: int = 1
    flag: int = 2
    maybe: str | None = None
    text: str = ""
    below: int = -1
    data: bytes = b"\x01\xab"
    parts: tuple[bytes, ...] = ()
    addresses: tuple[str, ...] = ("192.0.2.1",)
    inside: Malformed = Malformed("x", "P4ssw0rd!")
    keys: tuple[str, ...] = ()


class Derived(Sample, frozen=True):
    declared: ClassVar[Fields] = (Field("x.more", UINT16, "more", "more"), *Sample.declared[:2])
    more: int = 7


LEAST = {"x.number": 1, "x.flag": True, "x.data": "01ab", "x.address": ["192.0.2.1"], "x.inner": "P4ssw0rd!"}


def test_values_come_from_the_attributes_in_the_order_declared():
    assert Sample().fields() == LEAST
    assert list(Sample().fields()) == list(LEAST)
    full = Sample(maybe="", text="t", below=0, parts=(b"a", b""), keys=("k1", "k2"), flag=0)
    assert full.fields() == LEAST | {
        "x.flag": False,
        "x.none": "",
        "x.text": "t",
        "x.number.of": 0,
        "x.parts": ["61", ""],
        "x.keys": ["k1", "k2"],
    }
    assert list(full.fields()) == [field.name for field in Sample.declared]


def test_a_derived_class_has_its_own_declaration():
    assert Derived().fields() == {"x.more": 7, "x.number": 1, "x.flag": True}
    assert Sample().fields() == LEAST
    assert Derived().secrets() == ()


def test_secrets_are_masked_in_fields_and_in_every_repr():
    event = Sample(keys=("k1secret", "k2secret"))
    assert event.secrets() == ("x.inner", "x.keys")
    assert event.masked_fields() == LEAST | {"x.inner": "********", "x.keys": ["********"] * 2}
    for shown in (repr(event), str(event), repr(event.__rich_repr__()), repr(Payload(b"P4ssw0rd!", head=event))):
        assert "P4ss" not in shown
        assert "secret" not in shown
    assert repr(event).startswith("Sample(x.number=1, x.flag=True, x.data='01ab', x.address=['192.0.2.1'], ")


def test_repr_is_short():
    long = Sample(data=bytes(100_000), parts=(b"abc",) * 1000)
    assert len(repr(long)) < 500
    assert "… 992 more" in repr(long)


def test_an_attribute_that_is_no_name_is_refused():
    with pytest.raises(ValueError, match="no attribute"):
        reader((Field("x", UINT8, "x", "number) or exit("),))


def test_names_of_values():
    assert (Sample.declared[0].name_of(1), Sample.declared[0].name_of(2)) == ("one", "")


@pytest.mark.parametrize(
    ("kind", "ftype", "words", "bits"),
    [
        (Kind.UINT8, "FT_UINT8", "Unsigned integer (8 bits)", 8),
        (Kind.UINT24, "FT_UINT24", "Unsigned integer (24 bits)", 24),
        (Kind.INT64, "FT_INT64", "Signed integer (64 bits)", 64),
        (Kind.IPV4, "FT_IPv4", "IPv4 address", 0),
        (Kind.GUID, "FT_GUID", "Globally Unique Identifier", 0),
        (Kind.ABSOLUTE_TIME, "FT_ABSOLUTE_TIME", "Date and time", 0),
        (Kind.FRAMENUM, "FT_FRAMENUM", "Frame number", 32),
    ],
)
def test_kinds_are_called_as_in_wireshark(kind, ftype, words, bits):
    assert (kind.ftype, kind.words, kind.bits) == (ftype, words, bits)


def test_fields_of_several_classes_are_listed_once():
    assert [field.name for field in declared_by(Derived, Sample)][:3] == ["x.more", "x.number", "x.flag"]
    assert len(declared_by(Derived, Sample)) == 11


# -- the catalogue ---------------------------------------------------------------------------------------------------


def test_names_that_are_a_field_and_the_beginning_of_others_stand_apart_when_nested():
    assert nested(["dns.id", "dns.flags", "dns.flags.response", "a", "a.b", "a.b.c"]) == {
        "a": ("a",),
        "a.b": ("a_tree", "b"),
        "a.b.c": ("a_tree", "b_tree", "c"),
        "dns.flags": ("dns", "flags"),
        "dns.flags.response": ("dns", "flags_tree", "response"),
        "dns.id": ("dns", "id"),
    }


def test_the_catalogue_can_be_nested():
    """No path is another's beginning, none comes twice, and each still tells its name."""
    paths = nested(field.name for field in catalogue())
    assert len(set(paths.values())) == len(paths)
    leaves = set(paths.values())
    for name, path in paths.items():
        assert not any(path[:depth] in leaves for depth in range(1, len(path)))
        assert ".".join(part.removesuffix("_tree") for part in path) == name
    assert paths["dns.flags.rcode"] == ("dns", "flags_tree", "rcode")
    assert paths["iamt.hello.pid.check"] == ("iamt", "hello", "pid_tree", "check")


def test_kinds_are_those_of_tshark(tshark):
    """Of every field that tshark has; where both differ, why."""
    done = oracle.run([tshark, "-G", "fields"], text=True, timeout=120, check=True)
    theirs = dict(line.split("\t")[2:4] for line in done.stdout.splitlines() if line.startswith("F\t"))
    differ = {
        field.name: (field.kind.ftype, theirs[field.name])
        for field in catalogue()
        if field.name in theirs and field.kind.ftype != theirs[field.name]
    }
    alike = {
        ("FT_STRING", "FT_STRINGZ"),  # a text, which in the packet ends with a NUL
        ("FT_STRING", "FT_OID"),  # an object identifier, in dots
        ("FT_BYTES", "FT_NONE"),  # bytes that tshark shows without making them a value
    }
    assert {name: kinds for name, kinds in differ.items() if kinds not in alike} == {}
    assert not [field.name for field in catalogue() if field.name.startswith("iamt.") and field.name in theirs]


def test_values_of_other_kinds_do_not_fit():
    for kind, good, bad in (
        (UINT8, 255, 256),
        (UINT8, 0, True),
        (BOOLEAN, True, 1),
        (IPV4, "192.0.2.1", "192.0.2.256"),
        (Kind.IPV6, "fd00::7", "fd00:0::7"),
        (Kind.ETHER, "00:11:22:33:44:55", "00-11-22-33-44-55"),
        (Kind.GUID, "4b529b93-d413-181d-e487-1c697a6b7a2b", "4B529B93-d413-181d-e487-1c697a6b7a2b"),
        (BYTES, "00ff", "00f"),
        (Kind.INT8, -128, -129),
    ):
        field = Field("x", kind, "x")
        assert fits(field, good)
        assert not fits(field, bad)
        assert not fits(field, [good])
        assert fits(Field("x", kind, "x", repeated=True), [good, good])
