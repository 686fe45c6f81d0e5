"""What a host is that answers a hello, told by its first bytes as the programs' specifications give them."""

import pytest
import wire

from amtdecode.model import TO_CLIENT, TO_SERVER, End, Endpoint, Statement
from amtdecode.protocols.dissector import Context
from amtdecode.protocols.hello import HelloAnswer, HelloDissector
from amtdecode.protocols.hello.answers import name_answer

HOME = Context("tcp", Endpoint(bytes(4), 49152), Endpoint(bytes(4), 9971))


@pytest.mark.parametrize(
    ("data", "name"),
    [
        (b"HTTP/1.0 400 Bad Request\r\n", "HTTP"),
        (b"<html><head>", "HTTP"),
        (bytes.fromhex("15030100020228"), "TLS"),
        (bytes.fromhex("1603030031"), "TLS"),
        (b"220 mail.example.com ESMTP Postfix\r\n", "SMTP"),
        (b"500 5.5.1 Command unrecognized\r\n", "SMTP or FTP"),
        (b"220 ProFTPD Server ready.\r\n", "FTP"),
        (b"220-FileZilla FTP Server\r\n", "FTP"),
        (b"SSH-2.0-OpenSSH_9.2p1\r\n", "SSH"),
        (b"RFB 003.008\n", "VNC"),
        (b"* OK IMAP4rev1 ready\r\n", "IMAP"),
        (b"+OK POP3 ready\r\n", "POP3"),
        (bytes.fromhex("030000130ed000001234"), "RDP"),
        (bytes.fromhex("fffd18fffd20"), "Telnet"),
        (bytes.fromhex("4a0000000a") + b"8.0.33\0", "MySQL"),
        (b"", ""),
        (b"no", ""),
        (b"2200", ""),  # four digits are no reply
        (bytes.fromhex("1504010002"), ""),  # no TLS version
        (wire.PSK_HELLO, ""),
    ],
)
def test_first_bytes_tell_who_speaks(data, name):
    assert name_answer(data) == name


def test_a_banner_before_the_hello_is_told_behind_it():
    dissector, banner = HelloDissector(HOME), b"220 mail.example.com ESMTP".ljust(80)
    assert list(dissector.receive_data(TO_CLIENT, banner)) == []
    (hello,) = dissector.receive_data(TO_SERVER, wire.PSK_HELLO)
    assert hello.end == len(wire.PSK_HELLO)
    answer = HelloAnswer("SMTP", banner[:64])
    assert list(dissector.receive_eof(TO_CLIENT, End.FIN)) == [Statement(answer, TO_CLIENT, 0, 64)]
    assert answer.summary().startswith("the host answered a hello with SMTP bytes")
