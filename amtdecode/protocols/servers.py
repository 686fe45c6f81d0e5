"""Names of servers that machines call (CIRA), as far as a reading has learned them: the memory that rooms share.

Rooms do not call each other. Whoever learns such a name puts it here, and DNS states what it would have passed over.
"""

from __future__ import annotations

MAX_SERVER_NAMES = 64  # of one reading; a site has a few
MAX_LABEL, MAX_NAME = 63, 255  # bytes, RFC 1035 section 2.3.4


class ServerNames:
    """The names, as questions of DNS have them: lower case, each label behind its length, a zero at the end."""

    def __init__(self) -> None:
        self.questions: set[bytes] = set()

    def add(self, question: bytes) -> bool:
        """Learn a name; false where it is known, or there are too many."""
        if question in self.questions or len(self.questions) >= MAX_SERVER_NAMES:
            return False
        self.questions.add(question)
        return True

    def add_name(self, name: str) -> None:
        """Learn a name as people write it. What can be no name, or is an address, is passed over."""
        labels = name.lower().rstrip(".").encode("utf-8", "replace").split(b".")
        if labels[-1].isdigit() or not all(0 < len(label) <= MAX_LABEL for label in labels):
            return
        question = b"".join(bytes((len(label),)) + label for label in labels) + b"\0"
        if len(question) <= MAX_NAME:
            self.add(question)
