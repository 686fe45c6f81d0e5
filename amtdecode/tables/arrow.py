"""pyarrow (extra `arrow`), loaded when first asked for."""

from __future__ import annotations

from typing import Any

from amtdecode.errors import MissingExtraError


def pyarrow() -> Any:
    """The module, loaded when first asked for. Raises `MissingExtraError` without it (extra `arrow`)."""
    try:
        import pyarrow as pa
    except ImportError as error:
        raise MissingExtraError("tables need pyarrow: pip install 'amtdecode[arrow]'") from error
    return pa
