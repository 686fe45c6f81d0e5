"""Calls in words: results, steps, secrets, and whatever answers that is no SOAP."""

from __future__ import annotations

import pytest
from soap_exchange import AMT, Asked, Conversation, Told, eoi, fault, invoke, returned, uri, wsman

from amtdecode.model import TO_CLIENT, TO_SERVER, Span
from amtdecode.protocols.soap import SOAP
from amtdecode.protocols.soap.events import Call, SoapFault, SoapRequest, SoapResponse

SETUP = "AMT_SetupAndConfigurationService"
HTML = (
    b'<!DOCTYPE HTML PUBLIC "-//W3C//DTD HTML 4.01 Transitional//EN" >\n<html><head><title>Intel&reg; Active '
    b"Management Technology</title></head><body>\n<h2>Log on failed. Incorrect user name or password, or user account "
    b"temporarily locked.</h2>\n</body></html>"
)


def call(asked, told, head=None, reply=None) -> Call:
    (only,) = Conversation().ask(asked, head).tell(told, reply).end().calls
    return only


@pytest.mark.parametrize(
    ("class_name", "method", "code", "text"),
    [
        (SETUP, "CommitChanges", 2057, "PT_STATUS 0x809 DATA_MISSING"),
        (SETUP, "CommitChanges", 0, "PT_STATUS 0x0 SUCCESS"),
        (SETUP, "SetMEBxPassword", 2054, "PT_STATUS 0x806 INVALID_PASSWORD"),
        (SETUP, "Unprovision", 2076, "PT_STATUS 0x81C BLOCKING_COMPONENT"),
        ("AMT_PublicKeyManagementService", "AddTrustedRootCertificate", 2058, "PT_STATUS 0x80A DUPLICATE"),
        ("AMT_RemoteAccessService", "AddMpServer", 36, "PT_STATUS 0x24 INVALID_PARAMETER"),
        ("IPS_HostBasedSetupService", "AddNextCertInChain", 4, "ReturnValue 4 Certificate Verification Failed"),
        ("IPS_HostBasedSetupService", "AdminSetup", 5, "ReturnValue 5 Authentication Failed"),
        ("IPS_HostBasedSetupService", "Setup", 4, "ReturnValue 4 Method Disabled"),
        ("IPS_OptInService", "StartOptIn", 2, "ReturnValue 2 Invalid State"),
        ("CIM_PowerManagementService", "RequestPowerStateChange", 2, "ReturnValue 2 Unknown or Unspecified Error"),
        (
            "CIM_PowerManagementService",
            "RequestPowerStateChange",
            32768 + 0x821,
            "PT_STATUS 0x821 USER_CONSENT_REQUIRED",
        ),
        ("CIM_BootService", "SetBootConfigRole", 3, "ReturnValue 3 Busy"),
        ("AMT_RedirectionService", "RequestStateChange", 4097, "ReturnValue 4097 Invalid State Transition"),
        ("CIM_KVMRedirectionSAP", "RequestStateChange", 32768 + 16, "PT_STATUS 0x10 NOT_PERMITTED"),
        ("AMT_WiFiPortConfigurationService", "AddWiFiSettings", 3, "ReturnValue 3 Invalid Parameter"),
        (SETUP, "CommitChanges", 99, "PT_STATUS 0x63"),
        ("IPS_HostBasedSetupService", "AdminSetup", 77, "ReturnValue 77"),
    ],
)
def test_return_values_in_words(class_name, method, code, text):
    made = call(invoke(class_name, method), returned(class_name, method, code))
    assert made.result == code
    assert made.result_text == text
    assert made.summary() == f"{class_name}.{method} → {text}"
    assert made.succeeded is (code == 0)
    assert made.fields()["iamt.wsman.return_value"] == code
    assert made.http_status == 200


