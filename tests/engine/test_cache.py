"""The cache of generated code: safe to delete, to damage, and to do without."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from kit import Machine, assemble
from kit.engine.cache import cached_bytes
from kit.engine.compiled import compiled_isa

PROGRAM = assemble("li a0, 6\nli a1, 7\nmul a0, a0, a1\n1: addi s0, s0, 1\nj 1b")


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A cache with all that a machine needs."""
    folder = tmp_path_factory.mktemp("cache")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("VMM_KIT_CACHE", str(folder))
        assert works()
    return folder


@pytest.fixture
def cache(whole: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of it, in use."""
    folder = tmp_path / "cache"
    shutil.copytree(whole, folder)
    monkeypatch.setenv("VMM_KIT_CACHE", str(folder))
    return folder


def works() -> bool:
    """Does a machine that begins with what is in the cache run as it should?"""
    compiled_isa.cache_clear()
    machine = Machine(memory="64K", engine="wasm")
    machine.load(PROGRAM)
    return machine.run(1000).steps == 1000 and machine.register("a0") == 42


def contents(folder: Path) -> dict[str, bytes]:
    return {file.name: file.read_bytes() for file in folder.iterdir()}


def truncate(file: Path) -> None:
    file.write_bytes(file.read_bytes()[:1000])


def empty(file: Path) -> None:
    file.write_bytes(b"")


def flip_a_bit(file: Path) -> None:
    data = bytearray(file.read_bytes())
    data[len(data) // 2] ^= 4
    file.write_bytes(data)


def append(file: Path) -> None:
    file.write_bytes(file.read_bytes() + b"\0")


def scribble(file: Path) -> None:
    file.write_bytes(b"<html>not found</html>" * 100)


def exchange(file: Path) -> None:
    """Another file of the cache, which is whole."""
    others = sorted(file.parent.iterdir())
    shutil.copy(others[others.index(file) - 1], file)


DAMAGES = (truncate, empty, flip_a_bit, append, scribble, exchange)


def test_the_cache_has_what_was_traced_generated_and_compiled(whole: Path) -> None:
    assert {name.split("-")[0] for name in contents(whole)} == {"isa", "core", "wasm"}


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_file_is_made_again(damage: Callable[[Path], None], cache: Path) -> None:
    before = contents(cache)
    for file in sorted(cache.iterdir()):
        damage(file)
    assert contents(cache) != before
    assert works()
    assert contents(cache) == before


def test_a_deleted_file_is_made_again(cache: Path) -> None:
    before = contents(cache)
    for file in cache.iterdir():
        file.unlink()
    assert works()
    assert contents(cache) == before


def test_what_another_build_has_compiled_is_compiled_anew(cache: Path) -> None:
    """It is whole, under the right name, and the library does not take it."""
    (file,) = cache.glob("wasm-*")
    file.unlink()
    cached_bytes(file.stem, lambda: b"compiled by somebody else")
    assert works()


def test_a_folder_in_the_place_of_a_file_does_no_harm_and_nothing_is_left_lying(
    cache: Path,
) -> None:
    names = set(contents(cache))
    for name in names:
        (cache / name).unlink()
        (cache / name / "inside").mkdir(parents=True)
    assert works()
    assert {file.name for file in cache.iterdir()} == names


def test_a_file_in_the_place_of_the_folder_does_no_harm(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = tmp_path / "file"
    place.write_text("here")
    monkeypatch.setenv("VMM_KIT_CACHE", str(place))
    assert works()
    assert place.read_text() == "here"


@pytest.mark.skipif(sys.platform == "win32", reason="folders are protected otherwise")
def test_a_folder_that_cannot_be_written_does_no_harm(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "cache"
    folder.mkdir(mode=0o500)
    # Root writes anywhere, but not below a device.
    place = "/dev/null/cache" if os.getuid() == 0 else str(folder)
    monkeypatch.setenv("VMM_KIT_CACHE", place)
    assert works()
    assert list(folder.iterdir()) == []


def test_without_a_home_nothing_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    def homeless() -> Path:
        raise RuntimeError("Could not determine home directory.")

    for name in ("VMM_KIT_CACHE", "XDG_CACHE_HOME", "LOCALAPPDATA"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(Path, "home", homeless)
    assert [cached_bytes("name", lambda: b"made") for _ in range(2)] == [b"made"] * 2


def test_a_run_with_an_unusable_cache_says_nothing_of_it() -> None:
    """The command, as it is started: the guest's output, and no line more."""
    environment = {**os.environ, "VMM_KIT_CACHE": os.devnull + "/cache"}
    command = [sys.executable, "-m", "kit", "run", "--engine", "wasm", "guests/standalone/hello.s"]
    root = Path(__file__).parents[2]
    result = subprocess.run(command, env=environment, cwd=root, capture_output=True, check=True)
    assert result.stdout == b"Hello from the bare machine.\n"
    assert b"Traceback" not in result.stderr


def test_a_cache_that_is_too_large_loses_what_was_used_longest_ago(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VMM_KIT_CACHE", str(tmp_path))
    monkeypatch.setattr("kit.engine.cache.LARGEST", 40_000)
    for number in range(200):
        cached_bytes(f"part-{number}", lambda: bytes(1000))
        used = tmp_path / "part-0.code"
        os.utime(used, (number, number))  # its clock and that of the others differ
        for other in tmp_path.iterdir():
            if other != used:
                os.utime(other, (1, int(other.stem.partition("-")[2]) / 1000))
        assert cached_bytes("part-0", lambda: b"") == bytes(1000)
    left = {int(file.stem.partition("-")[2]) for file in tmp_path.iterdir()}
    assert 0 in left
    assert 199 in left
    assert len(left) < 100
    assert min(left - {0}) > 100
