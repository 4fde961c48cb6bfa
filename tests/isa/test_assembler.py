"""The assembler: the bytes of GNU as, layout, directives, macros, and its messages."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kit.errors import KitError
from kit.isa.aliases import ALIASES
from kit.isa.asm import reader
from kit.isa.asm.addresses import SPECIAL
from kit.isa.asm.directives import DIRECTIVES
from kit.isa.assembler import AssemblyError, assemble, assemble_file
from kit.isa.csr import NUMBERS
from kit.isa.encoding import Decoder, Instruction
from kit.isa.image import Image
from kit.isa.registers import ABI_NAMES, REGISTERS
from tests.isa.gnu import BASE, assembled_by_gnu, need_gnu

DECODER = Decoder("IMAC", 32)

# Values that GNU as takes for the operands of pseudo-instructions and of GNU spellings.
GENERIC = {
    "rd": ["x0", "ra", "a0", "s11", "t6", "fp"],
    "rs1": ["zero", "sp", "a5", "x31"],
    "rs2": ["t0", "s1", "a7"],
    "imm": ["-2048", "2047", "0", "-1", "0x123"],
    "imm(rs1)": ["-4(a0)", "0(sp)", "(t1)", "2047(s0)"],
    "target": ["start", "end", ". + 8", ". - 4"],
    "symbol": ["start", "end", "end + 5"],
    "csr": ["mstatus", "0x7c0", "satp"],
    "uimm": ["0", "31"],
    "shamt": ["0", "1", "31"],
    "rt": ["t0"],
}


def only_text(source: str, **options: object) -> bytes:
    return assemble(source, **options).to_binary()  # type: ignore[arg-type]


def check_like_gnu(statements: list[str], folder: Path, compressing: bool = False) -> None:
    """Every statement makes the bytes that GNU as makes of it."""
    source = "\n".join(["start:", *statements, "end: nop", ""])
    image = assemble((".option rvc;" if compressing else "") + source)
    ours, theirs = image.to_binary(), assembled_by_gnu(source, folder, compressing)
    for row in image.rows:
        if row.address is not None:
            at = row.address - BASE
            assert ours[at : at + row.size].hex() == theirs[at : at + row.size].hex(), row.source
    # GNU as pads a section to its alignment.
    assert theirs[: len(ours)] == ours
    assert len(theirs) - len(ours) < 16


def a_value(row: Instruction, name: str, rng: random.Random) -> int:
    low, high, step = row.limits(name)
    banned = dict(row.excluded).get(name, frozenset())
    while True:
        value = rng.choice([low, high, rng.randrange(low, high + 1, step)])
        if value not in banned:
            return value


def an_operand(row: Instruction, form: str, rng: random.Random) -> str:
    """A random operand of the table's form `form`."""
    if "(" in form:
        name, base = form[:-1].split("(")
        return f"{an_operand(row, name, rng) if name else ''}({an_operand(row, base, rng)})"
    if form in REGISTERS:
        return form
    if form.startswith(("rd", "rs")):
        number = a_value(row, form, rng)
        # GNU as does not write words that are hints.
        return ABI_NAMES[number or 9 if row.length == 2 else number]
    if form == "csr":
        return rng.choice([*NUMBERS, str(rng.randrange(4096))])
    if form in ("pred", "succ"):
        return rng.choice(["iorw", "rw", "r", "w", "io", "i"])
    if form in ("target", "imm20"):
        name = next(name for name in row.operands if name.endswith("imm"))
        value = a_value(row, name, rng)
        return f". + ({value})" if form == "target" else hex(value >> 12 & 0xFFFFF)
    value = a_value(row, form, rng)
    return str(value or 1 if row.length == 2 and form in ("shamt", "imm") else value)


def statements_of(row: Instruction, count: int, rng: random.Random) -> list[str]:
    result = []
    for _ in range(count):
        suffix = rng.choice(["", ".aq", ".rl", ".aqrl"]) if "aq" in row.widths else ""
        forms = row.syntax.split(", ") if row.syntax else []
        operands = ", ".join(an_operand(row, form, rng) for form in forms)
        result.append(f"{row.name}{suffix} {operands}")
    return result


