"""Several virtual machines at once, under every policy."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise

import pytest

from kit import VMM, Machine
from kit.control.policies import QUANTUM, Policy, Preferred, Priority, RoundRobin, Shares, Turn
from kit.control.scheduler import Progress
from kit.errors import KitError
from tests.control.guests import CLERK, CRASHER, SLEEPER, SPINNER, TALKER, image

GUESTS = {"talker": TALKER, "crasher": CRASHER, "clerk": CLERK}
BUDGET = 12_000
POLICIES: dict[str, Callable[[], Policy]] = {
    "round robin": lambda: RoundRobin(2000),
    "round robin, short quantum": lambda: RoundRobin(37),
    "priority": lambda: Priority({"crasher": 2, "clerk": 1}, 500),
    "shares": lambda: Shares({"talker": 3, "clerk": 2}, 100),
    "preferred": lambda: Preferred("clerk", quantum=300),
    "preferred in part": lambda: Preferred("talker", 70, 100),
}


def room(guests: dict[str, str]) -> VMM:
    """A VMM with these guests, from their sources."""
    vmm = VMM(Machine(memory="2M"))
    for name, source in guests.items():
        vmm.create(name, image(source), memory="64K", modes="M")
    return vmm


def outcome(vmm: VMM, name: str) -> tuple[str, str, int, int]:
    """What a guest has left behind: console, paper, time, and steps."""
    machine = vmm.machines[name]
    return machine.uart.text, machine.printer.text, machine.hart.mtime, machine.steps


@pytest.mark.parametrize("policy", POLICIES.values(), ids=POLICIES)
def test_each_guest_does_what_it_does_alone_and_on_the_bare_machine(
    policy: Callable[[], Policy],
) -> None:
    together = room(GUESTS)
    stops = together.run(BUDGET, policy=policy())
    assert together.complaint == ""
    assert {name: stop.reason for name, stop in stops.items()} == {
        "crasher": "budget", "talker": "halt", "clerk": "halt",
    }  # fmt: skip
    for name, source in GUESTS.items():
        alone = room({name: source})
        assert alone.run(BUDGET)[name] == stops[name]
        assert outcome(alone, name) == outcome(together, name)
        bare = Machine(modes="M", memory="64K")
        bare.load(image(source))
        assert bare.run(BUDGET) == stops[name]
        assert (bare.uart.text, bare.printer.text, bare.hart.mtime, bare.steps) == outcome(
            alone, name
        )


def trace(policy: Policy, guests: dict[str, str], turns: int) -> list[tuple[str, int, int]]:
    """Whose turn it was, the steps that they have made, and the machine's time."""
    vmm = room(guests)
    scheduler = vmm.scheduler(policy)
    found = []
    for _ in range(turns):
        name = scheduler.turn()
        if name is None:
            break
        found.append((name, vmm.machines[name].steps, scheduler.clock))
    return found


@pytest.mark.parametrize("policy", POLICIES.values(), ids=POLICIES)
def test_the_same_run_is_the_same_again(policy: Callable[[], Policy]) -> None:
    guests = GUESTS | {"spinner": SPINNER}
    assert trace(policy(), guests, 40) == trace(policy(), guests, 40)


def made(policy: Policy, guests: Sequence[str], turns: int) -> dict[str, int]:
    """How many steps each of some spinners makes in so many turns."""
    vmm = room(dict.fromkeys(guests, SPINNER))
    scheduler = vmm.scheduler(policy)
    for _ in range(turns):
        scheduler.turn()
    return {name: machine.steps for name, machine in vmm.machines.items()}


def test_round_robin_gives_each_the_same() -> None:
    assert made(RoundRobin(100), "abc", 30) == {"a": 1000, "b": 1000, "c": 1000}


def test_shares_give_the_proportion_to_within_a_quantum() -> None:
    shares = {"a": 5, "b": 3, "c": 1}
    steps = made(Shares(shares, 50), "abcd", 200)  # d has no share of its own, so 1
    assert sum(steps.values()) == 200 * 50
    for name in "abcd":
        assert abs(steps[name] - 10_000 * shares.get(name, 1) / 10) <= 50


