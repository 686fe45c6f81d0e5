"""Checking a digest response against a password (RFC 7616 §3.4, RFC 2617 §3.2.2)."""

from __future__ import annotations

import hashlib
import hmac
from typing import TYPE_CHECKING

from amtdecode.protocols.http.auth import unquote

if TYPE_CHECKING:
    from amtdecode.protocols.http.auth import Challenge

# names of hashlib; the algorithms are those of RFC 7616 §6.1
_HASHES = {"md5": "md5", "sha-256": "sha256", "sha-512-256": "sha512_256"}


def verify(given: Challenge, method: str, body: bytes | None, password: str) -> bool | None:
    """Whether this password makes this response; `None` where that cannot be told.

    `body` is as sent, compression and all, out of its chunks; `None` when it is not whole.
    """
    parameters = given.parameters
    algorithm = parameters.get("algorithm", "MD5").lower()
    session = algorithm.endswith("-sess")
    hash_name = _HASHES.get(algorithm.removesuffix("-sess"), "")
    response = unquote(parameters.get("response", "")).lower()
    if (
        hash_name not in hashlib.algorithms_available
        or not response
        or parameters.get("userhash", "").lower() == "true"
    ):
        return None
    qop = unquote(parameters.get("qop", "")).strip()  # of credentials it is one word
    if qop.lower() not in ("", "auth", "auth-int") or (qop.lower() == "auth-int" and body is None):
        return None

    def digest(*parts: bytes) -> bytes:
        return hashlib.new(hash_name, b":".join(parts), usedforsecurity=False).hexdigest().encode()

    def raw(name: str) -> bytes:
        return unquote(parameters.get(name, "")).encode("latin-1", "replace")

    second = [method.encode("latin-1", "replace"), raw("uri")]
    if qop.lower() == "auth-int":
        second.append(digest(body or b""))
    middle = [raw("nonce")]
    if qop:
        middle += [raw("nc"), raw("cnonce"), qop.encode("latin-1")]
    # RFC 7616 hashes a user name without the backslashes of its quoting, many clients with them
    users = {unquote(parameters.get("username", "")), parameters.get("username", "")}
    secrets = {password.encode(), password.encode("latin-1", "replace")}
    for user in users:
        for secret in secrets:
            first = digest(user.encode("latin-1", "replace"), raw("realm"), secret)
            if session:
                first = digest(first, raw("nonce"), raw("cnonce"))
            made = digest(first, *middle, digest(*second))
            if hmac.compare_digest(made.decode(), response) if response.isascii() else False:
                return True
    return False
