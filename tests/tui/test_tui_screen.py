"""The screen, driven by the keyboard: open, filter, follow, jump, go back, resize."""

from __future__ import annotations

import wire


def test_open(drive, pcaps):
    async def scenario(screen):
        await screen.read()
        screen.matches("packets")
        await screen.keys("down", "down", "down")
        await screen.decoded()
        screen.matches("packet_of_a_hello")
        assert screen.app.packets.list.current() == 3

    drive(scenario, str(pcaps / "hello.pcap"))


def test_the_bytes_of_a_field_are_marked(drive, pcaps):
    async def scenario(screen):
        await screen.read()
        await screen.keys("down", "down", "down")
        await screen.decoded()
        packets = screen.app.packets
        await screen.keys("enter", "down", "down")  # into the hello, to its version
        branch = packets.fields.branch
        assert branch.text == "iamt.hello.version"
        assert branch.data is packets.fields.packet
        # behind Ethernet, IPv4 and TCP with its time stamps: 14 + 20 + 32, and two bytes of it
        assert branch.span == (68, 70)
        marked = [
            part[0]
            for number in range(packets.bytes.line_count())
            for part in packets.bytes.line(number)
            if isinstance(part, tuple) and part[1] == "reverse"
        ]
        assert "".join(part for part in marked if len(part) == 2) == packets.fields.packet[68:70].hex()

    drive(scenario, str(pcaps / "hello.pcap"))


def test_a_branch_opens_and_closes(drive, pcaps):
    async def scenario(screen):
        await screen.read()
        fields = screen.app.packets.fields
        await screen.keys("tab", "home")
        closed = fields.line_count()
        await screen.keys("right")
        assert fields.line_count() > closed
        await screen.keys("down")
        assert fields.branch.text == "frame.number"
        await screen.keys("up", "left")
        assert fields.line_count() == closed

    drive(scenario, str(pcaps / "hello.pcap"))


def test_a_filter_shows_what_passes(drive, pcaps):
    async def scenario(screen):
        await screen.read()
        await screen.keys("slash")
        await screen.type("iamt.hello")
        await screen.keys("enter")
        packets = screen.app.packets
        await screen.until(lambda: packets.state == "6 pass")
        assert [packets.list.row(line) + 1 for line in range(6)] == [4, 16, 40, 48, 54, 62]
        await screen.decoded()
        assert "6 pass" in screen.lines[0]
        await screen.keys("down", "backslash")
        assert packets.list.line_count() == 63
        assert packets.list.current() == 15  # where the cursor was

    drive(scenario, str(pcaps / "hello.pcap"))


def test_a_wrong_filter_is_told_while_it_is_typed(drive, pcaps):
    async def scenario(screen):
        await screen.read()
        await screen.keys("slash")
        await screen.type("frame and tcp.prt == 5")
        screen.matches("wrong_filter")
        caret = screen.lines[2].index("^")
        assert screen.lines[1][caret : caret + len("tcp.prt")] == "tcp.prt"
        await screen.keys("enter")
        assert screen.app.packets.list.passing is None
        await screen.keys("escape", "down")
        assert screen.app.packets.list.cursor == 1

    drive(scenario, str(pcaps / "hello.pcap"))


def test_tab_completes_a_filter(drive, pcaps):
    async def scenario(screen):
        await screen.read()
        await screen.keys("slash")
        await screen.type("iamt.hello.uu")
        await screen.keys("tab")
        assert screen.app.packets.filter_line.value == "iamt.hello.uuid"

    drive(scenario, str(pcaps / "hello.pcap"))


def test_from_finding_to_packet_and_back(drive, pcaps):
    async def scenario(screen):
        await screen.read()
        await screen.keys("m")
        screen.matches("machines")
        await screen.keys("enter")
        machines = screen.app.machines
        proof = next(at for at, line in enumerate(machines._details) if line.text.startswith("  - packet 62"))
        await screen.keys(*["down"] * proof, "enter")
        await screen.decoded()
        assert screen.app._view == "packets-view"
        assert screen.app.packets.list.current() == 61
        await screen.keys("b")
        assert screen.app._view == "machines-view"
        assert machines.machine.cursor == proof
        await screen.keys("b")
        assert screen.app._view == "packets-view"
        assert screen.app.packets.list.current() == 0

    drive(scenario, str(pcaps / "hello.pcap"))


