"""How guests are written, so that they can be read aloud."""

from __future__ import annotations

from pathlib import Path

import pytest

from kit.resources import guests_dir

GUESTS = guests_dir()
SOURCES = sorted(
    file.relative_to(GUESTS)
    for pattern in ("*.c", "*.h", "*.S", "*.ld")
    for file in GUESTS.rglob(pattern)
)


@pytest.mark.parametrize("name", SOURCES, ids=lambda name: name.as_posix())
def test_a_source_begins_with_what_it_is_and_has_short_lines(name: Path) -> None:
    text = (GUESTS / name).read_text(encoding="ascii")
    lines = text.splitlines()
    assert lines[0].startswith(("// ", "# ", "/* "))
    assert text.endswith("\n")
    for number, line in enumerate(lines, 1):
        assert len(line) <= 100, number
        assert line == line.rstrip(), number
        assert "\t" not in line, number
        assert "TODO" not in line, number
