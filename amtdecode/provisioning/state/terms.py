"""The words for how far provisioning got: stage, outcome, method. Their values are what the report says."""

from __future__ import annotations

from enum import StrEnum


class Term(StrEnum):
    """Base: a word of the report. It prints as text, in a notebook too."""

    __repr__ = str.__repr__


class Stage(Term):
    """How far an attempt got, in the order of the steps."""

    NONE = "none"
    LEASE = "lease"
    NAME = "name"
    HELLO = "hello"
    CONTACT_BACK = "contact back"
    HANDSHAKE = "handshake"
    CONFIGURATION = "configuration"
    COMMIT = "commit"
    MANAGEMENT = "management"


class Outcome(Term):
    """How an attempt ended."""

    COMMITTED = "committed"
    FAILED = "failed"
    INCOMPLETE = "incomplete"
    UNKNOWN = "unknown"


class Standing(Term):
    """What says that a host is a machine with AMT."""

    SAID = "said"  # itself, its name, a log, or who talks to it
    PORT = "port"  # nothing but the port of a connection: counts only if something else says so too
    CALLS_HOME = "calls home"  # nothing but how it calls home
    IN_VAIN = "in vain"  # nothing but contacts in vain: at most possible
    JOINED = "joined"  # it turned out to be another machine, which has all that is known of it


class Method(Term):
    """How a machine is provisioned: with a pre-shared key, or with a setup certificate (remote configuration)."""

    PSK = "psk"
    PKI = "pki"
    UNKNOWN = "unknown"


METHOD_OF_HELLO = {2: Method.PSK, 3: Method.PKI}
"""By the version of the hello (Intel AMT Implementation and Reference Guide, setup mode hello messages)."""
