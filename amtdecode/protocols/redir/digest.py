"""Checking a digest response against a password (RFC 2617 §3.2.2, RFC 2069; public source: amtterm, MeshCommander).

Method and address of the hash are `POST` and the uri of the login, by clients `/RedirectionService`.
"""

from __future__ import annotations

import hashlib
import hmac
from typing import TYPE_CHECKING

from amtdecode.protocols.redir.names import DIGEST

if TYPE_CHECKING:
    from amtdecode.protocols.redir.messages import RedirLogin
    from amtdecode.secrets import Keys


def response(login: RedirLogin, password: str) -> str:
    """The response that this password makes, as 32 hexadecimal digits."""

    def digest(*parts: str) -> str:
        return hashlib.md5(":".join(parts).encode("utf-8", "replace"), usedforsecurity=False).hexdigest()

    middle = [login.nc, login.cnonce, login.qop] if login.method == DIGEST and login.qop else []
    first, second = digest(login.user, login.realm, password), digest("POST", login.uri)
    return digest(first, login.nonce, *middle, second)


def verify(login: RedirLogin, keys: Keys | None) -> bool | None:
    """Whether the password given for this user makes this response; `None` where that cannot be told."""
    if keys is None or not login.response:
        return None
    password = keys.http_password(login.user)
    if password is None:
        return None
    made, given = response(login, password), login.response.lower()
    return hmac.compare_digest(made, given) if given.isascii() else False
