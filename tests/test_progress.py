"""Progress bars: for people who look on, not for log files."""

import io
import sys

import pytest

from remi_tf import progress


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def drawn(stream, monkeypatch, **options) -> str:
    """What a bar of three steps writes to a stderr of this kind."""
    monkeypatch.setattr(sys, "stderr", stream)
    monkeypatch.delitem(sys.modules, "ipykernel", raising=False)
    with progress.bar("reading", total=3, **options) as bar:
        bar.update(3)
    return stream.getvalue()


def test_a_bar_is_drawn_only_where_somebody_looks_on(monkeypatch):
    assert "reading" in drawn(Terminal(), monkeypatch) and progress.watched()
    assert drawn(io.StringIO(), monkeypatch) == "" and not progress.watched()


@pytest.mark.parametrize("kind", [Terminal, io.StringIO])
def test_a_long_job_writes_into_a_log_file_too_and_an_unwanted_bar_nowhere(monkeypatch, kind):
    assert "reading" in drawn(kind(), monkeypatch, only_watched=False)
    assert drawn(kind(), monkeypatch, only_watched=False, shown=False) == ""


def test_a_notebook_is_watched(monkeypatch):
    monkeypatch.setattr(sys, "stderr", io.StringIO())
    monkeypatch.setitem(sys.modules, "ipykernel", object())
    assert progress.watched()
