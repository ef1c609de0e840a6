"""Steps and a validation are measured on the run's own batches and users."""

import pytest

from remi_tf.data.dataset.folder import load_dataset
from remi_tf.training import speed
from remi_tf.training.plan import make_trainer, plan_new

pytestmark = pytest.mark.trains


@pytest.fixture(scope="module")
def trainer(toy_dataset, tmp_path_factory):
    settings = {"model_type": "DNN", "num_negatives": 20, "embedding_dim": 8, "batch_size": 16, "average_steps": 5}
    path = tmp_path_factory.mktemp("speed") / "run"
    return make_trainer(plan_new(load_dataset(toy_dataset), settings, path=path))


def test_real_steps_are_taken_and_nothing_is_written(trainer):
    before = trainer.model.item_table.numpy()
    found = speed.measure(trainer)
    assert trainer.model.optimizer.iterations.numpy() == 21  # one traces the graph
    assert (trainer.model.item_table.numpy() != before).any()
    assert 0 < found.step < 1 and 0 < found.validation < 30 and found.users == 10
    assert not trainer.path.exists()


def test_a_validation_of_some_users_is_scaled_to_all(trainer, monkeypatch):
    monkeypatch.setattr(speed, "USERS", 2)
    real = trainer.evaluator.evaluate

    def evaluate(users):
        assert users.num_users == 2
        return type("Result", (), {"seconds": 4.0})

    monkeypatch.setattr(trainer.evaluator, "evaluate", evaluate)
    seconds, users = speed._validation_seconds(trainer)
    assert users == 2 and seconds == pytest.approx(20.0, abs=0.1)
    monkeypatch.setattr(trainer.evaluator, "evaluate", real)