@pytest.mark.toolchain
def test_every_instruction_of_the_table_gives_the_bytes_of_gnu_as(tmp_path: Path) -> None:
    need_gnu()
    rng = random.Random(1982)
    statements = [text for row in DECODER.by_name.values() for text in statements_of(row, 25, rng)]
    check_like_gnu(statements, tmp_path)


@pytest.mark.toolchain
def test_every_instruction_compressed_by_option_gives_the_bytes_of_gnu_as(tmp_path: Path) -> None:
    need_gnu()
    rng = random.Random(1983)
    statements = [
        text
        for row in DECODER.by_name.values()
        if "target" not in row.syntax
        for text in statements_of(row, 40, rng)
    ]
    small = ["s0", "s1", "a0", "a1", "sp", "ra", "zero", "t3"]
    for _ in range(1500):
        a, b, c = rng.choices(small, k=3)
        some = rng.choice([name for name in small if name != "zero"])
        n = rng.choice([0, 1, -1, 4, 16, 31, -32, 32, 64, 124, 252, -512, 496, 2047])
        statements += [
            f"addi {a}, {b}, {n}", f"add {a}, {b}, {c}", f"sub {a}, {b}, {c}",
            f"and {a}, {a}, {c}", f"xor {a}, {b}, {a}", f"or {a}, {b}, {c}", f"andi {a}, {a}, {n}",
            f"lw {a}, {n}({b})", f"sw {a}, {n}({b})", f"li {some}, {n * 4096}", f"mv {a}, {some}",
            f"slli {a}, {a}, {abs(n) % 31 + 1}", f"srli {a}, {a}, {abs(n) % 31 + 1}",
            f"srai {a}, {a}, {abs(n) % 31 + 1}", f"jr {c}",
        ]  # fmt: skip
    check_like_gnu(statements, tmp_path, compressing=True)


@pytest.mark.toolchain
def test_every_pseudo_instruction_gives_the_bytes_of_gnu_as(tmp_path: Path) -> None:
    need_gnu()
    rng = random.Random(1984)
    written = [(alias.name, alias.operands) for alias in ALIASES]
    written += [
        (name, tuple(form.text for form in variant.forms))
        for name, variant in SPECIAL
        if name != "c.unimp"
    ]
    written += [(name, ("rd", "symbol")) for name in ("lb", "lbu", "lh", "lhu", "lw")]
    written += [(name, ("rs2", "symbol", "rt")) for name in ("sb", "sh", "sw")]
    statements = []
    for name, forms in written:
        for _ in range(8):
            operands = ", ".join(rng.choice(GENERIC[form]) for form in forms)
            statements.append(f"{name} {operands}")
    statements = [text for text in statements if not text.startswith(("lb x0", "lh x0", "lw x0"))]
    check_like_gnu(statements, tmp_path)


@pytest.mark.toolchain
def test_li_of_any_number_gives_the_bytes_of_gnu_as(tmp_path: Path) -> None:
    need_gnu()
    rng = random.Random(1985)
    numbers = [0, 1, -1, 2047, 2048, -2048, -2049, 0x7FFFF7FF, 0x7FFFF800, 0x7FFFFFFF, 0x80000000]
    numbers += [-(1 << 31), 0x1000, 0xFFFFF000, 31, 32, -32, -33, 0x1F000, 0x20000]
    numbers += [rng.getrandbits(rng.randrange(1, 33)) for _ in range(200)]
    statements = [f"li {rng.choice(ABI_NAMES[1:])}, {number}" for number in numbers]
    check_like_gnu(statements, tmp_path)
    check_like_gnu(statements, tmp_path, compressing=True)


