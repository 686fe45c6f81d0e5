"""Reading WWW-Authenticate and Authorization: Digest, Basic, Negotiate with Kerberos or NTLM inside.

Sources: RFC 9110 §11 (challenges), RFC 7616 (Digest), RFC 7617 (Basic), RFC 4559 (Negotiate), RFC 4178 (SPNEGO),
MS-NLMP §2.2.1 (NTLM). Firmware leaves out spaces after commas and quotes what the RFC does not; both are read.
"""

from __future__ import annotations

import binascii
import re
from typing import TYPE_CHECKING, NamedTuple

from amtdecode.compiled import TEXTS
from amtdecode.fields import MASK
from amtdecode.masking import SCHEMES

if TYPE_CHECKING:
    from amtdecode.protocols.gssapi import Token

CHALLENGES_LIMIT = 16
"""Offers read of one WWW-Authenticate header; further ones are passed over."""
PARAMETERS_LIMIT = 32
"""Parameters read of one challenge or one set of credentials; further ones are passed over."""

# what stands between commas, a quoted string being one thing
_PIECE = re.compile(r'(?:[^,"]|"(?:[^"\\]|\\.)*"?)+')
# begins where a word begins and never goes back over it: linear whatever is sent
_PARAMETER = re.compile(r'(?<![^\s=",])([^\s=",]++)\s*+=\s*+(?:"([^"\\]*+(?:\\.[^"\\]*+)*+)"?|([^\s,"]*+))')
_SCHEME = re.compile(r"([A-Za-z][\w.+-]*)(?:\s+(?!=)(.*))?$", re.ASCII | re.DOTALL)
_TOKENS = frozenset(("kerberos", "negotiate", "ntlm"))  # schemes with a token instead of parameters

_NTLM = b"NTLMSSP\0"
_NTLM_MESSAGES = {1: "NTLM negotiate", 2: "NTLM challenge", 3: "NTLM authenticate"}  # MS-NLMP §2.2.1
# the bytes of the mechanisms' object identifiers: RFC 4121, Microsoft's misprint of it (MS-SPNG), NTLM (MS-SPNG)
_MECHANISMS = (
    (bytes.fromhex("2a864886f712010202"), "Kerberos"),
    (bytes.fromhex("2a864882f712010202"), "Kerberos"),
    (bytes.fromhex("2b06010401823702020a"), "NTLM"),
)


class Challenge(NamedTuple):
    """One offer of WWW-Authenticate, or the credentials of Authorization."""

    scheme: str  # as written
    parameters: dict[str, str]  # lower-case name to value, quotes taken off, backslashes kept; the first of a name
    token: str = ""  # what follows a scheme that has no parameters

    def __repr__(self) -> str:
        token = ", a token" if self.token else ""
        return f"Challenge({self.name!r}, parameters {list(self.parameters)}{token})"  # their values may be secret

    @property
    def name(self) -> str:
        """The scheme, where it is one: who writes a token alone writes it in its place, and that is masked."""
        return scheme_name(self.scheme)

    @property
    def qop(self) -> list[str]:
        """The qualities of protection in the order written: `auth`, `auth-int`."""
        return [word.strip().lower() for word in self.parameters.get("qop", "").split(",") if word.strip()]

    @property
    def user(self) -> str:
        """The user that Digest or Basic credentials name; "" where none is named."""
        if self.scheme.lower() == "basic":
            return basic_user(self.token)
        return unquote(self.parameters.get("username", ""))


def scheme_name(scheme: str) -> str:
    """A scheme as it may be shown: masked where it is none that is known."""
    return scheme if not scheme or scheme.lower() in SCHEMES else MASK


def credentials(value: str) -> Challenge:
    """Read an Authorization header: one scheme with its token or parameters."""
    scheme, rest = [*value.split(None, 1), "", ""][:2]
    if scheme.lower() in _TOKENS or scheme.lower() in ("basic", "bearer"):
        return Challenge(scheme, {}, rest.strip())
    found: dict[str, str] | None = None if TEXTS is None else TEXTS.parameters(rest)
    if found is None:
        found = {}
        _parameters(rest, found)
    return Challenge(scheme, found)


def challenges(value: str) -> list[Challenge]:
    """Read a WWW-Authenticate header: its offers in the order written, of which there may be several."""
    offers: list[Challenge] = []
    for piece in _PIECE.findall(value):
        text = piece.strip()
        match = _SCHEME.match(text)
        if match is not None:
            if len(offers) == CHALLENGES_LIMIT:
                break
            scheme, text = match[1], match[2] or ""
            offers.append(Challenge(scheme, {}, text.strip() if scheme.lower() in _TOKENS else ""))
        if offers and not offers[-1].token:
            _parameters(text, offers[-1].parameters)
    return offers


def _parameters(text: str, found: dict[str, str]) -> None:
    for name, quoted, plain in _PARAMETER.findall(text):
        if len(found) == PARAMETERS_LIMIT:
            break
        found.setdefault(name.lower(), quoted or plain)


def unquote(text: str) -> str:
    """Resolve the backslashes of a quoted string (RFC 9110 §5.6.4)."""
    return re.sub(r"\\(.)", r"\1", text) if "\\" in text else text


def basic_user(token: str) -> str:
    """Read the user out of Basic credentials; "" where it is no base64, or has no colon and may be a password."""
    user, colon, _ = _decode(token).partition(b":")
    return user.decode("utf-8", "replace") if colon else ""


def mechanism(token: str) -> str:
    """Tell what a Negotiate or NTLM token carries: `Kerberos`, `NTLM authenticate`, `SPNEGO`; "" when unknown."""
    return mechanism_of(_decode(token))


def kerberos(token: str) -> Token | None:
    """Read the Kerberos message of a Negotiate or Kerberos token."""
    from amtdecode.protocols.gssapi import read_token

    return read_token(_decode(token)) if token else None


def mechanism_of(data: bytes) -> str:
    """Tell the same of the bytes of a token."""
    at = data.find(_NTLM)
    if at >= 0:
        return _NTLM_MESSAGES.get(int.from_bytes(data[at + 8 : at + 12], "little"), "NTLM")
    places = sorted((data.find(oid), name) for oid, name in _MECHANISMS if oid in data)
    if places:
        return places[0][1]  # the mechanism named first is the one the token is for (RFC 4178 §4.2)
    return "SPNEGO" if data[:1] in (b"\x60", b"\xa1") else ""


def _decode(token: str) -> bytes:
    try:
        return binascii.a2b_base64(token.encode("latin-1", "replace") + b"==")
    except binascii.Error:
        return b""
