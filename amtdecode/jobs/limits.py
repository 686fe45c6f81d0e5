"""Named caps, apart from what must be loaded to begin a process."""

MAX_JOBS = 64  # processes; each reads all packets, so that more than a dozen gain nothing
MAX_AHEAD = 16  # messages of 128 KiB or a little more that one process may be ahead of the slowest; then it waits
