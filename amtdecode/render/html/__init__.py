"""The report as one page of HTML: `page` gathers what stands on it, `report.html.j2` lays it out.

The style and the script are files of their own here, and stand in the page with their hashes in its policy.
"""

from amtdecode.render.html.page import Retold, have_jinja, page
from amtdecode.render.html.retelling import retell

__all__ = ["Retold", "have_jinja", "page", "retell"]
