"""Resuming after damage: the newest good state, best weights that agree with it, and never step 0 in silence."""

import json
import re
import shutil

import numpy as np
import pytest
import tensorflow as tf

import remi_tf
from remi_tf.data.dataset.folder import load_dataset
from remi_tf.errors import InputError
from remi_tf.training.checkpoints import CheckpointKeeper
from remi_tf.training.measurements import append_metrics
from remi_tf.training.recovery import Progress, restore_newest, settle_best
from remi_tf.training.run_folder import load_saved_run, weights
from remi_tf.training.trainer import Trainer
from tests.small_runs import assert_same_run, measurements, train
from train import main


@pytest.fixture
def told(monkeypatch):
    said = []
    monkeypatch.setattr("absl.logging.warning", lambda text, *values: said.append(text % values))
    return said


class Small:
    """A run of one number: its checkpoints, best weights and measurements."""

    def __init__(self, path):
        self.path, self.progress, self.number = path, Progress(), tf.Variable(0.0)
        state = tf.train.Checkpoint(progress=self.progress, number=self.number)
        self.checkpoints = CheckpointKeeper(state, path / "checkpoints")
        self.best = CheckpointKeeper(tf.train.Checkpoint(number=self.number), path / "best")

    def validate(self, step, score):
        self.number.assign(step)
        self.progress.step.assign(step)
        better = score > self.progress.best_score.numpy()
        if better:
            self.progress.best_score.assign(score)
            self.progress.best_step.assign(step)
            self.best.save(step)
        append_metrics(self.path, {"step": step, "valid_recall@50": score})

    def run(self, scores):
        for step, score in scores.items():
            self.validate(step, score)
            self.checkpoints.save(step)
        return self

    def resumed(self):
        """Step taken up, step of the best weights by the progress and in best/, whether to validate anew."""
        again = Small(self.path)
        reached = restore_newest(again.checkpoints, self.path)
        anew = settle_best(again.best, again.progress, self.path, "recall@50")
        steps = again.best.steps()
        return reached, int(again.progress.best_step.numpy()), steps[0] if steps else None, anew


def test_what_agrees_stays_as_it_is(tmp_path, told):
    run = Small(tmp_path).run({20: 0.3, 40: 0.5, 60: 0.4})
    assert run.resumed() == (60, 40, 40, False) and not told


def test_best_weights_of_a_step_that_is_done_again_are_removed_at_once(tmp_path, told):
    run = Small(tmp_path).run({20: 0.3, 40: 0.5})
    run.validate(60, 0.9)  # killed before the checkpoint of step 60
    assert run.best.steps() == [60, 40]
    assert run.resumed() == (40, 40, 40, False) and run.best.steps() == [40]
    first = Small(tmp_path / "first")
    first.path.mkdir()
    first.validate(20, 0.9)  # killed before the very first checkpoint
    assert first.resumed() == (None, 0, None, False)


def test_a_damaged_newest_state_takes_its_best_weights_with_it(tmp_path, told):
    run = Small(tmp_path).run({20: 0.3, 40: 0.5, 60: 0.9})
    (tmp_path / "checkpoints" / "ckpt-60.index").write_bytes(b"")
    assert run.resumed() == (40, 40, 40, False)
    assert "step 60 is left out, and step 40 is used" in told[0]


def test_damaged_best_weights_give_way_to_the_ones_before_with_their_score(tmp_path, told):
    run = Small(tmp_path).run({20: 0.3, 40: 0.5, 60: 0.9})
    (tmp_path / "best" / "ckpt-60.index").write_bytes(b"")
    again = Small(tmp_path)
    restore_newest(again.checkpoints, tmp_path)
    assert settle_best(again.best, again.progress, tmp_path, "recall@50") is False
    assert (again.progress.best_step.numpy(), again.progress.best_score.numpy()) == (40, 0.5)
    assert any("the best weights of step 60 are gone; step 40 is the best that is there" in line for line in told)
    shutil.rmtree(tmp_path / "best")
    assert run.resumed() == (60, 0, None, True)  # nothing left: the present weights are validated


