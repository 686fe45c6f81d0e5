"""The dialogue of one machine, step by step, and two of them side by side.

`step` says what a step is, `recording` finds the steps of a machine in captures, `varying` names what differs between
any two dialogues, `comparing` lays one beside another.
"""

from amtdecode.dialogue.comparing import Comparison, FieldDifference, Row, compare
from amtdecode.dialogue.recording import Choice, record
from amtdecode.dialogue.step import Dialogue, Step

__all__ = ["Choice", "Comparison", "Dialogue", "FieldDifference", "Row", "Step", "compare", "record"]
