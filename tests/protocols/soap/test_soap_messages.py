"""One message: its service, class, headers, selectors, values in words, and its place in the stream."""

from __future__ import annotations

import pytest
from soap_exchange import (
    AMT,
    CONTEXT,
    HTML,
    SETUP,
    Asked,
    Conversation,
    Told,
    call,
    eoi,
    fault,
    invoke,
    returned,
    wsman,
)

from amtdecode.model import TO_CLIENT, TO_SERVER, Span
from amtdecode.protocols.soap import SOAP
from amtdecode.protocols.soap.events import SoapRequest, SoapResponse


@pytest.mark.parametrize(
    ("namespace", "service"),
    [
        ("http://schemas.intel.com/platform/client/NetworkTime/2004/01", "NetworkTime"),
        ("http://schemas.intel.com/platform/client/EAC/2006/01", "EndpointAccessControl"),
        ("http://schemas.intel.com/2004/12/management/PC/CircuitBreaker", "CircuitBreaker"),
        ("http://schemas.intel.com/platform/client/SomethingNew/2009/01", "SomethingNew"),
        ("urn:not-intel", ""),
    ],
)
def test_eoi_services_by_namespace(namespace, service):
    body = eoi("X", "<x:Do><x:A>1</x:A></x:Do>").replace(
        "http://schemas.intel.com/platform/client/X/2004/01", namespace
    )
    (asked,) = Conversation().ask(body).of(SoapRequest)
    assert (asked.service, asked.method, asked.arguments) == (service, "Do", (("A", "1"),))
    assert asked.kind == ("eoi" if service else "soap")


def test_soapaction_names_a_request_that_cannot_be_read():
    action = '"http://schemas.intel.com/platform/client/SecurityAdministration/2004/01#GetCoreVersion"'
    made = call(b"", b"", Asked(target="/SecurityAdministrationService", headers={"soapaction": action}), Told(401, ""))
    assert made.summary() == "SecurityAdministration.GetCoreVersion → 401 authentication required"


def test_realms_by_name():
    arguments = "<n:DigestUsername>joe</n:DigestUsername><n:AccessPermission>2</n:AccessPermission>" + "".join(
        f"<n:Realms>{number}</n:Realms>" for number in (2, 3, 5, 20)
    )
    (asked,) = Conversation().ask(invoke("AMT_AuthorizationService", "AddUserAclEntryEx", arguments)).of(SoapRequest)
    assert asked.fields()["iamt.soap.argument.name"] == [
        "AccessPermission=AnyAccessPermission",
        "Realms=RedirectionRealm",
        "Realms=PTAdministrationRealm",
        "Realms=RemoteControlRealm",
        "Realms=AuditLogRealm",
    ]
    inside = "<x:AddUserAclEntryEx><x:Realms><x:Realm>4</x:Realm></x:Realms></x:AddUserAclEntryEx>"
    (asked,) = Conversation().ask(eoi("SecurityAdministration", inside)).of(SoapRequest)
    assert asked.fields()["iamt.soap.argument.name"] == ["Realms/Realm=HardwareAssetRealm"]


def test_states_by_name():
    body = (
        f"<n:{SETUP}><n:ProvisioningState>1</n:ProvisioningState><n:ProvisioningMode>4</n:ProvisioningMode></n:{SETUP}>"
    )
    (answer,) = Conversation().tell(wsman(SETUP, "GetResponse", body)).of(SoapResponse)
    assert answer.fields()["iamt.soap.argument.name"] == [
        "ProvisioningState=in provisioning",
        "ProvisioningMode=client control mode",
    ]
    pulled = (
        "<e:PullResponse xmlns:e='http://schemas.xmlsoap.org/ws/2004/09/enumeration'><e:Items>"
        "<n:AMT_RedirectionService><n:EnabledState>32771</n:EnabledState></n:AMT_RedirectionService>"
        "<n:CIM_KVMRedirectionSAP><n:EnabledState>6</n:EnabledState></n:CIM_KVMRedirectionSAP></e:Items></e:PullResponse>"
    )
    (answer,) = Conversation().tell(wsman("CIM_RedirectionService", "PullResponse", pulled)).of(SoapResponse)
    assert answer.fields()["iamt.soap.argument.name"] == [
        "Items/AMT_RedirectionService[1]/EnabledState=IDE-R on, SOL on",
        "Items/CIM_KVMRedirectionSAP[2]/EnabledState=Enabled But Offline",
    ]


