"""From the output options to one function that writes an observation."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from amtdecode.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from amtdecode.cli.common import RecentPackets
    from amtdecode.model import Observation


def observation_writer(
    output: Any,
    form: str,
    columns: Sequence[str],
    *,
    tree: bool,
    recent: RecentPackets | None,
    show_secrets: bool,
    color: bool,
    inputs: bool,
) -> Callable[[Observation], None]:
    """Write observations in a form to a binary stream. Raises `UsageError` when the options contradict each other."""
    if columns and form != "fields":
        raise UsageError("-e goes with -T fields")
    if form == "json":
        from amtdecode.render.json_lines import JsonLines

        return JsonLines(output.write, show_secrets=show_secrets)
    if form == "ek":
        from amtdecode.render.json_lines import ElasticLines

        return ElasticLines(output.write, show_secrets=show_secrets)

    def write(text: str) -> None:
        output.write(text.encode("utf-8", "replace"))

    if form == "fields":
        from amtdecode.render.columns import Columns

        if not columns:
            raise UsageError("-T fields needs at least one -e FIELD; `amtdecode fields` lists them")
        return Columns(write, columns, show_secrets=show_secrets)
    from amtdecode.render.text import TextLines

    lines = TextLines(write, tree=tree, show_secrets=show_secrets, color=color, inputs=inputs)
    if recent is None:
        return lines

    def with_bytes(observation: Observation) -> None:
        lines(observation)
        write(recent.dump(observation))

    return with_bytes
