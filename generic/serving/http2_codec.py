"""The h2 library's connection as we set it up, and the two things it leaves to its user.

Called by `http2`.
"""

from typing import Any

import h2.config
import h2.connection
import h2.settings

from generic.serving import headers as header_rules
from generic.serving.inbox import READ_AHEAD
from generic.serving.options import SecureServingOptions

STREAM_WINDOW = READ_AHEAD
"""What a client may send on one stream before we ask for more."""
_MAX_FRAME = 64 << 10


def connection(options: SecureServingOptions) -> h2.connection.H2Connection:
    """A server's side, its limits set and its output trusted."""
    config = h2.config.H2Configuration(
        client_side=False,
        header_encoding=None,
        # `headers.outbound` has seen to it, at a tenth of the cost. What comes in is checked in full.
        validate_outbound_headers=False,
        normalize_outbound_headers=False,
    )
    made = h2.connection.H2Connection(config=config)
    codes = h2.settings.SettingCodes
    settings: dict[Any, int] = {
        codes.MAX_CONCURRENT_STREAMS: options.http2_max_streams_per_connection,
        codes.MAX_HEADER_LIST_SIZE: options.max_header_bytes,
        codes.INITIAL_WINDOW_SIZE: STREAM_WINDOW,
        codes.MAX_FRAME_SIZE: _MAX_FRAME,
        codes.ENABLE_CONNECT_PROTOCOL: 1,
    }
    made.local_settings = h2.settings.Settings(client=False, initial_values=settings)
    # Initial values count as acknowledged, so nothing else tells these two.
    made.decoder.max_header_list_size = options.max_header_bytes
    made.max_inbound_frame_size = _MAX_FRAME
    return made


def split(received: Any) -> tuple[dict[bytes, bytes], header_rules.Headers]:
    """Pseudo headers, and the others with `host` for `:authority`: what HTTP/1.1 would have had."""
    pseudo: dict[bytes, bytes] = {}
    headers: header_rules.Headers = []
    host = None
    for name, value in received:
        if name[0] == 0x3A:
            pseudo[name] = value
        elif name == b"host":
            host = value
        else:
            headers.append((name, value))
    authority = pseudo.get(b":authority", host)
    if authority is not None:
        headers.append((b"host", authority))
    return pseudo, headers


def oversized(connection: h2.connection.H2Connection) -> bool:
    """The frame that has begun to arrive is longer than allowed.

    h2 itself looks only once it holds the whole frame, all 16 MiB that it may claim to be.
    """
    begun = connection.incoming_buffer._data
    return len(begun) >= 9 and int.from_bytes(begun[:3], "big") > _MAX_FRAME
