"""`diagnose --audit`: how well machines are protected, and who did what to them."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from amtdecode.cli.common import use_color
from amtdecode.cli.console import text_width, write_json

if TYPE_CHECKING:
    from amtdecode.audit import Audit
    from amtdecode.cli.report_forms import Wish
    from amtdecode.render.redact import Redaction


def write_audit(found: Audit, wish: Wish, redaction: Redaction | None) -> None:
    """Write the audit in the form that is wanted."""
    from amtdecode.audit.value import Audit as Value
    from amtdecode.render.json_text import json_text

    if redaction is not None:
        found = redaction.value(found, Value)
    if wish.form == "json":
        write_json((json_text(found),))
    elif wish.form == "sarif":
        from amtdecode import __version__
        from amtdecode.render.sarif import sarif

        write_json((json_text(sarif(found, __version__)),))
    else:
        from amtdecode.render.audit_text import audit_lines

        for line in audit_lines(found, width=text_width(), verbose=wish.verbose, color=use_color(wish.color)):
            sys.stdout.write(line + "\n")
