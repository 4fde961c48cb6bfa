"""Seeded bugs of the instruction set's definition, which the comparison with Spike has to find.

`python -m tests.conformance.isa_mutants NAME FOLDER` puts a copy of the kit with one of them into
an empty folder; run there, the same command without a folder compares it with Spike, and prints
what was found.
"""

from __future__ import annotations

import shutil
import sys
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[2]
INSTRUCTIONS = 400_000
"""Random instructions after which a mutant counts as not found."""


class IsaMutant(NamedTuple):
    """In `file` of kit/isa, the text `old`, which is there exactly once, is replaced by `new`."""

    file: str
    old: str
    new: str

    def source(self) -> str:
        text = (ROOT / "kit" / "isa" / f"{self.file}.py").read_text(encoding="utf-8")
        if text.count(self.old) != 1:
            raise ValueError(f"{self.file}.py has {text.count(self.old)} times: {self.old}")
        return text.replace(self.old, self.new)


def _in(file: str, **changes: tuple[str, str]) -> dict[str, IsaMutant]:
    return {name: IsaMutant(file, old, new) for name, (old, new) in changes.items()}


ISA_MUTANTS: dict[str, IsaMutant] = {
    **_in(
        "base",
        auipc_ignores_pc=("cpu.x[rd] = cpu.pc + imm", "cpu.x[rd] = imm"),
        jalr_keeps_bit_0=("cpu.jump((cpu.x[rs1] + imm) & ~1)", "cpu.jump(cpu.x[rs1] + imm)"),
        blt_is_unsigned=("if cpu.x[rs1].lts(cpu.x[rs2]):", "if cpu.x[rs1].ltu(cpu.x[rs2]):"),
        bgeu_is_signed=("if cpu.x[rs1].geu(cpu.x[rs2]):", "if cpu.x[rs1].ges(cpu.x[rs2]):"),
        lb_is_not_extended=(
            "load(cpu, cpu.x[rs1] + imm, 1).sext(cpu.xlen)",
            "load(cpu, cpu.x[rs1] + imm, 1).zext(cpu.xlen)",
        ),
        lhu_is_extended=(
            "load(cpu, cpu.x[rs1] + imm, 2).zext(cpu.xlen)",
            "load(cpu, cpu.x[rs1] + imm, 2).sext(cpu.xlen)",
        ),
        slti_is_unsigned=("cpu.x[rs1].lts(imm)", "cpu.x[rs1].ltu(imm)"),
        srai_fills_with_zeros=("cpu.x[rs1].sar(shamt)", "cpu.x[rs1].shr(shamt)"),
        sra_fills_with_zeros=(
            "cpu.x[rs1].sar(shift_amount(cpu, rs2))",
            "cpu.x[rs1].shr(shift_amount(cpu, rs2))",
        ),
        shifts_take_all_of_rs2=("cpu.x[rs2] & (cpu.xlen - 1)", "cpu.x[rs2]"),
        sub_adds=("cpu.x[rs1] - cpu.x[rs2]", "cpu.x[rs1] + cpu.x[rs2] + 0"),
        sltu_is_signed=(
            "cpu.x[rs1].ltu(cpu.x[rs2]).zext(cpu.xlen)",
            "cpu.x[rs1].lts(cpu.x[rs2]).zext(cpu.xlen)",
        ),
    ),
    **_in(
        "multiply",
        mulh_is_unsigned=(
            "cpu.x[rs1].sext(double) * cpu.x[rs2].sext(double)",
            "cpu.x[rs1].zext(double) * cpu.x[rs2].zext(double)",
        ),
        mulhsu_is_signed=(
            "cpu.x[rs1].sext(double) * cpu.x[rs2].zext(double)",
            "cpu.x[rs1].sext(double) * cpu.x[rs2].sext(double)",
        ),
        div_by_zero_is_zero=("select(b == 0, cpu.word(-1), signed)", "signed"),
        rem_has_the_divisors_sign=("select(sign(a), negative(", "select(sign(b), negative("),
    ),
    **_in(
        "atomic",
        lr_takes_no_reservation=("cpu.reservation_valid, cpu.reservation = 1, physical", "pass"),
        sc_keeps_the_reservation=("    cpu.reservation_valid = 0\n", ""),
        sc_needs_no_address=(
            "cpu.reservation_valid & (cpu.reservation == physical)",
            "cpu.reservation_valid",
        ),
        amomin_is_unsigned=(
            "select(old.lts(new), old, new))",
            "select(old.ltu(new), old, new) + 0)",
        ),
        amoswap_keeps_the_word=("lambda old, new: new)", "lambda old, new: old)"),
    ),
    **_in(
        "compressed",
        c_srai_is_logical=('"srai rd=rd', '"srli rd=rd'),
        c_bnez_is_c_beqz=('"bne rs1', '"beq rs1'),
    ),
    **_in(
        "trap",
        mret_keeps_mpp=("        status = status.replace(12, 11, least)\n", ""),
        mprv_outlives_machine_mode=(
            "status.replace(MPRV, MPRV, status[MPRV] & (previous == M))",
            "status",
        ),
        sret_keeps_spp=("        status = status.replace(SPP, SPP, 0)\n", ""),
        traps_of_machine_mode_are_delegated=(
            "(cpu.mode != M) & delegation.shr(cause & 31)[0]",
            "delegation.shr(cause & 31)[0]",
        ),
        traps_leave_mie_on=(".replace(MIE, MIE, 0)", ""),
        timer_goes_before_software=("(11, 3, 7, 9, 1, 5)", "(11, 7, 3, 9, 1, 5)"),
        vectors_are_ignored=("select(tvec[0], base + cause.shl(2), base)", "base"),
    ),
    **_in(
        "zicsr",
        read_only_registers_take_writes=(" & ~(writes & (csr[11:10] == 3))", ""),
        csrrc_sets=("& ~cpu.x[rs1])", "| cpu.x[rs1] | 0)"),
        csrrs_of_x0_writes=(
            "rs1 != 0, lambda: csr_update_base(cpu, csr) | cpu",
            "Bits(1, 1), lambda: csr_update_base(cpu, csr) | cpu",
        ),
    ),
    **_in(
        "system",
        calls_come_from_user_mode=("cpu.mode.zext(cpu.xlen) + 8", "cpu.word(8)"),
        mret_is_open_to_supervisor_mode=("if cpu.mode != M:", "if cpu.mode == U:"),
        tsr_is_ignored=("cpu.mstatus[TSR]", "Bits(1, 0)"),
    ),
    **_in(
        "translation",
        sum_is_ignored=("~entry[PTE_U] | cpu.mstatus[SUM]", "~entry[PTE_U]"),
        mxr_is_ignored=("entry[PTE_R] | (entry[PTE_X] & cpu.mstatus[MXR])", "entry[PTE_R]"),
        supervisor_mode_fetches_user_pages=(
            "        supervisor = ~entry[PTE_U]\n",
            "        supervisor = Bits(1, 1)\n",
        ),
        misaligned_superpages_are_used=(
            "entry[19:10] != 0 if level else",
            "entry[19:10] != entry[19:10] if level else",
        ),
        protection_is_not_asked=(
            "if not pmp_allows(cpu, physical, size, access, mode):",
            "if Bits(1, 0):",
        ),
    ),
    **_in(
        "pmp",
        locked_entries_do_not_bind_machine_mode=("((mode == M) & ~config[7])", "(mode == M)"),
        without_a_match_everything_is_open=(
            "            return decision[0]\n    return mode == M",
            "            return decision[0]\n    return Bits(1, 1)",
        ),
        ranges_have_no_lower_bound=("address.geu(bottom) & address.ltu(top)", "address.ltu(top)"),
    ),
    **_in(
        "csr",
        sstatus_lacks_mxr=(" | 1 << 18 | 1 << 19", " | 1 << 18"),
        medeleg_takes_calls_of_machine_mode=("7, 8, 9, 12, 13, 15)", "7, 8, 9, 11, 12, 13, 15)"),
        pmpcfg_keeps_write_without_read=("clean[1] & clean[0]", "clean[1]"),
        locked_pmpcfg_is_overwritten=("select(old[7], old, clean)", "clean"),
    ),
}


