"""Takes observations and log lines one by one, and keeps what the rules may ask about each machine."""

from __future__ import annotations

from typing import TYPE_CHECKING

from amtdecode.provisioning.attempts import settle
from amtdecode.provisioning.calling_home import looks_like_amt
from amtdecode.provisioning.evidence import weigh
from amtdecode.provisioning.fold.dispatch import Handlers
from amtdecode.provisioning.machines import Machines
from amtdecode.provisioning.outcomes import judge
from amtdecode.provisioning.state.machine import NO_INCIDENTS
from amtdecode.provisioning.state.terms import Standing

if TYPE_CHECKING:
    from amtdecode.artifacts.logs import LogRow
    from amtdecode.model import Observation
    from amtdecode.provisioning.journal.kept import Kept
    from amtdecode.provisioning.state import Lease, Story


class Tracker:
    """Feed it everything, then ask for the story."""

    def __init__(self) -> None:
        self.machines = Machines()
        self.story = self.machines.story
        self.handlers = Handlers()

    def feed(self, observation: Observation) -> None:
        """One observation, in the order of the capture."""
        event = observation.event
        handler = self.handlers.of(type(event))
        story = self.story
        story.observations += 1
        if (time := observation.time_ns) is not None:
            if story.first is None or time < story.first:
                story.first = time
            if story.last is None or time > story.last:
                story.last = time
        if handler is not None:
            handler(self.machines, observation, event)

    def feed_kept(self, observation: Observation, said: Kept, machines: Machines | None = None) -> None:
        """One observation of which only this was kept; its event is `said.as_event()`. `machines`: of its site."""
        take = self.handlers.of_kept(type(said).__name__, said.protocol)
        take(machines or self.machines, observation, observation.event)

    def feed_log(self, row: LogRow) -> None:
        """One line of a log that says something."""
        from amtdecode.provisioning.fold.log import take_line

        take_line(self.machines, row)

    def input(self, name: str, *, lines: bool = False) -> int:
        """The index of an input. `lines`: its proofs are line numbers, not packet numbers."""
        return self.machines.input(name, lines=lines)

    def so_far(self) -> Story:
        """The story as if nothing more came. It is a copy: more can be fed afterwards."""
        from copy import deepcopy

        return deepcopy(self, {id(NO_INCIDENTS): NO_INCIDENTS}).finish()

    def finish(self) -> Story:
        """Nothing more comes: join what is left, judge the attempts, give the story."""
        story = self.story
        self.machines.by_uuid, self.machines.by_address = {}, {}  # nobody is looked for any more
        for device in self.machines.present():
            if device.guessed and looks_like_amt(device):
                device.standing = Standing.CALLS_HOME
        story.devices = [device for device in self.machines.present() if not device.guessed or device.log_entries]
        weigh(story)
        leases: dict[str, list[Lease]] = {}  # by MAC and by address
        for lease in story.leases.values():
            leases.setdefault(lease.mac, []).append(lease)
            leases.setdefault(lease.address, []).append(lease)
        for device in story.devices:
            self.machines.join(device, leases)
            settle(device)
            judge(device, story)
        if "log" in story.seen:
            from amtdecode.provisioning.fold.log import compare_clocks

            compare_clocks(story)
        return story