def test_the_issue_in_one_line():
    made = call(invoke(SETUP, "CommitChanges"), returned(SETUP, "CommitChanges", 2057))
    assert made.summary().endswith("CommitChanges → PT_STATUS 0x809 DATA_MISSING")
    assert made.result_name == "DATA_MISSING"
    assert made.meaning == "something essential has not been set before committing"
    assert made.step == "CommitChanges"


@pytest.mark.parametrize("code", ["", "x", "-1", "1" * 50, "0x809"])
def test_return_values_that_are_no_numbers(code):
    made = call(invoke(SETUP, "CommitChanges"), returned(SETUP, "CommitChanges", code))
    assert made.result is None
    assert made.answer.value("ReturnValue") == code


def test_eoi_with_any_prefix():
    asked = eoi("SecurityAdministration", "<x:CommitChanges/>")
    told = eoi("SecurityAdministration", "<x:CommitChangesResponse><x:Status>2057</x:Status></x:CommitChangesResponse>")
    made = call(
        asked, told.replace("x:", "sai:").replace(":x=", ":sai="), Asked(target="/SecurityAdministrationService")
    )
    assert (made.kind, made.service, made.method, made.step) == (
        "eoi",
        "SecurityAdministration",
        "CommitChanges",
        "CommitChanges",
    )
    assert made.summary() == "SecurityAdministration.CommitChanges → PT_STATUS 0x809 DATA_MISSING"
    assert made.fields()["iamt.eoi.status"] == 2057
    assert made.fields()["iamt.eoi.status.name"] == "DATA_MISSING"
    assert made.fields()["iamt.eoi.service"] == "SecurityAdministration"


def test_eoi_parameters_and_answers():
    asked = eoi("RemoteControl", "<x:GetSystemPowerState/>")
    told = eoi(
        "RemoteControl",
        "<x:GetSystemPowerStateResponse><x:Status>0</x:Status><x:SystemPowerState>21</x:SystemPowerState>"
        "</x:GetSystemPowerStateResponse>",
    )
    talk = Conversation().ask(asked).tell(told)
    (answer,) = talk.of(SoapResponse)
    assert answer.code == 0
    assert answer.fields()["iamt.soap.argument.name"] == ["SystemPowerState=S5 (soft off)"]
    assert talk.calls[0].answer == (("Status", "0"), ("SystemPowerState", "21"))


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


def test_a_soap_1_1_fault():
    told = (
        '<e:Envelope xmlns:e="http://schemas.xmlsoap.org/soap/envelope/"><e:Body><e:Fault><faultcode>e:Client</faultcode>'
        "<faultstring>no such method</faultstring><detail><x>AMT-STATUS 36</x></detail></e:Fault></e:Body></e:Envelope>"
    )
    made = call(eoi("GeneralInfo", "<x:Nothing/>"), told, None, Told(500, "Internal Server Error"))
    assert made.result_text == "fault Client, PT_STATUS 0x24 INVALID_PARAMETER: no such method"
    assert (made.kind, made.method, made.http_status, made.succeeded) == ("eoi", "Nothing", 500, False)


def test_a_wsman_fault_with_subcode_reason_and_amt_status():
    talk = Conversation().ask(wsman("AMT_GeneralSettings", "Get"))
    talk.tell(fault("AccessDenied", "AMT-STATUS 2057", "not yours"), Told(400, "Bad Request")).end()
    (told,) = talk.of(SoapFault)
    assert (told.fault_code, told.subcode, told.reason, told.detail, told.status) == (
        "Sender",
        "AccessDenied",
        "not yours",
        "AMT-STATUS 2057",
        2057,
    )
    assert told.fields()["iamt.soap.fault.status.name"] == "DATA_MISSING"
    (made,) = talk.calls
    assert made.summary() == (
        "Get AMT_GeneralSettings → fault Sender/AccessDenied, PT_STATUS 0x809 DATA_MISSING: not yours"
    )
    assert (made.result, made.result_name, made.succeeded) == (2057, "AccessDenied", False)
    assert made.fields()["iamt.soap.fault.status"] == 2057
    assert "iamt.wsman.return_value" not in made.fields()
    (alone,) = Conversation().tell(fault("AccessDenied", "AMT-STATUS 16")).calls
    assert alone.summary() == "request not seen: unknown call → fault Sender/AccessDenied, PT_STATUS 0x10 NOT_PERMITTED"


