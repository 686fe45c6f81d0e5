"""What the shell offers when a word is to be completed."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import click
    from click.shell_completion import CompletionItem


def file_names(_context: click.Context, _parameter: click.Parameter | None, incomplete: str) -> list[CompletionItem]:
    """Files; the shell knows which there are."""
    from click.shell_completion import CompletionItem

    return [CompletionItem(incomplete, type="file")]


def field_names(_context: click.Context, _parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Fields of the catalogue."""
    from click.shell_completion import CompletionItem

    from amtdecode.protocols.catalogue import catalogue

    return [CompletionItem(field.name) for field in catalogue() if field.name.startswith(incomplete)]


def filter_words(_context: click.Context, _parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """What may come next in a display filter: fields and protocols, and behind `==` the names of a field's values."""
    from click.shell_completion import CompletionItem

    from amtdecode.filter.completing import complete

    return [CompletionItem(text) for text in complete(incomplete)]