@pytest.mark.toolchain
@pytest.mark.parametrize("compressing", [False, True])
def test_branches_out_of_reach_grow_as_in_gnu_as(tmp_path: Path, compressing: bool) -> None:
    need_gnu()
    names = ["beq a0, a1", "bne a0, zero", "blt a0, a1", "bgeu t0, a1", "beqz s0", "bgt a0, a1"]
    statements = [f"{name}, far" for name in names] + [f"{name}, near" for name in names]
    statements += ["j near", "j far"]
    statements += ["nop"] * 40 + ["near: nop"] + [".space 240"] + [f"{n}, near" for n in names]
    statements += ["beqz a0, 1f", ".space 236", "1: nop", "bnez a0, 1b", ".space 4200", "far:"]
    statements += [f"{name}, near" for name in names] + ["j near", "jal start"]
    check_like_gnu(statements, tmp_path, compressing)


@pytest.mark.toolchain
def test_expressions_and_data_are_those_of_gnu_as(tmp_path: Path) -> None:
    need_gnu()
    statements = """
        .equ A, 5 ; .set B, A*3+1
        .word A|2+4, 1+2*3, 3<<2+1, -7/2, -7%3, !5, !0, 2&&3, 0||4, ~A, A==5, A<>5, A<B, A>=B
        .word 'a', 'a', '\\n', '\\'', 0x1F, 0b101, 017, 1f, end-start, . - start, .+4, (A+B)*2
        1: .half A, -1, 0xffff ; .byte 1, -128, 255 ; .2byte 3 ; .4byte 4 ; .8byte 5, -1
        .asciz "a\\tb\\"\\\\\\101\\x41" ; .ascii "x", "y;#/*" ; .string "z" # comment
        .align 2 ; .balign 16 ; .p2align 3,,2 ; .space 3 ; .zero 2 ; .skip 3, 0x55
        .p2align 4, 0xff
        .fill 3, 2, 0x1234 ; .byte 1 ; .align 3 ; .org 0x200 ; .org . + 7 ; .balign 8
        .set B, B+1 ; li a0, B ; addi a0, a0, %lo(end) ; lui a0, %hi(end) ; lw a0, %lo(start+4)(a1)
        2: auipc a0, %pcrel_hi(end) ; sw a1, %pcrel_lo(2b)(a0) ; addi a0, a0, %pcrel_lo(2b)
        fence ; fence.i ; sfence.vma ; sfence.vma a0 ; sfence.vma a0, a1 ; lr.w a0, 0(a1)
        addi a0, a0, 0xfffffff0 ; lui a0, 0xfffff ; csrw mtvec, 3 ; jalr a0 ; jalr a0, 4(a1)
    """.splitlines()
    check_like_gnu(statements, tmp_path)


@pytest.mark.toolchain
def test_macros_are_those_of_gnu_as(tmp_path: Path) -> None:
    need_gnu()
    statements = """
        .macro put value, to=a0, off=0
          li t0, \\value
        skip\\@: sw t0, \\off(\\to)
          .ifnb \\off
          beqz t0, skip\\@
          .endif
        .endm
        .macro down n
          .if \\n
          .word \\n
          down \\n-1
          .endif
        .endm
        .macro text t:req, more:vararg
          .asciz "\\t"
          .byte \\more
        .endm
        put 5
        put 5+3, a1, 8
        put off=4, value=(2 + 3) * 2
        put 1 a3 12
        down 5
        text "hello, you", 1, 2, 3
        .balign 8
        .rept 3 ; nop
          .rept 2
          addi a0, a0, 1
          .endr
        .endr
        .irp r, a0, a1, a2
          push_\\r: neg \\r, \\r
        .endr
        .ifdef skip0 ; .word 1 ; .else ; .word 2 ; .endif
        .if 1 == 2 ; .word 3 ; .elseif 2 > 1 ; .word 4 ; .else ; .word 5 ; .endif
    """.replace(".rept 3 ; nop", ".rept 3\n nop").splitlines()
    check_like_gnu(statements, tmp_path)


# -- layout and images -----------------------------------------------------------------------


