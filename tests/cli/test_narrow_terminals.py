"""The packet list fits the terminal, and is whole where there is none."""

from __future__ import annotations

from pathlib import Path

import wire

PCAPS = Path(__file__).resolve().parents[2] / "pcaps"


def test_names_and_paths_are_shortened_only_where_the_width_is_known(run, tmp_path):
    target = "/" + "/".join(["folder"] * 20) + "/page.htm"
    talk = wire.Talk(dport=16992)
    request = f"GET {target} HTTP/1.1\r\nHost: a\r\n\r\n".encode()
    (tmp_path / "a-capture-with-a-long-name.pcap").write_bytes(
        wire.pcap(wire.frames([*talk.open(), *talk.say(request)]))
    )
    words = ["a-capture-with-a-long-name.pcap", PCAPS / "arp.pcap", PCAPS / "hello.pcap"]
    words = [each for each in words if Path(tmp_path / each).exists()]
    whole = run(*words)
    assert f"GET {target}" in whole.out
    assert "…" not in whole.out.replace("a…", "")
    narrow = run(*words, env={"COLUMNS": "150"})
    (line,) = [each for each in narrow.out.splitlines() if "http " in each and "GET" in each]
    assert len(line) == 150
    assert line.startswith("a-captur…a-long-name.pcap  ")
    assert line.endswith("/page.htm")
    assert run(*words, env={"COLUMNS": "400"}).out.count(target) == whole.out.count(target)
