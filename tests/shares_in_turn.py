"""All shares of a reading one after the other in this process: what several processes would tell, without them."""

from __future__ import annotations

from amtdecode.flow.share import Share
from amtdecode.jobs.telling import Telling, in_order


def told(work, jobs, *, by_addresses=False, results=None):
    """What `work` tells of each share, in order. Raises `CrossedError` as `shared` does; `results` as there."""
    receivers = []
    for index in range(jobs):
        messages = []
        telling = Telling(messages.append)
        telling.end(work(Share(index, jobs, by_addresses=by_addresses), telling))
        receivers.append(iter(messages).__next__)

    def listen(awaited):
        return [(index, receivers[index]()) for index in awaited]

    return [item for items in in_order(listen, jobs, [] if results is None else results) for item in items]
