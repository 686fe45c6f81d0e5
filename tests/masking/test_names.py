"""Names that tell a secret, in every style, and names of AMT that only sound so."""

from __future__ import annotations

import re

import pytest

from amtdecode.masking import is_reference, is_secret_name, is_value, names, names_a_value
from amtdecode.masking.names import words
from amtdecode.protocols.soap import tables

SECRET = sorted(
    words(
        """
        AdminPass UserPwd NewPass PasswordOld PASSWORD_OLD Password_Value PasswordHash Passphrase
        Pass_Phrase PSKPassPhrase PskHex Psk256 WPAPSK wpa2_psk PrivateKeyData PrivKey KeyData KeyValue
        Key Keys Wep_Key WEPKey1 WpaKeyHex KeyBlob key1 MEBxPassword RFBPassword OTP
        ProvisioningServerOTP OneTimePass Credential Credentials cred AuthToken Token tokens AccessToken
        refresh_token sessionToken Pin PIN PinCode xPin OptInCode consent-code Secret SharedSecret
        client_secret SecretValue RadiusSecretKey PPS PPSValue DigestHA1 HA1 Ticket Cookie SessionId
        sessionid jsessionid PHPSESSID ApiKey X-Api-Key X-Access-Key PfxData Pkcs12 P12 p12data Nonce
        MasterKey KerberosKey ConfirmPassword2 passwordConfirm LoginPw AdminPW ADMINPW Passwort Kennwort
        EncryptedPassword pass-word p%61ssword X-CSRF X-Signature X-Jwt X-Login X-MEBX Authorisation sig
        auth phrase mdp clave contraseña пароль 密码 パスワード ｐａｓｓｗｏｒｄ pass\u200bword DigestPassword
        ProtectedAccessCredential BinarySecurityToken UefiBootParametersArray salt seed hmac
        X-Amz-Security-Token
        """
    )
)
HARMLESS = sorted(
    words(
        """
        PasswordModel UserPasswordBypass NetAdminPassEncryptionType KeyUsage ExtendedKeyUsage PublicKey
        PublicKeyInfo public_key DERKey KeyPair CreatedKey KeyAlgorithm KeyLength key_size
        AuthenticationMethod AuthenticationProtocol AuthMethod MutualAuthentication AllowHttpQopAuthOnly
        DigestRealm DigestUsername OptInCodeTimeout OptInPolicy OptInRequired SessionTimeout SessionType
        SessionState MaxConsoleSessions ConfigurationNonce EnabledByMEBx PingResponseEnabled
        RmcpPingResponseEnabled PrivacyLevel KeyboardLock LockKeyboard VeriSign SignedCertificateRequest
        Stepping OptionsCleared DesignVoltage ElementName Name InstanceID CreationClassName HashData
        Issuer Author Authority Passive Host User-Agent SOAPAction Accept Opt-In monkey1 apps steps
        Realm Username pass-through Key0 Sec-WebSocket-Key ProvisioningMode AccessPermission
        CertificateBlob X509Certificate TrustedCN Description spin login-name
        """
    )
)


@pytest.mark.parametrize("name", SECRET)
def test_names_of_secrets(name):
    assert is_secret_name(name)
    assert is_secret_name(name), "remembered as it was judged"


@pytest.mark.parametrize("name", HARMLESS)
def test_names_that_only_sound_so(name):
    assert not is_secret_name(name)


def test_every_word_is_seen_by_the_quick_look():
    """What is done with at once can be no secret's name."""
    for word in [*names._STRONG, *names._WEAK, *names._ENDINGS, *names._ANYWHERE.pattern.split("|")]:
        assert names._MAYBE.search(word), word


def test_classes_and_operations_speak_of_secrets_without_being_one():
    for name in [*tables.classes(), "SetMEBxPassword_INPUT", "AddKey_OUTPUT"]:
        assert is_reference(name) is (name[:4] in ("AMT_", "CIM_", "IPS_") or name.endswith(("_INPUT", "_OUTPUT"))), (
            name
        )
    assert not is_reference("Password_Value")


def test_what_is_remembered_is_bounded():
    for number in range(3 * names.MAX_GRADES):
        assert not is_secret_name(f"Setting{number}x")
    assert len(names._GRADES) <= names.MAX_GRADES
    held = len(names._GRADES)
    assert is_secret_name("x" * 100 + "Password")
    assert len(names._GRADES) == held


@pytest.mark.parametrize(
    ("name", "naming", "value"),
    [
        ("Name", True, False),
        ("key", True, False),
        ("PropertyName", True, False),
        ("Value", False, True),
        ("Value1", False, True),
        ("NewValue", False, True),
        ("Data", False, True),
        ("Realm", False, False),
    ],
)
def test_pairs_of_a_name_and_a_value(name, naming, value):
    assert (names_a_value(name), is_value(name)) == (naming, value)


def test_names_in_our_tables_are_judged_on_purpose():
    """Properties of AMT's classes whose values have names are no secrets."""
    named = {name for _, _, name in tables._values()}
    assert {name for name in named if is_secret_name(name)} == set()
    assert not [name for name in named if re.search("password$", name, re.IGNORECASE)]