def test_step_0_is_never_taken_up_where_there_was_a_checkpoint(tmp_path):
    run = Small(tmp_path).run({20: 0.3, 40: 0.5})
    (tmp_path / "checkpoints" / "checkpoint").unlink()
    assert run.resumed()[0] == 40
    for path in (tmp_path / "checkpoints").glob("*.index"):
        path.unlink()
    with pytest.raises(InputError, match=r"ckpt-40.index: missing; .*start again with --overwrite, or .*--warm_start"):
        run.resumed()
    shutil.rmtree(tmp_path / "checkpoints")
    with pytest.raises(InputError, match=r"was trained, and .*checkpoints holds no checkpoint any more"):
        run.resumed()
    (tmp_path / "metrics.jsonl").unlink()
    (tmp_path / "checkpoints").mkdir()
    (tmp_path / "checkpoints" / "checkpoint").write_text("")
    with pytest.raises(InputError, match="holds no checkpoint any more"):
        run.resumed()


def test_a_run_killed_in_its_first_save_begins_again(tmp_path):
    run = Small(tmp_path)
    run.validate(20, 0.3)
    (tmp_path / "checkpoints" / ".saving-x").mkdir(parents=True)
    (tmp_path / "checkpoints" / "ckpt-20.data-00000-of-00001").write_bytes(b"numbers")
    assert run.resumed()[0] is None


@pytest.fixture(scope="module")
def whole(toy_dataset, tmp_path_factory):
    """A run of 60 steps with two states and two sets of best weights."""
    path = tmp_path_factory.mktemp("runs") / "run"
    assert train(toy_dataset, path, "--max_steps", "60", "--learning_rate", "0.01") == 0
    trainer = Trainer(path, load_saved_run(path).settings, load_dataset(toy_dataset))
    trainer.restore()
    best = load_saved_run(path).step
    keeper = CheckpointKeeper(weights(load_saved_run(path).model), path / "best", whole=False)
    if len(keeper.steps()) == 1:  # so that there always is one to fall back on
        keeper.newest_good()
        keeper.save(best - 1)
        keeper.newest_good()
        assert keeper.steps() == [best, best - 1]
    return path


def damages():
    """Every file that TensorFlow or we wrote for a training, and what may happen to it."""
    for name in ("items.txt", "config.json", "run.json", "metrics.jsonl"):
        yield from ((name, damage) for damage in ("flipped", "cut", "gone"))
    for folder in ("best", "checkpoints"):
        for ending in ("index", "data-00000-of-00001", "json"):
            yield from ((f"{folder}/NEWEST.{ending}", damage) for damage in ("flipped", "cut", "gone"))
        yield from ((f"{folder}/checkpoint", damage) for damage in ("flipped", "cut", "gone"))


