"""`kit run`: start an image on the bare machine or in a virtual one, and show what it prints."""

from __future__ import annotations

import argparse
import json
import re
import sys
import time
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kit.commands.observe import add_trace, observed, serve_gdb
from kit.commands.progress import ProgressLine
from kit.control.diagnosis import trap_loop
from kit.control.keyboard import Keyboard
from kit.control.outputs import LIMITS, excess, keep
from kit.control.vmm import VMM
from kit.engine.choice import ENGINES, chosen_engine
from kit.errors import KitError
from kit.files import check_writable, read_bounded, replace_file
from kit.machine.board import RAM_BASE
from kit.machine.computer import DEFAULT_BUDGET, Computer, memory_size
from kit.machine.loader import BUILD_FILE
from kit.machine.machine import Machine
from kit.machine.protocol import Stop
from kit.resources import locate

if TYPE_CHECKING:
    from kit.trace.gdb import Leave

__all__ = ["add_run"]

NOT_HALTED = 3
"""Exit status where the guest did not switch itself off: budget used up, or idle for ever."""

PERFORATION = "- " * 39 + "-"

INPUT_LIMIT = 64 << 20
"""Bytes of input for the console, at most."""

SLICE, LONG_SLICE = 20_000, 1 << 22
"""Steps after which keyboard, progress and diagnosis have their turn: at first (and always, on the
reference engine), and in the long run."""

VMM_MEMORY = 1 << 20
"""What a machine has beyond its guest's storage, for the VMM's tables."""

SURPLUS = "one image is run; what its kernel is to be told goes into --append"

USUAL = {"memory": "16M", "modes": "MSU", "append": ""}
"""Options where neither the user nor the guest says anything."""

LARGEST = (1 << 32) - RAM_BASE
"""Bytes of storage that a machine can have: addresses have 32 bits."""

_REASONS = {
    "reset": "asked for a reset",
    "budget": "used up its budget",
    "idle": "waits for an interrupt that nothing can cause",
    "stopped": "was stopped",
    "breakpoint": "reached a breakpoint",
}


def add_run(commands: Any) -> None:
    """Adds the command to the command line."""
    parser = commands.add_parser(
        "run",
        help="run an image on the machine",
        description="Runs an image until it halts. The console and the printer's paper go to "
        "standard output. The exit status is the guest's own, or 3 where it did not halt.",
    )
    parser.add_argument(
        "image",
        nargs="?",
        help="ELF, flat binary, Intel HEX, assembly or C source, or a guest's folder",
    )
    parser.add_argument(
        "--config", metavar="ROOM.toml", help="run a machine room instead: several virtual machines"
    )
    parser.add_argument(
        "--console", metavar="FILE", help="with --config: let `kit console FILE` operate the room"
    )
    where = parser.add_mutually_exclusive_group()
    where.add_argument("--bare", action="store_true", help="on the bare machine (the default)")
    where.add_argument("--vm", action="store_true", help="in a virtual machine")
    parser.add_argument("--reader", metavar="DECK", help="cards, one a line, or jobs (.toml)")
    parser.add_argument("--printer", metavar="FILE", help="write the paper there")
    parser.add_argument("--punch", metavar="FILE", help="write the punched cards there")
    parser.add_argument(
        "--input",
        metavar="FILE",
        help="bytes for the console (-: standard input); without it, what is typed",
    )
    parser.add_argument("--disk", metavar="FILE", help="image of the virtio disk, changed in place")
    parser.add_argument("--modern-virtio", action="store_true", help="virtio registers version 2")
    parser.add_argument("--memory", metavar="SIZE", help="storage (default 16M)")
    parser.add_argument("--isa", default="rv32imac", help="instruction sets (default rv32imac)")
    parser.add_argument("--modes", choices=("M", "MU", "MSU"), help="modes (default MSU)")
    parser.add_argument("--pmp", type=int, default=16, help="PMP entries, 0 or 16 (default 16)")
    parser.add_argument(
        "--ad", default="update", choices=("update", "fault"), help="who sets A and D bits"
    )
    parser.add_argument(
        "-I",
        dest="include",
        action="append",
        default=[],
        metavar="DIR",
        help="a folder for .include of assembly source (may be repeated)",
    )
    parser.add_argument(
        "--engine",
        default="auto",
        choices=ENGINES,
        help="what executes the instructions: wasm is fast, reference is the definition in plain "
        "Python; auto takes the fast one where it can run, unless VMM_KIT_ENGINE says otherwise",
    )
    parser.add_argument(
        "--with",
        dest="holes",
        action="append",
        default=[],
        metavar="hole.NAME",
        help="alter the processor so (see `kit classify`); only on the reference engine",
    )
    parser.add_argument(
        "--hybrid",
        action="store_true",
        help="with --vm: interpret the guest's supervisor code, as on a processor with holes",
    )
    parser.add_argument("--initrd", metavar="FILE", help="initial RAM disk")
    parser.add_argument("--append", metavar="ARGS", help="the kernel's arguments")
    parser.add_argument(
        "--budget",
        type=_steps,
        metavar="N",
        help="steps at most, such as 500000, 500_000 or 5e5 (default 1e9)",
    )
    parser.add_argument(
        "--record", metavar="FILE", help="write a recording there, which `kit replay` plays"
    )
    parser.add_argument(
        "--gdb", type=int, metavar="PORT", help="let a GDB on this computer run it (0: any port)"
    )
    add_trace(parser)
    parser.add_argument("--json", action="store_true", help="print one JSON object instead")
    parser.set_defaults(run=run, surplus=SURPLUS)


