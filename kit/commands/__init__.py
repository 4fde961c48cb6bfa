"""The subcommands of `kit`, one to a module."""
