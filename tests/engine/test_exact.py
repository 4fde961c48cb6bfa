"""The fast engine stops where it is asked to, and whatever happens there happens at the same step.

The programs are hot loops: by the time something happens, they run as translations.
"""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from itertools import count
from typing import Any

import pytest

from kit import Machine
from kit.devices.device import Device
from kit.devices.disk_image import SECTOR, DiskImage
from kit.engine import translations, translator
from kit.isa.assembler import assemble
from tests.devices.test_virtio_block import DATA, IN, NEXT, NOTIFY, WRITE, Driver
from tests.engine.twins import Twins

RAM = 0x8000_0000
MTIMECMP = 0x200_4000

LOOP = """
        la s2, numbers
        la t0, handler
        csrw mtvec, t0
        li t0, 0x80             # the timer's interrupt
        csrw mie, t0
        csrsi mstatus, 8
    loop:                       # 16 steps a turn, or 13
        addi s0, s0, 1
        andi t1, s0, 63
        slli t1, t1, 2
        add t1, t1, s2
        lw t2, 0(t1)
        add t2, t2, s0
    stored:
        sw t2, 0(t1)
        andi t3, s0, 3
        beqz t3, 1f
        mul t4, t2, s0
        xor s1, s1, t4
        jal t5, twist
    1:  c.addi s3, 1
        j loop
    twist:
        c.add s4, s3
        c.jr t5
        .align 2
    handler:
        c.addi s5, 1
        li t0, 0x2004000
        li t6, -1
        sw t6, 4(t0)
        mret
        .org 0x1000
    numbers:
"""
TURN = 16


def hot(program: str = LOOP, steps: int = 2000, **settings: object) -> Twins:
    """Twins that run a program, which has been translated meanwhile."""
    twins = Twins(assemble(program), **settings)  # type: ignore[arg-type]
    twins.run(steps)
    assert twins.meter.translations
    return twins


def set_timer(machine: Machine, moment: int) -> None:
    machine.bus.write(MTIMECMP, 4, moment & 0xFFFF_FFFF)
    machine.bus.write(MTIMECMP + 4, 4, moment >> 32)
    machine.board.advance()


def listen(machine: Machine) -> list[tuple[int, int, int]]:
    """A list that grows with each trap: cause, step, and where it is taken."""
    log: list[tuple[int, int, int]] = []
    hart = machine.hart
    machine.on_trap = lambda cause: log.append((cause, hart.mtime, hart.mepc))
    return log


