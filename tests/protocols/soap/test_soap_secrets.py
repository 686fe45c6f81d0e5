"""Secrets of calls: set apart by their names and places, and masked wherever an event shows itself."""

from __future__ import annotations

import pytest
from soap_exchange import SETUP, Conversation, Told, call, eoi, fault, invoke, wsman

from amtdecode.protocols.soap.events import SoapFault, SoapRequest


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
