"""The one exception for everything a user can cause."""


class KitError(Exception):
    """What, where, and what to do about it, in a message for the user; `kit` exits with 2."""