def test_plain_mnemonics_are_not_compressed_without_the_option() -> None:
    assert len(only_text("addi a0, a0, 1")) == 4
    assert len(only_text(".option rvc\naddi a0, a0, 1\n.option norvc\naddi a0, a0, 1")) == 6
    assert len(only_text(".option push\n.option rvc\nnop\n.option pop\nnop\nc.nop")) == 8


def test_sections_follow_each_other_code_first() -> None:
    image = assemble(
        ".bss\nspace: .space 100\n.data\ndata: .word 1\n.rodata\nconstant: .byte 2\n"
        ".text\n.globl _start\nnop\n_start: nop\n.section .text.init\nfirst: nop\n"
    )
    order = sorted(image.symbols, key=lambda name: image.symbols[name])
    assert order == ["first", "_start", "constant", "data", "space"]
    assert image.symbols["first"] == BASE
    assert image.entry == image.symbols["_start"] == BASE + 8
    assert image.zeroed == [(image.symbols["space"], 100)]
    assert all(address + len(data) <= image.symbols["space"] for address, data in image.segments)


def test_a_section_starts_at_its_alignment() -> None:
    image = assemble("nop\n.data\n.byte 1\n.balign 64\nhere: .byte 2\n")
    assert image.symbols["here"] % 64 == 0


def test_the_base_is_the_address_of_the_first_section() -> None:
    image = assemble("here: .word here", base=0x1000)
    assert image.to_binary() == (0x1000).to_bytes(4, "little")


def test_lines_name_the_source_of_each_address() -> None:
    image = assemble("nop\n\nnop ; nop\n", name="a.s")
    assert image.lines == {BASE: ("a.s", 1), BASE + 4: ("a.s", 3)}


def test_symbols_are_labels_and_constants_without_local_names() -> None:
    image = assemble(".equ A, 5\nstart: nop\n1: nop\n.Lx: nop\n.set later, start + 4\n")
    assert image.symbols == {"start": BASE, "later": BASE + 4}
    assert image.constants == {"A": 5}


def test_the_listing_shows_addresses_bytes_and_source() -> None:
    image = assemble("start:\n  li a0, 0x12345\n.data\n  .word 7, 8, 9\n.bss\n .space 64\n")
    lines = image.listing().splitlines()
    assert lines[2] == "80000000 00012537             2    li a0, 0x12345"
    assert lines[3] == "80000004 34550513"
    assert "07000000080000" in lines[5]
    assert "4    .word 7, 8, 9" in lines[5]
    assert lines[-1].endswith("...") or lines[-2].endswith("...")


def test_the_elf_file_is_read_by_pyelftools(tmp_path: Path) -> None:
    elffile = pytest.importorskip("elftools.elf.elffile")
    source = """
        .globl _start
        .type _start, @function
        .equ UART, 0x10000000
        _start: nop
        .data
        value: .word 5
        .bss
        .balign 16
        room: .space 32
    """
    (tmp_path / "a.elf").write_bytes(assemble(source).to_elf())
    with (tmp_path / "a.elf").open("rb") as file:
        elf = elffile.ELFFile(file)
        assert elf["e_machine"] == "EM_RISCV"
        assert elf["e_entry"] == BASE
        text = elf.get_section_by_name(".text")
        assert text.data() == bytes.fromhex("13000000")
        symbols = {s.name: s for s in elf.get_section_by_name(".symtab").iter_symbols()}
        assert symbols["value"]["st_value"] == BASE + 4
        assert symbols["_start"]["st_info"] == {"bind": "STB_GLOBAL", "type": "STT_FUNC"}
        assert symbols["UART"]["st_shndx"] == "SHN_ABS"
        code, data = elf.iter_segments()
        assert (code["p_vaddr"], code["p_filesz"], code["p_flags"]) == (BASE, 4, 5)
        assert data["p_filesz"] == 4
        assert data["p_memsz"] == symbols["room"]["st_value"] + 32 - data["p_vaddr"]
        assert data["p_offset"] % data["p_align"] == data["p_vaddr"] % data["p_align"]
        assert data.data() == bytes.fromhex("05000000")