def test_a_jump_lifts_a_filter_that_hides_the_packet(drive, pcaps):
    async def scenario(screen):
        await screen.read()
        await screen.keys("slash")
        await screen.type("frame.number == 5")
        await screen.keys("enter")
        await screen.until(lambda: screen.app.packets.state == "1 pass")
        await screen.keys("g", "6", "2", "enter")
        assert screen.app.packets.list.current() == 61
        assert screen.app.packets.list.passing is None

    drive(scenario, str(pcaps / "hello.pcap"))


def test_follow_shows_what_follow_prints(drive, pcaps):
    async def scenario(screen):
        await screen.read()
        await screen.keys("g", "1", "4", "enter", "f")
        await screen.until(lambda: "reading…" not in screen.text)
        screen.matches("follow")
        lines = [line for line, _ in screen.app.texts.text._texts]
        assert lines[:3] == ["", "--- to the server", "POST /wsman HTTP/1.1"]
        await screen.keys("x")
        await screen.until(lambda: "Follow tcp, hex" in screen.text and "reading…" not in screen.text)
        assert screen.app.texts.text._texts[0][0].startswith("00000000  50 4f 53 54 20 2f 77 73  6d 61 6e 20")
        await screen.keys("x", "l")
        await screen.until(lambda: "Follow tls" in screen.text and "reading…" not in screen.text)
        assert "carries no tls payload that can be read" in screen.text
        await screen.keys("b")
        assert screen.app.packets.list.current() == 13

    drive(scenario, str(pcaps / "wsman.pcap"))


def test_notes_say_what_cannot_be_judged(drive, pcaps):
    async def scenario(screen):
        await screen.read()
        await screen.keys("n")
        text = " ".join(line for line, _ in screen.app.texts.text._texts)
        assert "63 packets; nothing is wrong with it" in text
        assert "no log of the setup server: AMT-LOG-000" in text
        await screen.keys("escape")
        assert screen.app._view == "packets-view"

    drive(scenario, str(pcaps / "hello.pcap"))


def test_help_and_resize(drive, pcaps):
    async def scenario(screen):
        await screen.read()
        await screen.keys("question_mark")
        screen.matches("help")
        await screen.keys("b")
        await screen.pilot.resize_terminal(160, 30)
        await screen.decoded()
        packets = screen.app.packets
        assert packets.fields.region.y == packets.bytes.region.y  # side by side
        await screen.pilot.resize_terminal(80, 24)
        await screen.decoded()
        assert packets.fields.region.y < packets.bytes.region.y
        assert len(screen.lines) == 24

    drive(scenario, str(pcaps / "hello.pcap"))


def test_the_mouse(drive, pcaps):
    async def scenario(screen):
        await screen.read()
        await screen.pilot.click("#packets", offset=(10, 3))
        assert screen.app.packets.list.current() == 3
        await screen.decoded()
        await screen.pilot.click("#packets", offset=(10, 2), times=2)
        assert screen.app.focused is screen.app.packets.fields

    drive(scenario, str(pcaps / "hello.pcap"))


def test_a_call_is_decoded_where_one_looks(drive, pcaps):
    """Not the rows above it: its connection is read from the beginning for that."""

    async def scenario(screen):
        await screen.read()
        await screen.keys("g", "3", "6", "enter")
        await screen.decoded()
        assert screen.app._looking.of(35)[-1].event.summary() == "Get AMT_GeneralSettings → OK"
        await screen.keys("g", "1", "4", "enter")
        await screen.decoded()
        events = [type(each.event).__name__ for each in screen.app._looking.of(13)]
        assert events == ["HttpRequest", "SoapRequest"]

    drive(scenario, str(pcaps / "wsman.pcap"))


def test_an_empty_capture(drive, tmp_path):
    path = tmp_path / "empty.pcap"
    path.write_bytes(wire.pcap([]))

    async def scenario(screen):
        await screen.read()
        assert "0 packets" in screen.lines[0]
        await screen.keys("down", "enter", "f", "m", "enter", "n", "b")

    drive(scenario, str(path))
