"""What can go wrong in serving, for those above it."""


class ServingError(Exception):
    """The server cannot listen as told; the message is one line for the person who started it."""


class ClientDisconnected(ConnectionError):
    """The client left: nothing more can be sent to it.

    Raised by an app's `send` (ASGI 2.4). It is an OSError, so that code above serving needs no import to
    tell it from its own errors; let it pass and the server ends the request quietly.
    """
