"""Pageable and fixed storage: guests notice nothing but what their own registers say."""

from __future__ import annotations

from pathlib import Path

import pytest

from kit import VMM, KitError, Machine
from kit.control.paging import POLICIES, BackingStore
from kit.control.virtual_machine import VirtualMachine
from kit.isa.assembler import assemble
from kit.isa.config import Config
from kit.vmm.kernel import MINIMUM
from kit.vmm.shadow import POOL
from tests.conformance.generator import generate
from tests.vmm.test_equivalence import state

SWEEP = """
        li   s0, 0x80001000
        li   s1, 64             # pages
        li   s2, 3              # rounds
    1:  mv   t0, s0
        mv   t1, s1
    2:  lw   t2, 8(t0)
        addi t2, t2, 5
        sw   t2, 8(t0)
        li   t3, 4096
        add  t0, t0, t3
        addi t1, t1, -1
        bnez t1, 2b
        addi s2, s2, -1
        bnez s2, 1b
        li   t0, 0x100000
        li   t1, 0x5555
        sw   t1, 0(t0)
"""


def small_machine(frames: int) -> VMM:
    """A VMM that has so many frames for the storage of one guest."""
    return VMM(Machine(memory=4096 * (POOL + frames)))


def sweep(store: BackingStore, frames: int = MINIMUM) -> VirtualMachine:
    """A guest that goes over 64 pages three times, with fewer frames than that."""
    vmm = small_machine(frames)
    guest = vmm.create("guest", assemble(SWEEP), memory="1M", pager=store)
    assert guest.run(10_000).reason == "halt"
    return guest


@pytest.mark.parametrize("policy", POLICIES)
def test_a_guest_with_more_pages_than_frames_finds_them_as_it_left_them(policy: str) -> None:
    guest = sweep(BackingStore(policy=POLICIES[policy]()))
    for page in range(64):
        assert guest.read_memory(0x80001008 + 4096 * page, 4) == (15).to_bytes(4, "little")


def test_the_policy_decides_how_often_pages_come_back() -> None:
    stores = {name: BackingStore(policy=make()) for name, make in POLICIES.items()}
    for store in stores.values():
        sweep(store, 32)
    # A loop a little longer than storage: every page of FIFO's is gone when it is wanted again.
    assert stores["fifo"].reads >= 2 * 63
    assert stores["lifo"].reads < stores["random"].reads < stores["fifo"].reads


def test_enough_frames_read_nothing_back() -> None:
    store = BackingStore()
    sweep(store, frames=300)
    assert store.reads == store.writes == 0


@pytest.mark.parametrize("seed", range(4))
def test_privileged_programs_run_with_ten_frames_as_on_the_bare_machine(seed: int) -> None:
    config = Config()
    program = generate(seed, config).image()
    bare = Machine(memory="8M")
    bare.load(program)
    store = BackingStore(policy=POLICIES["random"]())
    guest = small_machine(MINIMUM).create("guest", program, memory="8M", pager=store)
    assert bare.run(2500) == guest.run(2500)
    assert state(bare) == state(guest)
    assert bare.read_memory(*bare.ram) == guest.read_memory(*guest.ram)
    assert store.reads > 0


def test_a_backing_file_that_loses_its_pages_stops_that_guest_with_a_reason(tmp_path: Path) -> None:
    store = BackingStore(tmp_path / "pages")
    vmm = small_machine(MINIMUM)
    guest = vmm.create("guest", assemble(SWEEP), memory="1M", pager=store)
    guest.run(400)
    (tmp_path / "pages").write_bytes(b"")
    assert guest.run(10_000).reason == "stopped"
    assert "somebody changed the backing file" in guest.failure


def test_a_policy_that_chooses_nonsense_stops_that_guest_with_a_reason() -> None:
    store = BackingStore(policy=lambda resident: 123456)
    guest = small_machine(MINIMUM).create("guest", assemble(SWEEP), memory="1M", pager=store)
    assert guest.run(10_000).reason == "stopped"
    assert "chose page 123456" in guest.failure


def test_fixed_storage_lies_at_the_guests_own_addresses() -> None:
    vmm = VMM(Machine(memory="4M"))
    other = vmm.create("other", memory="512K")
    fixed = vmm.create("fixed", assemble(SWEEP), memory="1M", fixed=True)
    assert fixed.run().reason == "halt"
    assert vmm.machine.read_memory(0x80001008, 4) == fixed.read_memory(0x80001008, 4)
    assert all(frame >= 0x80100000 for frame in other.vcpu.storage.frames)
    with pytest.raises(KitError):
        vmm.create("second", memory="1M", fixed=True)


def test_a_guest_that_ends_gives_every_frame_back() -> None:
    vmm = VMM(Machine(memory="4M"))
    before = vmm.kernel.allocator.free
    for kind in ({}, {"pager": BackingStore()}, {"fixed": True}):
        vmm.create("guest", assemble(SWEEP), memory="1M", **kind).run()
        vmm.destroy("guest")
        assert vmm.kernel.allocator.free == before
    assert vmm.kernel.allocator.owner == {}