def _steps(text: str) -> int:
    found = re.fullmatch(r"([0-9][0-9_]{0,30})(?:[eE]([0-9]{1,2}))?", text)
    if found is None:
        raise argparse.ArgumentTypeError(f"'{text}' is no number of steps; write 500000 or 5e5")
    zeros = "0" * int(found[2] or 0)
    return int(found[1].replace("_", "") + zeros)


def run(args: argparse.Namespace) -> int:
    """Runs the image; returns the exit status."""
    if args.config is not None:
        return _run_room(args)
    if args.image is None or args.console is not None:
        raise KitError("expected an image, or --config ROOM.toml, which --console needs too")
    for path in filter(None, (args.printer, args.punch)):
        check_writable(path)
    if args.hybrid and not args.vm:
        raise KitError("--hybrid is a way to run a virtual machine; add --vm")
    _complete(args)
    machine = _machine(args)
    with observed(machine, args):
        return _run_machine(machine, args)


def _run_machine(machine: Computer, args: argparse.Namespace) -> int:
    """Runs it to its end, and writes what it has put out; returns the exit status."""
    _feed(machine, args.input)
    wanted = [name for name in LIMITS if args.json or getattr(args, name, None) is not None]
    keep(machine, wanted)
    started = time.perf_counter()
    budget = DEFAULT_BUDGET if args.budget is None else args.budget
    typing = args.input is None and not args.json and sys.stdin is not None and sys.stdin.isatty()
    try:
        with Keyboard() if typing else nullcontext() as keyboard:
            if args.gdb is not None and _debugged(machine, args.gdb, keyboard) != "detached":
                return 0
            most = LONG_SLICE if chosen_engine(args.engine, bool(args.holes)) == "wasm" else SLICE
            stop = _run(machine, budget, keyboard, wanted, most)
    finally:
        _write_outputs(machine, args)
    seconds = time.perf_counter() - started
    if args.json:
        print(json.dumps(_summary(machine, stop, seconds)))
    else:
        print(_sentence(args.image, machine, stop, seconds), file=sys.stderr)
    return min(stop.code, 255) if stop.reason == "halt" else NOT_HALTED


def _debugged(machine: Computer, port: int, keyboard: Keyboard | None) -> Leave:
    """Lets a GDB run the machine; what is typed meanwhile is passed on. How it went in the end."""
    if keyboard is None:
        return serve_gdb(machine, port)

    def attend() -> bool:
        typed = keyboard.take()
        if typed:
            machine.uart.feed(typed)
        return bool(typed)

    return serve_gdb(machine, port, attend=attend)


def _run_room(args: argparse.Namespace) -> int:
    """A machine room: what its machines have is said in its plan, not by options."""
    names = "image bare vm reader printer punch input disk initrd".split()
    given = [name for name in names if getattr(args, name)]
    if given:
        raise KitError(f"--config: {given[0]} belongs into {args.config}, not beside it")
    if args.holes or args.hybrid:
        raise KitError("--config: --with and --hybrid are for a single machine")
    from kit.commands.room import run_room  # a single machine starts without all that

    return run_room(args)


def _run(
    machine: Computer, budget: int, keyboard: Keyboard | None, wanted: list[str], most: int
) -> Stop:
    """Runs in slices of up to `most` steps: what is typed is passed on, progress is shown.

    A guest that takes the same trap for ever is stopped. So is one whose output, as far as it is
    `wanted` in the end, is too much to keep.
    """
    start, limit = machine.steps, machine.steps + budget
    steps = SLICE
    line = ProgressLine(sys.stderr)
    shown = line.active and not sys.stdout.isatty()
    with line:
        while True:
            stop = machine.run(min(steps, limit - machine.steps))
            steps = min(2 * steps, most)
            idle = stop.reason == "idle"
            typed = keyboard.take(wait=idle) if keyboard is not None else b""
            if typed:
                machine.uart.feed(typed)
                continue
            if too_much := excess(machine, wanted):
                raise KitError(f"the guest was stopped: {too_much}")
            if stop.reason != "budget" or machine.steps >= limit or trap_loop(machine.hart):
                return replace(stop, steps=machine.steps - start)
            if shown:
                line.update(machine.hart.mtime, {"run": machine.steps - start})


