"""Two operating systems, one service: a client and a server in two virtual machines."""

from __future__ import annotations

import pytest

from kit import VMM, Machine
from kit.control.policies import RoundRobin
from kit.devices.channel import Channel
from kit.isa.assembler import assemble
from kit.machine.computer import Computer

COMMON = """
        .equ CHANNEL, 0x10013000
        .equ PLIC, 0xc000000
        .equ UART, 0x10000000
        .equ FINISHER, 0x100000
        .equ STATUS, 0
        .equ COMMAND, 4
        .equ IE, 8
        .equ LENGTH, 0x14
        .equ BUFFER, 0x80
        .equ SEND, 1
        .equ RECEIVE, 2
        .equ DONE, 2
        .equ WHEN_WAITING, 2
        .equ SOURCE, 15

        li s0, CHANNEL
        li s1, PLIC
        li t0, 1
        sw t0, 4 * SOURCE(s1)           # its priority
        li t1, 0x2000
        add t1, t1, s1
        li t0, 1 << SOURCE
        sw t0, 0(t1)                    # enabled
        li t0, 0x200000
        add s2, s1, t0                  # threshold 0, claim/complete
        li t0, WHEN_WAITING
        sw t0, IE(s0)
        li t0, 1 << 11
        csrw mie, t0                    # MEIE; mstatus.MIE stays 0: wfi ends, nothing traps
        j main

wait_for_message:
        mv s5, ra
        wfi
        lw s6, 4(s2)                    # claim
        li t0, RECEIVE
        call do
        sw s6, 4(s2)                    # complete, now that the line is down
        jr s5
do:     sw t0, COMMAND(s0)              # t0: a command; returns at its end
1:      lw t1, STATUS(s0)
        andi t1, t1, DONE
        beqz t1, 1b
        ret
"""

SERVER = (
    COMMON
    + """
main:   call wait_for_message           # turns small letters into capital ones, for ever
        lw t2, LENGTH(s0)
        addi t3, s0, BUFFER
1:      beqz t2, 2f
        lbu t4, 0(t3)
        xori t4, t4, 0x20
        sb t4, 0(t3)
        addi t3, t3, 1
        addi t2, t2, -1
        j 1b
2:      li t0, SEND
        call do
        j main
"""
)

CLIENT = (
    COMMON
    + """
main:   la s3, words
1:      lbu s4, 0(s3)                   # the length of the next word
        beqz s4, 4f
        sw s4, LENGTH(s0)
        addi t3, s0, BUFFER
2:      addi s3, s3, 1
        lbu t4, 0(s3)
        sb t4, 0(t3)
        addi t3, t3, 1
        addi s4, s4, -1
        bnez s4, 2b
        addi s3, s3, 1
        li t0, SEND
        call do
        call wait_for_message
        lw t2, LENGTH(s0)
        addi t3, s0, BUFFER
        li t5, UART
3:      lbu t4, 0(t3)
        sb t4, 0(t5)
        addi t3, t3, 1
        addi t2, t2, -1
        bnez t2, 3b
        j 1b
4:      li t0, FINISHER
        li t1, 0x5555
        sw t1, 0(t0)
5:      j 5b
words:  .byte 3
        .ascii "one"
        .byte 5
        .ascii "three"
        .byte 0
"""
)


def service(vmm: VMM) -> tuple[Computer, Computer]:
    server = vmm.create("server", assemble(SERVER), memory="64K", channel=True)
    client = vmm.create("client", assemble(CLIENT), memory="64K", channel=True)
    Channel.join(server.channel, client.channel)
    return server, client


@pytest.mark.parametrize("quantum", [7, 10_000])
def test_a_client_in_one_machine_is_served_by_another(quantum: int) -> None:
    vmm = VMM(Machine(memory="4M"))
    _, client = service(vmm)
    ended = vmm.run(100_000, policy=RoundRobin(quantum))
    assert client.uart.text == "ONETHREE"
    assert (ended["client"].reason, ended["server"].reason) == ("halt", "idle")


def test_who_waits_for_a_message_makes_no_steps() -> None:
    vmm = VMM(Machine(memory="4M"))
    server, _ = service(vmm)
    assert server.run(10_000).reason == "idle"
    steps = server.steps
    assert server.run(10_000).reason == "idle"
    assert server.steps == steps


def test_the_same_turns_give_the_same_run() -> None:
    seen = []
    for _ in range(2):
        vmm = VMM(Machine(memory="4M"))
        machines = service(vmm)
        vmm.run(100_000, policy=RoundRobin(50))
        seen.append([(machine.steps, machine.hart.mtime, machine.save()) for machine in machines])
    assert seen[0] == seen[1]


def test_a_service_that_was_saved_as_a_whole_goes_on_where_it_was() -> None:
    vmm = VMM(Machine(memory="4M"))
    machines = service(vmm)
    for _ in range(12):
        for machine in machines:
            machine.run(40)
    states = [machine.save() for machine in machines]
    vmm.run(100_000)
    whole = [machine.save() for machine in machines]
    for machine, state in zip(machines, states, strict=True):
        machine.restore(state)
    assert machines[1].uart.text != "ONETHREE"
    vmm.run(100_000)
    assert [machine.save() for machine in machines] == whole


def test_a_channel_joins_a_real_machine_and_a_virtual_one() -> None:
    bare = Machine(memory="64K", channel=True)
    bare.load(assemble(SERVER))
    client = VMM(Machine(memory="4M")).create(
        "client", assemble(CLIENT), memory="64K", channel=True
    )
    Channel.join(bare.channel, client.channel)
    for _ in range(20):
        client.run(1000)
        bare.run(1000)
    assert client.uart.text == "ONETHREE"
