"""Spool files: decks in order, output by job, crashes and damage."""

from __future__ import annotations

import functools
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kit import VMM, Machine
from kit.control.spool import Spool
from kit.control.spool_file import read_contents, record_line
from kit.devices.card_punch import PUNCH
from kit.devices.card_reader import FEED
from kit.devices.deck import Deck
from kit.devices.line_printer import EJECT, PRINT
from kit.devices.unit_record import BUFFER, COMMAND, UnitRecord
from kit.errors import KitError
from kit.isa.assembler import assemble
from kit.isa.image import Image
from kit.machine.computer import Computer
from kit.machine.loader import read_image
from kit.resources import guests_dir

BATCH = guests_dir() / "batch"
ANY_PATH = settings(
    max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)

PRINTER_THAT_NEVER_ENDS = """
        li t0, 0x10011000
        li t2, 1
    1:  sw t2, 4(t0)            # PRINT
    2:  lw t1, 0(t0)
        andi t1, t1, 2          # DONE
        beqz t1, 2b
        j 1b
"""


@functools.cache
def monitor() -> Image:
    return read_image(BATCH)


@pytest.fixture
def spool(tmp_path: Path) -> Spool:
    return Spool(tmp_path / "spool")


@pytest.fixture
def machine() -> Machine:
    return Machine(memory="64K")


def do(machine: Computer, device: UnitRecord, command: int, data: bytes = b"") -> None:
    """What a driver does: fills the buffer, gives a command, waits for its end."""
    for at, byte in enumerate(data):
        device.write(BUFFER + at, 1, byte)
    device.write(COMMAND, 4, command)
    machine.hart.mtime += 1000
    machine.board.advance()


def put_out(machine: Computer, *acts: str) -> None:
    """Feeds cards ("feed"), ejects ("eject"), punches ("punch x") or prints ("x")."""
    for act in acts:
        if act == "feed":
            do(machine, machine.reader, FEED)
        elif act == "eject":
            do(machine, machine.printer, EJECT)
        elif act.startswith("punch "):
            do(machine, machine.punch, PUNCH, act[6:].encode())
        else:
            do(machine, machine.printer, PRINT, act.encode())


def shown(spool: Spool, device: str) -> list[tuple[str, str]]:
    """Job and text of each file of a device."""
    return [(f.job, spool.show(f.number)) for f in spool.files() if f.device == device]


def test_decks_are_read_in_order_and_more_can_come_at_any_time(
    spool: Spool, machine: Machine
) -> None:
    machine.reader.load(Deck.from_text("HOPPER\n"))
    spool.feed("vm", Deck.from_text("A1\nA2\n", "a"))
    spool.attach("vm", machine)
    spool.feed("vm", Deck.from_text("", "empty"))
    spool.feed("vm", Deck.from_text("B1\n", "b"))
    spool.feed("other", Deck.from_text("NOT MINE\n"))
    read = []
    machine.reader.watch = lambda card: read.append(card.rstrip().decode())
    put_out(machine, *["feed"] * 5)
    spool.feed("vm", Deck.from_text("C1\n", "c"))
    put_out(machine, "feed")
    assert read == ["HOPPER", "A1", "A2", "B1", "C1"]
    states = [(file.vm, file.job, file.state, file.records) for file in spool.files()]
    assert states == [
        ("vm", "a", "read", 2),
        ("vm", "empty", "read", 0),
        ("vm", "b", "read", 1),
        ("other", "deck", "waiting", 1),
        ("vm", "c", "read", 1),
    ]


def test_decks_that_wait_are_there_after_a_new_start_and_read_ones_are_not_fed_again(
    spool: Spool, machine: Machine
) -> None:
    spool.feed("vm", Deck.from_text("ONE\n"))
    spool.feed("vm", Deck.from_text("TWO\n"))
    spool.attach("vm", machine)
    put_out(machine, "feed")
    other = Machine(memory="64K")
    Spool(spool.folder).attach("vm", other)
    put_out(other, "feed")
    assert bytes(other.reader.buffer).rstrip() == b"TWO"
    put_out(other, "feed")
    assert bytes(other.reader.buffer).rstrip() == b""


