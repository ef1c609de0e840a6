"""The studies: which systems they train, what they keep, and that pictures are drawn from it."""

import json
import sys
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "benchmarks"))
import quality
import studies
from paper_studies.study import Asked, paper
from quality_table import metrics_at

from remi_tf.data.dataset.folder import load_dataset, write_dataset
from remi_tf.data.dataset.profiles import ProfileColumn
from remi_tf.errors import InputError

DATA = quality.Data(Path("data/ml-1m"), "ml-1m", "aaaa", 3416, 0.0, False)
BUDGET = quality.Budget(100, 50, 3)
LOOK_AT_MODELS = ("remi_routing", "remi_weights", "bam_shares")
FIGURES = {"best_step": 50, "steps": 100, "seconds": 9.0, "ms_per_step": 2.0, "parameters": 12_345}


def asked(study: str, **options) -> Asked:
    return Asked(study, DATA, BUDGET, (1,), Path("runs"), 1, Path("out"), **options)


def result(recall: float, top_n=(20, 50)) -> dict:
    return dict.fromkeys(metrics_at(top_n), recall) | {"valid_recall@50": recall} | FIGURES


@pytest.fixture(scope="module")
def log(toy_dataset, tmp_path_factory) -> Path:
    """The toy log with one target for each user, a profile column, and long titles."""
    toy, splits = load_dataset(toy_dataset), {}
    for name in ("train", "valid", "test"):
        split = toy.split(name)
        cuts = split.lengths - (name != "train")
        profiles = 1 + split.items[split.offsets[:-1]][:, None] % 2
        splits[name] = type(split)(split.items, split.timestamps, split.offsets, cuts, profiles)
    path = tmp_path_factory.mktemp("one_target") / "toy"
    titles = [f"The long title of the item with the number {row}" for row in range(1, 61)]
    write_dataset(
        path, name="toy", splits=splits, users={name: toy.user_ids(name) for name in splits}, titles=titles,
        vocabulary=toy.vocabulary, made_by={}, profile_columns=[ProfileColumn("parity", ("even", "odd"))],
    )  # fmt: skip
    return path


@pytest.fixture
def no_training(monkeypatch, log):
    """Every run has figures at once. They are returned by system."""
    trained: dict[str, float] = {}

    def run(system, seed, data, *_):
        trained.setdefault(system.name, 0.1 + 0.001 * len(trained))
        return result(trained[system.name] + seed / 1000, data.top_n)

    monkeypatch.setattr(quality, "run", run)
    data = quality.Data(log, "ml-1m", "aaaa", 60, 0.0, False)
    monkeypatch.setattr(studies, "find_data", lambda name, history, top_n: data)
    return trained


def test_every_point_of_samplers_is_its_place_on_the_axis():
    curves = studies.STUDIES["samplers"].series(asked("samplers", negatives=(64, 256, 4096)))
    assert {"uniform", "log_uniform", "mns", "dns", "srns", "genni", "IHN", "full softmax"} == set(curves)
    assert [x for x, _ in curves["mns"]] == [256, 4096]  # in-batch negatives alone are 127
    assert [x for x, _ in curves["dns"]] == [64, 256]  # a pool of 4 · 4096 would be scored for each user
    for name, points in (curves | studies.STUDIES["beta_lambda"].series(asked("beta_lambda"))).items():
        for x, text in points:
            settings = quality.settings_of(text.split(), "toy")
            objective = settings.objective
            assert (settings.training.learning_rate, settings.training.first_target) == (0.003, 1)
            assert objective.readout == "hard"
            expected = {"beta (lambda 100)": objective.beta, "lambda (beta 1)": objective.rr_lambda}
            assert x == (None if name == "full softmax" else expected.get(name, objective.num_negatives))


def test_beta_and_lambda_of_the_papers_figure_are_what_the_systems_have():
    series = studies.STUDIES["remi_beta_lambda"].series(asked("remi_beta_lambda"))
    objectives = {
        name: [(x, quality.settings_of(text.split(), "ml-1m").objective) for x, text in points]
        for name, points in series.items()
    }
    betas, lambdas = objectives.values()
    assert [x for x, _ in betas] == [0, 0.1, 0.5, 1, 2, 5, 10] and max(x for x, _ in lambdas) == 10_000
    assert all((found.beta, found.rr_lambda) == (x, 100) for x, found in betas)
    assert all((found.beta, found.rr_lambda) == (1, x) for x, found in lambdas)