@pytest.fixture
def _control_c() -> Iterator[None]:
    """Python's own handler, also where the tests run in a shell's background."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


# -- where it stops --------------------------------------------------------------------------


def test_a_hot_loop_runs_within_translations() -> None:
    twins = hot(steps=20_000)
    assert twins.meter.steps > 19_000


@pytest.mark.parametrize("threshold", [2, 40])
def test_a_budget_ends_at_every_step_of_a_hot_loop(threshold: int) -> None:
    twins = hot(threshold=threshold)
    for budget in range(1, 5 * TURN):
        assert twins.run(budget).steps == budget
    for _ in range(3 * TURN):
        twins.run(1)
    twins.compare_storage()


def test_an_interrupt_comes_at_every_step_of_a_hot_loop() -> None:
    twins = hot()
    logs = [listen(machine) for machine in twins.machines]
    for distance in range(1, 4 * TURN):
        moment = twins.reference.hart.mtime + 100 + distance
        twins.both(lambda machine, moment=moment: set_timer(machine, moment))  # type: ignore[misc]
        twins.run(307)
        assert logs[0] == logs[1]
        assert logs[0][-1][:2] == (1 << 31 | 7, moment + 1)
    assert len({place for _, _, place in logs[0]}) == TURN


def test_an_interrupt_without_a_listener_comes_at_the_same_step() -> None:
    twins = hot()
    for distance in range(1, 2 * TURN):
        moment = twins.reference.hart.mtime + 100 + distance
        twins.both(lambda machine, moment=moment: set_timer(machine, moment))  # type: ignore[misc]
        twins.run(100 + distance + 1)
        assert twins.fast.hart.mcause == 1 << 31 | 7
        twins.run(200)


def test_a_breakpoint_in_a_hot_loop_is_met_in_each_turn_until_it_is_taken_away() -> None:
    twins = hot()
    place = twins.fast.symbols["stored"]
    twins.both(lambda machine: machine.breakpoints.add(place))
    for _ in range(5):
        stop = twins.run(1000)
        assert (stop.reason, stop.pc) == ("breakpoint", place)
    twins.both(lambda machine: machine.breakpoints.clear())
    assert twins.run(1000).reason == "budget"


def test_stores_of_a_hot_loop_are_seen_as_soon_as_they_are_watched() -> None:
    twins = hot()
    logs: list[list[tuple[int, int, int]]] = [[], []]
    for machine, log in zip(twins.machines, logs, strict=True):
        bus, hart = machine.bus, machine.hart
        bus.watch = lambda at, size, log=log, hart=hart: log.append((at, size, hart.mtime))  # type: ignore[misc]
    twins.run(500)
    assert logs[0] == logs[1]
    assert len(logs[0]) > 25
    twins.both(lambda machine: setattr(machine.bus, "watch", None))
    twins.run(500)
    twins.compare_storage()


def test_device_accesses_in_a_hot_loop_are_made_at_their_steps() -> None:
    twins = hot("""
            li s0, 0x10000000
            li s1, 0x200bff8
        1:  addi a0, a0, 1
            lbu t0, 5(s0)
            andi t0, t0, 0x20
            beqz t0, 1b
            lw t1, 0(s1)        # mtime
            add s2, s2, t1
            andi t2, a0, 15
            addi t2, t2, 'a'
            sb t2, 0(s0)
            j 1b
    """)
    for budget in (1, 2, 3, 5, 7, 11, 1000):
        twins.run(budget)
    twins.compare_storage()
    assert twins.reference.uart.text == twins.fast.uart.text != ""


class Eager(Device):
    """A device that writes over storage at once: instructions, or entries of page tables."""

    name = "eager"
    places: tuple[int, ...] = ()

    def read(self, offset: int, size: int) -> int:
        for place in self.places:
            self.host.write_bytes(place, offset.to_bytes(4, "little"))
        return 0x87

    def write(self, offset: int, size: int, value: int) -> None:
        self.read(value & 0xFFF, size)

    def accepts(self, offset: int, size: int) -> bool:
        return True


@pytest.mark.parametrize(
    "access", ["lb a5, 0x13(t0)", "sb s2, 0(t0)", "lw a5, 0(t0)", "sw s2, 4(t0)"]
)
@pytest.mark.parametrize("changed", ["code", "table"])
def test_what_a_device_changes_does_not_change_the_access_under_way(
    access: str, changed: str
) -> None:
    twins = Twins(
        assemble(f"""
                la t0, handler
                csrw mtvec, t0
                li t0, 0x80080010
                csrw satp, t0
                li t0, 1 << 17 | 1 << 11
                csrw mstatus, t0
                li t0, 0x400000
                li s2, 0x13
                li s0, 60
        1:      addi s0, s0, -1
                bnez s0, 1b
        here:   {access}
                addi s5, s5, 1
        2:      j 2b
                .align 2
        handler:
                addi s6, s6, 1
                j handler
                .org 0x10000
                .word 0, 0x80011000 >> 2 | 1
                .org 0x11000
                .word 0x50000000 >> 2 | 0xc7
        """)
    )
    twins.both(lambda machine: machine.set_register("pmpaddr0", 0xFFFF_FFFF))
    twins.both(lambda machine: machine.set_register("pmpcfg0", 0x1F))
    for machine in twins.machines:
        device = Eager()
        device.places = (machine.symbols["here"] if changed == "code" else RAM + 0x11000,)
        machine.bus.attach(device, 0x5000_0000)
        device.host = machine.board
    twins.run(500)
    twins.compare_storage()
    assert (twins.fast.register("s5"), twins.fast.register("s6")) == (1, 0)


def test_time_and_counters_read_in_a_hot_loop_are_exact() -> None:
    twins = hot("""
        1:  andi t3, s0, 7
        2:  addi t3, t3, -1
            bgtz t3, 2b
            csrr t0, cycle
            csrr t1, time
            csrr t2, instret
            add s0, s0, t0
            add s0, s0, t1
            add s0, s0, t2
            csrwi mcountinhibit, 5
            csrwi mcountinhibit, 0
            j 1b
    """)
    twins.run(3001)


def test_a_trap_in_each_turn_of_a_hot_loop_is_taken_where_it_belongs() -> None:
    twins = hot("""
            la t0, handler
            csrw mtvec, t0
            la s2, data
        1:  addi s0, s0, 1
            andi t1, s0, 3
            add t1, t1, s2
            lh s3, 1(t1)        # misaligned in every second turn
            add s4, s4, s3
            ecall
            j 1b
        handler:
            csrr t0, mcause
            add s5, s5, t0
            csrr t0, mepc
            addi t0, t0, 4
            csrw mepc, t0
            mret
        data: .word 0x12345678, 0x9abcdef0
    """)
    logs = [listen(machine) for machine in twins.machines]
    twins.run(3000)
    assert logs[0] == logs[1]
    assert {cause for cause, _, _ in logs[0]} == {4, 11}


def test_jumps_and_branches_to_the_next_instruction_are_steps_like_others() -> None:
    twins = hot("""
        1:  addi s0, s0, 1
            andi t0, s0, 1
            beq t0, zero, . + 4
            bne t0, zero, . + 4
            jal t1, . + 4
            add s1, s1, t1
            c.beqz s0, . + 2
            c.j . + 2
            c.jal . + 2
            add s1, s1, ra
            j 1b
    """)
    for budget in (*range(1, 30), 1000):
        twins.run(budget)
    assert twins.meter.steps > 1000


def test_a_region_may_have_more_branches_in_a_row_than_python_has_calls() -> None:
    """Each block lies within the one before it; a guest must not exhaust the host's stack."""
    branches = "bne s0, s1, over\n" * 380
    twins = hot(f"loop: addi s0, s0, 1\nmv s1, s0\n{branches}j loop\nover: j over", 5000)
    assert twins.meter.steps > 3000


