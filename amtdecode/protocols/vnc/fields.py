"""The fields of RFB messages, under tshark's names where it has one."""

from __future__ import annotations

from amtdecode.fields import BOOLEAN, BYTES, INT32, STRING, UINT8, UINT16, UINT32, UINT64, Field, Fields
from amtdecode.protocols.vnc import names

VERSION: Fields = (
    Field("vnc.server_proto_ver", STRING, "version of RFB that the server speaks", "server_version", ""),
    Field("vnc.client_proto_ver", STRING, "version of RFB that the client chooses", "client_version", ""),
)
OFFER: Fields = (
    Field("vnc.num_security_types", UINT8, "ways to log in that the server offers, counted", "count", None),
    Field("vnc.security_type", UINT8, "ways to log in that the server offers", "offered", (), names.SECURITY_TYPES,
          repeated=True),
    Field("vnc.server_security_type", UINT32, "way to log in, in RFB 3.3", "decreed", None, names.SECURITY_TYPES),
    Field("iamt.vnc.reason", STRING, "why the server refuses, in its words", "reason", "", free=True),
)  # fmt: skip
CHOICE: Fields = (
    Field(
        "vnc.client_security_type", UINT8, "way to log in that the client takes", "chosen", None, names.SECURITY_TYPES
    ),
)
PROOF: Fields = (
    Field("vnc.auth_challenge", BYTES, "challenge of the server", "challenge", b""),
    Field("vnc.auth_response", BYTES, "answer that proves the password", "response", b"", secret=True),
)
RESULT: Fields = (
    Field("vnc.auth_result", BOOLEAN, "true where the login failed", "failed"),
    Field("vnc.auth_error", STRING, "why, in words", "reason", "", free=True),
)
SHARE: Fields = (Field("vnc.share_desktop_flag", BOOLEAN, "others may watch too", "shared"),)


def _format(side: str) -> Fields:
    return (
        Field(f"vnc.{side}_bits_per_pixel", UINT8, "bits of a pixel", "format.bits"),
        Field(f"vnc.{side}_depth", UINT8, "bits of colour", "format.depth"),
        Field(f"vnc.{side}_big_endian_flag", BOOLEAN, "pixels are big-endian", "format.big_endian"),
        Field(f"vnc.{side}_true_color_flag", BOOLEAN, "pixels hold colours", "format.true_colour"),
        Field(f"vnc.{side}_red_max", UINT16, "largest red", "format.red_max"),
        Field(f"vnc.{side}_green_max", UINT16, "largest green", "format.green_max"),
        Field(f"vnc.{side}_blue_max", UINT16, "largest blue", "format.blue_max"),
        Field(f"vnc.{side}_red_shift", UINT8, "place of red", "format.red_shift"),
        Field(f"vnc.{side}_green_shift", UINT8, "place of green", "format.green_shift"),
        Field(f"vnc.{side}_blue_shift", UINT8, "place of blue", "format.blue_shift"),
    )


SCREEN: Fields = (
    Field("vnc.width", UINT16, "width of the screen in pixels", "width"),
    Field("vnc.height", UINT16, "height of the screen in pixels", "height"),
    *_format("server"),
    Field("vnc.desktop_name_len", UINT32, "bytes of the name", "name_size"),
    Field("vnc.desktop_name", STRING, "name of the screen", "name", free=True),
)
CLIENT_TYPE = Field(
    "vnc.client_message_type", UINT8, "what the client's message is", "type", values=names.CLIENT_MESSAGES
)
SERVER_TYPE = Field(
    "vnc.server_message_type", UINT8, "what the server's message is", "type", values=names.SERVER_MESSAGES
)
SET_FORMAT: Fields = (CLIENT_TYPE, *_format("client"))
SET_ENCODINGS: Fields = (
    CLIENT_TYPE,
    Field("vnc.client_set_encodings_num", UINT16, "encodings the client takes, counted", "count"),
    Field("vnc.client_set_encodings_encoding_type", INT32, "encodings the client takes", "encodings", (),
          names.ENCODINGS, repeated=True),
)  # fmt: skip
ASK: Fields = (
    CLIENT_TYPE,
    Field("vnc.update_req_incremental", BOOLEAN, "only what has changed is wanted", "incremental"),
    Field("vnc.update_req_x_pos", UINT16, "left edge", "x"),
    Field("vnc.update_req_y_pos", UINT16, "upper edge", "y"),
    Field("vnc.update_req_width", UINT16, "width", "width"),
    Field("vnc.update_req_height", UINT16, "height", "height"),
)
KEY: Fields = (
    CLIENT_TYPE,
    Field("vnc.key_down", BOOLEAN, "the key is pressed, not let go", "down"),
    Field("vnc.key", UINT32, "symbol of the key; whoever types a password types it in keys", "key", secret=True),
)
POINTER: Fields = (
    CLIENT_TYPE,
    Field("iamt.vnc.buttons", UINT8, "buttons of the mouse, as bits", "buttons"),
    Field("vnc.pointer_x_pos", UINT16, "place from the left", "x"),
    Field("vnc.pointer_y_pos", UINT16, "place from above", "y"),
)
CUT: Fields = (
    Field("iamt.vnc.command", UINT8, "command of AMT's extension", "command", None, names.COMMANDS),
    Field("iamt.vnc.command.value", UINT8, "its value", "value", None),
    Field("iamt.vnc.channel.size", UINT32, "bytes for the data channel of AMT", "channel_size", None),
)
CLIENT_CUT: Fields = (
    CLIENT_TYPE,
    Field("vnc.client_cut_text_len", UINT32, "bytes of the text", "size"),
    *CUT,
    Field("vnc.client_cut_text", STRING, "clipboard of the client", "text", "", secret=True),
)
SERVER_CUT: Fields = (
    SERVER_TYPE,
    Field("vnc.server_cut_text_len", UINT32, "bytes of the text", "size"),
    *CUT,
    Field("vnc.server_cut_text", STRING, "clipboard of the machine", "text", "", secret=True),
)
UPDATE: Fields = (
    SERVER_TYPE,
    Field("vnc.fb_update_num_rects", UINT16, "tiles of the screen that are sent, counted", "count"),
    Field("iamt.vnc.encoding", INT32, "encodings of these tiles, each once", "encodings", (), names.ENCODINGS,
          repeated=True),
    Field("iamt.vnc.pixels", UINT64, "pixels of these tiles, counted", "pixels"),
    Field("iamt.vnc.bytes", UINT64, "bytes of the message", "size"),
)  # fmt: skip
SERVER_OTHER: Fields = (SERVER_TYPE,)
ALL: Fields = tuple(
    {
        field.name: field
        for fields in (
            *(VERSION, OFFER, CHOICE, PROOF, RESULT, SHARE, SCREEN, SET_FORMAT, SET_ENCODINGS),
            *(ASK, KEY, POINTER, CLIENT_CUT, SERVER_CUT, UPDATE),
        )
        for field in fields
    }.values()
)
"""Every field of the room."""