def test_files_are_included_from_beside_and_from_the_include_path(tmp_path: Path) -> None:
    (tmp_path / "lib").mkdir()
    (tmp_path / "lib" / "far.inc").write_text(".equ FAR, 2\n")
    (tmp_path / "near.inc").write_text('.include "far.inc"\n.equ NEAR, 1\n')
    main = tmp_path / "main.s"
    main.write_text('.include "near.inc"\n.byte NEAR, FAR\n.incbin "near.inc", 1, 3\n')
    image = assemble_file(main, include_paths=[tmp_path / "lib"])
    assert image.to_binary() == b"\x01\x02inc"


def test_a_symbol_redefined_by_set_has_its_value_at_each_use() -> None:
    text = only_text(".set n, 1\n.byte n\n.set n, n + 1\n.byte n\n.set n, 7\n.byte n\n")
    assert text == bytes([1, 2, 7])


def test_li_takes_a_value_that_is_defined_later() -> None:
    later = only_text("li a0, size\n.set size, 0x12345\n")
    assert later == only_text("li a0, 0x12345")


# -- messages --------------------------------------------------------------------------------

MESSAGES = [
    ("add t9, a0, a1", "a.s:1:5: unknown register 't9'; did you mean 't6'?"),
    ("nop\n  lw a0, 4(q1)", "a.s:2:12: unknown register 'q1'"),
    ("addd a0, a1, a2", "a.s:1:1: unknown instruction 'addd'; did you mean 'add'?"),
    ("addi a0, a1", "a.s:1:1: addi takes 3 operands, not 2; write 'addi rd, rs1, imm'"),
    ("addi a0, a1, 2048", "a.s:1:14: 2048 is outside -2048 to 2047"),
    ("slli a0, a1, 32", "a.s:1:14: 32 is outside 0 to 31"),
    ("lui a0, 0x100000", "a.s:1:9: 1048576 is outside 0 to 0xfffff"),
    ("lw a0, a1", "a.s:1:8: expected 'imm(rs1)' here; write 'lw rd, imm(rs1)' or 'lw rd, symbol'"),
    ("c.lw a0, 3(a1)", "a.s:1:10: 3 is not a multiple of 4"),
    ("c.lw t0, 4(a1)", "a.s:1:6: c.lw takes only the registers s0, s1, a0 to a5"),
    ("c.addi16sp a0, 16", "a.s:1:12: expected the register sp here; write 'c.addi16sp sp, nzimm'"),
    ("csrr a0, mstats", "a.s:1:10: unknown control and status register 'mstats'; did you mean 'm"),
    ("fence wr, r", "a.s:1:7: 'wr' is no set of accesses; write letters of 'iorw', in this order"),
    ("j nowhere", "a.s:1:3: undefined symbol 'nowhere'"),
    ("start: j strat", "a.s:1:10: undefined symbol 'strat'; did you mean 'start'?"),
    ("beq a0, a1, 8", "a.s:1:13: the target 0x8 is "),
    ("j . + 3", "a.s:1:3: the target 0x80000003 is not a multiple of 2"),
    ("x: nop\nx: nop", "a.s:2:1: 'x' is already defined, in a.s:1"),
    ("a0: nop", "a.s:1:1: 'a0' is a register and cannot be a symbol"),
    ("j 1b", "a.s:1:3: no label '1:' stands before this"),
    ("j 1f", "a.s:1:3: no label '1:' follows"),
    (".word 1 +", "a.s:1:10: expected a value, but the statement ends here"),
    (".word (1", "a.s:1:9: expected ')', but the statement ends here"),
    (".word 1 / 0", "a.s:1:9: division by zero"),
    (".word 1 2", "a.s:1:9: unexpected '2' at the end of the statement"),
    (".byte 256", "a.s:1:7: 256 does not fit in 1 byte; it must be -128 to 255"),
    (".word 09", "a.s:1:7: '09' is not octal, as a leading 0 says"),
    (".word 12ab", "a.s:1:7: '12ab' is not a number"),
    ('.asciz "a', "a.s:1:8: this string is not closed; add a closing"),
    ('.asciz "\\q"', "a.s:1:9: unknown escape '\\q'"),
    ("nop\n /* open\n", "a.s:2:2: this comment is not closed"),
    ("li a0, 0x100000000", "a.s:1:8: 4294967296 does not fit in a register of 32 bits"),
    ("lui a0, %high(x)", "a.s:1:9: unknown modifier '%high'; there are %hi, %lo"),
    ("addi a0, a0, %pcrel_lo(x)\nx: nop", "a.s:1:14: %pcrel_lo needs the label of the auipc"),
    (".wrod 1", "a.s:1:1: unknown directive '.wrod'; did you mean '.word'?"),
    (".space -1", "a.s:1:8: a space of -1 items is outside"),
    (".space 1 << 40", "a.s:1:8: a space of 1099511627776 items is outside"),
    (".space b - a\na:\n.space 1 << 20\nb: .space b - a\n.space (b-a)*63", "larger than 64 MiB"),
    (".rept 1 << 30\n.endr", "a.s:1:7: a count must be 0 to 1000000"),
    (".rept 2\nnop", "a.s:1:1: .rept is not closed by .endr"),
    (".macro m\nm\n.endm\nm", "a.s:2:2: macro 'm' is called more than 100 deep"),
    (".macro m a\nm \\a\\a\n.endm\nm xx", "this macro makes a line of more than 65536 characters"),
    (".macro m a:req\n.endm\nm", "a.s:3:2: macro 'm' needs a value for 'a'"),
    (".macro m\n.endm\nm 1", "a.s:3:2: macro 'm' takes 0 arguments, not 1"),
    (".macro m\n addi a0, a0, 5000\n.endm\nm", "in macro 'm', a.s:4"),
    (".set a, b\n.set b, a\n.word a", "symbols are defined by each other"),
    (".set a, a + 1\n.word a", "a.s:1:6: 'a' is defined by itself"),
    (".if 1\nnop", "a.s:1:1: .if is not closed by .endif"),
    (".if later\n.endif\nlater: nop", "a.s:1:4: this condition is not known here"),
    (".endif", "a.s:1:1: .endif without .if"),
    (".org 8\n.org 4", "a.s:2:6: .org cannot go backwards"),
    (".align 30", "a.s:1:8: a power of two must be 0 to 20, not 30"),
    (".balign 3", "a.s:1:9: the alignment 3 is not a power of two"),
    (".bss\n.word 1", "a.s:2:7: section .bss can only hold zeros; use .data"),
    ('.include "missing.s"', "a.s:1:10: cannot find the file 'missing.s'"),
    (".option rvx", "a.s:1:9: unknown option 'rvx'"),
    (".popsection", "a.s:1:1: .popsection without .pushsection"),
    ("mul a0, a0, é$", "a.s:1:13: unknown register 'é$'"),
    ("nop €", "a.s:1:5: unexpected character '€'"),
    ('.error "too big"', "a.s:1:1: too big"),
    ("li a0", "a.s:1:1: li takes 2 operands, not 1; write 'li rd, imm'\n"),
    ('msg .asciz "x"', "unknown instruction 'msg'; if it is a label, write 'msg:'"),
    ("again addi a0, a0, -1", "if it is a label, write 'again:'"),
    ("zzyzx\nnop", "if it is a label, write 'zzyzx:'"),
    ("ld a0, 0(a1)", "unknown instruction 'ld'; it belongs to RV64, and this machine is RV32"),
    ("amoadd.d a0, a1, (a2)", "it belongs to RV64"),
    ("fadd.s fa0, fa1, fa2", "it belongs to extension F, which this machine has not"),
    ("fcvt.d.w fa0, a1", "it belongs to extension D"),
    ("vadd.vv v1, v2, v3", "it belongs to extension V"),
    ("; it's a comment", "unknown instruction 'it'; a comment begins with '#', not with ';'"),
    ("nop ; add the numbers", "a comment begins with '#', not with ';'"),
    ("@ a comment", "unexpected '@' at the start of a statement; a comment begins with '#'"),
]


