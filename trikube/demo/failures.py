"""What ends the tour."""


class TourFailed(Exception):
    """A step did not show what it should; one or a few lines for the person who watches."""
