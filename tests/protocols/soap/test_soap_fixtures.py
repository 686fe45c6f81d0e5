"""Real envelopes, against a walk of our own by another XML library."""

from __future__ import annotations

import re
from xml.etree import ElementTree as ET

import pytest
from field_values import fits
from soap_exchange import Conversation, fixtures, templates

from amtdecode.model import Note
from amtdecode.protocols.soap.envelope import glance
from amtdecode.protocols.soap.events import SoapRequest, SoapResponse

SOAP12 = "{http://www.w3.org/2003/05/soap-envelope}"
SOAP11 = "{http://schemas.xmlsoap.org/soap/envelope/}"
WSA = "{http://schemas.xmlsoap.org/ws/2004/08/addressing}"
WSMAN = "{http://schemas.dmtf.org/wbem/wsman/1/wsman.xsd}"


def local(tag: str) -> str:
    return tag.rpartition("}")[2]


def leaves(element, prefix=""):
    """(path, text) of all leaves below an element, in document order; items of enumerations numbered from 1."""
    for number, child in enumerate(element, 1):
        name = local(child.tag)
        if local(element.tag) == "Items":
            name += f"[{number}]"
        if name == "Selector":
            name += "".join(f"[{value}]" for key, value in child.attrib.items() if local(key) == "Name")
        if len(child):
            yield from leaves(child, f"{prefix}{name}/")
        else:
            yield f"{prefix}{name}", (child.text or "").strip()


def test_all_recorded_responses_are_there(shared):
    assert len(fixtures(shared)) == 297


def each_response(shared):
    for path in fixtures(shared):
        data = path.read_bytes()
        yield path, data, ET.fromstring(data.strip())


def test_every_property_and_value_of_every_recorded_response(shared):
    values = 0
    for path, data, root in each_response(shared):
        (answer,) = Conversation().tell(data).of(SoapResponse)
        (body,) = root.findall(f"{SOAP12}Body")
        inside = list(body)
        assert len(inside) <= 1, path
        expected = list(leaves(inside[0])) if inside else []
        if inside and inside[0].text and inside[0].text.strip():
            expected = [(local(inside[0].tag), inside[0].text.strip())]
        assert list(answer.arguments) == expected, path
        assert answer.operation == (local(inside[0].tag) if inside else ""), path
        values += len(expected)
    assert values == 1914


def test_class_method_and_ids_of_every_recorded_response(shared):
    classes = set()
    for path, data, root in each_response(shared):
        (answer,) = Conversation().tell(data).of(SoapResponse)
        header = root.find(f"{SOAP12}Header")
        text = {local(child.tag): (child.text or "").strip() for child in header}
        assert answer.kind == "wsman"
        assert answer.version == "1.2"
        assert answer.action == text["Action"]
        assert answer.resource_uri == text["ResourceURI"]
        assert answer.class_name == text["ResourceURI"].split("/")[-1], path
        assert answer.method == re.sub("Response$", "", text["Action"].split("/")[-1]), path
        assert answer.message_id == text["MessageID"]
        assert answer.relates_to == text.get("RelatesTo", "")
        assert not answer.partial
        classes.add(answer.class_name)
    assert len(classes) == 82


def test_return_value_of_every_recorded_response(shared):
    codes = []
    for path, data, root in each_response(shared):
        (answer,) = Conversation().tell(data).of(SoapResponse)
        found = [e for e in root.iter() if local(e.tag) == "ReturnValue"]
        assert answer.code == (int(found[0].text) if found else None), path
        codes += [answer.code] if found else []
    assert len(codes) == 48
    assert sorted(set(codes)) == [0, 2, 2058]


def test_fields_of_every_recorded_response_name_what_the_catalogue_lists(shared):
    from amtdecode.protocols.soap import SOAP

    declared = {field.name: field for field in SOAP.fields()}
    for _, data, _root in each_response(shared):
        for event in Conversation().tell(data).end().events:
            for name, value in event.fields().items():
                if not isinstance(event, Note):
                    assert fits(declared[name], value), name
            assert event.summary()


def test_blanks_before_the_declaration_are_noted_and_the_body_read(shared):
    odd = [path for path in fixtures(shared) if path.read_bytes()[:1].isspace()]
    assert [path.name for path in odd] == ["enumerate.xml", "get.xml", "pull.xml"]
    for path in odd:
        talk = Conversation().tell(path.read_bytes())
        assert talk.of(Note) == [Note("iamt.soap", "blanks before the XML declaration")]
        assert talk.of(SoapResponse)[0].class_name == "AMT_AssetTableService"


