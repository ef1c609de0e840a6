"""A new encoder costs its file and its entry: one with an option of its own, made here, works in every command."""

import json
import sys
from pathlib import Path

import pytest

from remi_tf.api import load_run
from remi_tf.commands.recommend import main as recommend
from remi_tf.commands.train import main as train
from remi_tf.errors import InputError
from remi_tf.settings.encoders import ENCODERS, Entry, encoder_settings
from remi_tf.settings.names import known_settings
from remi_tf.settings.presets import compose
from remi_tf.settings.settings import Settings

MODULE = '''
"""One interest: the items of the history, the newer ones weighing more."""

from dataclasses import dataclass

import tensorflow as tf

from remi_tf.encoders.base import Encoder, Interests
from remi_tf.errors import InputError
from remi_tf.settings.encoders import EncoderSettings
from remi_tf.settings.setting import setting


@dataclass(frozen=True)
class FadingSettings(EncoderSettings):
    half_life: float = setting(2.0, "items after which the weight has halved", above_zero=True)
    shape: str = setting("power", "how weights fall", choices=("power", "step"))

    def check(self):
        if self.half_life > self.max_history:
            raise InputError(f"--half_life {self.half_life}: longer than --max_history {self.max_history}; lower it")


class Fading(Encoder):
    def __init__(self, settings, seed):
        super().__init__(settings)

    def call(self, embeddings, mask, training_seed=None):
        known = tf.cast(mask, tf.float32)
        newer = tf.cumsum(known, axis=1, reverse=True, exclusive=True)
        weights = 2.0 ** (-newer / self.settings.half_life) * known
        return Interests(tf.reduce_sum(embeddings * weights[..., None], axis=1, keepdims=True))
'''


@pytest.fixture
def fading(tmp_path, monkeypatch):
    """Registers the encoder for one test; nothing of remi_tf is touched."""
    (tmp_path / "fading_encoder.py").write_text(MODULE)
    monkeypatch.syspath_prepend(str(tmp_path))
    from fading_encoder import FadingSettings

    monkeypatch.setitem(ENCODERS, "Fading", Entry("fading_encoder:Fading", FadingSettings, single=True))
    yield FadingSettings
    sys.modules.pop("fading_encoder")


def test_its_options_are_settings_like_all_others(fading):
    settings = compose("toy", "default", False, {"model_type": "Fading", "half_life": 3.0})
    assert isinstance(settings.encoder, fading) and settings.encoder.num_interests == 1
    assert settings.flat()["half_life"] == 3.0 and settings.flat()["shape"] == "power"
    assert Settings.from_json(json.loads(json.dumps(settings.to_json()))) == settings
    assert known_settings()["half_life"].only == {"model_type": ("Fading",)}


@pytest.mark.parametrize(
    ("model_type", "values", "message"),
    [
        ("Fading", {"half_life": 0.0}, "--half_life 0.0: must be a finite number above 0; the default is 2.0"),
        ("Fading", {"shape": "flat"}, "--shape 'flat': choose one of power, step"),
        ("Fading", {"half_life": 50.0}, "--half_life 50.0: longer than --max_history 20; lower it"),
        ("Fading", {"dropout": 0.5}, "read only with --model_type GRU4REC or MTMI-GRU or PIMI or SASRec"),
        ("SA", {"half_life": 1.0}, "--half_life 1.0: read only with --model_type Fading, and --model_type is SA"),
    ],
)
def test_their_checks_hold_and_no_other_model_takes_them(fading, model_type, values, message):
    with pytest.raises(InputError, match=message):
        compose("toy", "default", False, {"model_type": model_type, **values})


def test_no_way_of_making_settings_goes_round_the_checks(fading):
    with pytest.raises(InputError, match="half_life"):
        fading("Fading", num_interests=1, half_life=50.0)
    with pytest.raises(InputError, match="gives one vector a user"):
        fading("Fading", num_interests=2)
    with pytest.raises(InputError, match="its settings are FadingSettings, not SelfAttentionSettings"):
        type(encoder_settings("SA"))("Fading")
    with pytest.raises(InputError, match="has no routing matrix"):
        Settings(encoder_settings("Fading")).replace(rr_lambda=1.0)


@pytest.mark.trains
def test_it_trains_evaluates_and_recommends_by_the_commands(fading, toy_dataset, tmp_path, capsys):
    run = tmp_path / "run"
    flags = ["--model_type", "Fading", "--half_life", "4", "--embedding_dim", "8", "--num_negatives", "20"]
    assert train(["--dataset", str(toy_dataset), "--run_dir", str(run), *flags, "--max_steps", "20"]) == 0
    assert load_run(run).settings.encoder.half_life == 4.0
    assert 0 <= load_run(run).evaluate(top_n=(5,)).means["recall@5"] <= 1
    assert recommend(["--run_dir", str(run), "--history", "item-1,item-2", "--top_n", "3"]) == 0
    assert "rank" in capsys.readouterr().out
    with pytest.raises(SystemExit):
        train(["--help"])
    assert "items after which the weight has halved (default: 2.0)" in " ".join(capsys.readouterr().out.split())
    assert Path(run, "config.json").is_file()
