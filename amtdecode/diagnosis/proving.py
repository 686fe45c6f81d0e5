"""From a proof of the story, one number, to what a report shows: the input, and the packet or line."""

from __future__ import annotations

from typing import TYPE_CHECKING

from amtdecode.diagnosis.report import Evidence
from amtdecode.masking import masked
from amtdecode.provisioning.state import place

if TYPE_CHECKING:
    from amtdecode.provisioning.state import Ref, Story


def evidence_of(story: Story, proof: Ref, words: str) -> Evidence:
    """A proof with its words. 0 is a proof that no input holds, such as a fact of the site file."""
    if not proof:
        return Evidence("", words)
    source, number = place(proof)
    name = story.inputs[source] if source < len(story.inputs) else ""
    if source in story.line_inputs:
        return Evidence(name, masked(words), line=number)
    return Evidence(name, words, packet=number or None)