def test_who_waits_saves_up_no_share() -> None:
    shares = Shares({"waits": 1, "runs": 1}, 10)
    for _ in range(100):
        turn = shares.choose(["runs"])
        shares.ran(turn.name, 10)
    chosen = []
    for _ in range(10):
        turn = shares.choose(["waits", "runs"])
        shares.ran(turn.name, 10)
        chosen.append(turn.name)
    assert abs(chosen.count("waits") - chosen.count("runs")) <= 2


def test_a_higher_priority_starves_a_lower_one_until_it_waits() -> None:
    levels = {"high": 2, "alike": 2, "low": 1}
    assert made(Priority(levels, 100), ["low", "high", "alike", "none"], 10) == {
        "low": 0, "high": 500, "alike": 500, "none": 0,
    }  # fmt: skip
    vmm = room({"low": SPINNER, "high": CLERK})
    scheduler = vmm.scheduler(Priority({"high": 1}, 1000))
    turns = [scheduler.turn() for _ in range(5)]
    assert turns[0] == "high"
    assert turns[1:] == ["low"] * 4


def test_the_preferred_one_gets_its_percentage() -> None:
    assert made(Preferred("a", 60, 100), "abc", 100) == {"a": 6000, "b": 2000, "c": 2000}
    assert made(Preferred("a", 100, 100), "abc", 10) == {"a": 1000, "b": 0, "c": 0}


def test_a_waiting_virtual_machine_costs_nothing_and_comes_back_at_its_time() -> None:
    found = trace(RoundRobin(100), {"clerk": CLERK, "spinner": SPINNER}, 260)
    clerk = [(clock, steps) for name, steps, clock in found if name == "clerk"]
    assert len(clerk) == 5  # not asked again while it waits
    for (_, steps), (clock, after) in pairwise(clerk):
        assert after - steps < 40
        assert clock >= 5000
    gaps = [later - earlier for (earlier, _), (later, _) in pairwise(clerk)]
    assert all(4900 <= gap < 5200 for gap in gaps), gaps


def test_a_run_that_ends_where_the_machine_would_wait_changes_nothing() -> None:
    whole, parts = Machine(modes="M", memory="64K"), Machine(modes="M", memory="64K")
    for machine in (whole, parts):
        machine.load(image(CLERK))
    whole.run()
    times = []
    while (stop := parts.run(until=parts.hart.mtime)).reason == "waiting":
        event = parts.wakes_at()
        assert event is not None
        times.append(event)
        parts.wake(event)
    assert stop.reason == "halt"
    assert len(times) == 8  # the printer and the timer, for each line
    assert parts.save() == whole.save()


def test_time_passes_with_what_the_devices_do_then() -> None:
    machine = Machine(modes="M", memory="64K")
    machine.load(image(CLERK))
    machine.run(until=100)
    machine.pass_time(1000)
    assert machine.hart.mtime == 1000
    assert machine.printer.flags == 2  # done, 200 ticks after the command
    machine.pass_time(500)
    assert machine.hart.mtime == 1000


def test_the_machine_waits_when_everybody_waits() -> None:
    vmm = room({"one": CLERK, "two": CLERK})
    vmm.run()
    steps = sum(machine.steps for machine in vmm.machines.values())
    assert vmm.machine.steps < 10 * steps
    assert vmm.machine.hart.mtime >= vmm.machines["one"].hart.mtime > 20_000


def test_a_clock_that_is_ahead_does_not_make_its_guest_wait_longer() -> None:
    vmm = room({"clerk": CLERK, "spinner": SPINNER})
    vmm.machines["clerk"].hart.mtime = 1 << 31
    scheduler = vmm.scheduler(RoundRobin(100))
    while not scheduler.account("clerk").ended:
        assert scheduler.turn()
    assert scheduler.clock < 25_000
    assert vmm.machines["clerk"].printer.text == "4\n3\n2\n1\n"


def test_waiting_for_ever_ends_a_run_and_nobody_elses() -> None:
    vmm = room({"sleeper": SLEEPER, "talker": TALKER})
    stops = vmm.run()
    assert (stops["sleeper"].reason, stops["talker"].reason) == ("idle", "halt")
    assert stops["sleeper"].steps < 10


