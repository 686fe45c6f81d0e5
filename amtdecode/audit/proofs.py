"""Proofs of an audit: the packet or line, as a report names it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from amtdecode.diagnosis.report import Evidence
from amtdecode.provisioning.state import place

if TYPE_CHECKING:
    from amtdecode.provisioning.state import Ref, Story


def proof_of(story: Story, proof: Ref, words: str) -> Evidence:
    """The evidence for a proof number."""
    name, number = story.at(proof)
    if place(proof)[0] in story.line_inputs:
        return Evidence(name, words, line=number)
    return Evidence(name, words, packet=number or None)
