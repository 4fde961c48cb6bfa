"""What objects show as a cell's last value, and what views are without JavaScript."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest

pytest.importorskip("anywidget", reason="the extra 'lab' is not installed")

from kit.errors import KitError
from kit.widgets import (
    Charts,
    Devices,
    MachineRoom,
    MemoryMap,
    Overview,
    Panel,
    ProofView,
    Timeline,
    record,
)
from kit.widgets.charts import gantt_svg, overhead_svg
from tests.widgets.runs import batch_and_multi, two_machines

VIEW = "application/vnd.jupyter.widget-view+json"
VIEWS = (Timeline, Panel, MemoryMap, MachineRoom, Devices, Charts, Overview)

SESSION = """
from IPython.core.interactiveshell import InteractiveShell
shell = InteractiveShell.instance()
from kit import VMM, Machine, assemble
from kit.widgets import record
machine = Machine(memory="64K")
machine.load(assemble("_start: ecall"))
vmm = VMM(Machine(memory="8M"))
guest = vmm.create("guest", memory="64K")
run = record(vmm)
run.close()
format = shell.display_formatter.format
for one in (machine, guest, vmm, run):
    data, _ = format(one)
    print(type(one).__name__, "application/vnd.jupyter.widget-view+json" in data)
"""


def test_machines_and_runs_show_their_views_in_a_notebook() -> None:
    answer = subprocess.run(
        [sys.executable, "-c", SESSION], capture_output=True, text=True, check=True
    )
    assert answer.stdout.split("\n")[:4] == [
        "Machine True", "VirtualMachine True", "VMM True", "Run True",
    ]  # fmt: skip


def test_outside_of_a_notebook_no_view_is_loaded() -> None:
    program = "import sys, kit; kit.Machine; print('kit.widgets' in sys.modules)"
    answer = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert answer.stdout == "False\n"


@pytest.mark.parametrize("view", VIEWS, ids=lambda view: view.__name__)
def test_a_view_has_a_text_and_a_piece_of_a_page(view: type[Timeline]) -> None:
    run, _ = batch_and_multi()
    data, _ = view(run, event=run.find("ecall"))._repr_mimebundle_()
    assert data[VIEW]["model_id"]
    assert len(data["text/plain"]) > 40
    assert "<script" in data["text/html"]
    assert "http://" not in data["text/html"].replace("http://www.w3.org/", "")


def test_all_views_of_a_run_share_one_moment() -> None:
    run, _ = batch_and_multi()
    first, second = Timeline(run), Panel(run)
    first.go(10)
    assert second.moment == run.moment(10)
    second.moment = 5
    assert first.moment == 5
    with pytest.raises(KitError, match=f"no event {len(run)}; the run has {len(run)}"):
        first.go(len(run))


def test_a_view_of_a_run_that_went_on_has_all_of_it() -> None:
    vmm = two_machines()
    run = record(vmm)
    vmm.run(5_000)
    first = Timeline(run)
    sent: list[object] = []
    first.run.send_state = sent.append
    vmm.run(50_000)
    second = Timeline(run)
    assert second.run is first.run
    assert sent == ["document"]
    Timeline(run)
    assert sent == ["document"]
    assert second.run.get_state()["document"]["count"] == len(run)


def test_a_view_shows_nothing_but_runs_machines_and_vmms() -> None:
    with pytest.raises(KitError, match="a view shows a run, a machine or a VMM, not 3"):
        Timeline(3)  # type: ignore[arg-type]


def test_texts_say_what_the_views_show() -> None:
    run, vmm = batch_and_multi()
    room = MachineRoom(run)
    assert room.text() == vmm.report().text()
    devices = Devices(run, event=len(run) - 1)
    devices.run.machine = 0
    assert "APPLES" in devices.text()
    memory = MemoryMap(run, event=run.find("ecall", start=len(run) // 2, vm="multi"))
    assert "-> 0x" in memory.text()
    assert "mstatus" in Panel(run, event=run.find("ecall")).text()


def test_charts_are_svg_for_print() -> None:
    run, vmm = batch_and_multi()
    for text in (gantt_svg(run), overhead_svg(run)):
        drawing = ElementTree.fromstring(text)
        assert drawing.tag == "{http://www.w3.org/2000/svg}svg"
    refills = sum(usage.refills for usage in vmm.report().machines) * 210
    assert f"{refills:,}" in overhead_svg(run)
    data, _ = Charts(run)._repr_mimebundle_()
    assert data["image/svg+xml"].startswith("<svg")


PROOF = {
    "results": [
        {"lemma": "emulation", "instruction": "mret", "verdict": "refuted", "seconds": 0.5},
        {"lemma": "emulation", "instruction": "sret", "verdict": "proved", "seconds": 0.5},
    ],
    "seconds": 1.0,
    "mutants": [{"name": "mret keeps MPRV", "verdict": "refuted"}],
}


def test_a_proof_comes_as_a_document_as_text_or_as_a_file(tmp_path: Path) -> None:
    import json

    file = tmp_path / "proof.json"
    file.write_text(json.dumps(PROOF))
    views = [ProofView(PROOF), ProofView(json.dumps(PROOF)), ProofView(file), ProofView(str(file))]
    assert {view.text() for view in views} == {"emulation                X+"}


@pytest.mark.parametrize(
    ("proof", "says"),
    [
        ('{"results": 3}', "expected an object with results"),
        ("{", "this is not JSON"),
        ("no-such-file.json", "cannot read the proof"),
        ('{"results": [{"lemma": "x"}]}', "result 0: verdict is missing"),
    ],
)
def test_a_damaged_proof_is_refused_in_one_line(proof: str, says: str) -> None:
    with pytest.raises(KitError, match=says):
        ProofView(proof)


def test_a_counterexample_needs_both_machines() -> None:
    with pytest.raises(KitError, match="counterexample 0: vm is missing"):
        ProofView(PROOF, [{"title": "x", "bare": {}, "differing": []}])
