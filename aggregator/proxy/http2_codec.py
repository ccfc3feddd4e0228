"""The h2 library's connection as a client of backends sets it up, and what it leaves to its user.

Called by `trunk.py`. `generic/serving/http2_codec.py` is its counterpart for servers.
"""

from typing import Any

import h2.config
import h2.connection
import h2.errors
import h2.events
import h2.exceptions
import h2.settings
from hyperframe.frame import Frame, GoAwayFrame

STREAM_WINDOW = 256 << 10
"""What a backend may send of one answer before its reader has taken it."""
_MOST_HEAD = 256 << 10
_MAX_FRAME = 64 << 10

GONE = (h2.exceptions.ProtocolError, KeyError)
"""What h2 raises for a stream or connection that ended meanwhile."""


class Connection(h2.connection.H2Connection):
    """h2 takes a GOAWAY for the end of everything, but the streams that run go on."""

    def _receive_goaway_frame(self, frame: GoAwayFrame) -> tuple[list[Frame], list[h2.events.Event]]:
        event = h2.events.ConnectionTerminated()
        event.error_code = frame.error_code
        event.last_stream_id = frame.last_stream_id
        event.additional_data = frame.additional_data or None
        return [], [event]


def connection() -> Connection:
    """A client's side, its limits set."""
    config = h2.config.H2Configuration(
        client_side=True,
        header_encoding=None,
        # What goes out was checked when it came in.
        validate_outbound_headers=False,
        normalize_outbound_headers=False,
    )
    made = Connection(config=config)
    codes = h2.settings.SettingCodes
    settings: dict[Any, int] = {
        codes.ENABLE_PUSH: 0,
        codes.INITIAL_WINDOW_SIZE: STREAM_WINDOW,
        codes.MAX_FRAME_SIZE: _MAX_FRAME,
        codes.MAX_HEADER_LIST_SIZE: _MOST_HEAD,
    }
    made.local_settings = h2.settings.Settings(client=True, initial_values=settings)
    # Initial values count as acknowledged, so nothing else tells these two.
    made.decoder.max_header_list_size = _MOST_HEAD
    made.max_inbound_frame_size = _MAX_FRAME
    return made


def oversized(connection: Connection) -> bool:
    """The frame that has begun to arrive is longer than allowed: h2 itself looks only once it holds all of it."""
    begun = connection.incoming_buffer._data
    return len(begun) >= 9 and int.from_bytes(begun[:3], "big") > _MAX_FRAME


def code(number: int) -> str:
    """An error code in words, as Go has them."""
    try:
        return h2.errors.ErrorCodes(number).name
    except ValueError:
        return f"unknown error code 0x{number:x}"