@pytest.mark.trains
@pytest.mark.parametrize(("name", "damage"), [*damages()])
def test_each_damaged_file_of_a_run_is_refused_by_name_or_healed(whole, tmp_path, told, name, damage):
    run = shutil.copytree(whole, tmp_path / "run")
    folder = name.partition("/")[0]
    newest = max(run.glob(f"{folder}/ckpt-*.json"), key=lambda path: int(path.stem[5:]), default=None)
    path = run / name.replace("NEWEST", newest.stem if newest else "")
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 4
    if damage == "gone":
        path.unlink()
    else:
        path.write_bytes(bytes(data) if damage == "flipped" else data[: len(data) // 2])
    kept = load_saved_run(whole)
    try:
        opened = load_saved_run(run)
    except InputError as error:
        assert re.match(rf"{re.escape(str(run))}/(items.txt|config.json|run.json)", str(error)) and folder != "best"
    else:
        assert folder != "items.txt" and folder != "config.json"
        if opened.step == kept.step:
            np.testing.assert_array_equal(opened.model.item_table.numpy(), kept.model.item_table.numpy())
        else:
            assert name.startswith("best/NEWEST") and any(path.name in line or "ckpt" in line for line in told)


@pytest.mark.trains
def test_a_run_goes_on_from_the_state_before_a_damaged_one_as_if_nothing_had_been(whole, toy_dataset, tmp_path, told):
    run = shutil.copytree(whole, tmp_path / "run")
    (run / "checkpoints" / "checkpoint").write_bytes(b"\xff")
    data = run / "checkpoints" / "ckpt-60.data-00000-of-00001"
    data.write_bytes(data.read_bytes()[:-100])
    assert main(["--resume", "--run_dir", str(run), "--max_steps", "80"]) == 0
    assert any("ckpt-60.data" in line and "step 40 is used" in line for line in told)
    train(toy_dataset, tmp_path / "straight", "--max_steps", "80", "--learning_rate", "0.01")
    assert_same_run(run, tmp_path / "straight")


@pytest.mark.trains
def test_lost_best_weights_are_said_and_healed_by_resume(whole, tmp_path, told):
    run = shutil.copytree(whole, tmp_path / "run")
    for path in (run / "best").glob("ckpt-*.index"):
        path.write_bytes(b"")
    with pytest.raises(InputError, match=r"best/ckpt-\d+.index: 0 bytes.*no other good checkpoint.*--resume"):
        load_saved_run(run)
    assert main(["--resume", "--run_dir", str(run)]) == 0
    assert load_saved_run(run).step == 60
    assert [line["step"] for line in measurements(run)] == [20, 40, 60]
    assert main(["--resume", "--run_dir", str(run)]) == 0  # the checkpoint knows of the new best
    assert [line["step"] for line in measurements(run)] == [20, 40, 60]


@pytest.mark.trains
def test_better_weights_that_are_gone_are_named(whole, tmp_path, told):
    run = shutil.copytree(whole, tmp_path / "run")
    lines = measurements(run)
    step = load_saved_run(run).step
    other = next(line["step"] for line in lines if line["step"] != step)
    for line in lines:
        line["valid_recall@50"] = 0.9 if line["step"] == other else 0.5
    (run / "metrics.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    assert remi_tf.load_run(run).step == step
    assert any(f"those of step {other} (0.9000) were better and are not there" in line for line in told)


@pytest.mark.trains
def test_the_weights_of_an_abandoned_way_are_not_evaluated(toy_dataset, tmp_path, monkeypatch):
    """Killed between best/ and the checkpoint, then resumed with another learning rate."""
    run = tmp_path / "run"
    with monkeypatch.context() as patch:
        save = CheckpointKeeper.save

        def killed(self, step):
            if step == 40 and self.folder.name == "checkpoints":
                raise ZeroDivisionError
            save(self, step)

        patch.setattr(CheckpointKeeper, "save", killed)
        with pytest.raises(ZeroDivisionError):
            train(toy_dataset, run, "--max_steps", "60", "--learning_rate", "0.01")
    abandoned = load_saved_run(run)
    if abandoned.step == 20:  # step 40 was not better: say that it was
        shutil.copytree(run / "best", tmp_path / "aside")
        CheckpointKeeper(weights(abandoned.model), run / "best", whole=False).save(40)
        for path in (tmp_path / "aside").glob("ckpt-20*"):
            shutil.copy(path, run / "best" / path.name)
    with monkeypatch.context() as patch:
        patch.setattr(Trainer, "_fit", lambda *arguments: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            main(["--resume", "--run_dir", str(run), "--learning_rate", "1e-9"])
    assert load_saved_run(run).step == 20
    assert main(["--resume", "--run_dir", str(run), "--learning_rate", "1e-9"]) == 0
    assert load_saved_run(run).step in (20, 40, 60)
