"""Building: what comes out, what is built again and what is not, what is said about mistakes."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from kit import Machine, compile_c
from kit.errors import KitError
from kit.machine.loader import read_image
from kit.resources import guests_dir
from kit.toolchain import build
from kit.toolchain.build import Builder, Built, builder_of, recipe_of
from kit.toolchain.compiler import CompileError, compiler
from kit.toolchain.lines import source_lines
from tests.toolchain import need_compiler

HELLO = '#include "lib.h"\nint main(void) {\n  printf("hello\\n");\n  return 3;\n}\n'


@pytest.fixture(autouse=True)
def _compiler() -> None:
    need_compiler()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with the source of a program that says hello."""
    (tmp_path / "hello.c").write_text(HELLO)
    return tmp_path


def write(folder: Path, **files: str) -> None:
    for name, text in files.items():
        (folder / name.replace("_", ".")).write_text(text)


def built(path: Path) -> Built:
    builder, program = builder_of(path)
    return builder.build(program)


def run(path: Path | bytes) -> tuple[str, int]:
    """What a program prints, and its exit code."""
    machine = Machine(memory="1M")
    machine.load(path)
    stop = machine.run(1_000_000)
    assert stop.reason == "halt"
    return machine.uart.text, stop.code


def warnings(folder: Path) -> list[str]:
    """What the compiler has to say about a folder."""
    said: list[str] = []
    builder = Builder(recipe_of(folder), said.append)
    builder.build(builder.recipe.main)
    return said


# What comes out


def test_a_c_file_is_a_program(folder: Path) -> None:
    assert run(folder / "hello.c") == ("hello\n", 3)


def test_a_folder_is_a_program(folder: Path) -> None:
    write(
        folder,
        hello_c=HELLO.replace("3", "seven()").replace("int main", "int seven(void);int main"),
    )
    write(folder, seven_S=".globl seven\nseven: li a0, 7\n ret\n")
    assert run(folder) == ("hello\n", 7)


def test_what_a_program_defines_replaces_the_library_s(folder: Path) -> None:
    own = "#include \"lib.h\"\nvoid putchar(char c) { uart_put(c == 'l' ? 'L' : c); }\n"
    write(folder, hello_c=own + HELLO)
    assert run(folder) == ("heLLo\n", 3)


def test_macros_are_defined(folder: Path) -> None:
    write(folder, hello_c=HELLO.replace("3", "CODE"))
    write(folder, build_toml='[[program]]\nname="p"\nsources="*.c"\ndefine={CODE=9, B="x"}')
    assert run(folder) == ("hello\n", 9)


def test_a_program_stands_at_its_base(folder: Path) -> None:
    write(folder, build_toml='[[program]]\nname="p"\nsources="*.c"\nbase=0x80020000')
    image = read_image(folder)
    assert image.entry == image.symbols["image_start"] == 0x80020000
    assert run(folder) == ("hello\n", 3)


def test_a_c_file_is_built_by_the_rule_beside_it(folder: Path) -> None:
    write(folder, build_toml='[[program]]\neach="hello.c"\nbase=0x80020000', other_c=HELLO)
    assert read_image(folder / "hello.c").entry == 0x80020000
    assert read_image(folder / "other.c").entry == 0x80000000


def test_the_last_stage_is_run(folder: Path) -> None:
    for name, code in (("1", "1"), ("2", "2")):
        (folder / name).mkdir()
        write(folder / name, main_c=HELLO.replace("3", code))
    write(folder, build_toml='stages = ["1", "2"]')
    assert run(folder) == ("hello\n", 2)


EMBEDDING = """
#include "lib.h"
#include "programs.h"
int main(void) {
  for (const struct program *p = programs; p->name != 0; p++) {
    const uint32_t *word = p->start;
    printf("%s %x %u\\n", p->name, word[0], p->size);
  }
  return 0;
}
"""
PART = ".section .text.start\n.globl _start\n_start: li a0, 5\n.bss\n.space 100\n"