def test_a_page_belongs_to_one_job_and_a_punched_card_to_the_job_being_read(
    spool: Spool, machine: Machine
) -> None:
    spool.attach("vm", machine)
    spool.feed("vm", Deck.from_text("$JOB ONE,X,1,1\n$JOB TWO\n$JOB\n$JOBS\n"))
    put_out(machine, "hello", "punch zero", "eject")
    put_out(machine, "feed", "eject", "first", "punch p1", "eject", "more of it")
    put_out(machine, "feed", "the last of one", "punch p2", "eject", "second", "eject")
    put_out(machine, "feed", "nameless", "feed", "no job", "feed", "feed", "eject", "summary")
    assert shown(spool, "printer") == [
        ("", "hello\n\f"),
        ("ONE", "\ffirst\n\fmore of it\nthe last of one\n\f"),
        ("TWO", "second\n\f"),
        ("", "nameless\nno job\n\fsummary\n"),
    ]
    assert shown(spool, "punch") == [("", "zero\n"), ("ONE", "p1\n"), ("TWO", "p2\n")]


def test_the_end_of_the_cards_ends_the_last_job_once(spool: Spool, machine: Machine) -> None:
    spool.attach("vm", machine)
    spool.feed("vm", Deck.from_text("$JOB ONE\n"))
    put_out(machine, "feed", "one", "eject", "feed", "summary", "eject", "feed", "more")
    assert shown(spool, "printer") == [("ONE", "one\n\f"), ("", "summary\n\fmore\n")]


def test_the_operator_ends_files_and_what_comes_goes_into_new_ones(
    spool: Spool, machine: Machine
) -> None:
    spool.attach("vm", machine)
    put_out(machine, "a", "punch a")
    assert [file.state for file in spool.files("vm")] == ["open", "open"]
    spool.close("vm")
    assert [file.state for file in spool.files("vm")] == ["closed", "closed"]
    put_out(machine, "b")
    assert shown(spool, "printer") == [("", "a\n"), ("", "b\n")]
    with pytest.raises(KitError, match="there is no machine 'x'"):
        spool.close("x")


def test_punched_cards_can_be_fed_to_another_machine(spool: Spool, machine: Machine) -> None:
    spool.attach("vm", machine)
    card = bytes(range(176, 256))
    do(machine, machine.punch, PUNCH, card)
    spool.feed("two", spool.deck(1))
    two = Machine(memory="64K")
    spool.attach("two", two)
    put_out(two, "feed")
    assert two.reader.buffer == card
    put_out(two, "x")
    with pytest.raises(KitError, match="is paper, not cards"):
        spool.deck(3)


def test_a_deleted_file_is_gone_and_output_goes_on_in_a_new_one(
    spool: Spool, machine: Machine
) -> None:
    spool.attach("vm", machine)
    number = spool.feed("vm", Deck.from_text("GONE\n"))
    spool.delete(number)
    put_out(machine, "feed", "a")
    assert bytes(machine.reader.buffer).rstrip() == b""
    spool.delete(1)
    put_out(machine, "b")
    assert shown(spool, "printer") == [("", "b\n")]
    for wrong in (number + 1, 0, -1):
        with pytest.raises(KitError, match=f"there is no file {wrong}"):
            spool.delete(wrong)


def test_detached_devices_do_what_they_did_before(spool: Spool) -> None:
    lines: list[str] = []
    machine = Machine(memory="64K", paper=lines.append)
    spool.attach("vm", machine)
    with pytest.raises(KitError, match="a machine 'vm' already"):
        spool.attach("vm", machine)
    put_out(machine, "spooled")
    spool.detach("vm")
    put_out(machine, "alone", "punch x", "feed")
    assert lines == ["spooled\n", "alone\n"]
    assert shown(spool, "printer") == [("", "spooled\n")]
    assert shown(spool, "punch") == []


