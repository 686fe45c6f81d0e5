"""The text interface (`amtdecode tui`, extra `tui`): machines, packets, their fields and bytes, by the keyboard.

    captures ─▶ `reading` a process of its own ─▶ `store` where each packet stands ─▶ `rows`, `looking` ─▶ `app`
                                               ─▶ reports, packets that pass the filter (messages)

`store` where packets stand, shared by both sides · `filing` puts packets there · `conversations` which packets belong
together · `reading` walks the captures, diagnoses, filters · `starting` runs that beside the screen · `rows` a packet
as a line · `looking` decodes what is looked at, flow by flow · `follow` the bytes of a flow.

On the screen: `app` with its views (`packets_view`, `machines_view`, `text_view`), made of panes (`panes`) that draw
their lines when they come into view (`lines`), and `filter_line`. Only these load textual. What the panes show is made
by `rows`, `fields`, `machines`, `follow` and `help`.
"""
