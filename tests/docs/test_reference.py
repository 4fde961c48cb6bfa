"""The reference pages say what the code does."""

from __future__ import annotations

import argparse
import importlib
import re
from pathlib import Path
from types import ModuleType

import pytest

pytest.importorskip("sphinx", reason="the extra 'docs' is not installed")

from kit.isa.aliases import ALIASES
from kit.isa.asm import conditions, faults, layout, reader
from kit.isa.asm.directives import DIRECTIVES
from kit.isa.assembler import assemble, assemble_file
from kit.machine.loader import read_image
from kit.resources import guests_dir

DOCS = Path(__file__).parents[2] / "docs"
REFERENCE = DOCS / "reference"


def text_of(name: str) -> str:
    return (REFERENCE / name).read_text(encoding="utf-8")


def rows_of(name: str, heading: str) -> list[list[str]]:
    """The cells of the table under a heading, without its own heads."""
    section = text_of(name).split(f"## {heading}\n")[1].split("\n## ")[0]
    rows = [line.strip("|").split(" | ") for line in section.splitlines() if line[:1] == "|"]
    return [[cell.strip(" |") for cell in row] for row in rows[2:]]


def extension(name: str, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(DOCS / "_ext")
    return importlib.import_module(name)


# -- the command -----------------------------------------------------------------------------


def test_every_command_is_described(monkeypatch: pytest.MonkeyPatch) -> None:
    commands = extension("command_reference", monkeypatch).subcommands()
    page = text_of("command.md")
    for name in commands:
        assert f"## `kit {name}`\n\n```{{command-reference}} {name}\n```" in page
        assert f"| `{name}" in page


def test_an_argument_is_shown_as_it_is_written(monkeypatch: pytest.MonkeyPatch) -> None:
    module = extension("command_reference", monkeypatch)
    parser = argparse.ArgumentParser(prog="kit try")
    shown = [
        module.invocation(action)
        for action in (
            parser.add_argument("image"),
            parser.add_argument("-o", "--output", metavar="FILE"),
            parser.add_argument("--isa"),
            parser.add_argument("--format", choices=("elf", "bin")),
            parser.add_argument("--json", action="store_true"),
        )
    ]
    assert shown == ["image", "-o, --output FILE", "--isa ISA", "--format {elf,bin}", "--json"]
    assert module.synopsis(parser).startswith("kit try [-h] [-o FILE] [--isa ISA]")


def test_every_option_has_a_word_of_help(monkeypatch: pytest.MonkeyPatch) -> None:
    for parser in extension("command_reference", monkeypatch).subcommands().values():
        assert all(action.help for action in parser._actions)


# -- the assembler ---------------------------------------------------------------------------


def test_every_directive_is_described() -> None:
    described = set(re.findall(r"`(\.\w+)", " ".join(row[0] for row in directives())))
    known = {*DIRECTIVES, *conditions.OPENING, ".macro", ".irp", ".elseif", ".else", ".endif"}
    families = {name for name in known if name.startswith(".cfi_")}
    assert known - families == described - {".cfi_"}


def directives() -> list[list[str]]:
    return rows_of("assembler.md", "Directives")


def test_every_pseudo_instruction_is_in_one_table(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = extension("pseudo_instructions", monkeypatch).rows
    assert len(rows(True)) + len(rows(False)) == len(ALIASES)
    assert ("mv rd, rs1", "addi rd, rs1, 0") in rows(True)
    assert ("sext.b rd, rs1", "slli rd, rs1, 24; srai rd, rd, 24") in rows(False)


def test_the_limits_are_those_of_the_assembler() -> None:
    limits = dict(rows_of("assembler.md", "Limits"))
    assert limits["source file, included file"] == f"{reader.LARGEST_FILE >> 20} MiB"
    assert limits["program"].startswith(f"{layout.LARGEST >> 20} MiB")
    assert limits["lines made by macros and repetitions"] == f"{reader.MOST_LINES_MADE:,}"
    assert f"Up to {faults.MOST_ERRORS} mistakes" in text_of("assembler.md")


# -- the batch monitor -----------------------------------------------------------------------


@pytest.fixture(scope="module")
def interface() -> dict[str, int]:
    """What jobs in assembly are told of the monitor."""
    return assemble_file(guests_dir() / "batch" / "interface.s").constants


def test_jobs_in_c_are_told_the_same_as_jobs_in_assembly(interface: dict[str, int]) -> None:
    text = (guests_dir() / "batch" / "include" / "services.h").read_text(encoding="utf-8")
    found = re.findall(r"#define (\w+) +(0x[0-9a-f]+|\d+)", text)
    told = {name.removeprefix("SERVICE_"): int(value, 0) for name, value in found}
    services = told.pop("SERVICES")
    assert interface == told | {name: interface[name] for name in ("JOB_END", "CARD", "LINE")}
    assert sorted(told[row[1]] for row in rows_of("batch.md", "Services")) == [*range(services)]


def test_the_services_are_those_of_the_monitor(interface: dict[str, int]) -> None:
    rows = rows_of("batch.md", "Services")
    assert all(interface[row[1]] == int(row[0]) for row in rows)
    for name in ("CARD", "LINE"):
        assert any(f"up to {interface[name]}" in " ".join(row) for row in rows)


def test_the_storage_map_is_that_of_the_monitor(interface: dict[str, int]) -> None:
    rows = {row[0]: row for row in rows_of("batch.md", "Storage")}
    base, size = interface["JOB_BASE"], interface["JOB_SIZE"]
    job = rows[f"`{base >> 16:#06x}_{base & 0xFFFF:04x}`"]
    assert job[1:3] == [f"{size >> 10} KiB", "the job"]


def test_the_limits_are_those_of_the_monitor(interface: dict[str, int]) -> None:
    limits = {row[0]: " ".join(row) for row in rows_of("batch.md", "Limits")}
    for what, name in (("time", "SECOND"), ("paper", "PAGE_LINES"), ("line", "LINE")):
        assert f" {interface[name]:,} " in limits[what]
    header = (guests_dir() / "batch" / "include" / "monitor.h").read_text(encoding="utf-8")
    for what, name in (("time", "QUANTUM"), ("punched cards", "MOST_PUNCHED")):
        found = re.search(rf"{name} = (\d+)", header)
        assert found
        assert f" {found[1]} " in limits[what]
    services = rows_of("batch.md", "Services")
    assert f"0 to {len(services) - 1}" in limits["services"]
    assert f"up to {(interface['CARD'] - 1) // 2 - 5} data bytes" in text_of("batch.md")


def test_what_the_monitor_says_is_quoted_as_it_says_it() -> None:
    image = read_image(guests_dir() / "batch")
    said = b"".join(data for _, data in image.segments).decode("latin-1")
    for row in rows_of("batch.md", "Limits"):
        for quoted in re.findall(r"`([A-Z][A-Z' ]+)`", row[2]):
            assert f"{quoted}\0" in said


def test_the_job_on_the_page_assembles(interface: dict[str, int]) -> None:
    source = text_of("batch.md").split("```text\n        .include")[1].split("```")[0]
    image = assemble("        .include" + source, include_paths=[guests_dir() / "batch"])
    assert image.constants["PRINT"] == interface["PRINT"]


# -- the front page --------------------------------------------------------------------------


def test_every_page_is_linked_from_the_front_page() -> None:
    front = (DOCS / "index.md").read_text(encoding="utf-8")
    for folder in ("reference", "explanation"):
        for page in sorted((DOCS / folder).glob("*.md")):
            assert f"({folder}/{page.name})" in front