def test_401_and_its_page():
    made = call(wsman("AMT_GeneralSettings", "Get"), HTML, None, Told(401, "Unauthorized"))
    assert made.summary() == "Get AMT_GeneralSettings → 401 authentication required"
    assert made.meaning == "Log on failed. Incorrect user name or password, or user account temporarily locked."
    assert (made.kind, made.class_name, made.http_status, made.succeeded) == (
        "wsman",
        "AMT_GeneralSettings",
        401,
        False,
    )


def test_a_repeated_request_is_its_own_exchange():
    body = wsman("AMT_GeneralSettings", "Get")
    answer = wsman("AMT_GeneralSettings", "GetResponse", "<n:AMT_GeneralSettings/>", "uuid:2", "1")
    talk = (
        Conversation().ask(body).tell(HTML, Told(401, "Unauthorized")).ask(body, Asked(auth_user="admin")).tell(answer)
    )
    assert [made.result_text for made in talk.calls] == ["401 authentication required", "OK"]
    assert [made.user for made in talk.calls] == ["", "admin"]
    assert [made.succeeded for made in talk.calls] == [False, True]


def test_a_bare_400():
    made = call(invoke("AMT_RemoteAccessService", "AddMpServer"), b"", None, Told(400, "Bad Request"))
    assert made.summary() == "AMT_RemoteAccessService.AddMpServer → 400 Bad Request"
    assert made.meaning.startswith("refused without a SOAP fault")
    assert made.step == "remote access"


def test_no_soap_at_all():
    made = call(b"", b"", Asked("GET", "/"), Told(303, "See Other"))
    assert (made.kind, made.service, made.method) == ("http", "/", "GET")
    assert made.summary() == "GET / → 303 See Other"
    made = call(b"", HTML, Asked("GET", "http://pc:16992/logon.htm?x=1"), Told(200, "OK"))
    assert made.summary() == "GET /logon.htm → 200 OK"
    assert made.succeeded is None


def test_interim_answers_answer_nothing():
    talk = Conversation().ask(wsman("AMT_GeneralSettings", "Get")).tell(b"", Told(100, "Continue"))
    assert talk.calls == []
    assert len(talk.tell(b"", Told(500, "")).calls) == 1


def test_soapaction_names_a_request_that_cannot_be_read():
    action = '"http://schemas.intel.com/platform/client/SecurityAdministration/2004/01#GetCoreVersion"'
    made = call(b"", b"", Asked(target="/SecurityAdministrationService", headers={"soapaction": action}), Told(401, ""))
    assert made.summary() == "SecurityAdministration.GetCoreVersion → 401 authentication required"


@pytest.mark.parametrize(
    ("class_name", "method", "step"),
    [
        (SETUP, "SetMEBxPassword", "SetMEBxPassword"),
        (SETUP, "Unprovision", "Unprovision full"),
        (SETUP, "PartialUnprovision", "Unprovision partial"),
        (SETUP, "CommitChanges", "CommitChanges"),
        (SETUP, "GetUuid", ""),
        ("AMT_AuthorizationService", "SetAdminAclEntryEx", "SetAdminAclEntry"),
        ("AMT_AuthorizationService", "AddUserAclEntryEx", "ACL"),
        ("AMT_AuthorizationService", "GetUserAclEntryEx", ""),
        ("AMT_PublicKeyManagementService", "AddKey", "certificate store"),
        ("AMT_TimeSynchronizationService", "SetHighAccuracyTimeSynch", "network time"),
        ("AMT_WiFiPortConfigurationService", "AddWiFiSettings", "wireless profile"),
        ("IPS_IEEE8021xSettings", "SetCertificates", "802.1x profile"),
        ("IPS_HostBasedSetupService", "AddNextCertInChain", "AddNextCertInChain"),
        ("IPS_HostBasedSetupService", "AdminSetup", "AdminSetup"),
        ("IPS_HostBasedSetupService", "Setup", "Setup"),
        ("AMT_KerberosSettingData", "SetCredentialCacheState", "Kerberos options"),
    ],
)
def test_steps_of_configuration(class_name, method, step):
    made = call(invoke(class_name, method), returned(class_name, method, 0))
    assert made.step == step
    assert made.fields().get("iamt.call.step", "") == step


