"""Control-C, and whatever a listener raises: the machines are between two steps afterwards."""

from __future__ import annotations

import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from kit import VMM, Machine
from kit.devices.deck import Deck
from kit.devices.device import Device
from kit.isa.assembler import assemble
from kit.machine.computer import Computer
from tests.control.guests import CLERK, HALT, PRINTER, READER, SPINNER, TALKER, UART

COPIER = f"""
        li s0, {READER}
        li s1, {PRINTER}
        li s2, {PRINTER} + 0x1000 # the punch
    1:  li t0, 1
        sw t0, 4(s0)            # feed
    2:  lw t0, 0(s0)
        andi t1, t0, 2          # DONE
        beqz t1, 2b
        andi t1, t0, 4          # END
        bnez t1, 3f
        lbu t0, 0x80(s0)
        sb t0, 0x80(s1)
        sb t0, 0x80(s2)
        li t0, 1
        sw t0, 4(s1)            # print
        sw t0, 4(s2)            # punch
        li t1, 500
    4:  addi t1, t1, -1
        bnez t1, 4b
        j 1b
    3:  {HALT}
"""


class Once:
    """Raises at its `number`th call, and remembers what the others were for."""

    def __init__(self, number: int = 2) -> None:
        self.number = number
        self.calls: list[Any] = []

    def __call__(self, *what: Any) -> None:
        self.number -= 1
        if self.number == 0:
            raise RuntimeError("not now")
        self.calls.append(what)


def bare() -> Computer:
    return Machine(memory="64K")


def virtual() -> Computer:
    return VMM(Machine(memory="512K")).create("guest", memory="64K")


def nested() -> Computer:
    return VMM(VMM(Machine(memory="2M")).create("host", memory="1M")).create("guest", memory="64K")


KINDS = [bare, virtual, nested]


def undisturbed(make: Callable[[], Computer], program: str, deck: Deck | None = None) -> bytes:
    machine = make()
    if deck is not None:
        machine.reader.load(deck)
    machine.load(assemble(program))
    assert machine.run(100_000).reason == "halt"
    return machine.save()


@pytest.mark.parametrize("make", KINDS)
def test_a_console_that_raises_disturbs_nothing(make: Callable[[], Computer]) -> None:
    machine = make()
    machine.uart.sink = once = Once(3)
    machine.load(assemble(TALKER))
    with pytest.raises(RuntimeError, match="not now"):
        machine.run(100_000)
    assert machine.uart.text == "g\nf"
    assert machine.hart.mcycle == machine.steps == machine.hart.mtime
    assert machine.run(100_000).reason == "halt"
    assert machine.save() == undisturbed(make, TALKER)
    assert b"".join(what[0] for what in once.calls) == b"g\n\ne\nd\nc\nb\n"


@pytest.mark.parametrize("make", KINDS)
@pytest.mark.parametrize("listener", ["printer.sink", "punch.sink", "reader.watch"])
def test_listeners_of_unit_record_devices_may_raise(
    make: Callable[[], Computer], listener: str
) -> None:
    deck = Deck.from_text("A\nB\nC\n")
    machine = make()
    machine.reader.load(deck)
    device, attribute = listener.split(".")
    setattr(getattr(machine, device), attribute, Once())
    machine.load(assemble(COPIER))
    with pytest.raises(RuntimeError):
        machine.run(100_000)
    assert machine.run(100_000).reason == "halt"
    assert machine.printer.text == "A\nB\nC\n"
    assert machine.save() == undisturbed(make, COPIER, deck)


@pytest.mark.parametrize("make", KINDS)
def test_who_hands_out_decks_may_raise_and_is_asked_again(make: Callable[[], Computer]) -> None:
    decks = [Deck.from_text("A\nB\n")]
    asked = Once(1)

    def source() -> Deck | None:
        asked()
        return decks.pop() if decks else None

    machine = make()
    machine.reader.source = source
    machine.load(assemble(COPIER))
    with pytest.raises(RuntimeError):
        machine.run(100_000)
    assert machine.run(100_000).reason == "halt"
    assert machine.save() == undisturbed(make, COPIER, Deck.from_text("A\nB\n"))


@pytest.mark.parametrize("number", range(1, 20))
def test_a_recorder_that_raises_loses_no_step_at_any_depth(number: int) -> None:
    outer = VMM(Machine(memory="2M"))
    inner = VMM(outer.create("host", memory="1M"))
    machine = inner.create("guest", memory="64K")
    machine.load(assemble(CLERK))
    outer.record(Once(number))
    inner.record(Once(20 - number))
    raised = 0
    while True:
        try:
            stop = machine.run(100_000)
            break
        except RuntimeError:
            raised += 1
    assert stop.reason == "halt"
    assert raised > 0
    assert machine.save() == undisturbed(nested, CLERK)


