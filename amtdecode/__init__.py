"""Decodes Intel AMT (vPro) provisioning traffic, and explains where it stopped.

import amtdecode

for observation in amtdecode.read("capture.pcapng"):
    print(observation.packet, observation.src, observation.event.summary())
"""

from amtdecode.api import diagnose, read
from amtdecode.errors import AmtdecodeError, ArtifactError, CaptureError, KeyFileError, MissingExtraError, UsageError
from amtdecode.model import Direction, Endpoint, Event, FlowKey, Observation

__version__ = "0.1.0"

__all__ = [
    "AmtdecodeError",
    "ArtifactError",
    "CaptureError",
    "Direction",
    "Endpoint",
    "Event",
    "FlowKey",
    "KeyFileError",
    "MissingExtraError",
    "Observation",
    "UsageError",
    "__version__",
    "diagnose",
    "read",
]
