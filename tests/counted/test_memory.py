"""The memory that is available, by what the system says of itself."""

import pytest

from remi_tf.counted.memory import available_memory, refuse_larger
from remi_tf.errors import InputError


def system(root, group="", **files):
    """A root folder whose meminfo leaves 8000 kB, with these files of a control group."""
    (root / "proc").mkdir()
    (root / "proc" / "meminfo").write_text("MemTotal:  9000 kB\nMemAvailable:  8000 kB\nHugePages_Total:  0\n")
    folder = root / "sys" / "fs" / "cgroup" / group
    folder.mkdir(parents=True)
    for name, text in files.items():
        (folder / name.replace("memory_", "memory.")).write_text(f"{text}\n")
    return root


def test_here_it_is_less_than_any_machine_has_and_more_than_nothing():
    assert 2**20 < available_memory() < 2**50


def test_the_limit_of_a_container_counts_and_what_it_has_cached_of_files_gives_way(tmp_path):
    two = {"memory_max": 5000, "memory_current": 4000, "memory_stat": "anon 1\ninactive_file 3000\nfile 3500"}
    assert available_memory(system(tmp_path, **two)) == 4000


def test_the_older_control_groups_count_too(tmp_path):
    one = {"memory_limit_in_bytes": 5000, "memory_usage_in_bytes": 6000, "memory_stat": "inactive_file 9"}
    assert available_memory(system(tmp_path, "memory", **one)) == 0


@pytest.mark.parametrize("files", [{}, {"memory_max": "max", "memory_current": 4000}, {"memory_max": 5000}])
def test_without_a_limit_the_systems_own_number_counts(tmp_path, files):
    assert available_memory(system(tmp_path, **files)) == 8000 * 1024


def test_where_nobody_tells_there_is_no_number(tmp_path):
    assert available_memory(tmp_path) is None


def test_only_what_is_larger_than_what_is_there_is_refused_and_in_words():
    refuse_larger("it", 5, 5, "take less")
    refuse_larger("it", 2**60, None, "take less")
    with pytest.raises(InputError, match=r"it needs about 1\.5 GiB of memory, and 512\.0 MiB are available; take less"):
        refuse_larger("it", 3 * 2**29, 2**29, "take less")