@pytest.mark.parametrize(
    ("class_name", "step"),
    [
        ("AMT_TLSSettingData", "SetTlsEnabled"),
        ("AMT_KerberosSettingData", "Kerberos options"),
        ("AMT_8021XProfile", "802.1x profile"),
        ("AMT_GeneralSettings", "general settings"),
        ("AMT_BootSettingData", ""),
    ],
)
def test_steps_that_put_an_object(class_name, step):
    made = call(wsman(class_name, "Put", f"<n:{class_name}/>"), wsman(class_name, "PutResponse", "", "2", "1"))
    assert made.step == step


@pytest.mark.parametrize(("otp", "step"), [("cGFzc3dvcmQ=", "OTP read"), ("AAAAAAAA=", ""), ("", "")])
def test_reading_a_one_time_password(otp, step):
    body = f"<n:{SETUP}><n:ProvisioningServerOTP>{otp}</n:ProvisioningServerOTP></n:{SETUP}>"
    made = call(wsman(SETUP, "Get"), wsman(SETUP, "GetResponse", body, "2", "1"))
    assert made.step == step
    assert otp == "" or otp not in str([v for k, v in made.fields().items() if k not in made.secrets()])


def test_reading_a_one_time_password_by_eoi():
    asked = eoi("SecurityAdministration", "<x:GetProvisioningServerOTP/>")
    told = eoi(
        "SecurityAdministration",
        "<x:GetProvisioningServerOTPResponse><x:Status>0</x:Status><x:OTP>cGFzc3dvcmQ=</x:OTP></x:GetProvisioningServerOTPResponse>",
    )
    made = call(asked, told)
    assert made.step == "OTP read"
    assert made.fields()["iamt.soap.secret"] == ["OTP=cGFzc3dvcmQ="]
    assert made.fields()["iamt.call.answer"] == ["Status=0"]


def test_pid_and_pps_renewed_whatever_the_method_is_called():
    inside = "<x:Whatever><x:PID>0000-037M</x:PID><x:PPS>NKLD-G5DC</x:PPS></x:Whatever>"
    made = call(eoi("SecurityAdministration", inside), b"", None, Told(200, ""))
    assert made.step == "PID/PPS renewal"
    assert made.fields()["iamt.soap.secret"] == ["PPS=NKLD-G5DC"]
    assert made.fields()["iamt.soap.argument"] == ["PID=0000-037M"]


SECRETS = [
    (SETUP, "SetMEBxPassword", "Password"),
    ("AMT_AuthorizationService", "SetAdminAclEntryEx", "DigestPassword"),
    ("IPS_HostBasedSetupService", "AdminSetup", "NetworkAdminPassword"),
    ("IPS_HostBasedSetupService", "Setup", "NetworkAdminPassword"),
    ("AMT_RemoteAccessService", "AddMpServer", "Password"),
    ("AMT_PublicKeyManagementService", "AddKey", "KeyBlob"),
    ("AMT_WiFiPortConfigurationService", "AddWiFiSettings", "PSKPassPhrase"),
    ("AMT_WiFiPortConfigurationService", "AddWiFiSettings", "PSKValue"),
    ("AMT_KerberosSettingData", "SetCredentialCacheState", "MasterKey"),
    ("AMT_KerberosSettingData", "SetCredentialCacheState", "Passphrase"),
    ("IPS_OptInService", "SendOptInCode", "OptInCode"),
    ("IPS_KVMRedirectionSettingData", "Put", "RFBPassword"),
    ("AMT_8021XProfile", "Put", "PACPassword"),
    ("AMT_8021XProfile", "Put", "ProtectedAccessCredential"),
    ("AMT_KerberosSettingData", "Put", "MasterKeys"),
    ("AMT_BootSettingData", "Put", "UefiBootParametersArray"),
    ("AMT_WiFiPortConfigurationService", "AddWiFiSettings", "WepKey1"),
]


