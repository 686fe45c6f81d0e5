"""Named caps, apart from what must be loaded to begin a process."""

MAX_JOBS = 64  # processes; each reads all packets, so that more than a dozen gain nothing
