"""What MeshCentral's server writes down of APF, and our messages in the same words."""

from __future__ import annotations

import json
import re

from amtdecode.model import TO_SERVER
from amtdecode.protocols.apf import events as e
from amtdecode.protocols.apf import fields as f

LINE = re.compile(r"^(?:D mpscmd(?:data)?|MPSCMD(?:DATA)?:) (-->|<--) ([A-Z_]+) ?(.*)$", re.MULTILINE)
"""A line of its trace: --> is what the machine says."""


def lines_of(log):
    """(way, name of the message, the rest) of each line about one."""
    return LINE.findall(log)


def as_logged(observation):
    """One of our messages as the server writes it down."""
    event, heard = observation.event, observation.direction is TO_SERVER
    text = {
        e.ProtocolVersion: lambda: f"{event.major} {event.minor} {event.uuid}",
        e.ServiceRequest: lambda: event.service,
        e.ServiceAccept: lambda: event.service,
        e.UserauthRequest: lambda: (
            f"user={event.user}, service={event.service}, method={event.method}, password={event.password}"
        ),
        e.GlobalRequest: lambda: (
            f"{event.request} {event.address}:{event.port}"
            + ("" if event.data is None else f" {event.origin_address}:{event.origin_port} {len(event.data)}")
        ),
        e.RequestSuccess: lambda: "" if event.port is None else f"{event.port}",
        e.ChannelOpen: lambda: (
            f"{event.channel_type} {event.sender} {event.window} {event.address}:{event.port} "
            f"{event.origin_address}:{event.origin_port}"
        ),
        e.ChannelOpenConfirmation: lambda: f"{event.recipient} {event.sender} {event.window}",
        e.ChannelOpenFailure: lambda: f"{event.recipient} {event.code}",
        e.WindowAdjust: lambda: f"{event.recipient} {event.add}",
        e.ChannelClose: lambda: f"{event.recipient}",
        e.Disconnect: lambda: f"{event.code}",
        e.KeepaliveReply: lambda: "" if heard else f"{event.cookie}",
        e.KeepaliveOptionsRequest: lambda: f"{event.interval} {event.timeout}",
        e.KeepaliveOptionsReply: lambda: f"{event.interval} {event.timeout}",
        e.JsonControl: lambda: json.loads(event.text)["action"],
    }.get(type(event), lambda: "")()
    return "-->" if heard else "<--", f.TYPES[event.kind], text