@pytest.mark.parametrize(("class_name", "method", "name"), SECRETS)
def test_secrets_stand_apart_and_are_nowhere_else(class_name, method, name):
    arguments = f"<n:Username>u</n:Username><n:Inner><n:{name}>S3cr3t!</n:{name}></n:Inner>"
    talk = Conversation().ask(invoke(class_name, method, arguments)).tell(b"", Told(500, "")).end()
    assert len(talk.events) == 2
    for event in talk.events:
        fields = event.fields()
        assert fields["iamt.soap.secret"] == [f"Inner/{name}=S3cr3t!"]
        assert fields["iamt.soap.argument"] == ["Username=u"]
        assert set(event.secrets()) == {"iamt.soap.secret"}
        assert "S3cr3t" not in str({key: value for key, value in fields.items() if key not in event.secrets()})
        assert "S3cr3t" not in event.summary()


def test_what_stands_inside_a_secret_is_one():
    inside = "<n:MasterKey><n:byte>115</n:byte><n:byte>51</n:byte></n:MasterKey>"
    inside += "<n:X><n:Password><n:V>S3cr3t!</n:V></n:Password></n:X>"
    (asked,) = Conversation().ask(invoke("AMT_KerberosSettingData", "Put", inside)).of(SoapRequest)
    assert asked.fields()["iamt.soap.secret"] == ["MasterKey/byte=115", "MasterKey/byte=51", "X/Password/V=S3cr3t!"]
    assert "iamt.soap.argument" not in asked.fields()
    listed = "<n:Items><n:AMT_MPSUsernamePassword><n:RemoteID>me</n:RemoteID></n:AMT_MPSUsernamePassword></n:Items>"
    (asked,) = Conversation().ask(invoke(SETUP, "X", listed)).of(SoapRequest)
    assert asked.fields()["iamt.soap.argument"] == ["Items/AMT_MPSUsernamePassword/RemoteID=me"]


def test_secrets_in_the_header_are_secrets():
    """A subscription brings the login for the machine that alerts go to (DSP0226, WS-Security)."""
    token = "<t:Token xmlns:t='x'><t:Username>joe</t:Username><t:Password>S3cr3t!</t:Password></t:Token>"
    asked = invoke(SETUP, "X", "<n:Y>1</n:Y>").replace("</s:Header>", f"{token}</s:Header>")
    (event,) = Conversation().ask(asked).of(SoapRequest)
    fields = event.fields()
    assert fields["iamt.soap.secret"] == ["Token/Password=S3cr3t!"]
    assert "Token/Username=joe" in fields["iamt.soap.header"]
    assert "S3cr3t" not in str(fields["iamt.soap.header"])


@pytest.mark.parametrize(
    "name",
    [
        "PasswordModel",
        "DERKey",
        "PublicKey",
        "NetAdminPassEncryptionType",
        "DigestRealm",
        "OptInCodeTimeout",
        "KeyAlgorithm",
    ],
)
def test_what_is_no_secret_is_shown(name):
    (asked,) = Conversation().ask(invoke(SETUP, "X", f"<n:{name}>1</n:{name}>")).of(SoapRequest)
    assert asked.fields()["iamt.soap.argument"] == [f"{name}=1"]


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