def test_identify():
    asked = (
        '<s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope" '
        'xmlns:i="http://schemas.dmtf.org/wbem/wsman/identity/1/wsmanidentity.xsd"><s:Body><i:Identify/></s:Body></s:Envelope>'
    )
    told = asked.replace(
        "<i:Identify/>",
        "<i:IdentifyResponse><i:ProtocolVersion>http://schemas.dmtf.org/wbem/wsman/1/wsman.xsd</i:ProtocolVersion>"
        "<i:ProductVendor>Intel(r)</i:ProductVendor><i:ProductVersion>AMT 8.0.3</i:ProductVersion>"
        "</i:IdentifyResponse>",
    )
    made = call(asked, told)
    assert made.summary() == "Identify → OK"
    assert (made.kind, made.answer.value("ProductVersion")) == ("wsman", "AMT 8.0.3")


def test_headers_are_matched_by_namespace_not_by_prefix():
    body = wsman("AMT_GeneralSettings", "Get").replace(
        "<s:Header>", '<s:Header><a:Action xmlns:a="urn:other">wrong</a:Action><Action xmlns="urn:x">wrong</Action>'
    )
    (asked,) = Conversation().ask(body).of(SoapRequest)
    assert asked.action == "http://schemas.xmlsoap.org/ws/2004/09/transfer/Get"
    assert asked.headers == (("Action", "wrong"), ("Action", "wrong"))


def test_the_class_without_a_resource_uri():
    body = invoke(SETUP, "CommitChanges").replace(f"<w:ResourceURI>{AMT}{SETUP}</w:ResourceURI>", "")
    (asked,) = Conversation().ask(body).of(SoapRequest)
    assert (asked.class_name, asked.method) == (SETUP, "CommitChanges")


def test_selectors_plain_and_by_reference():
    selectors = (
        '<w:SelectorSet><w:Selector Name="InstanceID">Intel(r) AMT: 0</w:Selector>'
        '<w:Selector w:Name="ElementInContext">'
        "<a:EndpointReference><a:Address>x</a:Address></a:EndpointReference></w:Selector></w:SelectorSet>"
    )
    body = wsman("AMT_TLSCredentialContext", "Delete").replace("</s:Header>", selectors + "</s:Header>")
    (asked,) = Conversation().ask(body).of(SoapRequest)
    assert asked.selectors == (("InstanceID", "Intel(r) AMT: 0"), ("ElementInContext/EndpointReference/Address", "x"))
    assert asked.fields()["iamt.wsman.selector"] == [
        "InstanceID=Intel(r) AMT: 0",
        "ElementInContext/EndpointReference/Address=x",
    ]


REFERENCE = (
    '<w:Selector Name="{name}"><a:EndpointReference><a:Address>/</a:Address><a:ReferenceParameters>'
    "<w:ResourceURI>http://intel.com/wbem/wscim/1/amt-schema/1/{uri}</w:ResourceURI>"
    '<w:SelectorSet><w:Selector Name="{key}">{value}</w:Selector></w:SelectorSet>'
    "</a:ReferenceParameters></a:EndpointReference></w:Selector>"
)


APPLIES = (  # the keys of AMT_RemoteAccessPolicyAppliesToMPS
    REFERENCE.format(name="ManagedElement", uri="AMT_ManagementPresenceRemoteSAP", key="Name", value="MPS 0"),
    REFERENCE.format(name="PolicySet", uri="AMT_RemoteAccessPolicyRule", key="PolicyRuleName", value="User Initiated"),
)


INNER = "EndpointReference/ReferenceParameters/SelectorSet/Selector"


def test_selectors_that_are_references_keep_their_names():
    selectors = f"<w:SelectorSet>{''.join(APPLIES)}</w:SelectorSet>"
    body = wsman("AMT_RemoteAccessPolicyAppliesToMPS", "Get").replace("</s:Header>", selectors + "</s:Header>")
    (asked,) = Conversation().ask(body).of(SoapRequest)
    values = dict(asked.selectors)
    assert values[f"ManagedElement/{INNER}[Name]"] == "MPS 0"
    assert values[f"PolicySet/{INNER}[PolicyRuleName]"] == "User Initiated"
    assert len(asked.selectors) == 6


