"""What a plan has to know, asked on a terminal; each answer is a key of the site file."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from amtdecode.diagnosis.site import Site


class Question(NamedTuple):
    """One question. `wanted`: whether it concerns a site."""

    key: str  # table.key of the site file
    text: str
    kind: str  # "choice", "yes or no", "text"
    choices: tuple[str, ...] = ()
    needed: bool = False  # without an answer there is no plan
    wanted: Callable[[Site], bool] = lambda _site: True


QUESTIONS = (
    Question("policy.method", "Keys on a USB stick (psk), or remote configuration with a certificate (pki)?", "choice",
             ("psk", "pki"), needed=True),
    Question("amt_version", "AMT version of the machines, as 2.6?", "text", needed=True),
    Question("hosts.agent", "Does an agent on the machines start the configuration?", "yes or no", needed=True,
             wanted=lambda site: site.policy.method == "pki"),
    Question("policy.otp", "Does the server ask for a one-time password?", "yes or no",
             wanted=lambda site: site.policy.method == "pki" and bool(site.hosts.agent)),
    Question("policy.tls", "Is management to be encrypted (TLS)?", "yes or no"),
    Question("policy.kerberos", "Is AMT tied to Active Directory?", "yes or no"),
    Question("scs.product", "Is the setup server Intel SCS, or another?", "choice", ("intel scs", "other")),
    Question("scs.version", "Version of SCS?", "text", wanted=lambda site: site.scs.product != "other"),
    Question("scs.fqdn", "Name of the setup server, with its domain?", "text"),
    Question("dhcp.domains", "Domain of the machines (DHCP option 15)?", "text"),
)  # fmt: skip


def value(site: Site, key: str) -> Any:
    """What a site says under a key."""
    found: Any = site
    for name in key.split("."):
        found = getattr(found, name)
    return found


def open_questions(site: Site) -> Iterator[Question]:
    """Those that concern a site, and have no answer there."""
    return (each for each in QUESTIONS if value(site, each.key) in ("", None, ()) and each.wanted(site))


def unanswered(site: Site) -> list[Question]:
    """Those among them without whose answer there is no plan."""
    return [each for each in open_questions(site) if each.needed]


def answered(site: Site, question: Question, answer: Any) -> Site:
    """The site with an answer."""
    table, _, key = question.key.rpartition(".")
    if question.key == "dhcp.domains":
        answer = (answer,)
    if not table:
        return msgspec.structs.replace(site, **{key: answer})
    return msgspec.structs.replace(site, **{table: msgspec.structs.replace(getattr(site, table), **{key: answer})})


def as_toml(site: Site) -> str:
    """A site file with what is told here; the tables and keys in their order."""
    plain: dict[str, Any] = {}
    empty = msgspec.to_builtins(type(site)())
    for name, told in msgspec.to_builtins(site).items():
        if told != empty[name]:
            plain[name] = told if name == "machine" or not isinstance(told, dict) else _told(told, empty[name])
    lines = [
        f"{name} = {_toml(told)}" for name, told in plain.items() if name != "machine" and not isinstance(told, dict)
    ]
    for name, told in plain.items():
        if isinstance(told, dict):
            lines += ["", f"[{name}]", *(f"{key} = {_toml(each)}" for key, each in told.items())]
    blank = msgspec.to_builtins(_machine())
    for machine in plain.get("machine", []):
        told = _told(machine, blank)
        lines += ["", "[[machine]]", *(f"{key} = {_toml(each)}" for key, each in told.items())]
    return "".join(f"{line}\n" for line in lines).lstrip("\n")


def _machine() -> object:
    from amtdecode.diagnosis.site import Machine

    return Machine()


def _told(table: dict[str, Any], empty: dict[str, Any]) -> dict[str, Any]:
    return {key: each for key, each in table.items() if each != empty[key]}


def _toml(told: Any) -> str:
    """A value: TOML's texts, numbers and lists of texts are JSON's, as far as they occur here."""
    import json

    return json.dumps(list(told) if isinstance(told, tuple) else told, ensure_ascii=False).replace("\x7f", "\\u007f")
