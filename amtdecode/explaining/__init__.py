"""What a word, number or name means, out of all tables at once: for an administrator without a capture.

`topic.py` says what an answer is, `lookup.py` finds it; the other files give the topics of one kind each. Every answer
names its source; what the sources do not say is "unknown".
"""

from amtdecode.explaining.lookup import NotKnownError, explain
from amtdecode.explaining.topic import Topic

__all__ = ["NotKnownError", "Topic", "explain"]
