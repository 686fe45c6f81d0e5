"""Decodes Intel AMT (vPro) provisioning traffic, and explains where it stopped.

import amtdecode

for observation in amtdecode.read("capture.pcapng"):
    print(observation.packet, observation.src, observation.event.summary())

The event classes are here, too: `isinstance(observation.event, amtdecode.HelloMessage)`.
"""

from typing import TYPE_CHECKING, Any

from amtdecode import source_finder

if TYPE_CHECKING:
    from amtdecode.api import diagnose, diff, ladders, listen, live, packets, read
    from amtdecode.diagnosis import Evidence, Finding, Report, Rule, Severity, Site, Text
    from amtdecode.dialogue import Comparison, Ladder, Rung
    from amtdecode.engine import Engine
    from amtdecode.errors import (
        AmtdecodeError,
        ArtifactError,
        CaptureError,
        FilterError,
        KeyFileError,
        MissingExtraError,
        OutputError,
        PluginError,
        UsageError,
    )
    from amtdecode.events import *  # noqa: F403
    from amtdecode.fields import Field, Kind
    from amtdecode.model import Direction, Endpoint, Event, FlowKey, Observation
    from amtdecode.protocols.catalogue import catalogue
    from amtdecode.secrets import Keys

source_finder.install()

__version__ = "0.1.0"

_LATE = {
    # name: module, loaded when it is asked for; the event classes besides
    "AmtdecodeError": "amtdecode.errors",
    "ArtifactError": "amtdecode.errors",
    "CaptureError": "amtdecode.errors",
    "Comparison": "amtdecode.dialogue",
    "Direction": "amtdecode.model",
    "Endpoint": "amtdecode.model",
    "Engine": "amtdecode.engine",
    "Event": "amtdecode.model",
    "Evidence": "amtdecode.diagnosis",
    "Field": "amtdecode.fields",
    "FilterError": "amtdecode.errors",
    "Finding": "amtdecode.diagnosis",
    "FlowKey": "amtdecode.model",
    "KeyFileError": "amtdecode.errors",
    "Keys": "amtdecode.secrets",
    "Ladder": "amtdecode.dialogue",
    "Kind": "amtdecode.fields",
    "MissingExtraError": "amtdecode.errors",
    "Observation": "amtdecode.model",
    "OutputError": "amtdecode.errors",
    "PluginError": "amtdecode.errors",
    "Report": "amtdecode.diagnosis",
    "Rule": "amtdecode.diagnosis",
    "Rung": "amtdecode.dialogue",
    "Severity": "amtdecode.diagnosis",
    "Site": "amtdecode.diagnosis",
    "Text": "amtdecode.diagnosis",
    "UsageError": "amtdecode.errors",
    "catalogue": "amtdecode.protocols.catalogue",
    "diagnose": "amtdecode.api",
    "diff": "amtdecode.api",
    "ladders": "amtdecode.api",
    "listen": "amtdecode.api",
    "live": "amtdecode.api",
    "packets": "amtdecode.api",
    "read": "amtdecode.api",
}

__all__ = [
    "AmtdecodeError",
    "ArtifactError",
    "CaptureError",
    "Comparison",
    "Direction",
    "Endpoint",
    "Engine",
    "Event",
    "Evidence",
    "Field",
    "FilterError",
    "Finding",
    "FlowKey",
    "KeyFileError",
    "Keys",
    "Kind",
    "Ladder",
    "MissingExtraError",
    "Observation",
    "OutputError",
    "PluginError",
    "Report",
    "Rule",
    "Rung",
    "Severity",
    "Site",
    "Text",
    "UsageError",
    "__version__",
    "catalogue",
    "diagnose",
    "diff",
    "ladders",
    "listen",
    "live",
    "packets",
    "read",
]


def __getattr__(name: str) -> Any:
    """Load what is asked for: `import amtdecode` is quick, and an interrupt of the command finds `main` in charge."""
    if name in _LATE or name[:1].isupper():  # events; `from amtdecode import ports` asks here first too, and loads none
        from importlib import import_module

        module = import_module(_LATE.get(name, "amtdecode.events"))
        if name in _LATE or name in module.__all__:
            value = globals()[name] = getattr(module, name)
            return value
    raise AttributeError(f"module 'amtdecode' has no attribute {name!r}")


def __dir__() -> list[str]:
    from amtdecode import events

    return sorted({*globals(), *__all__, *events.__all__})
