"""Whether something is a secret by its name: `AdminPassword`, `x-api-key`, `pass_phrase`, `p%61ssword`, `PskHex`.

Names come from captured bytes and from logs, in whatever style. They are judged by their parts (words between dashes,
dots, blanks, digits, and by camel case) and by what the parts make together.
"""

from __future__ import annotations

import re
import unicodedata


def words(text: str) -> frozenset[str]:
    """The words of a text, as a set."""
    return frozenset(text.split())


SCHEMES = words(
    """
    basic bearer digest negotiate ntlm kerberos token apikey oauth hoba mutual dpop gnap privatetoken
    scram-sha-1 scram-sha-256 vapid aws4-hmac-sha256 concealed
    """
)
"""Schemes of HTTP authentication: IANA's registry, and what products use. Another word there may be a token itself."""

MAX_NAME = 512  # characters that are looked at

_PART = re.compile(r"[A-Z]+(?=[A-Z][a-z])|[A-Z]?[^\W\d_A-Z]+|[A-Z]+")
_SEPARATORS = re.compile(r"[\W_]+")
_ENCODED = re.compile("%([0-7][0-9a-fA-F])")
_PUBLIC_KEY = re.compile(r"public[\W_]{0,2}keys?", re.IGNORECASE)

_ANYWHERE = re.compile(
    "passw|passp|passcode|passkey|onetimepass|sharedkey|pwd|psk|secret|credential|cookie|privatekey|masterkey|keyblob"
    "|keymaterial|keydata|apikey|accesskey|sessionkey|sessionid|sessid|jsession|optincode|pincode|consentcode"
    "|accesscode|securitycode|verificationcode|unlockcode|wepkey|wpakey|networkkey|encryptionkey|symmetrickey"
    "|securitytoken|accesstoken|pkcs12|uefibootparametersarray|kennwort|wachtwoord|motdepasse|contrase|geheim"
)
"""What tells a secret wherever it stands in the letters of a name, its separators left out."""
_FOREIGN = ("パスワード", "密码", "密碼", "пароль", "비밀번호", "lösenord")

_STRONG = words(
    """
    pass passe pw pwd pwds otp otps totp pps psk pin pins secret secrets phrase passphrase pfx jwt jws ha1 token
    tokens creds cred credential credentials cookie cookies mdp senha heslo haslo parola clave puk bearer
    """
)
"""Words that tell a secret whatever stands beside them."""
_WEAK = words(
    """
    key keys auth authn authz authorization authorisation authentication authenticator digest sig signature
    signatures private session nonce cnonce ticket tickets tgt csrf xsrf login logon mebx salt seed sid hmac sas
    """
)
"""Words that tell one, unless the name says that it speaks about the thing (`KeyLength`, `SessionTimeout`)."""
_ENDINGS = ("otp", "psk", "pps", "pass", "pw", "token", "secret", "apikey", "passkey")
_NO_ENDINGS = frozenset(("apps", "bypass", "compass", "steps"))
_DESCRIBES = words(
    """
    algorithm algorithms bits class count enabled encryption format index interval kind length level limit max
    mechanism mechanisms method methods min mode model name names only pair policy protocol protocols realm
    required service size state status supported timeout tolerance type types usage user username version
    """
)
"""Last words of names that speak about a thing, behind a weak word."""
_MAYBE = re.compile(
    "pass|pw|psk|pps|phrase|pin|pfx|p12|pkcs|puk|priv|parola|se[csn]|sig|salt|seed|sid|key|tok|tick|tgt|otp|optin|cred"
    "|cookie|csrf|code|sas|contra|clave|auth|digest|jw|ha1|nonce|xsrf|log|mebx|hmac|mdp|heslo|haslo|bearer|kenn|wacht|geheim"
    "|motde|uefi"
)
"""What every name of a secret has in it: all others are done with at once."""
_SPECIAL = re.compile(r"(?:.*[^a-z])?p12(?:data|file|blob|base64|pass)?|ha1|.*digestha1")

