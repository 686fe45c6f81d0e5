"""`amtdecode ports`: the TCP ports of Intel AMT."""

from __future__ import annotations

import click

from amtdecode import ports as amt


@click.command()
def ports() -> int:
    """List the ports of Intel AMT, one per line."""
    for port in sorted(amt.AMT):
        click.echo(f"{port}{' TLS' if port in amt.MACHINE_TLS else ''}")
    return 0
