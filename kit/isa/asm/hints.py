"""What may be meant by a statement that makes no sense: habits of other assemblers and machines."""

from __future__ import annotations

import re

from kit.isa.encoding import INSTRUCTIONS

__all__ = ["COMMENT", "comment_hint", "extension_hint", "label_hint"]

COMMENT = "a comment begins with '#'"

_WORD = r"[A-Za-z]+(?:'[a-z]+)?"
_PROSE = re.compile(rf"\s*{_WORD}(?:\s+{_WORD}){{2}}(?=[\s.,:!?]|$)")

_RV64 = (
    r"ld|sd|lwu|((add|sub|sll|srl|sra|mul|div|rem|neg)|(add|sll|srl|sra)i|(div|rem)u)w|sext\.w"
    r"|(lr|sc|amo[a-z]+)\.d(\.\w+)?|c\.([ls]d(sp)?|addi?w|subw)"
)

# Extensions that the encoding table does not know, by the form of their mnemonics.
_OTHERS = (
    ("F", r"flw|fsw|f[a-z]+\.s|fmv\.[xw]\.[xw]|fcvt\.(s\.\w+|wu?\.s|lu?\.s)|frcsr|fscsr|frrm"),
    ("D", r"fld|fsd|f[a-z]+\.d|fcvt\.(d\.\w+|\w+\.d)"),
    ("V", r"vset\w+|v[a-z0-9]+\.v[a-z]*|v[ls][es]?\d+\.v"),
    ("Zba", r"sh[123]add"),
    ("Zbb", r"andn|orn|xnor|clz|ctz|cpop|maxu?|minu?|rol|rori?|orc\.b|rev8"),
    ("Zbs", r"b(clr|ext|inv|set)i?"),
)


def comment_hint(text: str, before: str) -> str:
    """A hint where `text`, with `before` in front of it on its line, reads like a comment."""
    return f"{COMMENT}, not with ';'" if _PROSE.match(text) and _follows(before) else ""


def _follows(before: str) -> bool:
    return before.rstrip().endswith(";")


def extension_hint(mnemonic: str) -> str:
    """A hint where the mnemonic is that of an instruction which the machine at hand has not."""
    if re.fullmatch(_RV64, mnemonic):
        return "it belongs to RV64, and this machine is RV32"
    for row in INSTRUCTIONS:
        if row.name == mnemonic and row.extension:
            return f"it belongs to extension {row.extension}, which 'isa' leaves out"
    for extension, pattern in _OTHERS:
        if re.fullmatch(pattern, mnemonic):
            return f"it belongs to extension {extension}, which this machine has not"
    return ""


def label_hint(word: str) -> str:
    """A hint where the name `word` stands as a label does."""
    return f"if it is a label, write '{word}:'"