def test_programs_are_embedded_as_elf_and_as_they_are_in_storage(folder: Path) -> None:
    write(folder, hello_c=EMBEDDING, a_S=PART, b_S=PART)
    write(
        folder,
        build_toml='[[program]]\nname="p"\nsources="hello.c"\nembed=["b", "a"]\n'
        '[[program]]\neach="a.S"\nbase=0x10000\n'
        '[[program]]\neach="b.S"\nbase=0x10000\nformat="binary"',
    )
    lines = run(folder)[0].splitlines()
    size = read_image(build_one(folder, "b")).size
    assert size > 100
    assert lines[0].split()[0] == "b"
    assert lines[0].endswith(f"4515 {size}")  # c.li a0, 5
    assert lines[1].startswith("a 464c457f ")  # the first bytes of an ELF file


def build_one(folder: Path, name: str) -> bytes:
    builder = Builder(recipe_of(folder))
    return builder.build(builder.recipe.programs[name]).data


MAKER = """
import sys
out, size, *files = sys.argv[1:]
data = b"".join(open(f.partition("=")[2], "rb").read()[:4] + f.partition("=")[0].encode()
                for f in files)
open(out, "wb").write(data.ljust(int(size), b"."))
"""
DISK = '[[disk]]\nname="d"\nsize="4K"\nmaker="mk.py"\nprograms=["hello"]\nfiles="mk.py"\n'


def test_a_disk_is_what_its_maker_makes(folder: Path) -> None:
    write(folder, mk_py=MAKER, build_toml='[[program]]\nname="hello"\nsources="hello.c"\n' + DISK)
    builder = Builder(recipe_of(folder))
    data = builder.build_disk(builder.recipe.disks["d"]).data
    assert data.rstrip(b".") == b"\x7fELFhello\nimpmk.py"
    assert len(data) == 4096


@pytest.mark.parametrize(
    ("maker", "message"),
    [
        ("raise SystemExit('no room for ls')", "mk.py: ended with 1: no room for ls"),
        ("import sys; open(sys.argv[1], 'wb').write(b'1')", "mk.py: made 1 bytes instead of 4096"),
        ("", "mk.py: made 0 bytes"),
    ],
)
def test_a_maker_that_fails_is_named(folder: Path, maker: str, message: str) -> None:
    write(folder, mk_py=maker, build_toml='[[program]]\nname="hello"\nsources="hello.c"\n' + DISK)
    builder = Builder(recipe_of(folder))
    with pytest.raises(KitError, match=message):
        builder.build_disk(builder.recipe.disks["d"])


# Built again, or not