@pytest.mark.parametrize(("source", "message"), MESSAGES, ids=[text for text, _ in MESSAGES])
def test_a_mistake_is_explained_where_it_stands(source: str, message: str) -> None:
    with pytest.raises(AssemblyError) as caught:
        assemble(source, name="a.s")
    assert message in str(caught.value)


def test_a_message_shows_the_line_with_a_caret() -> None:
    with pytest.raises(AssemblyError) as caught:
        assemble("nop\n\tadd a0, t9, a1 # sum\n", name="a.s")
    error = caught.value
    assert (error.file, error.line, error.column) == ("a.s", 2, 10)
    assert str(error).splitlines()[1:] == ["    \tadd a0, t9, a1 # sum", "    \t        ^"]


def mistakes(source: str) -> list[str]:
    """Line, column and text of each mistake that one run finds."""
    with pytest.raises(AssemblyError) as caught:
        assemble(source, name="a.s")
    found = [caught.value, *caught.value.others]
    assert all(str(error).splitlines()[0] in str(caught.value) for error in found)
    return [f"{error.line}:{error.column} {error.what}" for error in found]


def test_mistakes_that_do_not_depend_on_each_other_are_all_told() -> None:
    assert mistakes("li a0\nx: lw a0, 4(q1)\n.byte 256; addi a0, a0, 5000\nj x") == [
        "1:1 li takes 2 operands, not 1; write 'li rd, imm'",
        "2:13 unknown register 'q1'",
        "3:7 256 does not fit in 1 byte; it must be -128 to 255",
        "3:25 5000 is outside -2048 to 2047",
    ]


