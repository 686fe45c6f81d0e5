"""A live capture on its way into files (`live -w`), named and turned over as dumpcap does it."""

from __future__ import annotations

import os
import time
from collections import deque
from contextlib import suppress
from typing import TYPE_CHECKING, BinaryIO

from amtdecode.capture.writing import PcapngWriter, PcapWriter, is_pcap_name
from amtdecode.errors import OutputError, reason

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from amtdecode.capture.live import Live
    from amtdecode.capture.packets import RawPacket
    from amtdecode.cli.autostop import Limits
    from amtdecode.outputs import Outputs

FLUSH = 0.5  # seconds after which what was captured can be read in the file


class Recording:
    """Files of packets. `ring`: when the next one begins, and how many are kept; `None` for one file."""

    def __init__(self, outputs: Outputs, target: str, live: Live, ring: Limits | None) -> None:
        self._outputs = outputs
        self._target = target
        self._live = live
        self._ring = ring
        self._kept: deque[str] = deque()
        self.files = 0
        """Files begun."""
        self.packets = 0
        self._began = self._flushed = time.monotonic()
        self._begin()

    @property
    def size(self) -> int:
        """Bytes of the file that is being written."""
        return self._writer.size

    def watch(self, packets: Iterator[RawPacket]) -> Iterator[RawPacket]:
        """Packets on their way; each is in the file before it goes on."""
        for packet in packets:
            self._write(packet)
            yield packet

    def tick(self) -> None:
        """Now and then: make what was written visible, and turn the file over when its time has come."""
        now = time.monotonic()
        if now - self._flushed >= FLUSH:
            self._flushed = now
            self._guarded(self._file.flush)
        ring = self._ring
        if ring is not None and (
            (ring.duration is not None and now - self._began >= ring.duration)
            or (ring.interval is not None and time.time() // ring.interval != self._since // ring.interval)
        ):
            self._turn_over()

    def close(self) -> None:
        """The end of the file: what the interfaces dropped, and all that was not yet written."""
        for counts, interface in zip(self._live.counts(), self._live.interfaces, strict=True):
            if counts.dropped is not None:
                self._writer.statistics(interface, counts.captured + counts.dropped, counts.dropped)
        self._finish()

    def _write(self, packet: RawPacket) -> None:
        ring, in_file = self._ring, self._in_file
        if ring is not None and (
            (ring.packets is not None and in_file >= ring.packets)
            or (ring.filesize is not None and in_file and self.size >= ring.filesize)
        ):
            self._turn_over()
        try:
            self._writer.take(packet)
            self._writer.flush()
        except OSError as error:
            raise OutputError(f"-w {self._target}: {reason(error)}") from error
        self.packets += 1
        self._in_file += 1

    def _turn_over(self) -> None:
        self._finish()
        self._begin()

    def _begin(self) -> None:
        self.files += 1
        name = self._target
        if self._ring is not None:
            stem, ending = os.path.splitext(self._target)
            name = f"{stem}_{self.files:05d}_{time.strftime('%Y%m%d%H%M%S')}{ending}"
        self._file: BinaryIO = self._outputs.growing(name, "-w")
        self._writer: PcapWriter | PcapngWriter
        if is_pcap_name(name):
            self._writer = PcapWriter(self._file)
        else:
            self._writer = PcapngWriter(self._file)
        self._in_file = 0
        self._began = self._flushed = time.monotonic()
        self._since = time.time()
        if self._ring is not None and self._ring.files is not None:
            self._kept.append(name)
            while len(self._kept) > self._ring.files:
                with suppress(OSError):  # somebody took it away
                    os.unlink(self._kept.popleft())

    def _finish(self) -> None:
        try:
            self._writer.finish()
        except OSError as error:
            raise OutputError(f"-w {self._target}: {reason(error)}") from error
        finally:
            self._guarded(self._file.close)

    def _guarded(self, act: Callable[[], object]) -> None:
        try:
            act()
        except BrokenPipeError:
            raise
        except OSError as error:
            raise OutputError(f"-w {self._target}: {reason(error)}") from error


class Ends:
    """When a recording ends by itself (`-a`): its files, its size, its packets."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self.recording: Recording | None = None

    def __call__(self) -> bool:
        """Whether it ends now; makes what was written visible besides."""
        recording, limits = self.recording, self._limits
        if recording is None:
            return False
        recording.tick()
        return (limits.filesize is not None and recording.size >= limits.filesize) or (
            limits.files is not None and recording.files > limits.files
        )


def summary(live: Live) -> str:
    """What was captured, and what was lost."""
    counts = live.counts()
    captured = sum(each.captured for each in counts)
    known = [each.dropped for each in counts if each.dropped is not None]
    dropped = f"{sum(known)} dropped" if len(known) == len(counts) else "what was dropped is not known here"
    by_name = ""
    if len(counts) > 1:
        by_name = " (" + ", ".join(f"{each.name}: {each.captured}, {each.dropped} dropped" for each in counts) + ")"
    return f"{captured} packet{'' if captured == 1 else 's'} captured, {dropped}{by_name}"
