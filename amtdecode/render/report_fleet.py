"""The fleet for a terminal: every cause with its count, and machines of each. Captured text is escaped."""

from __future__ import annotations

from typing import TYPE_CHECKING

from amtdecode.counting import counted
from amtdecode.render.report_words import called, groups, headline, of_machine
from amtdecode.render.safe import safe
from amtdecode.render.wrapping import headed, wrapped

if TYPE_CHECKING:
    from collections.abc import Iterator

    from amtdecode.diagnosis.report import DeviceReport, Report
    from amtdecode.render.report_words import Group
    from amtdecode.render.wrapping import Painter

MAX_MACHINES = 12  # shown one by one without -V: with more, their causes are
MAX_NAMED = 3  # machines shown of each cause with so many
MAX_CAUSES = 5  # causes of which machines are shown with so many; all have their line
COLORS = {"critical": "1;31", "high": "31", "medium": "33", "low": "36", "info": "2"}
ROW = " " * 6
NOTHING = "nothing above info was found"


def fleet_lines(
    report: Report, width: int, paint: Painter, *, whole: bool, details_follow: bool = True
) -> Iterator[str]:
    """The headline, the causes with their counts, and machines of each: all of them where `whole`.

    A machine that is alone has no row where its details follow.
    """
    yield from wrapped(safe(headline(report)), width, "", "  ")
    found = [*groups(report)]
    if len(report.devices) == 1 and details_follow:
        for group in found:
            yield from headed(*_head(group), width, paint, "  ", " " * 11)
        return
    if not found:
        return
    yield ""
    yield "MACHINES  CAUSE"
    for group in found:
        yield from headed(*_head(group), width, paint, f"{_count(group):>8}  ", " " * 19)
        if whole:
            yield from _rows(group.devices, width)
    if not whole:
        yield from _some(found, width, paint)


def _some(found: list[Group], width: int, paint: Painter) -> Iterator[str]:
    """What to do about each cause, and a few of its machines."""
    shown = [(group.cause, group) for group in found if group.cause is not None and group.devices]
    for cause, group in shown[:MAX_CAUSES]:
        title = f"{cause.severity.upper()}  {safe(cause.title)}{_alike(group)}"
        yield ""
        yield from headed((COLORS[cause.severity], title), "", width, paint, "", "      ")
        yield from wrapped(f"Fix: {safe(cause.fix)}", width, "      ")
        names = ", ".join(_short(device) for device in group.devices[:MAX_NAMED])
        more = f" and {len(group.devices) - MAX_NAMED} more" if len(group.devices) > MAX_NAMED else ""
        yield from wrapped(f"Machines: {names}{more}", width, "      ")
    if len(shown) > MAX_CAUSES:
        yield ""
        yield f"and {counted(len(shown) - MAX_CAUSES, 'cause')} more"


def _short(device: DeviceReport) -> str:
    other = called(device) or (device.addresses[-1] if device.addresses else "")
    return safe(f"{device.name} ({other})" if other and other != device.name else device.name)


def _count(group: Group) -> str:
    return str(len(group.devices)) if group.cause is None or group.cause.count else "the site"


def _head(group: Group) -> tuple[tuple[str, str], str]:
    """Colour and title of a cause, and what stands behind it."""
    cause = group.cause
    if cause is None:
        return ("0", ""), NOTHING
    title = f"{cause.severity.upper():<8} {safe(cause.title)}{_alike(group)}"
    return (COLORS[cause.severity], title), f"  [{cause.id}; {cause.verdict}]"


def _alike(group: Group) -> str:
    return ", and others like it" if group.cause is not None and group.cause.titles > 1 else ""


def _rows(devices: list[DeviceReport], width: int) -> Iterator[str]:
    """A line for each machine; the columns are as wide as these machines need."""
    cells = [
        (_names(device), _address(device), _method(device), of_machine(device, confidence=False)) for device in devices
    ]
    widths = [max((len(row[column]) for row in cells), default=0) for column in range(3)]
    for row in cells:
        columns = [f"{cell:<{size}}" for cell, size in zip(row, widths, strict=False) if size]
        line = "  ".join([*columns, row[3]])
        if len(ROW) + len(line) <= width:
            yield f"{ROW}{line}"
        else:
            yield from wrapped("  ".join(cell for cell in row if cell), width, ROW, ROW + "    ")


def _names(device: DeviceReport) -> str:
    other = called(device)
    return safe(f"{device.name} ({other})" if other else device.name)


def _address(device: DeviceReport) -> str:
    address = device.addresses[-1] if device.addresses else ""
    return "" if address == device.name else safe(address)


def _method(device: DeviceReport) -> str:
    return "" if device.method == "unknown" else device.method.upper()