def test_each_undefined_symbol_is_told_where_it_is_used_first() -> None:
    assert mistakes("j a\nbeqz a0, b\n.data\n.space c\n.text\n.word b, d + 1\nj a") == [
        "1:3 undefined symbol 'a'",
        "2:10 undefined symbol 'b'",
        "4:8 undefined symbol 'c'",
        "6:10 undefined symbol 'd'",
    ]


def test_every_value_that_does_not_fit_is_told() -> None:
    assert len(mistakes(".byte x\naddi a0, a0, x\n.half x\n.equ x, 5000")) == 2


@pytest.mark.parametrize(
    "source",
    [
        ".equ SIZE, 1 +\n.space SIZE\n.if SIZE\n.endif",
        ".macro m a\n addi a0, a0, \\a\n nop nop\n.endm\nm 5000",
        ".rept 5\n nop nop\n.endr",
        '.include "missing.s"\nhelp a0',
        ".if later\nhelp a0\n.endif",
        ".marco m\nhelp\n.endm",
    ],
)
def test_nothing_is_told_that_may_come_from_an_earlier_mistake(source: str) -> None:
    assert len(mistakes(source)) == 1


def test_a_run_tells_no_more_mistakes_than_one_reads() -> None:
    for source in ("help me\n" * 100, "help me;" * 100, "\n".join(f"j x{n}" for n in range(99))):
        with pytest.raises(AssemblyError, match="20 mistakes, and perhaps more") as caught:
            assemble(source)
        assert len(caught.value.others) == 19


