"""The documentation: built without a warning, readable without a network."""

from __future__ import annotations

import importlib
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from kit.isa.encoding import INSTRUCTIONS

pytest.importorskip("myst_nb", reason="the extra 'docs' is not installed")

DOCS = Path(__file__).parents[2] / "docs"

# One worker builds the site and looks at it.
pytestmark = [pytest.mark.xdist_group("docs")]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The built documentation."""
    folder = tmp_path_factory.mktemp("site")
    build = subprocess.run(
        [sys.executable, "-m", "sphinx", "-W", "--keep-going", "-q", DOCS, folder],
        capture_output=True,
        text=True,
        check=False,
        env=os.environ | {"PYTHONPATH": str(DOCS.parent)},
    )
    assert build.returncode == 0, build.stderr
    (folder / "messages.txt").write_text(build.stdout + build.stderr, encoding="utf-8")
    return folder


@pytest.mark.slow
def test_every_instruction_has_an_entry(site: Path) -> None:
    page = (site / "reference" / "instructions.html").read_text(encoding="utf-8")
    for row in INSTRUCTIONS:
        assert f'id="instruction-{row.name.replace(".", "-")}"' in page


@pytest.mark.slow
@pytest.mark.browser
def test_every_page_works_from_a_file_and_asks_no_network(site: Path, tab: Any) -> None:
    pages = [path for path in site.rglob("*.html") if not path.is_relative_to(site / "_modules")]
    assert len(pages) > 5
    for path in pages:
        tab.goto(path.as_uri())


@pytest.mark.slow
def test_the_site_shows_neither_solutions_nor_checks(site: Path) -> None:
    for page in (site / "lessons").glob("*.html"):
        text = re.sub(r"<[^>]*>", "", page.read_text(encoding="utf-8"))
        assert "SOLUTION" not in text
        assert "multiple_choice" not in text
        assert not re.search(r"^answer\(", text, re.MULTILINE)


@pytest.mark.slow
def test_building_the_site_says_nothing_alarming(site: Path) -> None:
    assert "WARNING" not in (site / "messages.txt").read_text(encoding="utf-8")


@pytest.mark.slow
@pytest.mark.browser
def test_the_machine_view_is_alive_in_the_lesson(site: Path, tab: Any) -> None:
    tab.goto((site / "lessons" / "00-three-systems.html").as_uri())
    view = tab.locator(".kit-overview").first
    words = view.locator(".kit-words")
    words.wait_for()
    before = words.inner_text()
    view.locator(".kit-stage").first.focus()
    tab.keyboard.press("ArrowRight")
    assert words.inner_text() != before


@pytest.mark.parametrize("row", INSTRUCTIONS, ids=lambda row: row.name)
def test_the_drawing_of_an_encoding_covers_the_word(
    row: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(DOCS / "_ext")
    runs = importlib.import_module("instruction_manual").runs(row)
    assert runs[0][0] == 8 * row.length - 1
    assert runs[-1][1] == 0
    assert [low - 1 for _, low, _ in runs[:-1]] == [high for high, _, _ in runs[1:]]
    fixed = [(low, text) for _, low, text in runs if set(text) <= {"0", "1"}]
    assert sum(int(text, 2) << low for low, text in fixed) == row.match