HARMLESS = frozenset(
    (
        # properties and parameters of AMT (Intel AMT SDK, WS-Management class reference) that hold no secret
        "passwordmodel",
        "userpasswordbypass",
        "netadminpassencryptiontype",
        "optincodetimeout",
        "configurationnonce",
        "mcnonce",
        "keyusage",
        "extendedkeyusage",
        "keyversion",
        "key0",
        "derkey",  # the public half
        "keypair",
        "createdkey",
        "mutualauthentication",
        "authenticationmethod",
        "authenticationprotocol",
        "allowhttpqopauthonly",
        "digestrealm",
        "digestusername",
        "kerberosusersid",
        "enabledbymebx",
        "sessionsequencenumber",
        "authoritykeyidentifier",
        "subjectkeyidentifier",
        "passthrough",
        "maxsessions",
        "currentsessions",
        # fields of HTTP that are public
        "secwebsocketkey",
        "secwebsocketaccept",
        "wwwauthenticate",
        "proxyauthenticate",
    )
)
"""Names, their letters and digits in lower case, that sound like secrets and are none."""

SHOWN_INSIDE = frozenset(("username", "user", "domain", "realm"))
"""Elements that are no secret though they lie in one: `<Token><Username>`."""

_CLASS = re.compile(r"(?:AMT|CIM|IPS|Intel|Msvm)_|.*_(?:INPUT|OUTPUT)$", re.DOTALL)


NONE, WEAK, STRONG = range(3)
"""How sure a name is that of a secret: not at all; by a word of several meanings; without a doubt."""


def is_secret_name(name: str) -> bool:
    """Tell by a name alone whether what it names is a password, key or other secret."""
    return grade(name) > NONE


MAX_GRADES = 2048  # names kept with what they were judged
MAX_GRADED = 64  # characters of one of them


_GRADES: dict[int, int] = {}
"""Names as they were judged, by their hashes: captures have few, and what stands before a colon may be no name."""


def grade(name: str) -> int:
    """Tell how sure a name is that of a secret: `NONE`, `WEAK`, `STRONG`."""
    found = _GRADES.get(hash(name))
    if found is None:
        found = _grade(name)
        if len(name) <= MAX_GRADED:
            if len(_GRADES) >= MAX_GRADES:
                _GRADES.clear()
            _GRADES[hash(name)] = found
    return found


def _grade(name: str) -> int:
    if "%" in name:
        name = _ENCODED.sub(lambda found: chr(int(found[1], 16)), name)
    name = name[:MAX_NAME]
    if not name.isascii():
        name = unicodedata.normalize("NFKC", name)
        if any(word in name.lower() for word in _FOREIGN):
            return STRONG
        name = "".join([letter for letter in name if letter.isprintable()])
    if "ublic" in name or "UBLIC" in name:
        name = _PUBLIC_KEY.sub(" ", name)
    letters = (name if name.isalnum() else _SEPARATORS.sub("", name)).lower()
    if _MAYBE.search(letters) is None or letters in HARMLESS:  # most names
        return NONE
    if _ANYWHERE.search(letters) or _SPECIAL.fullmatch(letters):
        return STRONG
    parts = [part.lower() for part in _PART.findall(name)]
    if any(part in _STRONG or (part.endswith(_ENDINGS) and part not in _NO_ENDINGS) for part in parts):
        return STRONG
    return WEAK if not _WEAK.isdisjoint(parts) and parts[-1] not in _DESCRIBES else NONE


def is_reference(name: str) -> bool:
    """Tell whether a name is that of a class of AMT, or of a call's parameters as a whole.

    These speak of secrets, and not all that lies in them is one: `AMT_MPSUsernamePassword`, `SetMEBxPassword_INPUT`.
    """
    return _CLASS.match(name) is not None


_VALUES = ("value", "val", "values", "data", "text", "content", "string", "base64", "binary")
_NAMING = words(
    """
    name key id field property parameter param setting option variable attribute propertyname parametername
    paramname settingname optionname keyname fieldname item
    """
)


def names_a_value(name: str) -> bool:
    """Tell whether an element or attribute of this name says what another is called: `<Name>AdminPassword</Name>`."""
    return name.lower() in _NAMING


def is_value(name: str) -> bool:
    """Tell whether an element or attribute of this name has the value that one beside it names."""
    return name.lower().rstrip("0123456789-_").endswith(_VALUES)