def install(name: str, folder: Path) -> None:
    """Puts a copy of the kit into a folder, with the mutant's bug in it."""
    copy = folder / "kit"
    shutil.copytree(ROOT / "kit", copy, ignore=shutil.ignore_patterns("__pycache__"))
    mutant = ISA_MUTANTS[name]
    (copy / "isa" / f"{mutant.file}.py").write_text(mutant.source(), encoding="utf-8")


def compared() -> str:
    """The first difference between the kit that is imported here and Spike, or nothing."""
    from .generator import generate
    from .lockstep import DifferenceError, find_spike, lockstep
    from .test_lockstep import KINDS

    spike = find_spike()
    assert spike is not None
    seed, made = 1, 0
    while made < INSTRUCTIONS:
        try:
            made += lockstep(generate(seed, KINDS[seed % len(KINDS)]), spike).instructions
        except DifferenceError as difference:
            return f"seed {seed}: {str(difference).splitlines()[0]}"
        except Exception as error:  # a bug may also make the kit fail
            return f"seed {seed}: {type(error).__name__}: {error}"
        seed += 1
    return ""


if __name__ == "__main__":
    if sys.argv[2:]:
        install(sys.argv[1], Path(sys.argv[2]))
    else:
        import kit

        assert Path(kit.__file__).parent != ROOT / "kit", "this is the kit itself"
        print(compared())
