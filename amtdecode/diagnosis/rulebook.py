"""All rules, in the order in which they are asked: by question, and within a file as they stand there."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

from amtdecode.diagnosis.rule import has_text
from amtdecode.diagnosis.rules import (
    calls,
    certificates,
    cira,
    commit,
    contact,
    environment,
    hashes,
    hello,
    http,
    log_lines,
    logs,
    mps_name,
    names,
    network,
    phone_home,
    preflight_certificate,
    preflight_machines,
    preflight_network,
    preflight_server,
    psk,
    redirection,
    refusals,
    replay,
    rmcp,
    security,
    setup_certificate,
    setup_requirements,
    unanswered,
    versions,
    wrong_port,
)
from amtdecode.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from amtdecode.diagnosis.rule import Rule

FILES = (
    network,
    names,
    hashes,
    hello,
    contact,
    wrong_port,
    psk,
    setup_certificate,
    setup_requirements,
    refusals,
    cira,
    http,
    calls,
    unanswered,
    redirection,
    commit,
    log_lines,
    logs,
    replay,
    security,
    certificates,
    versions,
    environment,
    mps_name,
    phone_home,
    rmcp,
)


PREREQUISITES = (preflight_network, preflight_server, preflight_certificate, preflight_machines)


@functools.cache
def rules() -> tuple[Rule, ...]:
    """The rules of amtdecode."""
    return tuple(rule for file in FILES for rule in file.RULES.declared)


@functools.cache
def prerequisites() -> tuple[Rule, ...]:
    """The rules that `preflight` asks before the first machine is set up; `diagnose` does not ask them."""
    return tuple(rule for file in PREREQUISITES for rule in file.RULES.declared)


def all_rules() -> tuple[Rule, ...]:
    """Both together."""
    return rules() + prerequisites()


def with_own(own: Iterable[Rule]) -> tuple[Rule, ...]:
    """The rules of amtdecode and those of the caller, which are asked last.

    Raises `UsageError` for an id that is taken, a rule that asks nobody, and one without a text.
    """
    known = {rule.id for rule in all_rules()}
    added = tuple(own)
    for rule in added:
        if rule.id in known:
            raise UsageError(f"rule {rule.id}: there is a rule with this id already")
        if rule.of_machine is None and rule.of_fleet is None:
            raise UsageError(f"rule {rule.id}: asks neither machines (of_machine) nor all of them (of_fleet)")
        if rule.text is None and not has_text(rule.id):
            raise UsageError(f"rule {rule.id}: has no text")
        known.add(rule.id)
    return rules() + added
