"""Watching a run from the command line: recording it, tracing it, and letting a GDB run it."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from kit.errors import KitError
from kit.files import check_writable, replace_file

if TYPE_CHECKING:
    from kit.control.policies import Policy
    from kit.control.vmm import VMM
    from kit.machine.computer import Computer
    from kit.trace.gdb import Leave

__all__ = ["add_trace", "observed", "serve_gdb"]


def add_trace(parser: argparse.ArgumentParser) -> None:
    """Adds the options about tracing."""
    parser.add_argument(
        "--trace", metavar="FILE", help="write there what happens, a line each; the newest events"
    )
    parser.add_argument(
        "--trace-kinds",
        metavar="KIND,...",
        help="only these: call, trap, interrupt, return, privileged, emulation, refill, device, "
        "table, mode, switch; on the bare machine return, privileged, table and mode are slow, "
        "and only traced if they are named here",
    )
    parser.add_argument("--trace-vms", metavar="VM,...", help="only these virtual machines")


@contextmanager
def observed(system: Computer | VMM, args: argparse.Namespace) -> Iterator[None]:
    """Records and traces as the arguments say; files are written also where a run is interrupted.

    Raises `KitError` for arguments that make no sense, and files that cannot be written.
    """
    if args.trace is None and (args.trace_kinds or args.trace_vms):
        raise KitError("--trace-kinds and --trace-vms say what of; say --trace FILE, too")
    record = getattr(args, "record", None)
    for path in filter(None, (record, args.trace)):
        check_writable(path)
    if record is None and args.trace is None:
        yield
        return
    with _traced(system, args), _recorded(system, record):
        yield


@contextmanager
def _recorded(system: Computer | VMM, path: str | None) -> Iterator[None]:
    if path is None:
        yield
        return
    from kit.trace.history import History
    from kit.trace.tape import record_to

    history = History(system)
    try:
        yield
    finally:
        record_to(path, history)


@contextmanager
def _traced(system: Computer | VMM, args: argparse.Namespace) -> Iterator[None]:
    if args.trace is None:
        yield
        return
    from kit.trace.tracer import Trace, quick_kinds

    kinds = quick_kinds(system) if args.trace_kinds is None else args.trace_kinds.split(",")
    vms = None if args.trace_vms is None else args.trace_vms.split(",")
    with Trace(system, kinds, vms) as trace:
        try:
            yield
        finally:
            replace_file(args.trace, trace.listing())


def serve_gdb(
    system: Computer | VMM,
    port: int,
    policy: Policy | None = None,
    held: tuple[str, ...] = (),
    attend: Callable[[], bool] | None = None,
) -> Leave:
    """Does what a GDB says until it goes; returns how it went. For the rest see `Debugger`."""
    from kit.trace.debugger import Debugger
    from kit.trace.gdb import GdbServer

    debugger = Debugger(system, policy, held)
    debugger.history.on_undone = _show_undone
    server = GdbServer(debugger, port, attend)
    print(
        f"kit: waiting for gdb: target remote localhost:{server.port}", file=sys.stderr, flush=True
    )
    try:
        return server.serve()
    finally:
        server.close()


def _show_undone(name: str, device: str, items: list[Any]) -> None:
    """Marks what was shown and has not happened any more."""
    what = {"uart": "bytes of the console", "printer": "lines of paper", "punch": "cards"}[device]
    whose = f"{name}: " if name else ""
    text = f"kit: {whose}undone: the last {len(items)} {what}"
    print(text, file=sys.stderr, flush=True)