def test_who_has_waited_for_ever_goes_on_when_something_comes() -> None:
    vmm = room({"sleeper": SLEEPER})
    scheduler = vmm.scheduler()
    while scheduler.turn():
        pass
    machine = vmm.machines["sleeper"]
    machine.set_register("mie", 1 << 3)
    machine.set_register("mip", 1 << 3)
    machine.bus.write(0x2000000, 4, 1)
    machine.board.refresh()
    assert scheduler.turn() == "sleeper"


def test_progress_is_told_after_each_turn() -> None:
    seen: list[Progress] = []
    room({"a": SPINNER, "b": SPINNER}).run(300, policy=RoundRobin(100), progress=seen.append)
    assert [sum(one.steps.values()) for one in seen] == [100, 200, 300, 400, 500, 600]
    assert seen[-1].clock >= 600


class Wrong(RoundRobin):
    """Makes one mistake, in the third turn."""

    def __init__(self, mistake: object) -> None:
        super().__init__(100)
        self.mistake = mistake
        self.asked = 0

    def choose(self, ready: Sequence[str]) -> Turn:
        self.asked += 1
        if self.asked == 3:
            if isinstance(self.mistake, Exception):
                raise self.mistake
            return self.mistake  # type: ignore[return-value]
        return super().choose(ready)


@pytest.mark.parametrize(
    ("mistake", "said"),
    [
        (Turn("nobody", 100), "it chose 'nobody' for 100 steps"),
        (Turn("talker", None), "it chose 'talker' for None steps"),  # type: ignore[arg-type]
        (None, "AttributeError"),
        (ValueError("out of luck"), "ValueError: out of luck"),
    ],
)
def test_a_policy_that_fails_is_replaced_and_says_why(mistake: object, said: str) -> None:
    vmm = room(GUESTS)
    stops = vmm.run(BUDGET, policy=Wrong(mistake))
    assert said in vmm.complaint
    assert sorted(stop.reason for stop in stops.values()) == ["budget", "halt", "halt"]


def test_a_turn_of_no_steps_halts_only_whom_it_was_for() -> None:
    vmm = room(GUESTS)
    stops = vmm.run(BUDGET, policy=Wrong(Turn("talker", 0)))
    assert stops["talker"].reason == "stopped"
    assert vmm.machines["talker"].failure == "the policy gave it a turn of 0 steps"
    assert vmm.machines["clerk"].printer.text == "4\n3\n2\n1\n"


def test_a_device_that_fails_halts_its_own_machine_only() -> None:
    def broken(line: str) -> None:
        raise OSError("no space left")

    vmm = room({"talker": TALKER})
    vmm.create("clerk", image(CLERK), memory="64K", modes="M", paper=broken)
    stops = vmm.run()
    assert (stops["talker"].reason, stops["clerk"].reason) == ("halt", "stopped")
    assert vmm.machines["clerk"].failure == "no space left"


def test_a_reader_of_the_output_that_has_gone_is_no_machines_failure() -> None:
    def gone(line: str) -> None:
        raise BrokenPipeError

    vmm = room({})
    vmm.create("clerk", image(CLERK), memory="64K", modes="M", paper=gone)
    with pytest.raises(BrokenPipeError):
        vmm.run()
    assert vmm.machines["clerk"].failure == ""


@pytest.mark.parametrize(
    "make",
    [
        lambda: RoundRobin(0),
        lambda: Priority({}, -1),
        lambda: Shares({"a": 0}),
        lambda: Preferred("a", 101),
    ],
)
def test_settings_that_make_no_sense_are_refused(make: Callable[[], Policy]) -> None:
    with pytest.raises(KitError, match="expected 1"):
        make()


def test_the_quantum_of_run_is_that_of_round_robin() -> None:
    vmm = room({"a": SPINNER, "b": SPINNER})
    vmm.run(QUANTUM // 5, quantum=QUANTUM // 10)
    assert vmm.machines["a"].counts["switch"] == 2
