"""Consoles of any encoding, pipes that close early, and text that would steer a terminal."""

import io
import os
import subprocess
import sys
from pathlib import Path

import pytest

import remi_tf
from remi_tf.commands.console import forgive_encoding, shown
from remi_tf.commands.main import COMMANDS

ROOT = Path(__file__).resolve().parents[2]
TEXT = "data → 本 \U0001f3a7 Ü"


def printed(monkeypatch, encoding: str, stream_type=io.TextIOWrapper) -> str:
    raw = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", stream_type(raw, encoding=encoding))
    monkeypatch.setattr(sys, "stderr", io.StringIO())
    forgive_encoding()
    print(TEXT)
    sys.stdout.flush()
    return raw.getvalue().decode(encoding)


@pytest.mark.parametrize(
    ("encoding", "text"),
    [
        ("utf-8", TEXT),
        ("cp1252", "data -> \\u672c \\U0001f3a7 Ü"),
        ("latin-1", "data -> \\u672c \\U0001f3a7 Ü"),
        ("ascii", "data -> \\u672c \\U0001f3a7 \\xdc"),
        ("gbk", "data → 本 \\U0001f3a7 \\xdc"),
        ("shift_jis", "data → 本 \\U0001f3a7 \\xdc"),
    ],
)
def test_what_a_console_cannot_show_is_replaced_and_nothing_else(monkeypatch, encoding, text):
    assert printed(monkeypatch, encoding) == f"{text}\n"


def test_a_console_that_cannot_be_set_is_helped_too(monkeypatch):
    class Ide:
        """It has an encoding and no `reconfigure`."""

        def __init__(self, raw, encoding):
            self.raw, self.encoding = raw, encoding

        def write(self, text):
            return self.raw.write(text.encode(self.encoding))

        def flush(self):
            pass

    assert printed(monkeypatch, "cp1252", Ide) == "data -> \\u672c \\U0001f3a7 Ü\n"


def test_no_console_at_all_is_no_error(monkeypatch):
    monkeypatch.setattr(sys, "stdout", None)
    monkeypatch.setattr(sys, "stderr", None)
    forgive_encoding()


@pytest.mark.parametrize(
    ("text", "seen"),
    [
        ("\x1b[31mred", "\\x1b[31mred"),
        ("two\nlines\r", "two\\nlines\\r"),
        ("bell\x07 \x9b2J", "bell\\x07 \\x9b2J"),
        ("\u202eleft \u2066", "\\u202eleft \\u2066"),
        ("half \ud800", "half \\ud800"),
        ("本 \U0001f3a7 e\u0301 می\u200cخواهم", "本 \U0001f3a7 e\u0301 می\u200cخواهم"),
        ("back\\slash", "back\\slash"),
    ],
)
def test_control_characters_are_escaped_and_writing_of_all_languages_is_left(text, seen):
    assert shown(text) == seen


@pytest.mark.trains
@pytest.mark.parametrize("command", COMMANDS)
def test_help_works_in_ascii_and_where_nobody_reads_it(command):
    code = "import sys; from remi_tf.commands.main import main; main()"
    run = [sys.executable, "-c", code, command, "--help"]
    environment = {"PYTHONIOENCODING": "ascii", "PYTHONPATH": str(ROOT)}
    whole = subprocess.run(run, capture_output=True, env=environment, cwd=ROOT)
    assert whole.returncode == 0 and whole.stdout.isascii() and b"Traceback" not in whole.stderr
    for unbuffered in ("", "1"):
        process = subprocess.Popen(
            run, stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=ROOT,
            env={**environment, "PYTHONUNBUFFERED": unbuffered},
        )  # fmt: skip
        process.stdout.close()
        errors = process.stderr.read()
        process.stderr.close()
        assert process.wait() in (0, 141) and b"Error" not in errors and b"Traceback" not in errors


def started(encoding: str, *arguments: str) -> subprocess.Popen:
    environment = {**os.environ, "PYTHONIOENCODING": encoding, "PYTHONUNBUFFERED": "1"}
    command = [sys.executable, *arguments]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=ROOT, env=environment)


@pytest.mark.slow
def test_training_and_recommending_go_through_on_any_console_and_into_a_closed_pipe(tmp_path):
    lines = [f"{user},本{(user + place) % 8},{1_600_000_000 + place}" for user in range(20) for place in range(6)]
    log, data, run = tmp_path / "log.csv", tmp_path / "dätá", str(tmp_path / "run")
    log.write_text("user,item,time\n" + "\n".join(lines), encoding="utf-8")
    remi_tf.prepare(log, data, user_col="user", item_col="item", time_col="time")
    training = started(
        "cp1252", "train.py", "--dataset", str(data), "--model_type", "Pop", "--run_dir", run, "--max_steps", "20"
    )
    output, errors = training.communicate()
    assert training.returncode == 0, errors
    assert "dätá: ".encode("cp1252") in output and b" -> " in output
    recommend = ("recommend.py", "--run_dir", run, "--history", "本3", "--exclude_history", "no")
    for encoding, first in (("ascii", b"\\u672c"), ("gbk", "本".encode("gbk"))):
        process = started(encoding, *recommend)
        output, errors = process.communicate()
        assert process.returncode == 0, errors
        assert output.count(first) == 8
    process = started("utf-8", *recommend)
    process.stdout.close()
    errors = process.stderr.read()
    process.stderr.close()
    assert process.wait() == 141 and b"Traceback" not in errors and b"Broken" not in errors
    again = str(tmp_path / "again")
    training = started(
        "utf-8", "train.py", "--dataset", str(data), "--model_type", "Pop", "--run_dir", again, "--max_steps", "20"
    )
    training.stdout.close()  # training goes on
    errors = training.stderr.read()
    training.stderr.close()
    assert training.wait() in (0, 141) and b"Traceback" not in errors
    assert remi_tf.load_run(again).recommender().recommend([["本3"]], 1)["item"].tolist()
