"""Captured text on the screen: nothing of it is obeyed, and secrets are masked."""

from __future__ import annotations

import re

import wire

EVIL = b"\x1b[2J\x1b]0;owned\x07[bold red]x[/]\xe2\x80\xae\r\n"
OBEYED = re.compile("[\x00-\x1f\x7f-\x9f\u200b-\u200f\u202a-\u202e\u2066-\u2069]")


def http(path, *headers, body=b""):
    lines = [b"GET " + path + b" HTTP/1.1", b"Host: " + EVIL[:-2], *headers, b"", body]
    return b"\r\n".join(lines)


def capture(tmp_path, *said):
    talk = wire.Talk(dport=16992)
    packets = talk.open()
    for each in said:
        packets += talk.say(each)
    path = tmp_path / "hostile.pcap"
    path.write_bytes(wire.pcap(wire.frames([*packets, *talk.close()])))
    return str(path)


def test_no_control_character_reaches_the_terminal(drive, tmp_path):
    name = capture(tmp_path, http(b"/" + b"\x1b[31m" + b"[blink]a", b"X-Evil: " + EVIL[:-2]))

    async def scenario(screen):
        await screen.read()
        seen = []

        async def look(*keys):
            await screen.keys(*keys)
            await screen.decoded()
            seen.append(screen.text)

        await look("down", "down", "down")
        await look("enter", "down", "down", "right", "pagedown")
        await look("p", "f")
        await screen.until(lambda: "reading…" not in screen.text)
        seen.append(screen.text)
        await look("m", "n")
        for text in seen:
            assert not OBEYED.search(text.replace("\n", "")), text
        assert any(r"\x1b" in text for text in seen)
        assert any("[blink]a" in text for text in seen)  # shown, not taken for markup

    drive(scenario, name, called="\x1b]0;x\x07.pcap")


def secrets(shown):
    async def scenario(screen):
        await screen.read()
        await screen.keys("down", "down", "down")
        await screen.decoded()
        fields = screen.app.packets.fields
        for _ in range(4):  # open all there is
            fields._opened |= {branch.path for branch in fields._lines if branch.has_more}
            fields._again()
        values = {branch.text: branch.value for branch in fields._lines}
        shown.update(values)

    return scenario


def test_secrets_are_masked_unless_asked_for(drive, tmp_path):
    name = capture(tmp_path, http(b"/index.htm", b"Authorization: Basic YWRtaW46UEBzc3cwcmQ="))
    masked, plain = {}, {}
    drive(secrets(masked), name)
    drive(secrets(plain), name, show_secrets=True)
    assert "UEBzc3cwcmQ" not in str(masked)
    assert "P@ssw0rd" not in str(masked)
    assert "UEBzc3cwcmQ" in str(plain) or "P@ssw0rd" in str(plain)


def test_a_damaged_capture_keeps_what_was_read(drive, pcaps, tmp_path):
    path = tmp_path / "cut.pcap"
    path.write_bytes((pcaps / "hello.pcap").read_bytes()[:2000])

    async def scenario(screen):
        await screen.read()
        count = screen.app.packets.list.line_count()
        assert 0 < count < 63
        await screen.keys("end", "n")
        assert "the file ends inside a packet" in " ".join(line for line, _ in screen.app.texts.text._texts)

    drive(scenario, str(path))
