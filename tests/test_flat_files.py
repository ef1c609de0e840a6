"""Lists of texts and arrays: what is written comes back, and what cannot be written or read is named."""

import numpy as np
import pytest

from remi_tf.errors import InputError
from remi_tf.flat_files import open_array, read_lines, save_array, write_lines
from tests.full_disks import no_file_above


def test_a_line_break_is_refused_before_anything_is_written(tmp_path):
    for broken in ("a\nb", "a\rb"):
        with pytest.raises(InputError, match=r"items\.txt line 2: .* holds a line break"):
            write_lines(tmp_path / "items.txt", ["fine", broken])
    assert not list(tmp_path.iterdir())
    write_lines(tmp_path / "items.txt", ["", "x", ""])
    assert read_lines(tmp_path / "items.txt") == ["", "x", ""]


def test_an_array_comes_back_in_its_type(tmp_path):
    values = np.array([[3, 1], [2, 7]], np.int32)
    save_array(tmp_path / "codes.npy", values)
    found = open_array(tmp_path / "codes.npy")
    assert found.dtype == np.int32 and found.tolist() == [[3, 1], [2, 7]]


def test_an_array_that_does_not_fit_on_the_disk_says_so(tmp_path):
    with no_file_above(1000), pytest.raises(OSError, match="File too large"):
        save_array(tmp_path / "codes.npy", np.zeros(1000))


@pytest.mark.parametrize("content", [b"", b"x", b"\x93NUMPY\x01\x00v\x00{'descr': '<i4'", None])
def test_what_is_no_array_is_refused_by_name(tmp_path, content):
    if content is not None:
        (tmp_path / "codes.npy").write_bytes(content)
    with pytest.raises(InputError, match=r"codes\.npy: not the array that prepare wrote .*; prepare the dataset again"):
        open_array(tmp_path / "codes.npy")