@pytest.mark.parametrize("name", ["../../etc/passwd", "/tmp/x", "a\nb", "\0", "", "ü" * 500])
def test_no_name_becomes_part_of_a_path(tmp_path: Path, name: str, machine: Machine) -> None:
    spool = Spool(tmp_path / "spool")
    spool.feed(name, Deck([b"$JOB " + name.encode("ascii", "replace")[:70]], name))
    spool.attach(name, machine)
    put_out(machine, "feed", "x", "punch x")
    assert [file.vm for file in spool.files()] == [name] * 3
    names = {path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*")}
    assert names == {"spool", *(f"spool/00000{number}.spool" for number in (1, 2, 3))}


def test_the_batch_monitor_has_a_file_for_each_job(spool: Spool) -> None:
    deck = Deck.read(BATCH / "jobs" / "monday.deck")
    vm = Machine(memory="1M")
    vm.load(monitor())
    spool.attach("batch", vm)
    spool.feed("batch", deck)
    assert vm.run(20_000_000).reason == "halt"
    jobs = [line.split(",")[0][5:] for line in deck.lines() if line.startswith("$JOB")]
    papers = shown(spool, "printer")
    assert [job for job, _ in papers] == [*jobs, ""]
    assert "".join(text for _, text in papers) == vm.printer.text
    for job, text in papers[:-1]:
        assert f" {job} " in text.splitlines()[0]
    assert "END OF BATCH" in papers[-1][1]


def test_a_guest_whose_output_cannot_be_stored_is_stopped_and_the_others_run_on(
    tmp_path: Path,
) -> None:
    vmm = VMM(Machine(memory="4M"))
    endless = vmm.create("endless", assemble(PRINTER_THAT_NEVER_ENDS), memory="64K")
    other = vmm.create("other", assemble("1: j 1b"), memory="64K")
    spool = Spool(tmp_path, limit=2000)
    spool.attach("endless", endless)
    ended = vmm.run(30_000)
    assert ended["endless"].reason == "stopped"
    assert "file 1 may have 2000 bytes at most" in endless.failure
    assert len(spool.problems) == 1
    assert ended["other"].steps == other.steps == 30_000
    assert spool.files()[0].records > 10


def test_a_bare_machine_goes_on_and_its_output_is_stored_again_after_close(
    tmp_path: Path, machine: Machine
) -> None:
    spool = Spool(tmp_path, limit=120)
    spool.attach("vm", machine)
    put_out(machine, *["line"] * 20)
    assert spool.problems == [
        "vm: spool: output of the printer is not stored: file 1 may have 120 bytes at most"
    ]
    spool.close("vm")
    put_out(machine, "again")
    assert [text for _, text in shown(spool, "printer")] == ["line\n" * 2, "again\n"]


def test_a_deck_that_cannot_be_read_is_reported_and_the_next_one_fed(
    spool: Spool, machine: Machine
) -> None:
    spool.attach("vm", machine)
    spool.feed("vm", Deck.from_text("BAD\n"))
    spool.feed("vm", Deck.from_text("GOOD\n"))
    path = spool.folder / "000001.spool"
    path.write_bytes(path.read_bytes().replace(b"BAD", b"SAD"))
    put_out(machine, "feed")
    assert bytes(machine.reader.buffer).rstrip() == b"GOOD"
    (problem,) = spool.problems
    assert problem.startswith("vm: deck 1 was not read: ")
    assert "000001.spool:2: the spool file is damaged in this line" in problem


def test_a_directory_that_cannot_be_is_one_clear_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(KitError, match="cannot make the spool"):
        Spool(tmp_path / "file")
    with pytest.raises(KitError, match="cannot make the spool"):
        Spool(tmp_path / "file" / "below")


# -- crashes and damage ----------------------------------------------------------------------


def stored(folder: Path) -> bytes:
    """The bytes of a spool file with three lines of paper."""
    spool, machine = Spool(folder), Machine(memory="64K")
    spool.attach("vm", machine)
    put_out(machine, "one", "two", "three")
    spool.detach("vm")
    return (folder / "000001.spool").read_bytes()


@pytest.fixture(scope="module")
def paper(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    return stored(tmp_path_factory.mktemp("spool"))


def test_whatever_a_crash_cuts_off_all_lines_before_it_stand(tmp_path: Path, paper: bytes) -> None:
    path = tmp_path / "000001.spool"
    head, *lines = paper.splitlines(keepends=True)
    for length in range(len(head), len(paper) + 1):
        path.write_bytes(paper[:length])
        whole = paper[:length].count(b"\n") - 1
        assert Spool(tmp_path).show(1) == "".join(f"{n}\n" for n in ("one", "two", "three")[:whole])
    assert len(lines) == 3


def test_a_half_written_deck_is_not_fed(tmp_path: Path, machine: Machine) -> None:
    Spool(tmp_path).feed("vm", Deck.from_text("ONE\nTWO\n"))
    path = tmp_path / "000001.spool"
    whole = path.read_bytes()
    for length in range(len(whole)):
        path.write_bytes(whole[:length])
        spool = Spool(tmp_path)
        assert spool.next_deck("vm") is None
        with pytest.raises(KitError, match=r"000001.spool: .*incomplete"):
            spool.show(1)


def test_a_mark_that_a_crash_cut_off_is_made_again(tmp_path: Path) -> None:
    Spool(tmp_path).feed("vm", Deck.from_text("ONE\n"))
    path = tmp_path / "000001.spool"
    whole = path.read_bytes()
    for length in range(len(record_line("read"))):
        path.write_bytes(whole + record_line("read")[:length])
        assert Spool(tmp_path).next_deck("vm") is not None
        assert path.read_bytes() == whole + record_line("read")


@ANY_PATH
@given(data=st.data())
def test_every_damaged_byte_gives_one_clear_line_and_spares_the_rest(
    tmp_path: Path, paper: bytes, data: st.DataObject
) -> None:
    at = data.draw(st.integers(0, len(paper) - 2))
    damaged = bytearray(paper)
    damaged[at] ^= data.draw(st.integers(1, 255))
    (tmp_path / "000001.spool").write_bytes(damaged)
    spool = Spool(tmp_path)
    (file,) = spool.files()
    assert file.damage
    with pytest.raises(KitError) as caught:
        spool.show(1)
    assert str(caught.value) == file.damage
    assert "000001.spool:" in file.damage
    assert "\n" not in file.damage
    saved = spool.show(1, salvage=True).split("\n")
    intact = {0: [], 1: ["one"], 2: ["two"], 3: ["three"]}
    hit = paper[:at].count(b"\n")
    for line, texts in intact.items():
        # A newline that is gone takes the line after it along.
        if line not in (hit, hit + 1):
            assert set(texts) <= set(saved)


JSON = st.recursive(
    st.none() | st.integers() | st.text(max_size=5), lambda inner: st.lists(inner, max_size=4)
)
RECORDS = st.lists(
    st.one_of(
        st.sampled_from(
            [
                ("vmm-kit spool 1", "vm", "reader", "x"),
                ("vmm-kit spool 1", "vm", "printer", "x"),
                ("card", "x" * 80),
                ("card", "x" * 81),
                ("card", "\u0100"),
                ("line", "x\n"),
                ("end",),
                ("read",),
            ]
        ),
        st.lists(st.text(max_size=5), max_size=4).map(tuple),
    ).map(lambda record: record_line(*record))
    | st.binary(max_size=40),
    max_size=8,
)


@ANY_PATH
@given(lines=RECORDS)
def test_any_bytes_are_a_spool_file_or_one_clear_line(tmp_path: Path, lines: list[bytes]) -> None:
    path = tmp_path / "000007.spool"
    path.write_bytes(b"".join(lines))
    contents = read_contents(path)
    assert "\n" not in contents.damage
    spool = Spool(tmp_path)
    (file,) = spool.files()
    assert file.damage == contents.damage
    spool.show(7, salvage=True)
    machine = Machine(memory="64K")
    spool.attach("vm", machine)
    put_out(machine, "feed", "feed", "x")
    spool.detach("vm")
    for file in spool.files():
        spool.delete(file.number)


def test_other_files_in_the_directory_are_left_alone(tmp_path: Path) -> None:
    for name in ("notes.txt", "1.spool", "0000001.spool", "000002.spool.bak"):
        (tmp_path / name).write_text("mine")
    (tmp_path / "000003.spool").mkdir()
    spool = Spool(tmp_path)
    assert spool.files() == []
    assert spool.feed("vm", Deck()) == 1
