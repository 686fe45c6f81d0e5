"""`amtdecode explain`: what a word, number or name means."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from amtdecode.cli.console import PLAIN_WIDTH, write_json, write_line

if TYPE_CHECKING:
    from collections.abc import Iterator

    from amtdecode.explaining import Topic

LABEL = 18  # columns of a label with the space behind it


@click.command(context_settings={"ignore_unknown_options": True})
@click.argument("words", nargs=-1, required=True, metavar="WORD…", type=click.UNPROCESSED)
@click.option("-T", "form", type=click.Choice(["text", "json"]), default="text", help="Form of the output.")
def explain(words: tuple[str, ...], form: str) -> int:
    """Say what an error code, TLS alert, port, rule, field, version, power state, root or word means.

    A word in front may say what it is: `alert 42`, `port 623`, `rpc 5`, `amt 2.5`, `scs 3.0`, `power wireless battery`.
    """
    from amtdecode.explaining import explain as explained

    found = explained(" ".join(words))
    if form == "json":
        from amtdecode.render.json_text import json_text

        for topic in found:
            facts = [{"name": name, "text": text} for name, text in topic.facts if text]
            write_json([json_text({"kind": topic.kind, "title": topic.title, "facts": facts})])
        return 0
    for number, topic in enumerate(found):
        if number:
            write_line("")
        for line in _lines(topic):
            write_line(line)
    return 0


def _lines(topic: Topic) -> Iterator[str]:
    from amtdecode.render.wrapping import wrapped

    yield topic.title
    for name, text in topic.facts:
        if text:
            yield from wrapped(text, PLAIN_WIDTH, f"    {name:<{LABEL}}", " " * (4 + LABEL))