def test_every_request_template(shared):
    seen = {}
    for path in templates(shared):
        data = path.read_bytes()
        (asked,) = Conversation().ask(data).of(SoapRequest)
        root = ET.fromstring(data)
        envelope = SOAP11 if path.name.startswith("cmd") else SOAP12
        (inside,) = root.find(f"{envelope}Body")
        assert list(asked.arguments) == list(leaves(inside)), path
        assert asked.kind == ("eoi" if path.name.startswith("cmd") else "wsman")
        seen[path.stem] = (asked.owner, asked.method)
        if asked.kind == "wsman":
            assert asked.resource_uri == root.find(f".//{WSMAN}ResourceURI").text
            selectors = root.findall(f"{envelope}Header/{WSMAN}SelectorSet/{WSMAN}Selector")
            assert list(asked.selectors) == [(s.attrib["Name"], s.text) for s in selectors], path
    assert len(seen) == 23
    assert seen["cmd_info"] == ("RemoteControl", "GetSystemPowerState")
    assert seen["cmd_powerup"] == ("RemoteControl", "RemoteControl")
    assert seen["wsman_up"] == ("CIM_PowerManagementService", "RequestPowerStateChange")
    assert seen["wsman_pxeboot"] == ("CIM_BootConfigSetting", "ChangeBootOrder")
    assert seen["wsman_bootconfig"] == ("CIM_BootService", "SetBootConfigRole")
    assert seen["wsman_info"] == ("CIM_AssociatedPowerManagementService", "Enumerate")
    assert seen["wsman_info_step2"] == ("CIM_AssociatedPowerManagementService", "Pull")
    assert seen["wsman_ping_enable"] == ("AMT_GeneralSettings", "Put")
    assert seen["wsman_webui_enable"] == ("AMT_WebUIService", "RequestStateChange")


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("cmd_powerup", "RemoteControl.RemoteControl (Command 17 power up, IanaOemNumber 343 Intel)"),
        ("cmd_powercycle", "RemoteControl.RemoteControl (Command 19 power cycle reset, IanaOemNumber 343 Intel)"),
        ("wsman_up", "CIM_PowerManagementService.RequestPowerStateChange (PowerState 2 Power On)"),
        ("wsman_down", "CIM_PowerManagementService.RequestPowerStateChange (PowerState 8 Power Off - Soft)"),
        ("wsman_reset", "CIM_PowerManagementService.RequestPowerStateChange (PowerState 10 Master Bus Reset)"),
        (
            "wsman_shutdown_graceful",
            "CIM_PowerManagementService.RequestPowerStateChange (PowerState 12 Power Off - Soft Graceful)",
        ),
        ("wsman_ping_disable", "Put AMT_GeneralSettings"),
    ],
)
def test_requests_in_words(shared, name, shown):
    (asked,) = Conversation().ask((shared / f"data/eoi/{name}.xml").read_bytes()).of(SoapRequest)
    assert asked.summary() == shown


def test_a_delivered_alert(shared):
    talk = Conversation().ask((shared / "data/wsman/wsevent_sample1.xml").read_bytes()).end()
    (alert,) = talk.of(SoapRequest)
    assert (alert.method, alert.class_name) == ("Event", "CIM_AlertIndication")
    assert alert.value("MessageID") == "iAMT0005"
    assert alert.value("IndicationTime/Datetime") == "2017-01-31T15:40:09.000Z"
    assert alert.value("AlertingManagedElement") == (
        'Interop:CIM_ComputerSystem.CreationClassName="CIM_ComputerSystem",Name="Intel(r) AMT"'
    )
    assert [text for path, text in alert.arguments if path == "MessageArguments"] == [
        "0",
        "Interop:CIM_ComputerSystem.CreationClassName=CIM_ComputerSystem,Name=Intel(r) AMT",
    ]
    assert ("AckRequested", "") in alert.headers
    assert alert.summary() == "Event CIM_AlertIndication"
    (call,) = talk.calls
    assert call.missing == "response"


def test_the_glance_agrees_with_the_tree_on_every_real_body(shared):
    found = 0
    for path in [*fixtures(shared), *templates(shared)]:
        data = path.read_bytes()
        (message,) = Conversation().tell(data).of(SoapResponse)
        action, resource_uri = glance(data)
        assert action in ("", message.action), path
        assert resource_uri in ("", message.resource_uri), path
        found += bool(action) + bool(resource_uri)
    assert found > 600
