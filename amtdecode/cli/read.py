"""`amtdecode read`: what a capture holds, one observation a line."""

from __future__ import annotations

import os
from typing import Any

import click

from amtdecode.cli.common import (
    Inputs,
    calm_collector,
    input_options,
    key_options,
    load_keys,
    output_options,
    plugin_option,
    registry,
)

TOGETHER = 256  # observations written together


@click.command()
@input_options
@output_options
@key_options
@plugin_option
def read(captures: tuple[str, ...], count: int | None, quiet: bool, plugins: bool, **options: Any) -> int:
    """List what captures hold, one line per observation. Several captures are read as one timeline."""
    from amtdecode.api import with_secrets_inside
    from amtdecode.cli.writing import OUTPUT_OPTIONS, Output
    from amtdecode.engine import Engine

    rooms = registry(plugins=plugins)
    shown = {name: options.pop(name) for name in OUTPUT_OPTIONS}
    output = Output(**shown, inputs=len(captures) > 1, quiet=quiet, rooms=rooms)
    keys = load_keys(**options, quiet=quiet)
    inputs = Inputs(captures, quiet=quiet, count=count)
    growing = not all(map(os.path.isfile, captures))  # a pipe: somebody may be waiting for each line
    held = with_secrets_inside(inputs.names, keys)
    engine = Engine(held, batch_size=1 if growing else TOGETHER, registry=rooms)
    calm_collector()
    output.write_all(engine.batches(output.watch(inputs.packets)), at_once=growing)
    return inputs.exit_code
