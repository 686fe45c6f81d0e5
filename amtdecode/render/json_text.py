"""Any value as one line of JSON that a terminal may see."""

from __future__ import annotations

from typing import Any

import msgspec

from amtdecode.safe import encodable, safe_json


def json_text(value: Any) -> str:
    """The value as JSON, control characters escaped. File names that are no UTF-8 are written as `safe` shows them."""
    try:
        line = msgspec.json.encode(value)
    except UnicodeEncodeError:
        line = msgspec.json.encode(encodable(msgspec.to_builtins(value)))
    return safe_json(line).decode()
