"""What goes wrong around a control plane in a test: one exception, whose message is for the author of the test."""


class ControlPlaneError(Exception):
    """The control plane, or what a test asked of it, failed."""