@pytest.mark.parametrize(("ihn", "rr"), [(False, False), (False, True), (True, False), (True, True)])
def test_a_system_has_remis_two_ideas_or_one_or_none(ihn, rr):
    objective = quality.settings_of(paper("SA", ihn=ihn, rr=rr).split(), "ml-1m").objective
    assert (objective.beta, objective.rr_lambda) == (1.0 if ihn else 0.0, 100.0 if rr else 0.0)


@pytest.mark.parametrize("study", sorted(set(studies.STUDIES) - set(LOOK_AT_MODELS)))
def test_train_takes_every_system_of_a_study_and_what_is_kept_is_drawn(study, no_training, tmp_path):
    """`run_all` composes the settings of every system on ml-1m before it trains."""
    output = tmp_path / "s"
    flags = [study, "--dataset", "toy", "--output", str(output), "--seeds", "1,2"]
    assert studies.main(flags) == 0
    content = json.loads(output.with_name("s.json").read_text())
    assert content["study"] == study and no_training
    pictures = [output.with_name("s.png")]
    if "systems" in content:
        assert set(content["systems"]) == set(no_training)
        pictures.append(output.with_name("s.md"))
        assert all(set(seeds) == {"1", "2"} for seeds in content["systems"].values())
    before = [picture.read_bytes() for picture in pictures]
    assert before[0].startswith(b"\x89PNG")
    if study not in ("remi_negatives", "remi_parts", "mtmi_grid"):  # one of each kind is enough
        return
    for picture in pictures:
        picture.unlink()
    assert studies.main([study, "--plot_only", "--output", str(output)]) == 0
    assert [picture.read_bytes() for picture in pictures] == before


def test_studies_that_look_at_models_have_systems_that_train_takes():
    routing, shares = studies.STUDIES["remi_routing"], studies.STUDIES["bam_shares"]
    assert [name for name in routing.systems(True) if name not in routing.systems(False)] == [
        "UMI without RR",
        "UMI with RR",
    ]
    rr = {
        name: quality.settings_of(flags.split(), "ml-1m").objective.rr_lambda
        for name, flags in routing.systems(True).items()
    }
    assert {name: value > 0 for name, value in rr.items()} == {name: "with RR" in name for name in rr}
    readouts = {
        name: quality.settings_of(flags.split(), "ml-1m").objective.readout for name, flags in shares.systems().items()
    }
    assert readouts == {"ComiRec-SA": "hard", "REMI": "hard", "BaM": "sampled"}


def test_the_table_names_systems_and_takes_the_best_number_of_interests(no_training, tmp_path):
    output = ["--dataset", "toy", "--output", str(tmp_path / "t")]
    assert studies.main(["remi_systems", "--best_k", *output]) == 0
    assert "SA --recipe paper --num_interests 6" in no_training
    lines = (tmp_path / "t.md").read_text().splitlines()
    # the later a system of no_training was first trained, the better it is
    assert [line for line in lines if line.startswith("| ComiRec-SA: `SA --recipe paper --num_interests 8` |")]
    assert len([line for line in lines if line.startswith("| ")]) == 1 + 9
    with pytest.raises(InputError, match="best_k True, this command has False"):
        studies.main(["remi_systems", *output])


def test_what_trained_is_kept_when_a_run_fails(monkeypatch, no_training, tmp_path, capsys):
    known = quality.run

    def run(system, *rest):
        if "--sampler mns" in system.name:
            raise quality.RunFailed("out of memory")
        return known(system, *rest)

    monkeypatch.setattr(quality, "run", run)
    assert studies.main(["samplers", "--dataset", "toy", "--output", str(tmp_path / "s")]) == 1
    assert "out of memory" in capsys.readouterr().err and (tmp_path / "s.png").is_file()
    series = json.loads((tmp_path / "s.json").read_text())["series"]
    assert len(series["uniform"]) == 4 and not series["mns"]
    with pytest.raises(InputError, match="holds the study samplers, not beta_lambda"):
        studies.main(["beta_lambda", "--plot_only", "--output", str(tmp_path / "s")])


