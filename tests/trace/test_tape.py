"""Recordings replay the same run, on either engine, bare and virtual."""

from __future__ import annotations

import json
import zlib
from pathlib import Path

import pytest

from kit import VMM, Machine, assemble
from kit.cli import main
from kit.devices.disk_image import DiskImage
from kit.errors import KitError
from kit.trace.history import History
from kit.trace.snapshot import take_picture
from kit.trace.tape import Tape, record_to
from tests.control.guests import TALKER
from tests.trace.programs import CALLS, ECHO


def recorded(path: Path, engine: str = "wasm") -> Machine:
    """A run whose end depends on the very steps at which keys came."""
    machine = Machine(memory="256K", engine=engine)
    machine.load(assemble(ECHO))
    history = History(machine)
    for count, keys in ((777, b"a"), (1, b"bc"), (5_003, b"d")):
        machine.run(count)
        machine.uart.feed(keys)
    machine.run(1_000)
    machine.set_register("s0", 5)
    machine.write_memory(machine.symbols["count"], b"\x01\x02")
    machine.run(1_000)
    record_to(path, history)
    return machine


@pytest.mark.parametrize("engine", ["wasm", "reference"])
@pytest.mark.parametrize("vm", [False, True], ids=["bare", "vm"])
def test_a_recording_comes_to_the_same_state(tmp_path: Path, engine: str, vm: bool) -> None:
    path = tmp_path / "run.tape"
    machine = recorded(path)
    assert path.stat().st_size < 10_000
    history = Tape.load(path).replay(engine, vm)
    again = history.computers[""]
    assert take_picture(again).digest() == take_picture(machine).digest()
    assert again.uart.text == machine.uart.text == "abcd"


def test_ten_replays_of_a_run_that_depends_on_one_interrupts_place_are_alike(
    tmp_path: Path,
) -> None:
    path = tmp_path / "run.tape"
    machine = recorded(path)
    wanted = machine.read_memory(machine.symbols["keys"], 4)
    tape = Tape.load(path)
    found = {
        history.computers[""].read_memory(machine.symbols["keys"], 4)
        for history in (tape.replay() for _ in range(10))
    }
    assert found == {wanted}
    # The very same run, but for one interrupt that comes some steps earlier, ends otherwise.
    tape.log[0].steps -= 40  # type: ignore[union-attr]
    with pytest.raises(KitError, match="another state"):
        tape.replay()


def test_several_machines_and_their_turns_are_recorded(tmp_path: Path) -> None:
    vmm = VMM(Machine(memory="4M"))
    for name in ("one", "two"):
        vmm.create(name, assemble(CALLS), memory="256K")
    history = History(vmm)
    vmm.run(3_000, quantum=500)
    vmm.machines["two"].uart.feed(b"x")
    record_to(tmp_path / "room.tape", history)
    again = Tape.load(tmp_path / "room.tape").replay("reference")
    assert [c.steps for c in again.computers.values()] == [3_000, 3_000]


def test_damaged_recordings_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "run.tape"
    recorded(path)
    data = path.read_bytes()
    for wrong, said in (
        (b"", "no recording"),
        (b"something else", "no recording"),
        (data.replace(b" 2\n", b" 9\n", 1), "another version"),
        (data[:-1], "not all of it"),
        (data[:60] + bytes([data[60] ^ 1]) + data[61:], "damaged"),
    ):
        path.write_bytes(wrong)
        with pytest.raises(KitError, match=said):
            Tape.load(path)
    with pytest.raises(KitError, match="cannot read"):
        Tape.load(tmp_path / "nothing")


