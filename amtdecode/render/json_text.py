"""Any value as one line of JSON that a terminal may see."""

from __future__ import annotations

from typing import Any

import msgspec

from amtdecode.render.json_lines import harmless
from amtdecode.render.safe import safe


def json_text(value: Any) -> str:
    """The value as JSON, control characters escaped. File names that are no UTF-8 are written as `safe` shows them."""
    try:
        line = msgspec.json.encode(value)
    except UnicodeEncodeError:
        line = msgspec.json.encode(_encodable(msgspec.to_builtins(value)))
    return harmless(line).decode()


def _encodable(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _encodable(each) for name, each in value.items()}
    if isinstance(value, list):
        return [_encodable(each) for each in value]
    return safe(value) if isinstance(value, str) else value
