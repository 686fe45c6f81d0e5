"""`amtdecode fields`: the field catalogue."""

from __future__ import annotations

from fnmatch import fnmatchcase

import click

from amtdecode.cli.completing import field_names
from amtdecode.cli.main import complain


@click.command()
@click.argument("pattern", default="*", metavar="[GLOB]", shell_complete=field_names)
@click.option("-T", "form", type=click.Choice(["text", "json"]), default="text", help="Form of the output.")
def fields(pattern: str, form: str) -> int:
    """List field names, their types and meanings. GLOB chooses among them, as in `iamt.hello.*`."""
    from amtdecode.protocols.catalogue import catalogue

    chosen = [field for field in catalogue() if fnmatchcase(field.name, pattern)]
    if not chosen:
        complain(f"note: no field matches {pattern}; `amtdecode fields` lists all")
    if form == "json":
        import msgspec

        for field in chosen:
            click.echo(msgspec.json.encode(field._asdict()))
        return 0
    width = max((len(field.name) for field in chosen), default=0)
    for field in chosen:
        click.echo(f"{field.name:<{width}}  {field.type:<7}  {field.meaning}")
    return 0
