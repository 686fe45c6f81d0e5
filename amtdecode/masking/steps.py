"""All that is done to a text in which there may be a secret: loaded, with its patterns, when the first one is met."""

from __future__ import annotations

from typing import TYPE_CHECKING

from amtdecode.masking.accounts import cover_accounts
from amtdecode.masking.assignments import cover_assignments, cover_options
from amtdecode.masking.chosen import cover_chosen
from amtdecode.masking.logins import cover_addresses, cover_logins
from amtdecode.masking.looks import cover_looks
from amtdecode.masking.markup import cover_elements, cover_pairs
from amtdecode.masking.sentences import cover_sentences

if TYPE_CHECKING:
    from collections.abc import Callable

STEPS: tuple[Callable[[str], str], ...] = (
    cover_looks,
    cover_elements,
    cover_pairs,
    cover_logins,
    cover_addresses,
    cover_options,
    cover_accounts,
    cover_assignments,
    cover_sentences,
    cover_chosen,
)
