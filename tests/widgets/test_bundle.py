"""Each view's JavaScript in one piece."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

import kit
from kit.widgets.bundle import bundle

FOLDER = Path(kit.__file__).parent / "widgets"
VIEWS = sorted(
    path.stem for path in FOLDER.glob("*.js") if "export default" in path.read_text("utf-8")
)


@pytest.mark.parametrize("name", VIEWS)
@pytest.mark.parametrize("extra", [(), ("vendor/terminal",)])
def test_a_bundle_is_one_module_that_imports_nothing(
    name: str, extra: tuple[str, ...], tmp_path: Path
) -> None:
    text = bundle(name, *extra)
    assert "\nimport " not in text
    assert text.count("\nexport default") == 1
    assert ("KitXterm=" in text) == bool(extra)
    node = shutil.which("node")
    if node is not None:
        file = tmp_path / "bundle.mjs"
        file.write_text(text, encoding="utf-8")
        subprocess.run([node, "--check", str(file)], check=True)


def test_a_view_without_the_terminal_stays_small() -> None:
    assert max(len(bundle(name)) for name in VIEWS) < 160_000


def test_nothing_in_a_bundle_points_to_the_network() -> None:
    for name in VIEWS:
        addresses = bundle(name).replace("http://www.w3.org/2000/svg", "")
        assert "http://" not in addresses
        assert "https://" not in addresses