def test_references_in_a_body_keep_the_names_of_their_selectors():
    inside = "".join(APPLIES) + '<w:Selector Name="plain">1</w:Selector>'
    body = invoke(SETUP, "Probe", f"<n:Ref><w:SelectorSet>{inside}</w:SelectorSet></n:Ref><n:After>2</n:After>")
    (asked,) = Conversation().ask(body).of(SoapRequest)
    values = list(asked.arguments)
    assert (f"Ref/SelectorSet/Selector[ManagedElement]/{INNER}[Name]", "MPS 0") in values
    assert (f"Ref/SelectorSet/Selector[PolicySet]/{INNER}[PolicyRuleName]", "User Initiated") in values
    assert values[-2:] == [("Ref/SelectorSet/Selector[plain]", "1"), ("After", "2")]


def test_only_what_http_carries_is_taken():

    from amtdecode.protocols.dissector import NO, YES

    assert SOAP.recognise(b"<?xml", TO_SERVER, CONTEXT) == YES
    assert SOAP.recognise(b"", TO_SERVER, CONTEXT) == YES
    assert SOAP.recognise(b"<?xml", TO_SERVER, CONTEXT._replace(carrier="tls")) == NO


@pytest.mark.parametrize("size", [1, 7, 100, 5000])
def test_bytes_without_http_are_one_body_however_split(size):
    talk = Conversation()
    asked, told = wsman("CIM_Card", "Get").encode(), wsman("CIM_Card", "GetResponse", "", "9", "1").encode()
    for direction, data in ((TO_SERVER, asked), (TO_CLIENT, told)):
        for at in range(0, len(data), size):
            talk.statements += talk.dissector.receive_data(direction, data[at : at + size])
    talk.end()
    assert [type(event).__name__ for event in talk.events] == ["SoapRequest", "SoapResponse", "Call"]
    (made,) = talk.calls
    assert (made.summary(), made.missing) == ("Get CIM_Card → OK", "")
    last = talk.statements[-1]
    assert (last.direction, last.start, last.end) == (TO_CLIENT, 0, len(told))
    assert last.also == (Span(TO_SERVER, 0, len(asked)),)


def test_the_registry_entry_loads_neither_reader_nor_xml_library():
    import subprocess
    import sys

    program = (
        "import sys; from amtdecode.protocols.soap import SOAP; SOAP.fields(); "
        "heavy = {'lxml', 'construct', 'cryptography', 'dpkt', 'rich'}; "
        "sys.exit(bool(heavy & {name.partition('.')[0] for name in sys.modules}))"
    )
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0


@pytest.mark.parametrize("user", ["admin", "$$OsAdmin", ""])
def test_the_user_a_request_names_is_as_http_reads_it(user):
    assert call(b"", b"", Asked("GET", "/", auth_user=user), Told(401, "")).user == user


def test_every_field_of_every_kind_of_event_is_in_the_catalogue():
    catalogue = {field.name for field in SOAP.fields()}
    talk = Conversation()
    selectors = '<w:SelectorSet><w:Selector Name="Name">x</w:Selector></w:SelectorSet><a:To>/</a:To></s:Header>'
    talk.ask(invoke(SETUP, "SetMEBxPassword", "<n:Password>p</n:Password>").replace("</s:Header>", selectors))
    talk.tell(returned(SETUP, "SetMEBxPassword", 2054))
    talk.ask(wsman("CIM_Card", "Get", "", "2")).tell(fault("AccessDenied", "AMT-STATUS 16", "r", "2"), Told(400, ""))
    talk.ask(eoi("GeneralInfo", "<x:GetCoreVersion/>"), Asked(auth_user="admin"))
    talk.tell(eoi("GeneralInfo", "<x:GetCoreVersionResponse><x:Status>1</x:Status></x:GetCoreVersionResponse>"))
    pull = "<e:Pull xmlns:e='urn:x'><e:EnumerationContext>1</e:EnumerationContext></e:Pull>"
    talk.ask(wsman("CIM_Card", "Pull", pull, "4")).tell(HTML, Told(401, "")).ask(GET_CUT).end()
    seen = {
        name for event in talk.events for name in event.fields() if not name.startswith(("iamt.layer", "iamt.reason"))
    }
    assert seen <= catalogue
    assert catalogue - seen == {"iamt.soap.argument.name"}


GET_CUT = wsman("CIM_Card", "Get", "<n:CIM_Card><n:Tag>1</n:Tag>", "5")[:-30]
