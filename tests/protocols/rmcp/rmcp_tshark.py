"""What tshark reads of RMCP and ASF, in the form in which our fields can be compared."""

from __future__ import annotations

import oracle

from amtdecode.protocols.rmcp import RMCP

ASKED = sorted(
    field.name
    for field in RMCP.fields()
    if field.name.startswith(("rmcp.", "asf.", "rsp.")) and field.name != "rmcp.trailer"
)
"""All that is called as tshark calls it. For the trailer tshark 4.0 has a field, and never shows it."""


def shown(value) -> str:
    if isinstance(value, list):
        return ",".join(map(shown, value))
    return "" if value is None else str(value)


def by_tshark(tshark, path) -> list[dict[str, str]]:
    """The values of each packet, numbers in decimal, several of them with commas between."""
    columns = [part for name in ASKED for part in ("-e", name)]
    command = [tshark, "-n", "-r", str(path), "-T", "fields", *columns]
    lines = oracle.run(command, check=True, text=True).stdout.splitlines()
    return [
        {
            name: ",".join(str(int(part, 0)) for part in value.split(",") if part)
            for name, value in zip(ASKED, line.split("\t"), strict=True)
        }
        for line in lines
    ]