@pytest.mark.parametrize(
    ("where", "value"),
    [
        (["machines", "", "disk"], [1 << 40, False]),
        (["machines", "", "memory"], -1),
        (["machines", "", "isa"], None),
        (["lines", ""], 5),
        (["log", 0, 1], 1 << 70),
        (["log", 0, 0], "nobody"),
        (["end"], []),
        (["answers"], {}),
    ],
)
def test_a_whole_recording_that_makes_no_sense_is_refused(
    tmp_path: Path, where: list[str | int], value: object
) -> None:
    path = tmp_path / "run.tape"
    recorded(path)
    header, packed = path.read_bytes()[:24], path.read_bytes()[24:]
    body = zlib.decompress(packed)
    end = 4 + int.from_bytes(body[:4], "little")
    words = json.loads(body[4:end])
    part = words
    for key in where[:-1]:
        part = part[key]
    part[where[-1]] = value
    text = json.dumps(words).encode()
    packed = zlib.compress(len(text).to_bytes(4, "little") + text + body[end:])
    path.write_bytes(header[:-4] + zlib.crc32(packed).to_bytes(4, "little") + packed)
    with pytest.raises(KitError, match="makes no sense"):
        Tape.load(path)


def test_what_devices_forget_is_forgotten_in_a_replay_too(tmp_path: Path) -> None:
    machine = Machine(memory="64K")
    machine.load(assemble(TALKER))
    machine.uart.kept = 7
    history = History(machine)
    machine.run()
    record_to(tmp_path / "tape", history)
    assert len(machine.uart.output) < 15
    again = Tape.load(tmp_path / "tape").replay().computers[""]
    assert again.uart.output == machine.uart.output


@pytest.mark.parametrize("steps", [0, 100])
def test_what_came_in_before_the_first_step_comes_in_once(tmp_path: Path, steps: int) -> None:
    machine = Machine(memory="64K")
    machine.load(assemble(ECHO))
    history = History(machine)
    for key in (b"a", b"b"):
        machine.uart.feed(key)
        history.keep()
    machine.run(steps)
    record_to(tmp_path / "tape", history)
    assert machine.uart.text == ("ab" if steps else "")
    again = Tape.load(tmp_path / "tape").replay().computers[""]
    assert again.uart.save() == machine.uart.save()


def test_a_reservation_that_is_over_is_no_difference(tmp_path: Path) -> None:
    """A virtual machine need not know where it was."""
    source = "la t0, w\nlr.w t1, (t0)\nsc.w t1, t0, (t0)\n1: j 1b\n.balign 4\nw: .word 0"
    machine = Machine(memory="64K")
    machine.load(assemble(source))
    history = History(machine)
    machine.run(50)
    record_to(tmp_path / "tape", history)
    assert machine.hart.reservation
    Tape.load(tmp_path / "tape").replay(vm=True)
    assert main(["diff", str(tmp_path / "tape"), "--vm"]) == 0


def test_recording_does_not_touch_the_file_of_a_disk(tmp_path: Path) -> None:
    """To find out how the run began, the machine goes back: not so its disk's file."""
    written: list[int] = []

    class Watched(DiskImage):
        def write(self, sector: int, data: bytes) -> None:
            written.append(sector)
            super().write(sector, data)

    machine = Machine(memory="64K", disk=Watched(bytes(8192)))
    machine.load(assemble(CALLS))
    history = History(machine)
    machine.run(100)
    assert machine.disk is not None
    machine.disk.image.write(3, b"x" * 512)  # as the device does
    machine.run(100)
    record_to(tmp_path / "tape", history)
    assert written == [3]
    assert machine.disk.image.read(3, 512) == b"x" * 512
    history.go(0)
    assert machine.disk.image.read(3, 512) == bytes(512)


def test_kit_run_records_and_kit_replay_plays(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    source, path = tmp_path / "echo.s", str(tmp_path / "run.tape")
    source.write_text(ECHO)
    (tmp_path / "keys").write_bytes(b"hello")
    command = ["run", str(source), "--budget", "3000", "--input", str(tmp_path / "keys")]
    assert main([*command, "--record", path]) == 3
    said = capfd.readouterr().out
    assert main(["replay", path]) == 0
    played = capfd.readouterr()
    assert played.out == said
    assert "hello" in "".join(c for c in said if c != "\n")[:40]
    assert "the state is the recorded one" in played.err
    assert main(["replay", path, "--vm", "--to", "20"]) == 0
    assert "20 steps" in capfd.readouterr().err
    assert main(["replay", path, "--to", "5000"]) == 2
