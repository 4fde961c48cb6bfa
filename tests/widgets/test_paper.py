"""Fan-fold paper."""

from __future__ import annotations

from kit.widgets.paper import Paper


def test_text_of_a_guest_cannot_become_markup() -> None:
    html = Paper("<script>alert(1)</script> & more\n")._repr_html_()
    assert "<script>" not in html
    assert "&lt;script&gt;alert(1)&lt;/script&gt; &amp; more" in html


def test_a_title_cannot_leave_its_attribute() -> None:
    assert 'aria-label="a &quot;b&quot;, 1 pages"' in Paper("x", title='a "b"')._repr_html_()


def test_each_eject_begins_a_page() -> None:
    paper = Paper("ONE\n\fTWO\n\f")
    assert paper.pages == ["ONE", "TWO"]
    assert paper._repr_html_().count("<pre") == 2
    assert str(paper).splitlines() == ["ONE", "- " * 19 + "-", "TWO"]


def test_blank_lines_inside_a_page_stay() -> None:
    assert Paper("A\n\n\nB\n").pages == ["A\n\n\nB"]


def test_no_paper_is_one_blank_page() -> None:
    assert Paper("").pages == [""]
