"""An archive: folders of captures, read once, kept as tables and journals, and added to as captures come.

    finding (which files) ─▶ scanning (what each is) ─▶ planning (which belong together) ─▶ reading (a stretch of them,
    in any process) ─▶ manifest (what is done) ─▶ telling (the story of all)

`run` holds it together, `pools` says where the work is done.
"""