class Broken(Device):
    """A device whose model has a mistake, which shows once."""

    name = "channel"  # whose place it takes
    once = Once(1)

    def read(self, offset: int, size: int) -> int:
        """7, if not an exception."""
        self.once()
        return 7


@pytest.mark.parametrize("make", [virtual, nested])
def test_an_instruction_whose_device_fails_is_executed_again(make: Callable[[], Computer]) -> None:
    machine = make()
    device = Broken()
    device.once = Once(1)
    machine.board.attach(device)
    machine.load(assemble(f"li a0, 3\n li t0, {PRINTER + 0x2000}\nit: lw a1, 0(t0)\n c.addi a0, 1"))
    with pytest.raises(RuntimeError):
        machine.run(4)
    assert machine.register("pc") == machine.symbols["it"]
    assert machine.steps == machine.hart.mtime == 2
    machine.run(2)
    assert (machine.register("a0"), machine.register("a1")) == (4, 7)
    assert machine.steps == machine.hart.mtime == 4


@contextmanager
def control_c_at(number: int) -> Iterator[list[int]]:
    """Presses control-C when the kit calls or leaves its `number`th function from now on."""
    left = [number]

    def count(frame: Any, event: str, argument: Any) -> None:
        if "/kit/" in frame.f_code.co_filename or frame.f_code.co_filename == "<string>":
            left[0] -= 1
            if left[0] == 0:
                signal.raise_signal(signal.SIGINT)

    sys.setprofile(count)
    try:
        yield left
    finally:
        sys.setprofile(None)


@pytest.mark.parametrize("make", KINDS)
def test_control_c_at_any_moment_disturbs_nothing(make: Callable[[], Computer]) -> None:
    program = f"""
            csrr s1, mscratch       # traps in a virtual machine
            li t0, {UART}
            li s0, 8
            auipc gp, 0
        1:  sb s0, 0(t0)
            csrw mscratch, s0
            addi s1, s1, 5
            lw t1, 0(gp)            # maps a page in a virtual machine
            csrr t1, mscratch
            addi s0, s0, -1
            bnez s0, 1b
            {HALT}
    """
    expected = undisturbed(make, program)
    interrupted = 0
    for number in range(1, 2000, 53 if make is nested else 17):
        machine = make()
        machine.load(assemble(program))
        with control_c_at(number) as left:
            try:
                stop = machine.run(1000)
            except KeyboardInterrupt:
                interrupted += 1
        if left[0] <= 0:
            assert machine.hart.mcycle == machine.steps == machine.hart.mtime
            stop = machine.run(1000)
        assert stop.reason == "halt"
        assert machine.save() == expected, number
    assert interrupted > 20


def test_control_c_while_several_run_leaves_every_account_right() -> None:
    for number in range(50, 20_000, 1999):
        vmm = VMM(Machine(memory="1M"))
        names = ["a", "b", "c"]
        for name in names:
            vmm.create(name, assemble(TALKER), memory="64K")
        scheduler = vmm.scheduler()
        with control_c_at(number):
            try:
                while scheduler.turn() is not None:
                    pass
            except KeyboardInterrupt:
                pass
        while scheduler.turn() is not None:
            pass
        for name in names:
            assert scheduler.account(name).made == vmm.machines[name].steps
            assert vmm.machines[name].uart.text == "g\nf\ne\nd\nc\nb\n"


def test_control_c_ends_a_run_that_would_last_for_ever() -> None:
    machine = virtual()
    machine.load(assemble(SPINNER))
    with pytest.raises(KeyboardInterrupt), control_c_at(1000):
        machine.run(1 << 60)
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_pressed_twice_it_does_not_wait_for_a_listener_that_hangs() -> None:
    machine = bare()

    def hangs(data: bytes) -> None:
        signal.raise_signal(signal.SIGINT)
        signal.raise_signal(signal.SIGINT)
        raise AssertionError("the second one is not held back")

    machine.uart.sink = hangs
    machine.load(assemble(TALKER))
    with pytest.raises(KeyboardInterrupt):
        machine.run(100_000)


def test_a_program_that_handles_the_signal_itself_goes_on_doing_so() -> None:
    machine = bare()
    machine.load(assemble(TALKER))
    machine.uart.sink = lambda data: signal.raise_signal(signal.SIGINT)
    seen: list[int] = []
    before = signal.signal(signal.SIGINT, lambda number, frame: seen.append(number))
    try:
        assert machine.run(100_000).reason == "halt"
    finally:
        signal.signal(signal.SIGINT, before)
    assert len(seen) == 12