def test_pulls_know_the_class_of_their_enumeration():
    def step(method, context, more=""):
        return (
            f"<e:{method} xmlns:e='http://schemas.xmlsoap.org/ws/2004/09/enumeration'>"
            f"<e:EnumerationContext>{context}</e:EnumerationContext>{more}</e:{method}>"
        )

    talk = Conversation()
    talk.ask(wsman("CIM_Card", "Enumerate", "", "1"))
    talk.tell(wsman("CIM_Card", "EnumerateResponse", step("EnumerateResponse", "D3"), "9", "1"))
    nowhere = wsman("CIM_Chip", "Pull", step("Pull", "D3"), "2").replace("CIM_Chip</w:ResourceURI>", "</w:ResourceURI>")
    talk.ask(nowhere)
    talk.tell(wsman("CIM_Card", "PullResponse", step("PullResponse", "D4"), "9", "2"))
    talk.ask(wsman("CIM_Card", "Pull", step("Pull", "D4"), "3"))
    asked = talk.of(SoapRequest)
    assert [message.context for message in asked] == ["", "D3", "D4"]
    assert [message.enumeration for message in asked] == ["", "CIM_Card", "CIM_Card"]
    assert asked[1].fields()["iamt.wsman.enumeration.class"] == "CIM_Card"
    assert talk.end().calls[1].enumeration == "CIM_Card"


def test_contexts_are_bounded():
    talk = Conversation()
    for number in range(2000):
        body = (
            "<e:EnumerateResponse xmlns:e='http://schemas.xmlsoap.org/ws/2004/09/enumeration'><e:EnumerationContext>"
            f"{number}</e:EnumerationContext></e:EnumerateResponse>"
        )
        talk.tell(wsman("CIM_Card", "EnumerateResponse", body))
    assert len(talk.dissector._contexts) <= 256


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


def test_statements_point_at_both_bodies():
    talk = Conversation()
    first, second = wsman("CIM_Card", "Get", "", "1"), wsman("CIM_Chip", "Get", "", "2")
    talk.ask(first).tell(b"", Told(401, "")).ask(second).tell(wsman("CIM_Chip", "GetResponse", "", "9", "2"))
    spans = [(s.direction, s.start, s.end, s.also) for s in talk.statements if isinstance(s.event, Call)]
    answer = len(wsman("CIM_Chip", "GetResponse", "", "9", "2"))
    assert spans == [
        (TO_CLIENT, 0, 0, (Span(TO_SERVER, 0, len(first)),)),
        (TO_CLIENT, 0, answer, (Span(TO_SERVER, len(first), len(first) + len(second)),)),
    ]
    assert talk.dissector.trim_to == [len(first) + len(second), answer]


def test_only_what_http_carries_is_taken():
    from soap_exchange import CONTEXT

    from amtdecode.protocols.dissector import NO, YES

    assert SOAP.recognise(b"<?xml", TO_SERVER, CONTEXT) == YES
    assert SOAP.recognise(b"", TO_SERVER, CONTEXT) == YES
    assert SOAP.recognise(b"<?xml", TO_SERVER, CONTEXT._replace(carrier="tls")) == NO


@pytest.mark.parametrize("method", ["Subscribe", "Unsubscribe", "Renew"])
def test_eventing(method):
    action = f"http://schemas.xmlsoap.org/ws/2004/08/eventing/{method}"
    body = wsman("CIM_FilterCollection", "Get", "<n:Any><n:Address>http://192.0.2.1:16999/</n:Address></n:Any>")
    made = call(body.replace("http://schemas.xmlsoap.org/ws/2004/09/transfer/Get", action), b"", None, Told(500, ""))
    assert made.summary() == f"{method} CIM_FilterCollection → 500 Internal Server Error"
    assert made.arguments.value("Address") == "http://192.0.2.1:16999/"


