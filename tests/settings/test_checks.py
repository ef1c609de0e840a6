"""Which settings go together, and what a resumed run keeps."""

import re

import pytest

from remi_tf.errors import InputError
from remi_tf.settings.checks import check_changes, check_together
from remi_tf.settings.encoders import encoder_settings
from remi_tf.settings.objective import ObjectiveSettings
from remi_tf.settings.presets import (
    compose,
)
from remi_tf.settings.settings import Settings
from remi_tf.settings.training import TrainingSettings
from tests.flags import parse

REFUSED = [
    ("--model_type Transformer4", "choose one of Pop, ItemKNN"),
    ("--model_type DNN --num_interests 2", "gives one vector a user; leave it out, or take a multi-interest model"),
    ("--model_type DNN --readout sampled", "all readouts are the same"),
    ("--model_type SA --num_interests 1 --readout sampled", "all readouts are the same"),
    ("--model_type gru4rec", "did you mean GRU4REC?"),
    ("--model_type DNN --multi_interest_weight 1", "all readouts are the same"),
    ("--model_type DNN --remi", "--remi: it regularises a routing matrix, and DNN has none"),
    ("--model_type DNN --rr_lambda 1", "--rr_lambda 1.0: DNN has no routing matrix"),
    ("--model_type MTMI-Q2S --remi", "--loss is idw; add --loss softmax"),
    ("--model_type Pop --remi", "and Pop has none"),
    ("--model_type MTMI-DNN --num_interests 1 --idw_alpha 2", "--idw_alpha 2.0: with one vector a user"),
    ("--model_type MTMI-DNN --num_interests 1 --idw_form printed", "a plain triplet, with nothing to weigh"),
    ("--model_type MTMI-DNN --idw_form printed --idw_alpha 7", "take 6.0 at most, or --idw_form normalised"),
    ("--model_type SA --idw_form printed", "--idw_form printed: read only with --loss idw"),
    ("--model_type SA --loss bce", "which SA does not give (models that do: GRU4REC, SASRec); take --loss softmax"),
    (
        "--model_type SA --targets every",
        "which SA does not give (models that do: GRU4REC, SASRec); take --targets last",
    ),
    ("--model_type MTMI-GRU --loss softmax --targets every", "which MTMI-GRU does not give"),
    ("--model_type GRU4REC --sampler in_batch", "--sampler in_batch with --targets every"),
    ("--model_type SASRec --sampler dns", "take --sampler uniform, log_uniform, mns or full, or --targets last"),
    (
        "--model_type SASRec --loss bce --sampler uniform --targets last",
        "--targets last: read only with --loss softmax",
    ),
    ("--model_type SA --sampler dns --log_q corrected", "--log_q corrected: read only with --sampler uniform or"),
    ("--model_type MTMI-DNN --log_q corrected", "read only with --loss softmax"),
    ("--model_type BaM --num_interests 1", "--num_interests 1 leaves one vector a user"),
    ("--model_type MTMI-DNN --readout sampled", "read only with --loss softmax"),
    ("--model_type SASRec --loss bce", "only the softmax corrects for how negatives are drawn"),
    ("--model_type SA --loss idw --sampler in_batch", "only the softmax corrects for how negatives are drawn"),
    ("--model_type SA --relu_layer", "read only with --model_type MIND"),
    ("--model_type SA --label_power 3", "read only with --readout label_aware"),
    ("--model_type SA --pool_factor 2", "read only with --sampler dns or srns or genni"),
    ("--model_type SA --sampler full --num_negatives 5", "read only with --sampler uniform or"),
    ("--model_type SA --rr_reduction sum", "read only with --rr_lambda above 0"),
    ("--model_type SA --no-stop_gradient_weights", "read only with --beta above 0"),
    ("--model_type BaM --loss idw", "--model_type BaM sets --readout sampled"),
    ("--model_type UMI_HN --readout hard", "take --model_type SA"),
    ("--model_type DR --remi --routing_iterations 1", "take 2 rounds or more"),
    ("--model_type MIND --remi --num_interests 1", "nothing to choose"),
    ("--model_type MIND --no-mask_padding", "padding never takes part"),
    ("--model_type Pop --learning_rate 0.1", "Pop is counted, not trained"),
    ("--model_type Pop --average_steps 100", "Pop is counted, not trained"),
    ("--model_type Pop --read_profile concat", "--read_profile concat: Pop is counted, not trained"),
    ("--model_type EASE --profile_dim 4", "--profile_dim 4: EASE is counted, not trained"),
    ("--model_type UMI --read_profile concat", "UMI always reads profiles, in a way of its own; leave it out"),
    ("--model_type SA --profile_dim 4", "--profile_dim 4: read only with --read_profile concat"),
    ("--model_type MIND --read_profile concat --no-relu_layer", "the layer is always there"),
    ("--model_type SA --num_interests 1 --rep_lambda 1", "it sets interests apart, and SA has one here"),
    ("--model_type SA --rep_form cosine", "read only with --rep_lambda above 0"),
    ("--model_type SA --sampler full --padding_is_negative", "and --sampler is full; leave it out"),
    ("--model_type SA --sampler in_batch --no-mask_accidental_hits", "and --sampler is in_batch; leave it out"),
    ("--model_type SA --sampler mns --no-mask_accidental_hits", "and --sampler is mns; leave it out"),
]


