"""A toy that carries conversations, made for tests: what APF does, in a dozen lines of protocol.

Each direction begins with MAGIC; then come frames of kind (1), channel (2), length (2) and a body, big-endian. Whoever
opens a channel plays client in it; the body of OPEN is the port it is for, and a host name.
"""

from __future__ import annotations

from struct import Struct

from amtdecode.model import ChannelClosed, ChannelGap, ChannelOpened, End, Payload, Statement
from amtdecode.protocols.dissector import MORE, NO, YES, Dissector, Protocol, ReceiveBuffer, gap_statement

MAGIC = b"TOYMUX/1\n"
OPEN, DATA, CLOSE = b"O", b"D", b"C"
HEAD = Struct(">cHH")


def frame(kind, channel, body=b""):
    return HEAD.pack(kind, channel, len(body)) + body


def opening(channel, port, host=b""):
    return frame(OPEN, channel, port.to_bytes(2, "big") + host)


def recognise(data, direction, context):
    return NO if data[: len(MAGIC)] != MAGIC[: len(data)] else YES if len(data) >= len(MAGIC) else MORE


class MuxDissector(Dissector):
    def __init__(self, context):
        super().__init__(context)
        self.buffers = (ReceiveBuffer(), ReceiveBuffer())
        self.begun = [False, False]
        self.lost = [False, False]
        self.open = {}

    def receive_data(self, direction, data):
        buffer, out = self.buffers[direction], []
        if self.lost[direction]:
            return out
        buffer.append(data)
        if not self.begun[direction]:
            if len(buffer.data) < len(MAGIC):
                return out
            buffer.consume(len(MAGIC))
            self.begun[direction] = True
        while len(buffer.data) >= HEAD.size:
            kind, channel, size = HEAD.unpack_from(buffer.data)
            end = HEAD.size + size
            if len(buffer.data) < end:
                break
            body = buffer.data[HEAD.size : end]
            out.append(
                Statement(self.event(kind, channel, body, direction), direction, buffer.start, buffer.start + end)
            )
            buffer.consume(end)
        self.trim_to[direction] = buffer.start
        return out

    def event(self, kind, channel, body, direction):
        if kind == OPEN:
            self.open[channel] = True
            return ChannelOpened(channel, direction, int.from_bytes(body[:2], "big"), body[2:].decode("latin-1"))
        return Payload(body, channel=channel) if kind == DATA else ChannelClosed(channel, End.FIN)

    def receive_gap(self, direction, size):
        """Inside the body of one frame the gap concerns its channel alone; elsewhere the frames are lost, and all."""
        buffer, held = self.buffers[direction], self.buffers[direction].data
        start = buffer.end
        concerned, behind = list(self.open), -1
        if len(held) >= HEAD.size:
            kind, channel, length = HEAD.unpack_from(held)
            behind = HEAD.size + length - len(held) - size
            if kind == DATA and behind >= 0:
                concerned = [channel]
        out = []
        if behind >= 0 and len(held) > HEAD.size:
            out.append(Statement(Payload(held[HEAD.size :], channel=channel), direction, buffer.start, start))
        out.append(gap_statement("toy.mux", direction, start, size))
        out += [Statement(ChannelGap(each, size), direction, start, start + size) for each in concerned]
        if behind >= 0:
            buffer.jump(size)
            buffer.data = HEAD.pack(DATA, channel, behind)  # the rest of the body, as a frame of its own
            buffer.start -= HEAD.size
        else:
            self.lost[direction] = True
        return out

    def receive_eof(self, direction, end):
        return ()


MUX = Protocol("toy.mux", "tcp", frozenset({4433}), recognise, MuxDissector, lambda: ())
