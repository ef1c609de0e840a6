"""The studies: what they train, what they keep, and that a plot is drawn from it."""

import json
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "benchmarks"))
import quality
import studies

from remi_tf.errors import InputError

DATA = quality.Data(Path("data/toy"), "toy", "aaaa", 60, 0.3, False)


def test_every_point_is_a_system_that_train_takes_and_its_place_on_the_axis():
    series = studies.samplers((64, 256, 4096), 128) | studies.beta_lambda()
    assert {"uniform", "log_uniform", "mns", "dns", "srns", "genni", "IHN", "full softmax"} < set(series)
    assert [x for x, _ in series["mns"]] == [256, 4096]  # in-batch negatives alone are 127
    assert [x for x, _ in series["dns"]] == [64, 256]  # a pool of 4 · 4096 would be scored for each user
    for name, points in series.items():
        for x, text in points:
            settings = quality.settings_of(text.split(), "toy")
            objective = settings.objective
            assert (settings.training.learning_rate, settings.training.first_target) == (0.003, 1)
            assert objective.readout == "hard"
            expected = {"beta (lambda 100)": objective.beta, "lambda (beta 1)": objective.rr_lambda}
            assert x == (None if name == "full softmax" else expected.get(name, objective.num_negatives))


def test_a_study_keeps_both_splits_and_draws_what_it_kept(tmp_path, monkeypatch, capsys):
    trained = []

    def run(system, seed, *_, **__):
        if len(trained) == 20:
            raise quality.RunFailed("out of memory")
        trained.append(system.name)
        return {"valid_recall@50": 0.1 + 0.001 * len(trained), "recall@50": 0.2}

    monkeypatch.setattr(studies, "run", run)
    monkeypatch.setattr(studies, "find_data", lambda name, asked: DATA)
    output = ["--output", str(tmp_path / "b")]
    assert studies.main(["beta_lambda", "--dataset", "toy", *output]) == 0
    content = json.loads((tmp_path / "b.json").read_text())
    point = content["series"]["lambda (beta 1)"][f"SA {studies.COMMON} --sampler uniform --beta 1 --rr_lambda 0"]
    assert point == {"x": 0, "seeds": {"1": {"valid_recall@50": pytest.approx(0.108), "recall@50": 0.2}}}
    assert (tmp_path / "b.png").read_bytes().startswith(b"\x89PNG")
    (tmp_path / "b.png").unlink()
    assert studies.main(["beta_lambda", "--plot_only", *output]) == 0 and (tmp_path / "b.png").is_file()
    with pytest.raises(InputError, match="holds the study beta_lambda, not samplers"):
        studies.main(["samplers", "--plot_only", *output])
    assert studies.main(["samplers", "--dataset", "toy", "--output", str(tmp_path / "s")]) == 1
    assert "out of memory" in capsys.readouterr().err
    assert len(json.loads((tmp_path / "s.json").read_text())["series"]["uniform"]) == 4  # what was there is kept


def test_an_axis_that_the_study_does_not_have_is_refused(tmp_path):
    with pytest.raises(InputError, match="only the study of samplers"):
        studies.main(["beta_lambda", "--negatives", "64", "--output", str(tmp_path / "b"), "--dataset", "toy"])
