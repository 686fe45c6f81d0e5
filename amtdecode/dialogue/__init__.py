"""The dialogue of one machine, step by step: two of them side by side, or each as a ladder.

`step` says what a step is, `recording` finds the steps of a machine in captures, `varying` names what differs between
any two dialogues, `comparing` lays one beside another. `ladder` says what a ladder is, `telling` fills those of many
machines in one reading.
"""

from amtdecode.dialogue.comparing import Comparison, FieldDifference, Row, compare
from amtdecode.dialogue.ladder import Ladder, Rung
from amtdecode.dialogue.recording import Choice, record
from amtdecode.dialogue.step import Dialogue, Step
from amtdecode.dialogue.telling import tell

__all__ = [
    "Choice",
    "Comparison",
    "Dialogue",
    "FieldDifference",
    "Ladder",
    "Row",
    "Rung",
    "Step",
    "compare",
    "record",
    "tell",
]
