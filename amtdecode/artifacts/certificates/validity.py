"""Dates, and what strict readers refuse: judged at the time of the capture, or at one that is given."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from amtdecode.artifacts.certificates.check import ARTICLE, FAIL, PASS, UNKNOWN, WARN, Check, Side
from amtdecode.artifacts.certificates.facts import date_faults, moment, name_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime

    from amtdecode.protocols.tls.certificates import CertificateInfo

SOON = timedelta(days=30)
_RFC = "RFC 5280 section 4.1.2.5"


def check_validity(chain: Sequence[CertificateInfo], at_time: datetime | None) -> Iterator[Check]:
    """AMT-CERT-001 and 002, AMT-RCFG-023; `at_time` has a time zone."""
    if at_time is None:
        yield Check("AMT-CERT-001", _TITLE, UNKNOWN, "No time is known to judge the dates at.", "", _RFC)
        yield Check("AMT-CERT-002", _SOON, UNKNOWN, "No time is known to judge the dates at.", "", _RFC)
    else:
        yield _valid(chain, at_time)
        yield _soon(chain, at_time)
    yield _odd(chain)


_TITLE = "Valid at the time judged at"
_SOON = "Valid for a while yet"


def _valid(chain: Sequence[CertificateInfo], at_time: datetime) -> Check:
    lines, shown = [], [Side("judged at", _text(at_time))]
    for each in chain:
        before, after = moment(each.not_before), moment(each.not_after)
        if before and at_time < before:
            lines.append(f"{name_of(each)} is not valid before {_text(before)}")
            shown.append(Side("notBefore", _text(before)))
        elif after and at_time > after:
            lines.append(f"{name_of(each)} expired {_text(after)}")
            shown.append(Side("notAfter", _text(after)))
    if lines:
        text = f"{'; '.join(lines)}. Judged at {_text(at_time)}; AMT judges by its own clock."
        fix = "Renew the certificate; check the clocks of the server and of the machine."
        return Check("AMT-CERT-001", _TITLE, FAIL, text, fix, _RFC, tuple(shown))
    unread = [each for each in chain if moment(each.not_before) is None or moment(each.not_after) is None]
    if unread:
        text = f"A date of {name_of(unread[0])} cannot be read: {date_faults(unread[0])[0]}."
        fix = "Have the certificate issued again."
        return Check("AMT-CERT-001", _TITLE, UNKNOWN, text, fix, _RFC, tuple(shown))
    return Check("AMT-CERT-001", _TITLE, PASS, f"All certificates are valid at {_text(at_time)}.", "", _RFC)


def _soon(chain: Sequence[CertificateInfo], at_time: datetime) -> Check:
    ends = [(end, each) for each in chain if (end := moment(each.not_after)) and at_time <= end < at_time + SOON]
    if not ends:
        return Check("AMT-CERT-002", _SOON, PASS, f"No certificate ends within {SOON.days} days of it.", "", _RFC)
    end, certificate = min(ends, key=lambda each: each[0])
    text = f"{name_of(certificate)} ends {_text(end)}, {(end - at_time).days} days after the time judged at."
    shown = (Side("judged at", _text(at_time)), Side("notAfter", _text(end)))
    return Check("AMT-CERT-002", _SOON, WARN, text, "Renew it in time.", _RFC, shown)


def _odd(chain: Sequence[CertificateInfo]) -> Check:
    title = "Readable by strict software"
    lines = []
    for each in chain:
        found = dict.fromkeys((*date_faults(each), *each.faults, *_oddities(each)))
        lines += [f"{name_of(each)}: {text}" for text in found]
    if not lines:
        return Check("AMT-RCFG-023", title, PASS, "No certificate has anything a strict reader refuses.")
    text = "A certificate has what strict readers refuse; Schannel then ends the handshake with an error of its own."
    fix = "Have the certificate issued again without it."
    source = "communities.intel.com, 19 August 2008; TechNet out-of-band blog, 22 February 2011"
    return Check("AMT-RCFG-023", title, WARN, text, fix, f"{source}; {ARTICLE}", (), tuple(lines))


def _oddities(certificate: CertificateInfo) -> tuple[str, ...]:
    """Tell oddities of form; the digest has a check of its own (AMT-CERT-004)."""
    return tuple(each for each in certificate.oddities if "forged" not in each)


def _text(time: datetime) -> str:
    return f"{time:%Y-%m-%d %H:%M:%S} UTC" if time.utcoffset() == timedelta() else time.isoformat(" ")
