"""The inputs that other readers are measured with are read by ours as docs/READERS.md says."""

import pytest

from benchmarks.reader_inputs import inputs_of_tests
from benchmarks.readers import ours


@pytest.mark.parametrize("case", inputs_of_tests(), ids=lambda case: ascii(case.name))
def test_every_row_of_an_input_is_used_or_named_by_line_and_value(tmp_path, case):
    path = tmp_path / case.file
    path.write_bytes(case.data)
    skipping, stopping = ours(case, path, True), ours(case, path, False)
    assert skipping.rows == case.kept and skipping.error == ""
    first = dict(list(case.bad.items())[:3])  # notes name three, the others are counted
    assert skipping.named.keys() == first.keys()
    assert all(value in skipping.named[line] for line, value in first.items())
    assert bool(stopping.error) == bool(case.bad)
    assert all(f"line {line}" in stopping.error and value in stopping.error for line, value in list(first.items())[:1])
