"""All stages of the multiprogramming kernel: bare, in a virtual machine, and on QEMU."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.guests.multi import STAGES, console, disk, kernel, own, started, virtual
from tests.guests.qemu import qemu

RUNS = [
    ("09", "", ""),
    ("09", "count wait intruder privileged", ""),
    ("10", "", ""),
    ("10", "policy=priority", ""),
    ("11", "", ""),
    ("11", "philosopher-0 philosopher-1 philosopher-2 philosopher-3", ""),
    ("11", "careful-0 careful-1 quantum=5000", ""),
    ("12", "", ""),
    ("12", "intruder forks victim", ""),
    ("13", "frames=4 same family", ""),
    ("13", "replace=lru frames=3 quantum=1000000 refer", ""),
    ("14", "", "ls\ncat fruit | sort | head 3\necho x >y; cat y\nfamily; orphan\nhalt\n"),
    ("14", "policy=fair", "spin &\nkill 3\nls /bin | wc\nhalt 7\n"),
]
STRESS = ("14", "policy=fair", "stress\nhalt\n")
NAMES = ("stage", "append", "typed")


def timeless(text: str) -> dict[str, list[str]]:
    """The lines of each program in their order: between programs, the order is a matter of time.

    So are numbers of ticks, and how often somebody had to wait.
    """
    text = re.sub(r"longest wait was \d+ ticks", "longest wait", text)
    text = re.sub(r"^kernel: all have ended, .*$|^[0-9]+ ticks, .*$", "", text, flags=re.M)
    text = re.sub(r"^(\w+-\d +\d+ +\d+) [ \d]+$", r"table: \1", text, flags=re.M)
    text = re.sub(r", some had to wait$", "", text, flags=re.M)
    lines = list(dict.fromkeys(text.splitlines()))
    names = dict.fromkeys(line.partition(" ")[0] for line in lines)
    return {name: [line for line in lines if line.partition(" ")[0] == name] for name in names}


@pytest.mark.parametrize(NAMES, RUNS)
def test_a_stage_prints_the_same_in_a_virtual_machine(stage: str, append: str, typed: str) -> None:
    bare = started(stage, append, typed)
    assert bare.run(400_000_000).reason == "halt"
    assert virtual(stage, append, typed) == bare.uart.text


@pytest.mark.qemu
@pytest.mark.parametrize(NAMES, [*RUNS, STRESS])
def test_a_stage_prints_the_same_on_qemu(
    stage: str, append: str, typed: str, tmp_path: Path
) -> None:
    bare = started(stage, append, typed)
    code = bare.run(400_000_000).code
    image = None
    if "disk" in STAGES[stage]:
        image = tmp_path / "disk.img"
        image.write_bytes(disk(stage))
    found = qemu(
        kernel(stage),
        memory="4M",
        append=append,
        disk=image,
        typed=typed.encode(),
        counted=7 if image is None else None,  # a disk, and who types, do so in real time
    )
    if stage == "14":
        assert found == (bare.uart.text, code)
    else:
        assert (timeless(found[0]), found[1]) == (timeless(bare.uart.text), code)


@pytest.mark.parametrize("stage", ["13", "14"])
def test_the_modern_registers_of_the_disk_make_no_difference(stage: str) -> None:
    typed = "cat fruit\nhalt\n" if stage == "14" else ""
    old, new = (
        console(stage, "same family", typed),
        console(stage, "same family", typed, legacy_virtio=False),
    )
    assert sorted(old.splitlines()) == sorted(new.splitlines())


@pytest.mark.parametrize("stage", ["12", "13", "14"])
def test_a_processor_that_leaves_it_to_the_kernel_to_note_the_use_of_pages(stage: str) -> None:
    typed = "family\nhalt\n" if stage == "14" else ""
    text = console(stage, "family", typed, ad="fault")
    assert own(text, "family:") == [
        "family: the children's codes make 69, and mine is still 1",
    ]


@pytest.mark.parametrize("stage", ["12", "13", "14"])
def test_the_reference_engine_gives_the_same(stage: str) -> None:
    """The first steps, state for state; the whole run would take minutes."""
    fast, slow = started(stage), started(stage, engine="reference")
    for machine in (fast, slow):
        machine.run(60_000)
    assert [fast.register(f"x{n}") for n in range(32)] == [
        slow.register(f"x{n}") for n in range(32)
    ]
    assert fast.read_memory(0x80000000, 0x40000) == slow.read_memory(0x80000000, 0x40000)
