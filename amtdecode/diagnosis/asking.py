"""Which rules are asked of which machine: what a rule declares that it needs decides, before it is called.

Machines that meet the same conditions are asked the same rules, so the choice is made once for all of them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from amtdecode.diagnosis.report import NotJudged

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from amtdecode.diagnosis.case import Case
    from amtdecode.diagnosis.need import Need
    from amtdecode.diagnosis.rule import FleetRule, MachineRule, Rule
    from amtdecode.provisioning.state import Device
    from amtdecode.provisioning.state.incidents import Incident


class Questions(NamedTuple):
    """What is asked of a machine, and which rules cannot be judged for it."""

    asked: tuple[tuple[Rule, MachineRule], ...]
    not_judged: tuple[NotJudged, ...]


class Asking:
    """Chooses the rules for the machines of one case."""

    def __init__(self, case: Case, rules: Iterable[Rule]) -> None:
        self._case = case
        self._rules = tuple(rules)
        self._bits: dict[Need, int] = {}
        self._checks: list[tuple[int, Callable[[Case, Device], bool]]] = []
        self._incidents: list[tuple[int, type[Incident]]] = []
        self._without_incidents = 0
        self._unmet_inputs = 0
        for rule in self._rules:
            for need in (*rule.when, *rule.needs):
                if need not in self._bits:
                    self._enter(need)
        self._known: dict[int, Questions] = {}

    def _enter(self, need: Need) -> None:
        bit = self._bits[need] = 1 << len(self._bits)
        if need.machine is not None:
            self._checks.append((bit, need.machine))
        elif need.incident is not None:
            self._incidents.append((bit, need.incident))
            self._without_incidents |= bit
        elif need.inputs is not None and not need.inputs(self._case):
            self._unmet_inputs |= bit

    def of(self, device: Device) -> Questions:
        """What is asked of a machine."""
        case, unmet = self._case, self._unmet_inputs
        for bit, met in self._checks:
            if not met(case, device):
                unmet |= bit
        if incidents := device.incidents:
            for bit, kind in self._incidents:
                if kind not in incidents:
                    unmet |= bit
        else:
            unmet |= self._without_incidents
        known = self._known.get(unmet)
        if known is None:
            known = self._known[unmet] = self._choose(unmet)
        return known

    def _choose(self, unmet: int) -> Questions:
        asked: list[tuple[Rule, MachineRule]] = []
        not_judged: list[NotJudged] = []
        for rule in self._rules:
            if rule.of_machine is None or any(self._bits[need] & unmet for need in rule.when):
                continue
            lacking = next((need for need in rule.needs if self._bits[need] & unmet), None)
            if lacking is None:
                asked.append((rule, rule.of_machine))
            else:
                not_judged.append(NotJudged(rule.id, lacking.said(self._case)))
        return Questions(tuple(asked), tuple(not_judged))

    def of_all(self) -> tuple[list[tuple[Rule, FleetRule]], list[NotJudged]]:
        """What is asked once, of all machines and files together; and which rules cannot be judged for them."""
        asked: list[tuple[Rule, FleetRule]] = []
        not_judged: list[NotJudged] = []
        for rule in self._rules:
            if rule.of_fleet is None or any(self._bits[need] & self._unmet_inputs for need in rule.when):
                continue
            lacking = next((need for need in rule.needs if self._bits[need] & self._unmet_inputs), None)
            if lacking is None:
                asked.append((rule, rule.of_fleet))
            else:
                not_judged.append(NotJudged(rule.id, lacking.said(self._case)))
        return asked, not_judged
