"""What `__arrow_c_stream__` of the library's objects gives."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from amtdecode.diagnosis.report import Report
    from amtdecode.model import Observation


def arrow_stream(source: Iterable[Observation] | Report, requested_schema: object = None) -> object:
    """What `__arrow_c_stream__` gives: the table `observations`, or of a report the table `findings`.

    The capsule is that of the Arrow PyCapsule interface. Raises `MissingExtraError` without pyarrow.
    """
    from amtdecode.diagnosis.report import Report

    if isinstance(source, Report):
        from amtdecode.tables.findings import tables_of

        return tables_of(source)["findings"].__arrow_c_stream__(requested_schema)
    from amtdecode.tables.collecting import reader

    return reader(source).__arrow_c_stream__(requested_schema)
