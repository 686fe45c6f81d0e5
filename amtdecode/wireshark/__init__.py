"""For users of Wireshark: a plugin made of the same declarations, and an entry in the list of interfaces.

`declared` turns a declaration in construct into Lua, `plugin` writes the whole plugin, `extcap` is the program that
Wireshark runs to listen for hello messages.
"""

from amtdecode.wireshark.plugin import plugin

__all__ = ["plugin"]
