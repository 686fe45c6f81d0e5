"""A key log that is behind, as in a live capture: what came before it stays closed, and nothing is made of that."""

from __future__ import annotations

import pytest

from amtdecode.capture import NOTICE, open_capture
from amtdecode.engine import Engine
from amtdecode.protocols.tls.events import ApplicationData, TlsHandshake
from amtdecode.protocols.tls.messages import Finished
from amtdecode.secrets import Keys

CAPTURES = ["openssl-tls1_3-mtls-aes128gcm", "openssl-tls1_3-psk", "openssl-tls1_3-chacha", "gnutls-tls1.3-mtls"]


@pytest.mark.parametrize("name", CAPTURES)
def test_secrets_that_come_late_make_no_handshake_fail(shared, tmp_path, name):
    folder = shared / "captures" / "loopback" / "tls"
    logged = (folder / f"{name}.keylog.txt").read_text()
    packets = [one for one in open_capture(str(folder / f"{name}.pcap")) if one[7].link_type != NOTICE]
    log = tmp_path / "log"
    opened = []

    def arriving(late):
        for number, packet in enumerate(packets):
            if number == late:
                log.write_text(logged)
            yield packet

    for late in range(len(packets)):
        log.write_text("")
        events = [one.event for one in Engine(Keys.load(keylogs=[str(log)])).observe(arriving(late))]
        (handshake,) = [event for event in events if isinstance(event, TlsHandshake)]
        assert (late, handshake.outcome, handshake.missing) == (late, "complete", ())
        assert [event.verified for event in events if isinstance(event, Finished) and event.verified is False] == []
        opened.append(sum(event.opened for event in events if isinstance(event, ApplicationData)))
    assert opened == sorted(opened, reverse=True)  # the later, the less
    assert opened[0] > 0
