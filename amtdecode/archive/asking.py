"""What the connections of a stretch ask of keys, by its tables: so it shows whether other keys would open any."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any, Final

from amtdecode.secrets.prints import Asked
from amtdecode.stores import join, store_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from amtdecode.archive.manifest import Done

RANDOM, SESSION_ID = "tls_handshake_random", "tls_handshake_session_id"
IDENTITIES: Final = ("tls_handshake_identity", "tls_handshake_extensions_psk_identity_identity")
CERTIFICATE: Final = "tls_handshake_certificate"
LOGGED_IN: Final = ("http", "iamt_redir")  # tables of what passwords are for


def asked_of(folder: str, done: Done) -> Asked:
    """Of a stretch that was read. Raises `OSError` where its tables cannot be read."""
    passwords = any(done.rows.get(table) for table in LOGGED_IN)
    if not done.rows.get("tls"):
        return Asked(passwords=passwords)
    found: dict[str, set[bytes]] = {}
    for name, value in _values(folder, done, (RANDOM, SESSION_ID, *IDENTITIES, CERTIFICATE)):
        found.setdefault(name, set()).add(value)
    return Asked(
        frozenset(found.get(RANDOM, ())),
        frozenset(found.get(SESSION_ID, ())),
        frozenset(value for name in IDENTITIES for value in found.get(name, ())),
        frozenset(found.get(CERTIFICATE, ())),
        passwords,
    )


def _values(folder: str, done: Done, columns: tuple[str, ...]) -> Iterator[tuple[str, bytes]]:
    from pyarrow import parquet

    store = store_of(folder)
    for part in done.parts:
        if not part.startswith("tls/"):
            continue
        table = parquet.ParquetFile(io.BytesIO(store.read(join(folder, part)))).read(columns=[*columns])
        for name in columns:
            for value in _flat(table.column(name)).unique().drop_null().to_pylist():
                yield name, value


def _flat(column: Any) -> Any:
    import pyarrow.compute as pc
    import pyarrow.types as types

    return pc.list_flatten(column) if types.is_list(column.type) else column
