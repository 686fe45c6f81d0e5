"""Several processes at one reading: each reads all packets and decodes its share of the connections.

places.py    where in a reading something became known: the same number in every process
telling.py   what a process tells, in pieces, and how the pieces of all become one order again
workers.py   the processes: begun, listened to, ended
several.py   that several are asked for, and work of which only the end counts
limits.py    how many there may be

What a process cannot know, since it depends on connections of other shares, it does not guess: it says so
(`Share.crossed`, `Engine.lacks`), and one process does the whole reading.
"""
