"""RFB declared (RFC 6143): what `tree()` reads by, and the builder of test vectors. Big-endian."""

from __future__ import annotations

from typing import Any

from construct import Const, GreedyBytes, Int8ub, Int16ub, Int32sb, Int32ub, Padding, PrefixedArray, Struct

from amtdecode.protocols.declaration import Items, Sized
from amtdecode.protocols.vnc.fields import ALL

item = Items(ALL)


def _format(side: str) -> Struct:
    byte = ("bits_per_pixel", "depth", "big_endian_flag", "true_color_flag")
    return Struct(
        *(name / item(f"vnc.{side}_{name}", Int8ub) for name in byte),
        *(f"{colour}_max" / item(f"vnc.{side}_{colour}_max", Int16ub) for colour in ("red", "green", "blue")),
        *(f"{colour}_shift" / item(f"vnc.{side}_{colour}_shift", Int8ub) for colour in ("red", "green", "blue")),
        "padding" / Padding(3),
    )


def _client(kind: int) -> Any:
    return "type" / item("vnc.client_message_type", Const(kind, Int8ub))


def _text(raw: bytes) -> str | None:
    return raw.decode("latin-1") if raw[:1] != b"\0" else None


CHOICE: Any = Struct("chosen" / item("vnc.client_security_type", Int8ub))
SHARE: Any = Struct("shared" / item("vnc.share_desktop_flag", Int8ub))
SCREEN: Any = Struct(
    "width" / item("vnc.width", Int16ub),
    "height" / item("vnc.height", Int16ub),
    "format" / _format("server"),
    "name"
    / Sized(
        item("vnc.desktop_name_len", Int32ub),
        item("vnc.desktop_name", GreedyBytes, shown=lambda raw: raw.decode("utf-8", "backslashreplace")),
    ),
)
SET_FORMAT: Any = Struct(_client(0), "padding" / Padding(3), "format" / _format("client"))
SET_ENCODINGS: Any = Struct(
    _client(2),
    "padding" / Padding(1),
    "encodings"
    / PrefixedArray(
        item("vnc.client_set_encodings_num", Int16ub), item("vnc.client_set_encodings_encoding_type", Int32sb)
    ),
)
ASK: Any = Struct(
    _client(3),
    "incremental" / item("vnc.update_req_incremental", Int8ub),
    "x" / item("vnc.update_req_x_pos", Int16ub),
    "y" / item("vnc.update_req_y_pos", Int16ub),
    "width" / item("vnc.update_req_width", Int16ub),
    "height" / item("vnc.update_req_height", Int16ub),
)
KEY: Any = Struct(
    _client(4), "down" / item("vnc.key_down", Int8ub), "padding" / Padding(2), "key" / item("vnc.key", Int32ub)
)
POINTER: Any = Struct(
    _client(5),
    "buttons" / item("iamt.vnc.buttons", Int8ub),
    "x" / item("vnc.pointer_x_pos", Int16ub),
    "y" / item("vnc.pointer_y_pos", Int16ub),
)
CLIENT_CUT: Any = Struct(
    _client(6),
    "padding" / Padding(3),
    "text" / Sized(item("vnc.client_cut_text_len", Int32ub), item("vnc.client_cut_text", GreedyBytes, shown=_text)),
)
SERVER_CUT: Any = Struct(
    "type" / item("vnc.server_message_type", Const(3, Int8ub)),
    "padding" / Padding(3),
    "text" / Sized(item("vnc.server_cut_text_len", Int32ub), item("vnc.server_cut_text", GreedyBytes, shown=_text)),
)