@pytest.mark.parametrize(("study", "flag"), [("beta_lambda", "--negatives=64"), ("remi_parts", "--best_k")])
def test_a_flag_that_the_study_does_not_have_is_refused(study, flag, tmp_path):
    with pytest.raises(InputError, match=f"{flag.partition('=')[0]}: {study} does not have it"):
        studies.main([study, flag, "--output", str(tmp_path / "b"), "--dataset", "toy"])


def test_bams_table_refuses_users_with_several_targets(no_training, toy_dataset, monkeypatch, tmp_path):
    several = quality.Data(toy_dataset, "ml-1m", "aaaa", 60, 0.0, True)
    monkeypatch.setattr(studies, "find_data", lambda *_: several)
    with pytest.raises(InputError, match=r"one target for each test user.* --split leave_one_out"):
        studies.main(["bam_systems", "--dataset", "toy", "--output", str(tmp_path / "b")])
    assert not no_training and not list(tmp_path.iterdir())


def made(study: str) -> dict:
    """A small OUTPUT.json of a study that looks at models."""
    draw = np.random.default_rng(0)
    about = {"study": study, "dataset": "ml-1m", "max_steps": 100, "users": ["7", "a user with a very long name"]}
    if study == "remi_routing":
        maps = [draw.dirichlet(np.ones(length), 4).tolist() for length in (40, 9)]
        seeds = {"1": {"variance": 0.25, "maps": maps}, "2": {"variance": 0.35}}
        return about | {"systems": {name: {"seeds": seeds} for name in ("SA without RR", "SA with RR")}}
    if study == "remi_weights":
        rows = [{"title": f"A title of {'many ' * 5}words {n}"[:34], "weight": 10.0 ** (3 - n)} for n in range(8)]
        user = {"user": "7", "target": "Alien", "latest": ["Jaws", "Heat"], "beta": 1.0, "negatives": 256}
        users = [user | {"highest": rows[:4], "lowest": rows[4:]}] * 2
        return about | {"systems": {"REMI": {"seeds": {"1": {"users": users}}}}}
    seeds = {"1": {"means": [0.7, 0.2, 0.1], "map": draw.dirichlet(np.ones(3), 50).T.tolist()}}
    return about | {"systems": {"SA": {"seeds": seeds}, "BaM": {"seeds": seeds}}}


@pytest.mark.parametrize("study", LOOK_AT_MODELS)
def test_pictures_of_models_are_drawn_from_what_is_kept(study, tmp_path):
    (tmp_path / "s.json").write_text(json.dumps(made(study)))
    assert studies.main([study, "--plot_only", "--output", str(tmp_path / "s")]) == 0
    assert (tmp_path / "s.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize("study", ["samplers", "beta-lambda"])
def test_results_in_the_documents_are_still_drawn(study, tmp_path):
    kept = Path(__file__).resolve().parents[2] / "docs" / "results" / f"{study}.json"
    (tmp_path / "s.json").write_bytes(kept.read_bytes())
    assert studies.main([study.replace("-", "_"), "--plot_only", "--output", str(tmp_path / "s")]) == 0


@pytest.mark.slow
@pytest.mark.trains
def test_every_study_runs_from_the_log_to_the_picture(log, tmp_path, monkeypatch):
    from paper_studies import grid, series

    import evaluate
    import train

    mains, other = {"train.py": train.main, "evaluate.py": evaluate.main}, quality.subprocess.run

    def here(command, **options):  # in this process, as TensorFlow takes seconds to load
        main = mains.get(Path(command[1]).name)
        if main is None:
            return other(command, **options)
        code = main(command[2:])
        return quality.subprocess.CompletedProcess(command, code, "", "failed")

    monkeypatch.setattr(quality.subprocess, "run", here)
    few = {grid: {"ALPHAS": (1, 2), "REPELS": (1,), "TOWERS": (2,)}}
    few[series] = {"REPELS": (0, 1000), "BETAS": (0, 0.1), "LAMBDAS": (0, 100, 10_000)}
    for module, values in few.items():
        for name, value in values.items():
            monkeypatch.setattr(module, name, value)
    budget = ["--max_steps", "2", "--eval_every", "2", "--runs", str(tmp_path / "runs")]
    for study, found in studies.STUDIES.items():
        negatives = ["--negatives", "16"] if "negatives" in found.options else []
        output = tmp_path / study
        assert studies.main([study, "--dataset", str(log), "--output", str(output), *budget, *negatives]) == 0, study
        assert output.with_name(f"{study}.png").read_bytes().startswith(b"\x89PNG"), study
