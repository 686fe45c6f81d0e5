"""Calls in words: results, steps, and whatever answers that is no SOAP."""

from __future__ import annotations

import msgspec
import pytest
from soap_exchange import HTML, SETUP, Asked, Conversation, Told, call, eoi, fault, invoke, returned, uri, wsman

from amtdecode.model import TO_CLIENT, TO_SERVER, Span
from amtdecode.protocols.soap.calls import ExchangeMessage, make_call
from amtdecode.protocols.soap.events import Call, SoapFault, SoapRequest, SoapResponse


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
    ("class_name", "asked", "told", "step"),
    [
        (SETUP, "<n:PPS>x</n:PPS>", "", "PID/PPS renewal"),
        ("CIM_Card", "<n:PPS>x</n:PPS>", "", ""),  # of another service
        (SETUP, "<n:PID>x</n:PID>", "", ""),
        (SETUP, "", "", ""),
    ],
)
def test_a_call_to_set_up_that_carries_a_pps_renews_it(class_name, asked, told, step):
    made = call(invoke(class_name, "Renew", asked), returned(class_name, "Renew", 0, more=told))
    assert made.step == step


@pytest.mark.parametrize(
    ("class_name", "otp", "step"),
    [(SETUP, "c2VjcmV0", "OTP read"), (SETUP, "AAAAAAA=", ""), (SETUP, "", ""), ("CIM_Card", "c2VjcmV0", "")],
)
def test_a_one_time_password_that_is_read(class_name, otp, step):
    """Base64 of nothing but zeros is none."""
    body = f"<n:{class_name}><n:ProvisioningServerOTP>{otp}</n:ProvisioningServerOTP></n:{class_name}>"
    made = call(wsman(class_name, "Get"), wsman(class_name, "GetResponse", body, "2", "1"))
    assert made.step == step


@pytest.mark.parametrize("status", [200, 500])
def test_a_return_value_counts_whatever_the_status(status):
    made = call(invoke(SETUP, "CommitChanges"), returned(SETUP, "CommitChanges", 2057), reply=Told(status=status))
    assert (made.result, made.result_text, made.http_status) == (2057, "PT_STATUS 0x809 DATA_MISSING", status)


@pytest.mark.parametrize(("status", "text"), [(200, "OK"), (299, "OK"), (300, "300 OK"), (500, "500 OK")])
def test_an_answer_without_a_return_value_is_judged_by_its_status(status, text):
    answer = wsman("CIM_Card", "GetResponse", "<n:CIM_Card/>", "2", "1")
    made = call(wsman("CIM_Card", "Get"), answer, reply=Told(status=status))
    assert (made.result, made.result_text) == (None, text)


def test_a_return_value_is_that_of_the_method_that_answers_else_of_the_one_asked():
    """AdminSetup and Setup of one service number their faults differently."""
    service = "IPS_HostBasedSetupService"
    talk = Conversation().ask(invoke(service, "AdminSetup")).tell(returned(service, "AdminSetup", 4))
    (asked,), (told,) = talk.of(SoapRequest), talk.of(SoapResponse)

    def text(**more):
        answer = msgspec.structs.replace(told, code=4, **more)
        request = ExchangeMessage(TO_SERVER, 0, 1, asked)
        return make_call(request, ExchangeMessage(TO_CLIENT, 0, 1, answer, status=200)).result_text

    assert text(method="Setup") == "ReturnValue 4 Method Disabled"
    assert text(method="AddNextCertInChain") == "ReturnValue 4 Certificate Verification Failed"
    assert text(method="", class_name="") == text() == text(method="") == text(class_name="")
    assert text() not in (text(method="Setup"), text(method="AddNextCertInChain"), text(method="x"))


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