@pytest.mark.parametrize(("flags", "reason"), REFUSED)
def test_a_combination_without_meaning_is_refused_with_the_reason(flags, reason):
    flags = (
        parse(*flags.split()) if "--remi" not in flags else {**parse(*flags.replace("--remi", "").split()), "remi": 1}
    )
    with pytest.raises(InputError, match=re.escape(reason)):
        compose("shop", "default", bool(flags.pop("remi", 0)), flags)


@pytest.mark.parametrize("changes", [{"max_steps": 50}, {"patience": 3, "learning_rate": 0.1}, {}])
def test_a_resumed_run_may_change_how_long_and_how_fast_it_trains(changes):
    check_changes(changes)


@pytest.mark.parametrize(
    ("changes", "others", "message"),
    [
        ({"max_steps": 5, "beta": 1.0}, (), "leave out --beta"),
        ({"batch_size": 2}, ("dataset",), "leave out --batch_size"),
        ({}, ("overwrite",), "leave out --overwrite"),
        ({"max_steps": 0}, (), "nothing would be learnt"),
    ],
)
def test_what_a_resumed_run_keeps_is_named(changes, others, message):
    with pytest.raises(InputError, match=message):
        check_changes(changes, others)


def test_groups_that_have_no_meaning_together_are_refused_wherever_they_meet():
    uniform = ObjectiveSettings(sampler="uniform", beta=1.0, rr_lambda=1.0)
    check_together(encoder_settings("SA"), uniform, TrainingSettings())
    with pytest.raises(InputError, match="DNN has no routing matrix"):
        check_together(encoder_settings("DNN"), uniform, TrainingSettings())
    with pytest.raises(InputError, match="nothing can train"):
        check_together(encoder_settings("DR", routing_iterations=1), uniform, TrainingSettings())
    with pytest.raises(InputError, match="no other target in the batch"):
        check_together(encoder_settings("SA"), ObjectiveSettings(sampler="in_batch"), TrainingSettings(batch_size=1))


def test_a_setting_is_refused_only_where_nothing_reads_it():
    settings = Settings().replace(sampler="uniform", beta=1.0)
    for name in ("beta", "stop_gradient_weights", "num_negatives", "readout", "patience"):
        settings.refuse_unread(name, f"--{name}")
    with pytest.raises(InputError, match=r"^--label_power 3: read only with --readout label_aware"):
        settings.refuse_unread("label_power", "--label_power 3")