def test_repetitions_that_make_too_many_lines_are_an_error(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(reader, "MOST_LINES_MADE", 1000)
    for source in (
        ".rept 1000\nnop\nnop\n.endr",
        ".rept 99\n.rept 99\n.rept 9\n.endr\n.endr\n.endr",
    ):
        with pytest.raises(KitError, match="make more than 1000 lines"):
            assemble(source)


def test_a_file_that_includes_itself_is_an_error(tmp_path: Path) -> None:
    main = tmp_path / "main.s"
    main.write_text('.include "main.s"\n')
    with pytest.raises(KitError, match="include each other more than 32 deep"):
        assemble_file(main)


def test_instructions_of_a_missing_extension_are_unknown() -> None:
    with pytest.raises(KitError, match="unknown instruction 'mul'; it belongs to extension M"):
        assemble("mul a0, a0, a0", isa="rv32i")
    with pytest.raises(KitError, match="unknown instruction set 'rv32q'"):
        assemble("nop", isa="rv32q")


@pytest.mark.parametrize("data", [None, b"\xff\xfe\x00", b"x" * ((16 << 20) + 1)])
def test_a_file_that_is_no_source_is_an_error(tmp_path: Path, data: bytes | None) -> None:
    path = tmp_path / "a.s"
    if data is not None:
        path.write_bytes(data)
    with pytest.raises(KitError, match=r"a\.s"):
        assemble_file(path)


# -- no input makes anything but a KitError --------------------------------------------------

WORDS = [
    *DECODER.by_name, *DIRECTIVES, *REGISTERS, *(alias.name for alias in ALIASES),
    *(name for name, _ in SPECIAL), ".macro", ".if", ".else", ".endif", ".irp", "x", "y", "1f",
    "1b", "x:", "1:", "y =", "%hi(", "%pcrel_lo(", "mstatus", "rw", "\\x", "\\@", "0x10", "-1", "5",
    "4096", "(", ")", ",", ",", ",", "+", "-", "*", "/", "<<", "~", '"text"', "'c'", "\n", "\n",
    "\n", ";", "(a0)", ".", "a0,", "/*", "*/", "#",
]  # fmt: skip


def assembles_or_explains(source: str) -> None:
    try:
        image = assemble(source)
    except KitError as error:
        str(error).encode()
    else:
        assert isinstance(image, Image)
        image.to_elf()
        image.listing()


@settings(max_examples=300, deadline=None, derandomize=True)
@given(st.lists(st.sampled_from(WORDS), max_size=40).map(" ".join))
def test_any_sequence_of_words_assembles_or_is_explained(source: str) -> None:
    assembles_or_explains(source)


@settings(
    max_examples=300,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow],
)
@given(st.text(max_size=200))
def test_any_text_assembles_or_is_explained(source: str) -> None:
    assembles_or_explains(source)


@settings(max_examples=300, deadline=None, derandomize=True)
@given(
    st.sampled_from([name for name in WORDS if name[0].isalpha() or name[0] == "."]),
    st.lists(st.sampled_from(WORDS), max_size=6).map(" ".join),
)
def test_any_operands_assemble_or_are_explained(word: str, operands: str) -> None:
    assembles_or_explains(f"x: {word} {operands}\n1: nop")


@pytest.mark.parametrize(
    "source",
    [
        "(" * 5000, ".word " + "(" * 5000, ".word " + "-" * 5000 + "1",
        ".word " + "1+" * 5000 + "1", ".if 1\n" * 5000, "x: " * 5000, ";" * 5000, "a" * 100000,
        ".word " + "9" * 5000,
        "1" * 5000 + ":", ".macro " * 500, ".byte 1" + ",1" * 20000, "\0", ".string \"\\x\"",
        "\n".join(f".set s{n}, s{n + 1}" for n in range(3000)) + "\n.word s0",
        ".word 1<<9999999999999", ".fill 4294967295, 8", ".space 0x7fffffffffffffff, 1",
        ".include \"\\0\"", ".include \"/dev/zero\"", ".incbin \"/\"", ".section \"\"", ".comm x",
        "\ud800", ".ascii \"\ud800\"", ".org -5", ".space x\nx:", ".space x-.\nx:", ". = 5",
        ".irp\n.endr", ".exitm", ".end\n)",
    ],
    ids=range(32),
)  # fmt: skip
def test_hostile_input_is_explained_quickly(source: str) -> None:
    assembles_or_explains(source)
