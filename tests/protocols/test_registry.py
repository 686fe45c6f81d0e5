"""What holds for every room of the registry."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from amtdecode import ports
from amtdecode.fields import Field
from amtdecode.model import TO_CLIENT, TO_SERVER, Endpoint
from amtdecode.protocols.catalogue import catalogue
from amtdecode.protocols.dissector import Context, Dissector, Verdict
from amtdecode.protocols.registry import REGISTRY

ROOMS = pytest.mark.parametrize("protocol", REGISTRY, ids=lambda protocol: f"{protocol.name}-{protocol.transport}")


def context(protocol, port=None):
    port = port if port is not None else min(protocol.ports, default=0)
    return Context(protocol.transport, Endpoint(bytes([192, 0, 2, 1]), 49152), Endpoint(bytes([192, 0, 2, 2]), port))


def test_names_and_transports_are_unique():
    keys = [(protocol.name, protocol.transport) for protocol in REGISTRY]
    assert len(keys) == len(set(keys))
    assert {transport for _, transport in keys} <= {"tcp", "udp", "icmp", "arp", "eapol", "lldp"}
    assert {port for protocol in REGISTRY for port in protocol.ports if protocol.name.startswith("iamt.")} <= ports.AMT


@ROOMS
def test_the_entry_is_whole(protocol):
    assert isinstance(protocol.dissector(context(protocol)), Dissector)
    fields = protocol.fields()
    assert fields
    for field in fields:
        assert isinstance(field, Field)
        assert field.meaning
        assert not field.meaning.endswith(".")
    assert len({field.name for field in fields}) == len(fields)


def test_rooms_that_share_a_name_agree_on_its_type():
    known = {field.name: field for field in catalogue()}
    for protocol in REGISTRY:
        for field in protocol.fields():
            first = known[field.name]
            assert (first.kind, first.repeated, first.secret) == (field.kind, field.repeated, field.secret), field
    names = [field.name for field in catalogue()]
    assert names == sorted(set(names))


@ROOMS
@given(data=st.binary(min_size=1, max_size=100), direction=st.sampled_from([TO_SERVER, TO_CLIENT]), home=st.booleans())
def test_recognition_never_fails(protocol, data, direction, home):
    verdict = protocol.recognise(data, direction, context(protocol, None if home else 7))
    assert verdict in set(Verdict)
