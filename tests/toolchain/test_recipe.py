"""`build.toml`: what it can say, and what is wrong with one."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from kit.errors import KitError
from kit.toolchain.recipe import Recipe, read_recipe
from kit.toolchain.recipe_values import DISK_KEYS, PROGRAM_KEYS, RUN_KEYS


def recipe(folder: Path, text: str, *files: str) -> Recipe:
    """The recipe in a folder with these (empty) files."""
    for name in files:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).touch()
    (folder / "build.toml").write_text(text)
    found = read_recipe(folder)
    assert found is not None
    return found


def names(paths: tuple[Path, ...]) -> list[str]:
    return [path.name for path in paths]


def test_a_folder_of_c_files_is_one_program(tmp_path: Path) -> None:
    for name in ("main.c", "boot.S", "a.h", "notes.txt", "old.s"):
        (tmp_path / name).touch()
    found = read_recipe(tmp_path)
    assert found is not None
    assert names(found.main.sources) == ["main.c", "boot.S"]
    assert found.main.base == 0x80000000


def test_a_folder_without_c_is_none(tmp_path: Path) -> None:
    (tmp_path / "monitor.s").touch()
    assert read_recipe(tmp_path) is None


def test_sources_keep_the_order_of_their_patterns(tmp_path: Path) -> None:
    text = '[[program]]\nname = "k"\nsources = ["z.c", "*.S", "*.c"]'
    found = recipe(tmp_path, text, "a.c", "z.c", "q.S", "b.S")
    assert names(found.programs["k"].sources) == ["z.c", "b.S", "q.S", "a.c"]


def test_each_source_is_a_program(tmp_path: Path) -> None:
    text = '[[program]]\neach = "user/*.c"\nsources = ["start.S"]\nbase = 0x1000\nformat = "binary"'
    found = recipe(tmp_path, text, "user/ls.c", "user/cat.c", "start.S")
    assert list(found.programs) == ["cat", "ls"]
    assert names(found.programs["ls"].sources) == ["ls.c", "start.S"]
    assert found.programs["ls"].base == 0x1000


def test_files_beside_the_folder_can_be_named(tmp_path: Path) -> None:
    (tmp_path / "shared").mkdir()
    (tmp_path / "shared" / "queue.c").touch()
    text = '[[program]]\nname = "k"\nsources = ["*.c", "../shared/*.c"]\ninclude = ["../shared"]'
    (tmp_path / "k").mkdir()
    found = recipe(tmp_path / "k", text, "main.c")
    assert names(found.main.sources) == ["main.c", "queue.c"]
    assert found.main.include == (tmp_path.resolve() / "shared",)


def test_the_first_program_with_a_name_is_run(tmp_path: Path) -> None:
    text = '[[program]]\nname = "k"\nsources = "k.c"\n[[program]]\neach = "u/*.c"'
    assert recipe(tmp_path, text, "k.c", "u/a.c").main.name == "k"


def test_another_one_is_run_where_that_is_said(tmp_path: Path) -> None:
    text = '[[program]]\neach = "*.c"\n[run]\nprogram = "b"\nmemory = "2M"'
    found = recipe(tmp_path, text, "a.c", "b.c")
    assert found.main.name == "b"
    assert found.run["memory"] == "2M"


def test_of_several_programs_nobody_guesses_one(tmp_path: Path) -> None:
    found = recipe(tmp_path, '[[program]]\neach = "*.c"', "a.c", "b.c")
    with pytest.raises(KitError, match=r"several programs \(a, b\); name the source"):
        _ = found.main


def test_stages_are_folders(tmp_path: Path) -> None:
    (tmp_path / "05").mkdir()
    assert recipe(tmp_path, 'stages = ["05"]').stages == (tmp_path / "05",)


ONE = '[[program]]\nname = "k"\nsources = "k.c"\n'

MISTAKES = {
    "not TOML": ("[[program", "not TOML"),
    "nothing": ("", "nothing to build"),
    "unknown key": ("colour = 1", "colour: there is no such key; expected program, disk"),
    "unknown key of a program": (ONE + "flags = 1", "program 1: flags: there is no such key"),
    "a table, not a list": ('[program]\nname = "k"', r"expected tables \[\[program\]\]"),
    "no sources": ('[[program]]\nname = "k"', "sources: expected names of files"),
    "no name": ('[[program]]\nsources = "k.c"', "program 1: name: expected letters"),
    "a path as a name": ('[[program]]\nname = "../k"\nsources = "k.c"', "name: expected letters"),
    "name and each": (ONE + 'each = "k.c"', "name and each: leave one of them out"),
    "missing source": ('[[program]]\nname = "k"\nsources = "x.c"', "there is no file .*x.c"),
    "no source": ('[[program]]\nname = "k"\nsources = "build.toml"', "expected C"),
    "no pattern": ('[[program]]\nname = "k"\nsources = "/etc/passwd"', "there is no file"),
    "a number as sources": ('[[program]]\nname = "k"\nsources = 3', "expected a list of texts"),
    "two of one name": (ONE + ONE, "two programs are called 'k'"),
    "base": (ONE + "base = -1", "base: expected an address"),
    "include": (ONE + 'include = "nowhere"', "include: there is no folder"),
    "define": (ONE + "define = { A = 1.5 }", "define: expected macros"),
    "macro": (ONE + 'define = { "a b" = 1 }', "no name of a macro"),
    "format": (ONE + 'format = "zip"', "expected elf or binary"),
    "script": (ONE + 'script = "x.ld"', "script: there is no file"),
    "embedding nothing": (ONE + 'embed = ["x"]', "program k: embed: there is no program 'x'"),
    "embedding itself": (ONE + 'embed = ["k"]', "embed: would be a part of itself"),
    "stage": ('stages = ["05"]', "stages: there is no folder"),
    "run": (ONE + '[run]\nprogram = "x"', "run: program: there is no program 'x'"),
    "run key": (ONE + '[run]\nspeed = "x"', "run: speed: there is no such key"),
    "run value": (ONE + "[run]\nmemory = 4", "run: memory: expected a text"),
    "run reader": (ONE + '[run]\nreader = "x.deck"', "run: reader: there is no file"),
    "run disk": (ONE + '[run]\ndisk = "x"', r"no file, and no \[\[disk\]\], 'x'"),
    "disk without size": (ONE + '[[disk]]\nname = "d"', "disk 1: size: is missing"),
    "disk size": (ONE + '[[disk]]\nname = "d"\nsize = "1000"', "disk 1: size: "),
    "huge disk": (ONE + '[[disk]]\nname = "d"\nsize = "1G"', "size: expected whole sectors"),
    "disk without maker": (
        ONE + '[[disk]]\nname = "d"\nsize = "1M"\nprograms = ["k"]',
        "maker: is missing",
    ),
    "disk program": (
        ONE + '[[disk]]\nname = "d"\nsize = "1M"\nmaker = "m.py"\nprograms = ["x"]',
        "disk d: programs: there is no program 'x'",
    ),
}


@pytest.mark.parametrize("what", MISTAKES)
def test_mistakes_are_named_with_file_and_key(tmp_path: Path, what: str) -> None:
    text, message = MISTAKES[what]
    with pytest.raises(KitError, match=message) as caught:
        recipe(tmp_path, text, "k.c", "m.py")
    assert str(caught.value).startswith(str(tmp_path / "build.toml"))
    assert "\n" not in str(caught.value)


def test_programs_that_embed_each_other_are_refused(tmp_path: Path) -> None:
    text = "".join(
        f'[[program]]\nname = "{one}"\nsources = "k.c"\nembed = ["{other}"]\n'
        for one, other in ("ab", "ba")
    )
    with pytest.raises(KitError, match="would be a part of itself"):
        recipe(tmp_path, text, "k.c")


@pytest.mark.parametrize(
    ("heading", "keys"),
    [
        ("Keys of a program", {"name", "each", "sources", *PROGRAM_KEYS}),
        ("Keys of a disk", {*DISK_KEYS}),
        ("Keys of the run", {*RUN_KEYS}),
    ],
)
def test_the_page_lists_the_keys(heading: str, keys: set[str]) -> None:
    page = Path(__file__).parents[2] / "docs" / "reference" / "toolchain.md"
    section = page.read_text(encoding="utf-8").split(f"### {heading}\n")[1].split("\n#")[0]
    cells = [line.split("|")[1] for line in section.splitlines() if line.startswith("| `")]
    assert {key for cell in cells for key in re.findall(r"`(\w+)`", cell)} == keys
