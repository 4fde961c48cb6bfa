"""The programs that the kit's guests come with: up to date, and the same if built again."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from kit.machine.loader import BUILD_FILE, read_image
from kit.resources import guests_dir
from kit.toolchain.build import BUILT, RECORD, Builder, recipe_of
from kit.toolchain.compiler import compiler
from kit.toolchain.lines import source_lines
from tests.toolchain import need_compiler

GUESTS = guests_dir()
FOLDERS = sorted(
    file.parent.relative_to(GUESTS)
    for file in GUESTS.rglob(BUILD_FILE)
    if recipe_of(file.parent).programs
)
names = pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.as_posix())


def record_of(folder: Path) -> dict[str, dict[str, str]]:
    return json.loads((GUESTS / folder / BUILT / RECORD).read_text())  # type: ignore[no-any-return]


def test_there_are_guests_in_c() -> None:
    assert Path("standalone") in FOLDERS


@names
def test_what_is_built_belongs_to_the_sources(folder: Path) -> None:
    """Otherwise `kit run` would want a compiler: please run `kit build` and add what changes."""
    builder = Builder(recipe_of(GUESTS / folder))
    record = record_of(folder)
    for program in builder.recipe.programs.values():
        assert record[f"{program.name}.elf"]["digest"] == builder.digest(program), program.name
        assert not builder.build(program).fresh
    for disk in builder.recipe.disks.values():
        assert not builder.build_disk(disk).fresh
    files = {file.name for file in (GUESTS / folder / BUILT).iterdir()}
    assert files == {*record, RECORD}


@names
def test_no_folder_of_the_computer_it_was_built_on_is_in_it(folder: Path) -> None:
    for file in (GUESTS / folder / BUILT).glob("*.elf"):
        data = file.read_bytes()
        assert read_image(data).segments
        for source, _ in source_lines(data).values():
            assert (GUESTS.parent / source).is_file()
            assert source.startswith("guests/")


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The guests in another place, where nothing has been built yet."""
    target = tmp_path_factory.mktemp("elsewhere") / "guests"
    shutil.copytree(GUESTS, target, ignore=shutil.ignore_patterns(BUILT))
    return target


@names
def test_building_again_elsewhere_gives_the_same_bytes_and_no_warning(
    folder: Path, copy: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    need_compiler()
    monkeypatch.setattr("kit.toolchain.library.guests_dir", lambda: copy)
    monkeypatch.setenv("VMM_KIT_CACHE", str(tmp_path))
    said: list[str] = []
    builder = Builder(recipe_of(copy / folder), said.append)
    record = record_of(folder)
    others = {entry.get("compiler", "") for entry in record.values()} - {compiler().version, ""}
    built = [builder.build(program) for program in builder.recipe.programs.values()]
    built += [builder.build_disk(disk) for disk in builder.recipe.disks.values()]
    assert said == []
    if others:
        pytest.skip(f"built by {', '.join(others)}, and here is {compiler().version}")
    for one in built:
        assert one.fresh
        assert one.data == (GUESTS / folder / BUILT / one.file).read_bytes(), one.file
