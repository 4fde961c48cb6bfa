"""Pseudo-instructions: other names for instructions, used by assembler and disassembler.

Each line of the tables is ``mnemonic operands = what it stands for``, in the operand forms of the
encoding table (`kit.isa.encoding.Instruction.syntax`); several instructions are separated by
semicolons. Unprivileged Architecture, chapter 25. Those that depend on a value or make an address
(`li`, `la`, `call`, `lw rd, symbol`) are in `kit.isa.asm.addresses`.
"""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["ALIASES", "Alias"]


@dataclass(frozen=True)
class Alias:
    """A pseudo-instruction. `steps` has mnemonic and operands of each instruction it stands for.

    The disassembler writes it where `is_shown`.
    """

    name: str
    operands: tuple[str, ...]
    steps: tuple[tuple[str, tuple[str, ...]], ...]
    is_shown: bool


# Earlier lines win when an instruction is written in the shortest way.
_SHOWN = """
nop = addi x0, x0, 0
li rd, imm = addi rd, x0, imm
mv rd, rs1 = addi rd, rs1, 0
not rd, rs1 = xori rd, rs1, -1
neg rd, rs2 = sub rd, x0, rs2
zext.b rd, rs1 = andi rd, rs1, 255
seqz rd, rs1 = sltiu rd, rs1, 1
snez rd, rs2 = sltu rd, x0, rs2
sltz rd, rs1 = slt rd, rs1, x0
sgtz rd, rs2 = slt rd, x0, rs2
beqz rs1, target = beq rs1, x0, target
bnez rs1, target = bne rs1, x0, target
blez rs2, target = bge x0, rs2, target
bgez rs1, target = bge rs1, x0, target
bltz rs1, target = blt rs1, x0, target
bgtz rs2, target = blt x0, rs2, target
j target = jal x0, target
jal target = jal x1, target
ret = jalr x0, 0(x1)
jr rs1 = jalr x0, 0(rs1)
jr imm(rs1) = jalr x0, imm(rs1)
jalr rs1 = jalr x1, 0(rs1)
jalr imm(rs1) = jalr x1, imm(rs1)
rdcycle rd = csrrs rd, cycle, x0
rdtime rd = csrrs rd, time, x0
rdinstret rd = csrrs rd, instret, x0
rdcycleh rd = csrrs rd, cycleh, x0
rdtimeh rd = csrrs rd, timeh, x0
rdinstreth rd = csrrs rd, instreth, x0
unimp = csrrw x0, cycle, x0
csrr rd, csr = csrrs rd, csr, x0
csrw csr, rs1 = csrrw x0, csr, rs1
csrs csr, rs1 = csrrs x0, csr, rs1
csrc csr, rs1 = csrrc x0, csr, rs1
csrwi csr, uimm = csrrwi x0, csr, uimm
csrsi csr, uimm = csrrsi x0, csr, uimm
csrci csr, uimm = csrrci x0, csr, uimm
fence = fence iorw, iorw
sfence.vma = sfence.vma x0, x0
sfence.vma rs1 = sfence.vma rs1, x0
"""

_WRITTEN_ONLY = """
move rd, rs1 = addi rd, rs1, 0
jr rs1, imm = jalr x0, imm(rs1)
jalr rd, rs1 = jalr rd, 0(rs1)
jalr rs1, imm = jalr x1, imm(rs1)
jalr rd, rs1, imm = jalr rd, imm(rs1)
bgt rs1, rs2, target = blt rs2, rs1, target
ble rs1, rs2, target = bge rs2, rs1, target
bgtu rs1, rs2, target = bltu rs2, rs1, target
bleu rs1, rs2, target = bgeu rs2, rs1, target
sgt rd, rs1, rs2 = slt rd, rs2, rs1
sgtu rd, rs1, rs2 = sltu rd, rs2, rs1
sext.b rd, rs1 = slli rd, rs1, 24; srai rd, rd, 24
sext.h rd, rs1 = slli rd, rs1, 16; srai rd, rd, 16
zext.h rd, rs1 = slli rd, rs1, 16; srli rd, rd, 16
add rd, rs1, imm = addi rd, rs1, imm
and rd, rs1, imm = andi rd, rs1, imm
or rd, rs1, imm = ori rd, rs1, imm
xor rd, rs1, imm = xori rd, rs1, imm
slt rd, rs1, imm = slti rd, rs1, imm
sltu rd, rs1, imm = sltiu rd, rs1, imm
sll rd, rs1, shamt = slli rd, rs1, shamt
srl rd, rs1, shamt = srli rd, rs1, shamt
sra rd, rs1, shamt = srai rd, rs1, shamt
csrrw rd, csr, uimm = csrrwi rd, csr, uimm
csrrs rd, csr, uimm = csrrsi rd, csr, uimm
csrrc rd, csr, uimm = csrrci rd, csr, uimm
csrw csr, uimm = csrrwi x0, csr, uimm
csrs csr, uimm = csrrsi x0, csr, uimm
csrc csr, uimm = csrrci x0, csr, uimm
scall = ecall
sbreak = ebreak
"""


def _operands(text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split(",")) if text.strip() else ()


def _read(table: str, is_shown: bool) -> list[Alias]:
    result = []
    for line in table.strip().splitlines():
        left, _, right = line.partition("=")
        name, _, operands = left.strip().partition(" ")
        steps = tuple(
            (step.strip().partition(" ")[0], _operands(step.strip().partition(" ")[2]))
            for step in right.split(";")
        )
        result.append(Alias(name, _operands(operands), steps, is_shown))
    return result


ALIASES: tuple[Alias, ...] = (*_read(_SHOWN, True), *_read(_WRITTEN_ONLY, False))
"""Every pseudo-instruction that is a rewriting of its operands."""
