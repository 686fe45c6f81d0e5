"""One module per kind of traffic. Each maker is a generator of (time, frame) from a seed; nothing is held in memory."""
