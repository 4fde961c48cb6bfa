"""Creating virtual machines, and running them in turn."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from kit import VMM, Machine
from kit.control.paging import BackingStore
from kit.errors import KitError
from kit.isa.assembler import assemble

LOOP = "li a0, 7\n1: addi a1, a1, 1\n j 1b\n"
SPOILT = """
    li t0, 7
    csrw mcountinhibit, t0
    li t0, 0x20000          # MPRV
    csrw mstatus, t0
    wfi
1:  j 1b
"""


def test_a_vmm_does_not_mind_what_ran_on_its_machine_before() -> None:
    used, new = Machine(memory="1M"), Machine(memory="1M")
    used.load(assemble(SPOILT))
    used.run(100)
    guests = [VMM(host).create("guest", assemble(LOOP), memory="64K") for host in (used, new)]
    assert guests[0].run(100) == guests[1].run(100)
    assert guests[0].hart.snapshot() == guests[1].hart.snapshot()


@pytest.mark.parametrize("rest", [{"image": "no such file"}, {"reader": "no such file"}])
def test_what_cannot_be_created_keeps_no_storage(rest: dict[str, str]) -> None:
    vmm = VMM(Machine(memory="1M"))
    free = vmm.kernel.allocator.free
    with pytest.raises(KitError, match="no such file"):
        vmm.create("guest", memory="64K", **rest)  # type: ignore[arg-type]
    assert vmm.kernel.allocator.free == free
    assert vmm.kernel.allocator.owner == {}


def test_a_destroyed_machine_reaches_no_storage() -> None:
    vmm = VMM(Machine(memory="1M"))
    gone = vmm.create("gone", assemble(LOOP), memory="64K")
    vmm.destroy("gone")
    other = vmm.create("other", assemble(LOOP), memory="64K")
    before = other.read_memory(*other.ram)
    with pytest.raises(KitError):
        gone.write_memory(0x8000_0000, b"mine")
    assert gone.run(100).reason == "stopped"
    assert gone.failure == "it was destroyed"
    assert other.read_memory(*other.ram) == before
    assert set(vmm.kernel.allocator.owner.values()) == {"other"}


def test_fixed_storage_is_not_paged() -> None:
    vmm = VMM(Machine(memory="1M"))
    guest = vmm.create("guest", memory="128K", pager=BackingStore(), fixed=True)
    assert guest.memory == 128 << 10
    assert guest.vcpu.storage.frames == list(range(0x8000_0000, 0x8002_0000, 4096))


def test_the_machine_beneath_stays_as_it_is_until_the_vmm_is_closed() -> None:
    machine = Machine(memory="1M")
    saved = machine.save()
    vmm = VMM(machine)
    guest = vmm.create("guest", assemble(LOOP), memory="64K")
    guest.run(50)
    changes: dict[str, Callable[[], object]] = {
        "run": machine.step,
        "reset": machine.reset,
        "load": lambda: machine.load(assemble(LOOP)),
        "restore": lambda: machine.restore(saved),
        "VMM": lambda: VMM(machine),
    }
    for name, change in changes.items():
        with pytest.raises(KitError, match=f"^{name}: a VMM runs this machine"):
            change()
    assert guest.run(50).reason == "budget"
    vmm.close()
    vmm.close()
    assert guest.run(50).reason == "stopped"
    machine.load(assemble(LOOP))
    assert machine.run(100).reason == "budget"
    assert VMM(machine).create("guest", assemble(LOOP), memory="64K").run(100).reason == "budget"


def test_a_virtual_machine_beneath_a_vmm_is_reset_when_that_is_closed() -> None:
    host = VMM(Machine(memory="2M")).create("host", memory="1M")
    inner = VMM(host)
    inner.create("guest", assemble(LOOP), memory="64K").run(50)
    with pytest.raises(KitError, match="a VMM runs this machine"):
        host.reset()
    inner.close()
    host.load(assemble(LOOP))
    assert host.run(100).reason == "budget"


@pytest.mark.parametrize("how", ["destroyed", "failed"])
def test_what_runs_on_a_virtual_machine_ends_with_it(how: str) -> None:
    outer = VMM(Machine(memory="4M"))
    host = outer.create("host", memory="1M")
    guest = VMM(host).create("guest", assemble(LOOP), memory="64K")
    assert guest.run(100).reason == "budget"
    if how == "destroyed":
        outer.destroy("host")
    else:
        host.vcpu.failure = "it has failed"
    stop = guest.run(100)
    assert (stop.reason, stop.steps) == ("stopped", 0)
    assert guest.failure == f"the virtual machine beneath it ended: {host.failure}"


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"memory": "1M"}, "'guest' needs 1024K, and 192K for its tables; 768K are free"),
        ({"memory": "1M", "pager": BackingStore()}, None),
        (
            {"memory": "64K", "fixed": True},
            r"'guest' is to be fixed \(V=R\), but others have frames",
        ),
        ({"pager": 3}, r"expected a pager, such as BackingStore\(\), not 3"),
    ],
)
def test_it_is_said_what_is_lacking(settings: dict[str, Any], message: str | None) -> None:
    vmm = VMM(Machine(memory="1M"))
    vmm.create("fixed", memory="64K", fixed=True)
    if message is None:
        vmm.create("guest", **settings)
        return
    with pytest.raises(KitError, match=message):
        vmm.create("guest", **settings)