@pytest.mark.parametrize("length", [401, 1001])
def test_a_loop_longer_than_a_region_takes_few_regions(length: int) -> None:
    twins = hot("loop: " + "addi s0, s0, 1\n" * (length - 1) + "j loop", 20 * length)
    before = twins.meter.steps
    twins.run(20 * length)
    assert twins.meter.translations == -(-length // 400)
    assert twins.meter.steps - before > 18 * length


def test_a_breakpoint_where_pc_cannot_be_is_never_met() -> None:
    twins = hot()
    twins.both(lambda machine: machine.breakpoints.update((-4, 1 << 32, machine.hart.pc + 1)))
    assert twins.run(1000).reason == "budget"


def test_what_a_guest_makes_an_engine_remember_has_bounds(monkeypatch: pytest.MonkeyPatch) -> None:
    """Code beyond them runs in the core."""
    monkeypatch.setattr(translations, "MOST", 60)
    monkeypatch.setattr(translator, "REMEMBERED", 8)
    loops = "".join(f"{n}: addi s{n}, s{n}, 1\nbltu s{n}, s0, {n}b\n" for n in range(1, 10))
    twins = hot(f"li s0, 20\n{loops}" + "nop\n" * 30 + loops.replace("s0", "t0") + "1: j 1b", 500)
    twins.compare_storage()
    engine: Any = twins.fast.engine
    assert twins.meter.translations < 6
    assert len(engine._translations._translate._flows) <= 8


@pytest.mark.parametrize(
    ("address", "config"),
    [(0x4420 >> 2, 0x90), (0x4420 >> 2 | 3, 0x98), (0x4440 >> 2, 0x88), (0x4420 >> 2 | 3, 0x18)],
    ids=["NA4", "NAPOT", "TOR", "unlocked"],
)
def test_a_region_of_pmp_within_a_page_is_seen_by_a_hot_loop(address: int, config: int) -> None:
    """It touches neither end of the page, nor of the RAM; M-mode is bound by what is locked."""
    twins = hot(f"""
            la t0, handler
            csrw mtvec, t0
            la s2, data
            li t0, {(RAM + 0x4420) >> 2}
            csrw pmpaddr0, t0
            li t0, {(RAM >> 2) + address}
            csrw pmpaddr1, t0
        1:  addi s0, s0, 4
            andi t1, s0, 0x7c
            add t1, t1, s2
            lw t2, 0x400(t1)
            add t2, t2, s0
            sw t2, 0x400(t1)
            li t0, 1000
            blt s0, t0, 1b
            li t0, {config << 8}
            csrw pmpcfg0, t0
            j 1b
            .align 2
        handler:
            csrr t0, mtval
            add s5, s5, t0
            csrr t0, mepc
            addi t0, t0, 4
            csrw mepc, t0
            mret
            .org 0x4000
        data:
    """)
    logs = [listen(machine) for machine in twins.machines]
    twins.run(5000)
    assert logs[0] == logs[1]
    assert {cause for cause, _, _ in logs[0]} == ({5, 7} if config & 0x80 else set())
    twins.compare_storage()


@pytest.mark.parametrize("size", [0x4000, 0x5000, 0x11000])
def test_accesses_about_the_end_of_the_ram_trap_where_it_ends(size: int) -> None:
    twins = hot(
        f"""
            la t0, handler
            csrw mtvec, t0
            li s1, {RAM + size - 8}
        1:  add s3, s1, s2
            lb t0, 0(s3)
            lh t1, 0(s3)
            lw t2, 0(s3)
            sb s2, 0(s3)
            sh s2, 0(s3)
            sw s2, 0(s3)
            addi s2, s2, 1
            andi s2, s2, 15
            j 1b
            .align 2
        handler:
            csrr t6, mepc
            addi t6, t6, 4
            csrw mepc, t6
            mret
        """,
        memory=size,
    )
    logs = [listen(machine) for machine in twins.machines]
    twins.run(3000)
    assert logs[0] == logs[1]
    assert {cause for cause, _, _ in logs[0]} == {4, 5, 6, 7}
    twins.compare_storage()


# -- what listeners do -----------------------------------------------------------------------

CALLS = """
        la t0, handler
        csrw mtvec, t0
    1:  addi s1, s1, 1
        ecall
        addi s0, s0, -1
        j 1b
    handler:
        csrr t1, mepc
        addi t1, t1, 4
        csrw mepc, t1
    back:
        mret
"""


def at_trap(number: int, act: Callable[[Machine], object]) -> Callable[[Machine], None]:
    """Makes a machine do something when its listener hears of a trap for the `number`th time."""

    def listen(machine: Machine) -> None:
        calls = count(1)
        machine.on_trap = lambda cause: act(machine) if next(calls) == number else None  # type: ignore[assignment, func-returns-value]

    return listen


def test_a_breakpoint_that_a_listener_sets_holds_at_once() -> None:
    twins = hot(CALLS)
    place = twins.fast.symbols["back"]
    twins.both(at_trap(10, lambda machine: machine.breakpoints.add(place)))
    assert twins.run(3000).reason == "breakpoint"


def test_a_watch_that_a_listener_sets_holds_at_once() -> None:
    twins = hot(CALLS.replace("mret", "sw t1, 0x100(t0)\nmret"))
    logs: list[list[int]] = [[], []]

    def watch(machine: Machine) -> None:
        log = logs[twins.machines.index(machine)]
        machine.bus.watch = lambda address, size: log.append(machine.hart.mtime)

    twins.both(at_trap(10, watch))
    twins.run(1000)
    assert logs[0] == logs[1] != []


def test_a_listener_that_another_one_puts_in_its_place_hears_of_every_trap() -> None:
    """A monitor hears only of traps into M-mode; what it sets up may want to hear of all."""
    twins = hot("""
            la t0, machine
            csrw mtvec, t0
            la t0, supervisor
            csrw stvec, t0
            li t0, 0x100        # calls from U-mode
            csrw medeleg, t0
            li t0, -1
            csrw pmpaddr0, t0
            csrwi pmpcfg0, 0x1f
            la t0, user
            csrw mepc, t0
            mret
        user:
            addi s0, s0, 1
            ecall
            j user
        supervisor:
            csrr t0, sepc
            addi t0, t0, 4
            csrw sepc, t0
            andi t1, s0, 31
            bnez t1, 1f
            ecall
        1:  sret
        machine:
            csrr t0, mepc
            addi t0, t0, 4
            csrw mepc, t0
            mret
    """)
    logs: list[list[int]] = [[], []]

    def monitor(machine: Machine, cause: int) -> bool:
        machine.on_trap = logs[twins.machines.index(machine)].append
        return False

    twins.both(lambda machine: setattr(machine, "monitor", lambda cause: monitor(machine, cause)))
    twins.run(3000)
    assert logs[0] == logs[1]
    assert {8, 9} <= set(logs[0])


def test_a_monitor_ends_a_run_at_a_trap_that_only_python_can_take() -> None:
    """Whether anything answers at an address is for the bus to say."""
    twins = hot("li t0, 0x40000000\nli s1, 50\n1: addi s1, s1, -1\nbnez s1, 1b\nlw t1, 0(t0)", 60)
    twins.both(lambda machine: setattr(machine, "monitor", lambda cause: True))
    stop = twins.run(1000)
    assert (stop.reason, twins.fast.hart.mcause) == ("stopped", 5)


@pytest.mark.parametrize("who", ["on_trap", "monitor"])
def test_what_a_listener_raises_leaves_the_steps_counted(who: str) -> None:
    twins = hot(CALLS)

    def fail(machine: Machine) -> None:
        raise LookupError

    for machine in twins.machines:
        at_trap(50, fail)(machine)
        if who == "monitor":
            listener, machine.on_trap = machine.on_trap, None
            assert listener is not None
            machine.monitor = lambda cause, listener=listener: bool(listener(cause))  # type: ignore[misc, func-returns-value]
        with pytest.raises(LookupError):
            machine.run(3000)
        assert machine.steps == machine.hart.mtime
    twins.compare()
    twins.run(500)


@pytest.mark.usefixtures("_control_c")
def test_control_c_leaves_the_steps_counted() -> None:
    twins = hot(CALLS)
    twins.both(at_trap(50, lambda machine: signal.raise_signal(signal.SIGINT)))
    for machine in twins.machines:
        with pytest.raises(KeyboardInterrupt):
            machine.run(100_000)
        assert machine.steps == machine.hart.mtime
    twins.compare()
    twins.run(500)


@pytest.mark.usefixtures("_control_c")
def test_control_c_ends_a_loop_that_never_leaves_a_translation() -> None:
    twins = hot("1: addi s0, s0, 1\nj 1b")
    timer = threading.Timer(0.2, signal.raise_signal, [signal.SIGINT])
    timer.start()
    with pytest.raises(KeyboardInterrupt):
        twins.fast.run(1 << 35)
    timer.join()
    assert twins.fast.steps == twins.fast.hart.mtime < 1 << 34
    twins.fast.run(100)
    assert twins.fast.register("s0") == (twins.fast.steps + 1) // 2 & 0xFFFF_FFFF


def test_an_event_is_not_missed_where_a_listener_raises_at_the_same_step() -> None:
    twins = hot(CALLS)
    due = 0
    for ahead in range(1, 12):
        moment = twins.reference.hart.mtime + ahead
        for machine in twins.machines:
            set_timer(machine, moment)
            at_trap(1, lambda machine: 1 // 0)(machine)
            with pytest.raises(ZeroDivisionError):
                machine.run(200)
            assert bool(machine.hart.wires & 0x80) == (machine.hart.mtime >= moment)
        due += twins.fast.hart.mtime == moment
        twins.compare()
    assert due


# -- code that is written over ---------------------------------------------------------------


def test_a_store_into_the_running_loop_takes_effect_at_the_next_instruction() -> None:
    twins = hot("""
            la s2, patched
            lw s3, 0(s2)
            li s4, 1 << 20
        1:  addi s0, s0, 1
            add s3, s3, s4      # the next immediate
            sw s3, 0(s2)
        patched:
            addi s1, s1, 1
            j 1b
    """)
    twins.run(3000)
    twins.compare_storage()


@pytest.mark.parametrize("first", ["stores", "code"])
def test_code_and_data_of_one_page_are_told_apart_whichever_came_first(first: str) -> None:
    """A loop stores to a word in the page of another one, and at last over its code."""
    store, run = "call store_loop", "call page_loop"
    twins = hot(
        f"""
        again:
            la s2, data
            {store if first == "stores" else run}
            {run if first == "stores" else store}
            la s2, patched
            lw s3, 0(s2)
            li t0, 1 << 20
            add s3, s3, t0
            call store_loop
            call page_loop
            j again
        store_loop:
            li t1, 20
        1:  sw s3, 0(s2)
            addi t1, t1, -1
            bnez t1, 1b
            ret
            .org 0x1000
        page_loop:
            li t1, 20
        patched:
            addi s1, s1, 0
            addi t1, t1, -1
            bnez t1, patched
            ret
            .org 0x1800
        data:
            .word 0
        """,
        60,
    )
    for _ in range(20):
        twins.run(200)
    twins.compare_storage()
    assert twins.meter.steps > 1000


def test_the_second_half_of_an_instruction_that_reaches_into_the_next_page_may_change() -> None:
    """Nothing else of the translation lies on that page: the next instruction is not in it."""
    twins = hot("""
            la s2, crossing + 2
            lhu s3, 0(s2)
            j loop
            .org 0xfea
        loop:
            addi s0, s0, 1
            andi t0, s0, 15
            bnez t0, crossing
            sh s3, 0(s2)
            addi s3, s3, 16     # the next immediate
        crossing:
            addi s5, s5, 1      # at 0xffe
            csrr t0, mscratch
            j loop
    """)
    twins.run(2000)


def test_data_right_behind_code_that_ends_a_page_is_not_taken_for_code() -> None:
    twins = hot("""
            la s2, data
            j loop
            .org 0xff2
        loop:
            addi s0, s0, 1
            sw s0, 0(s2)
            add s1, s1, s0
            c.j loop            # at 0xffe
        data:
    """)
    made = twins.meter.translations
    twins.run(20_000)
    assert twins.meter.translations == made
    twins.compare_storage()


def test_code_may_end_with_the_ram() -> None:
    twins = Twins(assemble("li t0, -(1 << 31) + 256 * 1024 - 10\njr t0"))
    end = assemble("1: addi s0, s0, 1\naddi s1, s1, 2\nc.j 1b").sections[0].data
    twins.both(lambda machine: machine.write_memory(RAM + machine.memory - len(end), end))
    twins.run(1000)
    assert twins.meter.steps > 900


HANDLED = """
        la t0, handler
        csrw mtvec, t0
        li t0, -1
        csrw pmpaddr0, t0
        csrwi pmpcfg0, 0x1f
        la t0, root
        srli t0, t0, 12
        li t1, 1 << 31
        or t0, t0, t1
        csrw satp, t0
        li t0, 1 << 11 | 1 << 18    # S-mode, which may touch user pages
        csrw mstatus, t0
        la t0, start
        csrw mepc, t0
        mret
    handler:
        j handler
"""


def test_a_walk_may_write_over_the_loop_that_it_is_made_for() -> None:
    """A page-table entry is an instruction of the loop: setting its A bit makes it illegal."""
    twins = hot(
        HANDLED
        + """
            .org 0x2000
        leaf:
            .org 0x2020
        start:
            li s0, 200
            li s2, 3
            li s3, 0x400000 + 16 * 0x1000
        loop:
            addi s0, s0, -1
            addi s1, s1, 1
            beq s0, s2, touch
        behind:
            addi s4, s4, 1
        entry:                          # the 16th: user, readable; or addi s8, x0, 512
            .word (0x80003000 >> 2) | 0x13
            bnez s0, loop
            j .
        touch:
            lw s5, 0(s3)
            j behind
            .org 0x4000
        root:
            .word 0
            .word (0x80002000 >> 2) | 1
            .org 0x4800
            .word (0x80000000 >> 2) | 0xcf
    """,
        400,
    )
    assert twins.fast.symbols["entry"] == twins.fast.symbols["leaf"] + 4 * 16
    twins.run(3000)
    assert (twins.fast.hart.mcause, twins.fast.hart.mepc) == (2, twins.fast.symbols["entry"])
    twins.compare_storage()


@pytest.mark.parametrize("size", [1, 2, 4])
def test_what_a_debugger_writes_into_a_hot_loop_is_executed(size: int) -> None:
    twins = hot()
    place = twins.fast.symbols["loop"]
    old = int.from_bytes(twins.fast.read_memory(place, 4), "little")
    for immediate in (2, 3, 5):
        data = (old & 0xFFFFF | immediate << 20).to_bytes(4, "little")
        at = 4 - size
        twins.both(lambda m, at=at, data=data: m.write_memory(place + at, data[at:]))  # type: ignore[misc]
        before = twins.fast.register("s3")
        twins.run(300)
        assert twins.fast.register("s3") != before


def test_what_a_disk_puts_over_a_hot_loop_is_executed() -> None:
    """The loop tells the disk, and goes on until the data have come."""
    code = assemble("1: addi s3, s3, 7\nj 1b\n").sections[0].data
    disk = DiskImage(code.ljust(SECTOR, b"\0"))
    twins = Twins(assemble("j ."), disk=disk)
    queue = assemble("1: addi s0, s0, 1\nandi t0, s0, 255\nbnez t0, 1b\nsw x0, 0(s1)\nj 1b")
    place = RAM + 0x8000

    def prepare(machine: Machine) -> None:
        machine.write_memory(place, queue.sections[0].data)
        assert machine.disk is not None
        driver = Driver(machine.disk)
        chain = [(DATA - 0x800, 16, NEXT, 1), (place, SECTOR, WRITE | NEXT, 2)]
        driver.put(DATA - 0x800, "<IIQ", IN, 0, 0)
        driver.describe(*chain, (DATA - 0x700, 1, WRITE, 0))
        driver.submit()
        machine.set_register("pc", place)
        machine.set_register("s1", 0x1000_1000 + NOTIFY)

    twins.both(prepare)
    for _ in range(40):
        twins.run(97)
    twins.run(5000)
    assert twins.fast.register("s3") > 0
    twins.compare_storage()


# -- whole machines --------------------------------------------------------------------------


def test_a_state_saved_while_code_is_translated_goes_on_in_every_machine() -> None:
    twins = hot()
    states = [machine.save() for machine in twins.machines]
    assert states[0] == states[1]
    twins.run(777)
    later = twins.fast.save()
    other = hot(CALLS)
    for target in (twins, other):
        target.both(lambda machine: machine.restore(states[0]))
        target.run(777)
        assert target.fast.save() == target.reference.save() == later


def test_a_reset_starts_the_loaded_program_again() -> None:
    twins = hot()
    place = twins.fast.symbols["loop"]
    twins.both(lambda machine: machine.write_memory(place, bytes(4)))
    twins.run(100)
    twins.both(lambda machine: machine.reset())
    twins.run(1000)
    twins.compare_storage()


def test_two_machines_in_one_process_do_not_notice_each_other() -> None:
    one, other = hot(), hot(CALLS)
    for budget in (3, 100, 1, 50, 700):
        one.run(budget)
        other.run(budget)
    one.compare_storage()
    other.compare_storage()