def test_an_acknowledgement_answers_the_alert_it_names():
    base = "http://schemas.dmtf.org/wbem/wsman/1/wsman"
    get, answer = "http://schemas.xmlsoap.org/ws/2004/09/transfer/Get", f"{uri('CIM_AlertIndication')}</w:ResourceURI>"
    alert = wsman("CIM_AlertIndication", "Get", "<n:CIM_AlertIndication/>", "uuid:7").replace(get, f"{base}/Event")
    for named, pairs in (("uuid:7", True), ("uuid:8", False)):
        ack = wsman("CIM_AlertIndication", "Get", "", "", named).replace(get, f"{base}/Ack")
        ack = ack.replace(f"<w:ResourceURI>{answer}", "")
        made = Conversation().ask(alert).tell(ack).end().calls
        assert [one.missing for one in made] == ([""] if pairs else ["request", "response"])
        assert made[-1].summary() == f"Event CIM_AlertIndication → {'OK' if pairs else 'no response seen'}"


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


@pytest.mark.parametrize(
    ("name", "secret"),
    [("Password", True), ("WEPKey1", True), ("InstanceID", False), ("Key0", False), ("PublicKeyIndex", False)],
)
def test_selectors_and_options_named_as_secrets_are_masked(name, secret):
    selector = f'<w:Selector Name="{name}">hush</w:Selector>'
    header = (
        f'<w:SelectorSet>{selector}</w:SelectorSet><w:OptionSet><w:Option Name="{name}">hush</w:Option></w:OptionSet>'
    )
    body = invoke(SETUP, "Probe", f"<n:Ref><w:SelectorSet>{selector}</w:SelectorSet></n:Ref>")
    talk = Conversation().ask(body.replace("</s:Header>", header + "</s:Header>"))
    for message in (*talk.of(SoapRequest), *talk.end().calls):
        fields = message.fields()
        hidden = fields.pop("iamt.soap.secret", [])
        assert str(hidden).count("hush") == (secret and (3 if isinstance(message, SoapRequest) else 1))
        assert ("hush" in str(fields)) != secret
        assert ("hush" in (message.fields_json() or b"").decode()) <= (not secret)


def test_passwords_in_addresses_are_masked():
    """An address that alerts go to, or a machine is asked at, may bring its login (RFC 3986 §3.2.1)."""
    address = "http://joe:hush@192.0.2.10:16992/wsman?Token=hush"
    to = f"<a:To>{address}</a:To></s:Header>"
    asked = invoke(SETUP, "X", f"<n:NotifyTo>{address}</n:NotifyTo>").replace("</s:Header>", to)
    told = fault("InvalidValue", f"detail {address}", f"cannot reach {address}")
    masked = "http://joe:********@192.0.2.10:16992/wsman?Token=********"
    for _ in range(6):  # those of a known shape are read another way
        talk = Conversation().ask(asked).tell(told)
        request, refusal, call = talk.of(SoapRequest)[0], talk.of(SoapFault)[0], talk.calls[0]
        assert f"To={masked}" in request.masked_fields()["iamt.soap.header"]
        assert request.masked_fields()["iamt.soap.argument"] == [f"NotifyTo={masked}"]
        assert call.masked_fields()["iamt.soap.argument"] == [f"NotifyTo={masked}"]
        assert call.result_text == f"fault Sender/InvalidValue: cannot reach {masked}"
        assert call.meaning == f"detail {masked}"
        assert refusal.masked_fields()["iamt.soap.fault.reason"] == f"cannot reach {masked}"
        assert request.fields()["iamt.soap.argument"] == [f"NotifyTo={address}"]  # for --show-secrets
        for event in (request, refusal, call):
            assert "hush" not in event.summary() + str(event.masked_fields()) + str(event.fields_json())


@pytest.mark.parametrize("beginning", ["//joe:", "/x?password=", "/x?a=1&amp;pwd=", "/x;secret=", "#token="])
def test_passwords_are_masked_wherever_an_address_has_them(beginning):
    address = f"{beginning}hush{'@host/' if beginning == '//joe:' else ''}"
    for _ in range(6):
        (event,) = Conversation().ask(invoke(SETUP, "X", f"<n:NotifyTo>{address}</n:NotifyTo>")).of(SoapRequest)
        assert "hush" in str(event.fields())
        assert "hush" not in str(event.masked_fields()) + str(event.fields_json())


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