def _complete(args: argparse.Namespace) -> None:
    """Options that were not given are as the guest's `build.toml` says, or as usual."""
    said: dict[str, Any] = {}
    folder = locate(args.image)
    if (folder / BUILD_FILE).is_file():
        from kit.toolchain.build import run_settings  # not needed for what is built already

        said = run_settings(folder)
    for name in ("reader", "disk", "initrd", *USUAL):
        if getattr(args, name) is None:
            setattr(args, name, said.get(name, USUAL.get(name)))
    if str(args.reader).endswith(".toml"):
        from kit.toolchain.decks import jobs_deck, read_jobs

        args.reader = jobs_deck(read_jobs(locate(args.reader)), include=args.include)


def _machine(args: argparse.Namespace) -> Computer:
    """The machine that the arguments describe, with the image loaded."""
    devices: dict[str, Any] = {
        "reader": args.reader,
        "disk": args.disk,
        "legacy_virtio": not args.modern_virtio,
    }
    holes = [name.removeprefix("hole.") for name in args.holes]
    if not args.json:
        devices["console"] = show_console
        if args.printer is None:
            devices["paper"] = show_paper
    if args.vm:
        real = memory_size(args.memory) + VMM_MEMORY
        if real > LARGEST:
            most = f"{(LARGEST - VMM_MEMORY) >> 20}M"
            raise KitError(f"memory {args.memory!r}: a virtual machine can have {most} at most")
        below = Machine(args.isa, "MSU", 16, real, args.ad, args.engine, holes)
        vmm = _vmm(below, args.hybrid)
        name = Path(args.image).stem
        settings = {"memory": args.memory, "modes": args.modes, "pmp": args.pmp}
        machine: Computer = vmm.create(name, **settings, **devices)
    else:
        machine = Machine(
            args.isa, args.modes, args.pmp, args.memory, args.ad, args.engine, holes, **devices
        )
    machine.load(args.image, initrd=args.initrd, append=args.append, include=args.include)
    return machine


def _vmm(machine: Machine, is_hybrid: bool) -> VMM:
    if not is_hybrid:
        return VMM(machine)
    from kit.control.hybrid import HybridVMM  # rarely wanted

    return HybridVMM(machine)


def show_console(data: bytes) -> None:
    sys.stdout.buffer.write(data)
    sys.stdout.buffer.flush()


def show_paper(text: str) -> None:
    """A printed line, or an ejected page: broken dashes stand for the perforation."""
    sys.stdout.write(PERFORATION + "\n" if text.startswith("\f") else text)
    sys.stdout.flush()


def _feed(machine: Computer, name: str | None) -> None:
    if name is None:
        return
    try:
        if name == "-":
            data = read_bounded(sys.stdin.buffer, "standard input", INPUT_LIMIT)
        else:
            with open(name, "rb") as file:
                data = read_bounded(file, name, INPUT_LIMIT)
    except OSError as error:
        raise KitError(f"{name}: cannot read the input: {error.strerror}") from None
    machine.uart.feed(data)


def _write_outputs(machine: Computer, args: argparse.Namespace) -> None:
    """Writes paper and cards, also of a run that was interrupted."""
    if args.printer is not None:
        replace_file(args.printer, machine.printer.text)
    if args.punch is not None:
        replace_file(args.punch, machine.punch.deck.text)


def _summary(machine: Computer, stop: Stop, seconds: float) -> dict[str, Any]:
    return {
        "reason": stop.reason,
        "code": stop.code,
        "steps": stop.steps,
        "pc": stop.pc,
        "diagnosis": trap_loop(machine.hart) or getattr(machine, "failure", ""),
        "seconds": round(seconds, 3),
        "paper": machine.printer.text,
        "punched": machine.punch.deck.lines(),
        "console": machine.uart.text,
        "exits": dict(getattr(machine, "counts", {})),
    }


def _sentence(name: str, machine: Computer, stop: Stop, seconds: float) -> str:
    """How the run ended, in one line; where the guest was, unless it halted."""
    made = f"after {stop.steps:,} steps, {seconds:.1f} s"
    if stop.reason == "halt":
        code = f" with code {stop.code}" if stop.code else ""
        return f"kit: {name} halted{code} {made}"
    what = trap_loop(machine.hart) or getattr(machine, "failure", "") or _REASONS[stop.reason]
    return f"kit: {name} {what} {made}; pc {stop.pc:#x}"