def test_the_same_sources_give_the_same_bytes_in_another_folder(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    copy = folder / "elsewhere" / "deeper"
    copy.mkdir(parents=True)
    shutil.copy(folder / "hello.c", copy)
    first = built(folder / "hello.c")
    monkeypatch.chdir(copy)
    monkeypatch.setenv("VMM_KIT_CACHE", str(copy / "cache"))
    second = built(Path("hello.c"))
    assert first.data == second.data
    assert first.digest == second.digest


def test_no_folder_of_this_computer_is_in_a_program(folder: Path) -> None:
    files = {file for file, _ in source_lines(built(folder / "hello.c").data).values()}
    assert "hello.c" in files
    assert "guests/lib/start.S" in files
    assert all(file == "hello.c" or file.startswith("guests/lib/") for file in files)


def test_lines_lead_back_to_the_source(folder: Path) -> None:
    data = built(folder / "hello.c").data
    lines = source_lines(data)
    assert lines[read_image(data).symbols["main"]] == ("hello.c", 2)
    assert {line for file, line in lines.values() if file == "hello.c"} >= {2, 3, 4}


@pytest.fixture
def kept(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that was built; from now on there is no compiler."""
    write(
        folder, one_h="#define ONE 1\n", hello_c=HELLO.replace("3", "ONE").replace("lib.h", "one.h")
    )
    write(folder, hello_c='#include "one.h"\n' + HELLO.replace("3", "ONE"))
    builder = Builder(recipe_of(folder))
    builder.write(folder / "built", [builder.build(builder.recipe.main)])

    def none() -> None:
        raise KitError("none is installed")

    monkeypatch.setattr(build, "compiler", none)
    return folder


def test_what_was_built_needs_no_compiler(kept: Path) -> None:
    assert run(kept) == ("hello\n", 1)


def test_other_line_ends_change_nothing(kept: Path) -> None:
    source = kept / "hello.c"
    source.write_bytes(source.read_bytes().replace(b"\n", b"\r\n"))
    assert run(kept) == ("hello\n", 1)


@pytest.mark.parametrize("file", ["hello.c", "one.h"])
def test_what_has_changed_is_built_again(kept: Path, file: str) -> None:
    (kept / file).write_text((kept / file).read_text() + "\n")
    with pytest.raises(KitError, match="none is installed"):
        run(kept)


def test_another_rule_is_another_program(kept: Path) -> None:
    name = kept.name
    write(kept, build_toml=f'[[program]]\nname="{name}"\nsources="*.c"\ndefine={{A=1}}')
    with pytest.raises(KitError, match="none is installed"):
        run(kept)


@pytest.mark.parametrize("damage", ["{", "[]", '{"x.elf": 3}', ""])
def test_a_damaged_record_is_no_record(kept: Path, damage: str) -> None:
    (kept / "built" / "build.json").write_text(damage)
    with pytest.raises(KitError, match="none is installed"):
        run(kept)


def test_a_folder_can_be_moved_with_what_was_built(
    kept: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    other = tmp_path_factory.mktemp("x") / kept.name
    shutil.copytree(kept, other)
    assert run(other) == ("hello\n", 1)


# Mistakes


def mistake(path: Path) -> str:
    with pytest.raises(CompileError) as caught:
        built(path)
    return str(caught.value)


def test_a_mistake_is_shown_at_its_line(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(folder, hello_c=HELLO.replace("printf", "print"))
    monkeypatch.chdir(folder.parent)
    text = mistake(folder)
    assert text.startswith(f"{folder.name}/hello.c:3:3: error: call to undeclared function 'print'")
    assert '  print("hello\\n");\n' in text
    assert "generated" not in text


def test_paths_are_as_seen_from_here(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(folder, hello_c=HELLO.replace("printf", "print"))
    monkeypatch.chdir(folder)
    assert mistake(Path("hello.c")).startswith("hello.c:3:3: error:")


def test_a_warning_is_shown_each_time(folder: Path) -> None:
    write(folder, hello_c=HELLO.replace("{\n", "{\n  int unused;\n"))
    first, second = warnings(folder), warnings(folder)
    assert "hello.c:3:7: warning: unused variable 'unused'" in first[0]
    assert first == second


def test_a_name_that_nothing_defines_is_told_with_its_user(folder: Path) -> None:
    write(folder, hello_c="int other(void);\n\nint main(void)\n{\n  return other();\n}\n")
    assert mistake(folder).endswith("hello.c:5: error: nothing defines 'other'; main uses it")


def test_a_name_that_is_defined_twice_is_told_with_both_places(folder: Path) -> None:
    write(folder, hello_c=HELLO + "int twice;\n", a_c="\nint twice = 1;\n")
    text = mistake(folder)
    assert "'twice' is defined already, at " in text
    assert "a.c:2" in text
    assert "hello.c:6" in text


def test_a_program_without_main_is_told_so(folder: Path) -> None:
    write(folder, hello_c="int x;\n")
    lines = (guests_dir() / "lib" / "start.S").read_text().splitlines()
    line = next(n for n, text in enumerate(lines, 1) if "call    main" in text)
    assert mistake(folder).endswith(f"start.S:{line}: error: nothing defines 'main'")


def test_a_header_that_the_build_does_not_know_of_is_refused(folder: Path) -> None:
    (folder / "inner").mkdir()
    write(folder / "inner", deep_h="#define X 1\n")
    write(folder, hello_c='#include "inner/deep.h"\n' + HELLO)
    assert "inner/deep.h, which is no header (.h) in a folder that the build knows" in mistake(
        folder
    )
    write(folder, build_toml='[[program]]\nname="p"\nsources="*.c"\ninclude="inner"')
    assert run(folder) == ("hello\n", 3)


def test_an_empty_folder_has_nothing_to_build(tmp_path: Path) -> None:
    with pytest.raises(KitError, match="nothing to build"):
        recipe_of(tmp_path)


# Texts


def test_a_text_is_a_program() -> None:
    machine = Machine(memory="1M")
    machine.load(compile_c(HELLO))
    assert machine.run(1_000_000).code == 3
    assert machine.uart.text == "hello\n"


def test_mistakes_in_a_text_are_shown_at_its_own_lines() -> None:
    text = "int main(void) {\n  return y;\n}"
    with pytest.raises(CompileError, match=r"^lesson 02, cell 4:11:10: error: use of undeclared"):
        compile_c(text, name="lesson 02, cell 4", line=10)
    with pytest.raises(CompileError, match=r"^cell:2: error: nothing defines 'y'; main uses it$"):
        compile_c(text.replace("y", "y()").replace("int", "int y(void); int"))


# The command


def kit(*arguments: str | Path, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "kit.cli", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, cwd=cwd)


def test_the_command_builds_into_the_folder_and_says_what(folder: Path) -> None:
    write(folder, build_toml='[[program]]\nname="p"\nsources="*.c"\n[[disk]]\nname="d"\nsize="4K"')
    first, second = kit("build", folder), kit("build", folder)
    assert first.returncode == 0, first.stderr
    assert [line.split("/")[-1] for line in first.stderr.splitlines()] == ["p.elf", "d.img"]
    assert "p.elf is as it was" in second.stderr
    record = json.loads((folder / "built" / "build.json").read_text())
    assert record["p.elf"]["compiler"] == compiler().version
    assert run((folder / "built" / "p.elf").read_bytes()) == ("hello\n", 3)


def test_the_command_builds_a_single_file_elsewhere(folder: Path) -> None:
    result = kit("build", folder / "hello.c", "-o", folder / "out")
    assert result.returncode == 0, result.stderr
    assert run((folder / "out" / "hello.elf").read_bytes()) == ("hello\n", 3)


def test_mistakes_end_the_commands_with_status_2_and_no_traceback(folder: Path) -> None:
    write(folder, hello_c="int main(void) { return x; }\n")
    for command in ("build", "run"):
        result = kit(command, "hello.c", cwd=folder)
        assert result.returncode == 2
        assert result.stderr.startswith(f"kit {command}: hello.c:1:25: error: use of undeclared")
        assert "Traceback" not in result.stderr


def test_a_path_that_is_no_source_is_refused(folder: Path) -> None:
    result = kit("build", folder / "nowhere")
    assert (result.returncode, result.stdout) == (2, "")
    assert "there is no such folder or C file" in result.stderr


def test_a_missing_compiler_gives_the_command_that_installs_it(folder: Path) -> None:
    program = (
        "import sys, importlib.util as u; find = u.find_spec\n"
        "u.find_spec = lambda name, *more: None if name == 'ziglang' else find(name, *more)\n"
        "from kit.cli import main; sys.exit(main(['run', 'hello.c']))"
    )
    result = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, cwd=folder
    )
    assert result.returncode == 2
    assert result.stderr.strip().endswith("please run: pip install 'vmm-kit[c]'")
    assert len(result.stderr.splitlines()) == 1


def test_a_run_is_as_the_guest_s_own_rule_says(folder: Path) -> None:
    text = """
#include "lib.h"
#include "machine.h"
int main(uint32_t hart, uint32_t tree) {
  uint32_t base, size;
  char card[80], sector[512];
  device_tree_region(tree, "memory", &base, &size);
  disk_open();
  sector[0] = 'x';
  bool written = disk_do(DISK_WRITE, 0, sector, 1);
  card_read(card);
  printf("%x %s %u %d %c\\n", size, boot_arguments(tree), disk_sectors(), written, card[0]);
  return 0;
}
"""
    write(folder, hello_c=text, x_deck="CARD\n", d_img="\0" * 1024)
    write(
        folder,
        build_toml='[[program]]\nname="p"\nsources="*.c"\n'
        '[run]\nmemory="2M"\nreader="x.deck"\ndisk="d.img"\nappend="hi"',
    )
    assert kit("run", folder).stdout == "200000 hi 2 1 C\n"
    assert (folder / "d.img").read_bytes() == bytes(1024)  # the guest had a copy
    mine = kit("run", folder, "--memory", "1M", "--append", "ho", "--disk", folder / "d.img")
    assert mine.stdout == "100000 ho 2 1 C\n"
    assert (folder / "d.img").read_bytes()[:1] == b"x"


def test_jobs_in_c_are_on_the_cards(folder: Path) -> None:
    """The reader takes a list of jobs; a job is built by the rule beside it."""
    (folder / "jobs").mkdir()
    write(
        folder,
        hello_c='#include "lib.h"\nint main(void) { char c[80];\n'
        '  while (card_read(c)) printf("%c", c[0]);\n  return 0; }\n',
    )
    write(folder / "jobs", sum_c="int main(void) { return 0; }\n", start_S=PART)
    write(folder / "jobs", build_toml='[[program]]\neach="*.c"\nsources="*.S"\nbase=0x80010000')
    write(
        folder, jobs_toml='[[job]]\nname="A"\naccount="B"\nseconds=1\npages=1\nprogram="jobs/sum.c"'
    )
    result = kit("run", folder / "hello.c", "--reader", folder / "jobs.toml")
    assert result.returncode == 0, result.stderr
    assert re.fullmatch(r"\$\$:+\$\$", result.stdout)


def test_what_is_embedded_warns_once(folder: Path) -> None:
    write(folder, hello_c=HELLO, a_S=PART, b_c='static int unused;\n#include "lib.h"\n')
    write(
        folder,
        build_toml='[[program]]\nname="p"\nsources="hello.c"\nembed="b"\n'
        '[[program]]\neach="b.c"\nsources="a.S"',
    )
    said: list[str] = []
    builder = Builder(recipe_of(folder), said.append)
    for program in builder.recipe.programs.values():
        builder.build(program)
    assert len(said) == 1


def test_the_library_s_headers_can_be_included_together(capsys: pytest.CaptureFixture[str]) -> None:
    headers = sorted(file.name for file in (guests_dir() / "lib").glob("*.h"))
    text = "".join(f'#include "{name}"\n' for name in [*headers, *headers])
    compile_c(text + "int main(void) { return 0; }\n")
    assert capsys.readouterr().err == ""


def test_names_may_have_blanks_and_look_like_options(folder: Path) -> None:
    inner = folder / "my own os"
    inner.mkdir()
    (inner / "-hello there.c").write_text('#include "my header.h"\n' + HELLO)
    (inner / "my header.h").write_text("int seven(void);\n")
    assert run(inner) == ("hello\n", 3)
    (inner / "-hello there.c").write_text(
        HELLO.replace("3", "1 + seven()").replace("{", "{int seven(void);", 1)
    )
    assert mistake(inner).endswith("-hello there.c:4: error: nothing defines 'seven'; main uses it")


def test_files_of_one_name_are_told_apart(folder: Path) -> None:
    """One in the folder, one beside it, one in the library."""
    write(
        folder,
        printf_c="int one(void) { return 1; }\n",
        hello_c=HELLO.replace("3", "one() + two()"),
    )
    (folder / "k").mkdir()
    write(folder / "k", printf_c="int two(void) { return 2; }\n")
    write(folder, build_toml='[[program]]\nname="p"\nsources=["*.c", "k/*.c"]')
    source = folder / "hello.c"
    source.write_text("int one(void), two(void);\n" + source.read_text())
    assert run(folder) == ("hello\n", 3)
