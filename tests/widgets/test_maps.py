"""Maps of storage say what the definitions answer, and looking changes nothing."""

from __future__ import annotations

from itertools import pairwise

import pytest

from kit import VMM, Machine
from kit.bits import Bits
from kit.control.paging import BackingStore
from kit.isa.cpu import S, Trap, U
from kit.isa.probe import Probe
from kit.isa.translation import translate
from kit.machine.bus import PAGE
from kit.widgets.maps import frames_of, guest_map, pool_of, shadow_of
from kit.widgets.walk import walk
from tests.widgets.runs import batch_and_multi, two_machines


def paged() -> VMM:
    """Two machines, stopped while one of them has its own tables in use."""
    vmm = two_machines()
    while not vmm.machines["multi"].hart.satp >> 31:
        vmm.run(50_000)
    return vmm


@pytest.fixture(scope="module")
def vmm() -> VMM:
    vmm = paged()
    vmm.run(1_500_000)
    return vmm


def test_each_page_of_the_map_is_where_the_machine_would_find_it(vmm: VMM) -> None:
    machine = vmm.machines["multi"]
    found = guest_map(machine)
    assert found["paged"]
    assert len(found["mapped"]) > 5
    for virtual, physical, size, flags in found["mapped"]:
        for offset in {0, size - PAGE}:
            probe = Probe(machine.hart)
            probe.hart.mode = U if flags & 16 else S
            access = "read" if flags & 2 else "execute"
            answer = translate(probe.cpu, Bits(32, virtual + offset + 4), 1, access)
            assert int(answer) == physical + offset + 4


def test_what_is_not_in_the_map_is_not_mapped(vmm: VMM) -> None:
    machine = vmm.machines["multi"]
    rows = sorted(guest_map(machine)["mapped"])
    gaps = [a[0] + a[2] for a, b in pairwise(rows) if a[0] + a[2] < b[0]]
    assert gaps
    for address in gaps:
        probe = Probe(machine.hart)
        probe.hart.mode = S
        with pytest.raises(Trap):
            translate(probe.cpu, Bits(32, address), 1, "read")


def test_storage_is_divided_without_gaps_or_overlaps(vmm: VMM) -> None:
    for machine in vmm.machines.values():
        base, size = machine.ram
        rows = [row for row in guest_map(machine)["storage"] if row[2] != "device"]
        assert rows[0][0] == base
        assert all(a[0] + a[1] == b[0] for a, b in pairwise(rows))
        assert sum(row[1] for row in rows) == size


def test_a_fence_by_pmp_shows_what_programs_may_do() -> None:
    run, _ = batch_and_multi()
    film = run.film
    owners = {
        tuple(r[2:]) for row in film.maps if row[1] == 0 for r in film.parts[row[2]]["storage"]
    }
    assert ("program", "rwx", "program") in owners


def test_frames_are_those_of_the_allocator(vmm: VMM) -> None:
    for machine in vmm.machines.values():
        pages = {
            start + at: real + at
            for start, real, size in frames_of(machine)
            for at in range(0, size, PAGE)
        }
        assert pages == {
            machine.base + PAGE * n: real for n, real in enumerate(machine.vcpu.storage.frames)
        }
        owner = vmm.kernel.allocator.owner
        assert all(owner[real] == machine.name for real, _ in pool_of(machine))


def test_shadow_entries_lead_to_the_guests_own_frames(vmm: VMM) -> None:
    machine = vmm.machines["multi"]
    frames = {real + at for _, real, size in frames_of(machine) for at in range(0, size, PAGE)}
    trees = shadow_of(machine)
    assert any(tree["mapped"] for tree in trees)
    for tree in trees:
        for _, real, size, _ in tree["mapped"]:
            assert {real + at for at in range(0, size, PAGE)} <= frames


def test_looking_gives_no_page_a_frame() -> None:
    vmm = VMM(Machine(memory="8M"))
    machine = vmm.create("small", image="guests/batch", memory="1M", pager=BackingStore())
    vmm.run(20_000)
    before = list(machine.vcpu.storage.frames)
    guest_map(machine)
    shadow_of(machine)
    assert machine.vcpu.storage.frames == before
    assert 0 in before


def test_a_walk_tells_each_entry_and_where_the_page_really_is(vmm: VMM) -> None:
    machine = vmm.machines["multi"]
    virtual, physical, _, _ = next(row for row in guest_map(machine)["mapped"] if row[3] & 16)
    found = walk(machine, virtual + 8, mode=U)
    assert [level for level, _, _ in found["entries"]] == [1, 0]
    assert found["physical"] == physical + 8
    assert found["real"] == machine.vcpu.storage.real_address(physical + 8)
    nothing = walk(machine, 0x3000_0000, mode=U)
    assert (nothing["physical"], nothing["allowed"]["read"]) == (None, 13)
