"""C: compressed instructions, each another spelling of a full one. Chapter 27.

Encodings that the manual calls hints (a destination x0, a shift by zero) are executed as what they
expand to, which changes nothing. Reserved ones are excluded, so that they trap.
"""

from __future__ import annotations

from kit.isa.encoding import compressed

compressed(
    "c.addi4spn",
    "000 nzuimm[5:4|9:6|2|3] rd' 00",
    "rd', sp, nzuimm",
    "addi rd=rd' rs1=2 imm=nzuimm",
)
compressed(
    "c.lw", "010 uimm[5:3] rs1' uimm[2|6] rd' 00", "rd', uimm(rs1')", "lw rd=rd' rs1=rs1' imm=uimm"
)
compressed(
    "c.sw",
    "110 uimm[5:3] rs1' uimm[2|6] rs2' 00",
    "rs2', uimm(rs1')",
    "sw rs2=rs2' rs1=rs1' imm=uimm",
)

compressed("c.nop", "000 imm[5] 00000 imm[4:0] 01", "", "addi rd=0 rs1=0 imm=imm")
compressed("c.addi", "000 imm[5] rd!=0 imm[4:0] 01", "rd, imm", "addi rd=rd rs1=rd imm=imm")
compressed("c.jal", "001 imm[11|4|9:8|10|6|7|3:1|5] 01", "target", "jal rd=1 imm=imm", xlens=(32,))
compressed("c.li", "010 imm[5] rd imm[4:0] 01", "rd, imm", "addi rd=rd rs1=0 imm=imm")
compressed(
    "c.addi16sp", "011 nzimm[9] 00010 nzimm[4|6|8:7|5] 01", "sp, nzimm", "addi rd=2 rs1=2 imm=nzimm"
)
compressed("c.lui", "011 nzimm[17] rd!=2 nzimm[16:12] 01", "rd, imm20", "lui rd=rd imm=nzimm")
compressed(
    "c.srli",
    "100 0 00 rd' shamt[4:0] 01",
    "rd', shamt",
    "srli rd=rd' rs1=rd' shamt=shamt",
    xlens=(32,),
)
compressed(
    "c.srai",
    "100 0 01 rd' shamt[4:0] 01",
    "rd', shamt",
    "srai rd=rd' rs1=rd' shamt=shamt",
    xlens=(32,),
)
compressed("c.andi", "100 imm[5] 10 rd' imm[4:0] 01", "rd', imm", "andi rd=rd' rs1=rd' imm=imm")
compressed("c.sub", "100 0 11 rd' 00 rs2' 01", "rd', rs2'", "sub rd=rd' rs1=rd' rs2=rs2'")
compressed("c.xor", "100 0 11 rd' 01 rs2' 01", "rd', rs2'", "xor rd=rd' rs1=rd' rs2=rs2'")
compressed("c.or", "100 0 11 rd' 10 rs2' 01", "rd', rs2'", "or rd=rd' rs1=rd' rs2=rs2'")
compressed("c.and", "100 0 11 rd' 11 rs2' 01", "rd', rs2'", "and rd=rd' rs1=rd' rs2=rs2'")
compressed("c.j", "101 imm[11|4|9:8|10|6|7|3:1|5] 01", "target", "jal rd=0 imm=imm")
compressed(
    "c.beqz", "110 imm[8|4:3] rs1' imm[7:6|2:1|5] 01", "rs1', target", "beq rs1=rs1' rs2=0 imm=imm"
)
compressed(
    "c.bnez", "111 imm[8|4:3] rs1' imm[7:6|2:1|5] 01", "rs1', target", "bne rs1=rs1' rs2=0 imm=imm"
)

compressed(
    "c.slli", "000 0 rd shamt[4:0] 10", "rd, shamt", "slli rd=rd rs1=rd shamt=shamt", xlens=(32,)
)
compressed(
    "c.lwsp", "010 uimm[5] rd!=0 uimm[4:2|7:6] 10", "rd, uimm(sp)", "lw rd=rd rs1=2 imm=uimm"
)
compressed("c.jr", "100 0 rs1!=0 00000 10", "rs1", "jalr rd=0 rs1=rs1 imm=0")
compressed("c.mv", "100 0 rd rs2!=0 10", "rd, rs2", "add rd=rd rs1=0 rs2=rs2")
compressed("c.ebreak", "100 1 00000 00000 10", "", "ebreak")
compressed("c.jalr", "100 1 rs1!=0 00000 10", "rs1", "jalr rd=1 rs1=rs1 imm=0")
compressed("c.add", "100 1 rd rs2!=0 10", "rd, rs2", "add rd=rd rs1=rd rs2=rs2")
compressed("c.swsp", "110 uimm[5:2|7:6] rs2 10", "rs2, uimm(sp)", "sw rs2=rs2 rs1=2 imm=uimm")
