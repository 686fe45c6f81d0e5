"""The questions that rules ask, in the order in which one failure causes the next."""

from __future__ import annotations

from enum import Enum


class Question(Enum):
    """What a rule asks about: its name, its place in the chain of causes, and the title of its rules.

    A question without a place is asked beside the chain: its findings neither silence others nor are silenced.
    """

    NETWORK = ("network", 0, "Leases")
    NAMES = ("names", 1, "The name ProvisionServer")
    HELLO = ("hello", 2, "Hello messages")
    CONTACT = ("contact", 3, "The connection back")
    PSK = ("psk", 4, "Setup with pre-shared keys")
    RCFG = ("rcfg", 4, "Setup with certificates (remote configuration)")
    APPLICATION = ("application", 5, "Calls to the machine")
    LOGS = ("logs", 6, "Logs of the server")
    SECURITY = ("security", None, "Exposure and forgery")
    CERTIFICATES = ("certificates", None, "Certificates")
    VERSIONS = ("versions", None, "Versions")
    PREFLIGHT = ("preflight", None, "Before the first machine (`amtdecode preflight`)")
    ENVIRONMENT = ("environment", None, "State and place of the machine")

    def __init__(self, label: str, place: int | None, title: str) -> None:
        self.label = label
        self.place = place
        self.title = title
