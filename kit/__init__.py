"""A kit for building operating systems on a machine you can see into."""

__version__ = "0.1.0"
