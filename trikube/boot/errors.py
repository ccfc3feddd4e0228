"""What `trikube boot` cannot do: one exception, one line for the person who asked."""


class BootError(Exception):
    """The message is one line."""
