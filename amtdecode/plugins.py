"""Rooms and rules of installed packages, looked up only when asked for: that costs as much as `import amtdecode`.

A package names them as entry points (https://packaging.python.org/specifications/entry-points/), each one object or a
tuple of them:

    [project.entry-points."amtdecode.protocols"]
    modbus = "my_package:MODBUS"
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

from amtdecode.errors import PluginError, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable
    from importlib.metadata import EntryPoint

    from amtdecode.diagnosis.rule import Rule
    from amtdecode.protocols.dissector import Protocol

PROTOCOLS, RULES = "amtdecode.protocols", "amtdecode.rules"
Kind = TypeVar("Kind")


def installed(group: str, kind: type[Kind]) -> list[Kind]:
    """What installed packages offer under a group, by name. Raises `PluginError` for the first that cannot be used."""
    from importlib.metadata import entry_points

    found: list[Kind] = []
    for point in sorted(entry_points(group=group), key=lambda point: point.name):
        name = f"plugin {point.name} ({point.value}) of {point.dist.name if point.dist else 'an unknown package'}"
        try:
            loaded = point.load()
        except Exception as error:  # whatever a package of somebody else raises
            raise PluginError(f"{name} cannot be loaded: {type(error).__name__}: {error}") from error
        for each in _members(loaded, kind):
            if not isinstance(each, kind):
                raise PluginError(f"{name} is a {type(each).__name__}, and no {kind.__name__}")
            found.append(each)
    return found


def packages() -> str:
    """Names and versions of the packages that offer something, with its names there."""
    from importlib.metadata import entry_points

    points = [point for group in (PROTOCOLS, RULES) for point in entry_points(group=group)]
    return ", ".join(sorted(_told(point) for point in points))


def _told(point: EntryPoint) -> str:
    return f"{point.dist.name} {point.dist.version} {point.value}" if point.dist is not None else point.value


def given(name: str, objects: Any, kind: type[Kind]) -> list[Kind]:
    """What a caller gives, one object or several. Raises `UsageError` for another kind."""
    try:
        members = _members(objects, kind)
    except TypeError:
        members = [objects]
    for each in members:
        if not isinstance(each, kind):
            raise UsageError(f"{name} takes a {kind.__name__}, or several, not a value of type {type(each).__name__}")
    return members


def _members(objects: Any, kind: type) -> list[Any]:
    """A list of one object or of several; a named tuple is one."""
    return (
        [objects] if isinstance(objects, kind) else list(objects) if isinstance(objects, (list, tuple)) else [objects]
    )


def rooms(protocols: Iterable[Protocol] | Protocol = (), *, plugins: bool = False) -> tuple[Protocol, ...]:
    """All rooms: those given, those of installed packages if asked for, and our own.

    They are asked in this order, so that of rooms that know the same bytes the one given has them. A room of the same
    name and transport takes the place of ours.
    """
    from amtdecode.protocols.dissector import Protocol
    from amtdecode.protocols.registry import REGISTRY

    others = given("protocols", protocols, Protocol)
    if plugins:
        others += installed(PROTOCOLS, Protocol)
    names = {(room.name, room.transport) for room in others}
    return (*others, *(room for room in REGISTRY if (room.name, room.transport) not in names))


def own_rules(rules: Iterable[Rule] | Rule = (), *, plugins: bool = False) -> list[Rule]:
    """The rules given, and those of installed packages if asked for."""
    from amtdecode.diagnosis.rule import Rule

    return given("rules", rules, Rule) + (installed(RULES, Rule) if plugins else [])
