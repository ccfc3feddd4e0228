"""What the options of every server of trikube are refused with. Told in one line by `foreground.py`."""


class OptionsError(Exception):
    """An option that cannot be: one line for the user."""
