"""Makes the pictures of the documentation: the views of a real run of batch and multi."""

from __future__ import annotations

import shutil
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from playwright.sync_api import sync_playwright

from kit import VMM, Machine
from kit.devices.disk_image import DiskImage
from kit.resources import guests_dir
from kit.toolchain.build import run_settings
from kit.widgets import (
    Charts,
    Devices,
    MachineRoom,
    MemoryMap,
    Overview,
    Panel,
    ProofView,
    Run,
    Timeline,
    record,
)
from kit.widgets.charts import gantt_svg, overhead_svg

TARGET = Path(__file__).parents[1] / "docs" / "reference" / "images"
TYPED = b"cat fruit | sort | head 3\nls\nspin &\nps\necho hello >x; cat x\nhalt\n"
FLAGS = "--headless --no-sandbox --disable-gpu --disable-background-networking".split()
INSTRUCTIONS = "lui jal beq lw sw add mul div ecall ebreak mret sret wfi csrrw csrrs sfence.vma"

EXAMPLE = {
    "title": "emulation of mret, with a seeded bug: MPRV is not cleared",
    "program": "mret",
    "registers": {"pc": 0x80000000, "mode": 3, "mstatus": 0x21800, "mepc": 0x80000100},
    "bare": {"pc": 0x80000100, "mode": 3, "mstatus": 0x80, "mepc": 0x80000100},
    "vm": {"pc": 0x80000100, "mode": 3, "mstatus": 0x20080, "mepc": 0x80000100},
    "differing": ["mstatus"],
}


def recorded() -> Run:
    """Both systems side by side, from power-on to their ends."""
    vmm = VMM(Machine(memory="16M"))
    folder = guests_dir() / "multi" / "14"
    image = run_settings(folder)["disk"]
    deck = guests_dir() / "batch" / "jobs" / "monday.deck"
    vmm.create("batch", image=guests_dir() / "batch", memory="1M", reader=deck)
    disk = DiskImage(image.read(0, image.size))
    multi = vmm.create("multi", image=folder, memory="4M", disk=disk)
    multi.uart.feed(TYPED)
    multi.board.refresh()
    with record(vmm, "batch and multi") as run:
        vmm.run()
    return run


def proof() -> ProofView:
    """What the view shows of a proof; the numbers are made up."""
    names = INSTRUCTIONS.split()
    results = [
        {"lemma": lemma, "instruction": name, "verdict": "proved", "seconds": 0.1}
        for lemma in ("classification", "direct execution", "emulation", "reflection")
        for name in names
    ]
    results[names.index("mret") + 2 * len(names)]["verdict"] = "refuted"
    return ProofView({"results": results, "seconds": 42}, [EXAMPLE])


def pictures(run: Run) -> Iterator[tuple[str, Any, bool]]:
    """Name and view of each picture, and whether it is a dark one. All views share one moment, so
    a view is to be drawn before the next is asked for."""
    call = run.find("ecall", start=2 * len(run) // 3, vm="multi")
    trap, last = run.find("trap", vm="batch"), len(run) - 1
    yield "timeline", Timeline(run, event=trap), False
    yield "timeline-near", Timeline(run, event=trap, near=True), True
    yield "panel", Panel(run, event=trap), False
    yield "memory-map", MemoryMap(run, event=call, address=0x4000_0010), False
    yield "machine-room", MachineRoom(run, event=call), False
    yield "devices-batch", Devices(run, event=trap), False
    yield "devices-multi", Devices(run, event=run.find("device", start=last - 9, vm="multi")), True
    yield "charts", Charts(run, event=last), False
    yield "overview", Overview(run, event=trap, near=True, part="panel"), False
    yield "proof", proof(), False
    yield "counterexample", ProofView(None, [EXAMPLE]), False


def main() -> int:
    """Writes all pictures; the exit status is 1 where there is no browser."""
    program = shutil.which("chromium") or shutil.which("google-chrome")
    if program is None:
        print("screenshots: chromium is not installed (Debian package chromium)", file=sys.stderr)
        return 1
    TARGET.mkdir(parents=True, exist_ok=True)
    run = recorded()
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=FLAGS)
        for name, view, dark in pictures(run):
            page = Path(folder) / f"{name}.html"
            view.save(page)
            shoot(browser, page, TARGET / f"{name}.png", dark)
        browser.close()
    (TARGET / "gantt.svg").write_text(gantt_svg(run), encoding="utf-8")
    (TARGET / "overhead.svg").write_text(overhead_svg(run), encoding="utf-8")
    return 0


def shoot(browser: Any, page: Path, target: Path, dark: bool) -> None:
    """One picture, at the size of a small laptop."""
    scheme = "dark" if dark else "light"
    tab = browser.new_page(viewport={"width": 1366, "height": 768}, color_scheme=scheme)
    tab.goto(page.as_uri())
    tab.wait_for_selector(".kit")
    tab.wait_for_timeout(400)  # the terminal draws a little later
    tab.locator("section.kit").first.screenshot(path=target)
    tab.close()


if __name__ == "__main__":
    sys.exit(main())
