"""The fast engine under Pyodide, run by Node: the same results as on CPython."""

from __future__ import annotations

import importlib.util
import json
import shutil
import subprocess
import tempfile
import threading
import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement

from tests.conftest import missing
from tests.engine.alike import KINDS, outputs, speed

pytestmark = [pytest.mark.node, pytest.mark.xdist_group("pyodide")]

ROOT = Path(__file__).parents[2]
SCRIPT = Path(__file__).with_name("pyodide.mjs")
SECONDS = 120.0
"""Longer than any expression takes; what hangs is ended then."""

Python = Callable[[str], Any]


@pytest.fixture(scope="module")
def pyodide() -> Iterator[Python]:
    """Evaluates an expression under Pyodide, with the names of `tests.engine.alike`."""
    node = shutil.which("node")
    if node is None:
        missing("node is not installed (Debian package nodejs)")
    if not (ROOT / "tests" / "node_modules" / "pyodide").is_dir():
        missing("the npm package pyodide is not installed (npm ci --prefix tests)")
    elftools = importlib.util.find_spec("elftools")
    assert elftools is not None
    assert elftools.origin is not None
    packages = Path(elftools.origin).parent
    command = [str(node), str(SCRIPT), "tests.engine.alike"]
    command += [f"/project={ROOT}", f"/packages/elftools={packages}"]
    with tempfile.TemporaryFile("w+") as errors:
        process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors, text=True
        )
        assert process.stdin is not None
        assert process.stdout is not None
        requests, answers = process.stdin, process.stdout

        def evaluate(expression: str) -> Any:
            watchdog = threading.Timer(SECONDS, process.kill)
            watchdog.start()
            try:
                requests.write(json.dumps(expression) + "\n")
                requests.flush()
                line = answers.readline()
            finally:
                watchdog.cancel()
            if not line:
                errors.seek(0)
                pytest.fail(f"node ended at {expression}:\n{errors.read()[-3000:]}")
            answer = json.loads(line)
            assert "value" in answer, answer["error"]
            return answer["value"]

        yield evaluate
        process.kill()
        process.communicate()


def test_the_fast_engine_is_the_default_without_wasmtime(pyodide: Python) -> None:
    assert pyodide("type(Machine().engine).__name__") == "FastEngine"
    modules = pyodide("sorted(__import__('sys').modules)")
    assert "kit.engine.runtime_pyodide" in modules
    assert not {"wasmtime", "kit.engine.runtime"} & set(modules)


def test_what_is_installed_under_pyodide_is_pure_python() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    rows = [Requirement(row) for row in project["dependencies"]]
    there = {"sys_platform": "emscripten", "platform_machine": "wasm32"}
    needed = [row.name for row in rows if row.marker is None or row.marker.evaluate(there)]
    assert needed == ["pyelftools"]


@pytest.mark.parametrize("seed", range(len(KINDS)))
def test_random_programs_run_on_both_engines_alike(pyodide: Python, seed: int) -> None:
    assert pyodide(f"compare({seed}, KINDS[{seed}], 2000)") > 100


@pytest.mark.parametrize("virtual", [False, True], ids=["bare", "virtual"])
@pytest.mark.parametrize(
    ("guest", "deck"),
    [("standalone/hello.s", None), ("batch/built/batch.elf", "batch/jobs/monday.deck")],
    ids=["hello", "batch"],
)
def test_guests_print_what_they_print_on_cpython(
    pyodide: Python, guest: str, deck: str | None, virtual: bool
) -> None:
    there = pyodide(f"outputs({guest!r}, {deck!r}, {virtual})")
    assert there == outputs(guest, deck, virtual)
    assert there[:2] == ["halt", 0]


def test_a_loop_is_a_thousand_times_faster_than_on_the_reference_engine(pyodide: Python) -> None:
    text, steps, rate = pyodide("speed('integer', 20_000)")
    assert (text, steps) == speed("integer", 20_000)[:2]
    print(f"{rate / 1e6:.0f} million instructions a second")
    assert rate > 100e6  # on the reference engine, 0.1e6
