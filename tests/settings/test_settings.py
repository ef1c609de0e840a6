"""Settings: precedence, the way to JSON and back, and what is refused."""

import dataclasses
import json
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from remi_tf.commands.cli import Parser, add_settings, number_list
from remi_tf.errors import InputError
from remi_tf.settings.encoders import ENCODERS
from remi_tf.settings.names import known_settings
from remi_tf.settings.objective import ObjectiveSettings
from remi_tf.settings.presets import (
    DATASET_PRESETS,
    MODEL_ALIASES,
    MODEL_PRESETS,
    PAPER_TRAINING,
    RECIPES,
    REMI_EXTRAS,
    compose,
    run_name,
)
from remi_tf.settings.settings import Settings
from remi_tf.settings.training import TrainingSettings

ROOT = Path(__file__).resolve().parents[2]


def parse(*arguments: str) -> dict:
    parser = Parser()
    add_settings(parser)
    return vars(parser.parse_args(list(arguments)))


def test_settings_survive_the_way_to_json_and_back():
    settings = compose("gowalla", "released", True, {"model_type": "SA", "seed": 7})
    assert Settings.from_json(json.loads(json.dumps(settings.to_json()))) == settings


def test_a_setting_has_one_group():
    groups = {"encoder": set(), "objective": set(), "training": set()}
    for name, known in known_settings().items():
        groups[known.group].add(name)
    objective, training = ({each.name for each in dataclasses.fields(g)} for g in (ObjectiveSettings, TrainingSettings))
    options = {each.name for entry in ENCODERS.values() for each in dataclasses.fields(entry.settings)}
    assert groups == {"encoder": options, "objective": objective, "training": training}
    assert not options & objective and not options & training and not objective & training


def test_recipes_and_presets_name_only_settings_there_are():
    for values in (*RECIPES.values(), *DATASET_PRESETS.values()):
        assert set(values) <= set(known_settings())
    for recipe in RECIPES:
        compose("shop", recipe, False, {"model_type": "DR"})
    for model_type, dataset in MODEL_PRESETS:
        assert dataset in DATASET_PRESETS
        compose(dataset, "default", False, {"model_type": model_type})


@pytest.mark.parametrize("recipe", sorted(RECIPES))
@pytest.mark.parametrize("name", [*ENCODERS, *MODEL_ALIASES])
def test_every_model_of_the_papers_resolves_by_its_name_alone(name, recipe):
    settings = compose("book", recipe, False, {"model_type": name})
    assert settings.encoder.model_type in ENCODERS
    assert (settings.encoder.num_interests == 1) == ENCODERS[settings.encoder.model_type].single


def test_names_from_the_papers_mean_a_model_with_a_training_scheme():
    remi = compose("book", "default", True, {"model_type": "SA"})
    assert compose("book", "default", False, {"model_type": "REMI"}) == remi
    assert compose("book", "default", False, {"model_type": "UMI_HN"}).objective.readout == "per_candidate"
    assert compose("book", "default", False, {"model_type": "BaM"}).objective.readout == "sampled"


def test_remi_brings_the_recipe_that_was_best_unless_as_released_or_told_otherwise():
    sa = {"model_type": "SA"}
    ours, released = (compose("book", recipe, True, sa).flat() for recipe in ("default", "released"))
    assert {name: ours[name] for name in REMI_EXTRAS} == REMI_EXTRAS
    paper = compose("book", "paper", True, sa).flat()
    assert {name for name in ours if ours[name] != paper[name]} == {*REMI_EXTRAS, *PAPER_TRAINING}
    plain = compose("book", "released", False, sa).flat()
    assert {name for name in plain if plain[name] != released[name]} == {"beta", "rr_lambda"}
    assert compose("book", "released", False, {"model_type": "REMI"}).flat() == released
    assert compose("book", "default", True, {**sa, "readout": "hard"}).objective.readout == "hard"
    assert compose("book", "default", True, {"model_type": "BaM"}).objective.readout == "sampled"


def test_remi_and_its_plain_model_share_targets_and_learning_rate_under_each_recipe():
    for recipe in RECIPES:
        plain, remi = (compose("book", recipe, asked, {"model_type": "SA"}).training for asked in (False, True))
        assert (plain.first_target, plain.learning_rate) == (remi.first_target, remi.learning_rate)
        # REMI and ComiRec: a user's first four items are never targets, Adam at 0.001
        expected = (1, 0.003) if recipe == "default" else (4, 0.001)
        assert (plain.first_target, plain.learning_rate) == expected
        for asked in (False, True):
            mind = compose("book", recipe, asked, {"model_type": "MIND"}).training
            assert mind.learning_rate == 0.005 and mind.first_target == plain.first_target  # the encoder's own


REFUSED = [
    ("--model_type Transformer4", "choose one of Pop, DNN"),
    ("--model_type DNN --num_interests 2", "gives one vector a user; leave it out, or take a multi-interest model"),
    ("--model_type DNN --readout sampled", "all readouts are the same"),
    ("--model_type SA --num_interests 1 --readout sampled", "all readouts are the same"),
    ("--model_type gru4rec", "did you mean GRU4REC?"),
    ("--model_type DNN --multi_interest_weight 1", "all readouts are the same"),
    ("--model_type DNN --remi", "--remi: it regularises a routing matrix, and DNN has none"),
    ("--model_type DNN --rr_lambda 1", "--rr_lambda 1.0: DNN has no routing matrix"),
    ("--model_type MTMI-Q2S --remi", "--loss is idw; add --loss softmax"),
    ("--model_type Pop --remi", "and Pop has none"),
    ("--model_type MTMI-DNN --num_interests 1", "--num_interests 1 leaves one; take 2 or more"),
    ("--model_type SA --loss bce", "which only SASRec has"),
    ("--model_type BaM --num_interests 1", "--num_interests 1 leaves one vector a user"),
    ("--model_type MTMI-DNN --readout sampled", "read only with --loss softmax"),
    ("--model_type SA --loss bce --sampler uniform", "which only SASRec has"),
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


def test_refusals_come_before_tensorflow_is_loaded_and_any_dataset_is_read():
    code = (
        "import sys; sys.argv = ['train.py']; import train\n"
        "try: train.main(['--dataset', 'nowhere', '--model_type', 'DNN', '--remi'])\n"
        "except Exception as error: print(type(error).__name__, error, 'tensorflow' in sys.modules)"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, check=True)
    assert result.stdout.startswith("InputError --remi:") and result.stdout.rstrip().endswith("False")


def test_the_commands_of_readmes_model_table_write_into_folders_of_their_own():
    commands = re.findall(r"`python train.py (--dataset book [^`]+)`", (ROOT / "README.md").read_text(encoding="utf-8"))
    names = []
    for command in dict.fromkeys(commands):
        arguments = [word for word in command.split() if word != "--remi"]
        dataset = arguments[arguments.index("--dataset") + 1]
        flags = parse(*[word for word in arguments if word not in ("--dataset", dataset)])
        names.append(run_name(dataset, "default", "--remi" in command, flags))
    assert len(names) > 15 and len(set(names)) == len(names)


def test_a_flag_beats_remi_which_beats_the_preset_which_beats_the_default():
    assert compose("book", "default", False, {"model_type": "SA"}).objective.sampler == "log_uniform"
    assert compose("book", "default", True, {"model_type": "SA"}).objective.sampler == "uniform"
    assert compose("gowalla", "default", False, {"model_type": "SA"}).encoder.max_history == 40
    assert compose("gowalla", "default", False, {"model_type": "SA", "max_history": 9}).encoder.max_history == 9
    assert compose("book", "default", True, {"model_type": "SA", "beta": 4.0}).objective.beta == 4.0


def test_remi_as_released_differs_from_the_default_in_what_differences_md_lists():
    ours = compose("book", "default", True, {"model_type": "SA"}).flat()
    released = compose("book", "released", True, {"model_type": "SA"}).flat()
    different = {name for name in ours if ours[name] != released[name]}
    documented = set(re.findall(r"`(\w+)`", (ROOT / "DIFFERENCES.md").read_text(encoding="utf-8")))
    assert different and different <= documented


def test_models_have_their_releases_values_on_their_releases_datasets():
    def flat(model_type: str, dataset: str) -> dict:
        return compose(dataset, "default", False, {"model_type": model_type}).flat()

    assert flat("PIMI", "taobao")["time_threshold"] == 7 and flat("PIMI", "book")["time_threshold"] == 64
    assert [flat("PIMI", dataset)["patience"] for dataset in ("book", "taobao", "gowalla")] == [70, 70, 50]
    assert flat("MIND", "book")["relu_layer"] and not flat("MIND", "gowalla")["relu_layer"]
    assert flat("Re4", "book")["num_interests"] == 8 and flat("Re4", "gowalla")["num_interests"] == 4


def test_a_small_catalogue_halves_the_default_of_distinct_negatives_but_never_a_flag():
    assert compose("shop", "default", False, {"model_type": "SA"}, 100).objective.num_negatives == 50
    assert compose("shop", "default", True, {"model_type": "SA"}, 100).objective.num_negatives == 1280
    flags = {"model_type": "SA", "num_negatives": 90}
    assert compose("shop", "default", False, flags, 100).objective.num_negatives == 90


def test_the_original_spelling_of_a_model_is_understood():
    assert compose("book", "default", False, {"model_type": "ComiRec-SA"}).encoder.model_type == "SA"


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"temperature": 1}, "unknown setting 'temperature'"),
        ({"num_interests": 0}, "--num_interests 0: must be 1 or more"),
        ({"patience": -1}, "--patience -1: must be 0 or more"),
        ({"batch_size": 128.5}, "--batch_size 128.5: must be a whole number"),
        ({"batch_size": "128"}, "--batch_size 128: must be a whole number"),
        ({"beta": "1"}, "--beta 1: must be a finite number of at least 0"),
        ({"learning_rate": 0}, "--learning_rate 0: must be a finite number above 0; the default is 0.003"),
        ({"learning_rate": -1.0}, "--learning_rate -1.0: must be a finite number above 0"),
        ({"sampler": "in_batch", "batch_size": 1}, "no other target in the batch"),
        ({"learning_rate": float("inf")}, "--learning_rate inf"),
        ({"beta": -1.0, "sampler": "uniform"}, "--beta -1.0: must be a finite number of at least 0"),
        ({"beta": 1.0}, "use --sampler uniform or --beta 0"),
        ({"sampler": "popular"}, "choose one of uniform, log_uniform, full"),
        ({"model_type": "SASRec", "dropout": 1.0}, "nothing would be left"),
        ({"model_type": "PIMI", "num_heads": 3}, "take a number that divides it"),
        ({"model_type": "SINE", "active_concepts": 9, "num_concepts": 8}, "cannot be split into more concepts"),
        ({"routing_iterations": 2}, "read only with --model_type"),
        ({"label_attention": "power", "label_power": 2.0}, "an even power loses the sign"),
        ({"sampler": "mns", "num_negatives": 100}, "take more negatives than --batch_size"),
        ({"loss": "idw"}, "add --sampler uniform"),
        ({"model_type": "DNN", "num_interests": 1, "re4_attend": 0.1}, "has no routing matrix to work on"),
    ],
)
def test_values_without_meaning_are_refused_with_the_remedy(values, message):
    with pytest.raises(InputError, match=re.escape(message)):
        Settings().replace(**values)


def test_a_whole_number_may_stand_for_a_setting_with_fractions():
    settings = Settings().replace(model_type="GRU4REC", beta=0, dropout=0, learning_rate=1)
    assert settings.training.learning_rate == 1 and settings.encoder.dropout == 0


def test_numpys_numbers_are_numbers():
    settings = Settings().replace(model_type="PIMI", num_interests=np.int64(2), dropout=np.float32(0.5))
    assert settings.encoder.num_interests == 2 and settings.encoder.dropout == 0.5


@pytest.mark.parametrize("name", ["MTMI-DNN", "GRU4REC"])
def test_the_remedy_for_remi_without_routing_works(name):
    with pytest.raises(InputError, match="REMI's weighting of negatives without it is") as refusal:
        compose("book", "default", True, parse("--model_type", name))
    remedy = str(refusal.value).rpartition("without it is ")[2].split()
    assert compose("book", "default", False, parse("--model_type", name, *remedy)).objective.beta == 1


def test_only_flags_that_were_given_arrive():
    assert parse("--beta", "4", "--no-stop_gradient_weights") == {"beta": 4.0, "stop_gradient_weights": False}


def test_help_states_every_default():
    text = subprocess.run([sys.executable, str(ROOT / "train.py"), "--help"], capture_output=True, text=True).stdout
    for name in known_settings():
        assert f"--{name}" in text
    assert text.count("(default:") >= len(known_settings())


def test_a_mistyped_flag_is_answered_with_the_nearest_one_also_when_another_is_missing():
    parser = Parser()
    parser.add_argument("--history", required=True)
    with pytest.raises(InputError, match=r"unknown flag --histroy; did you mean --history\?"):
        parser.parse_args(["--histroy", "a"])
    with pytest.raises(InputError, match="required: --history"):
        parser.parse_args([])
    assert parser.parse_args(["--history=-5,-6"]).history == "-5,-6"


def test_abbreviated_flags_are_not_guessed():
    with pytest.raises(InputError, match="--learning_rate"):
        parse("--learning", "1")


def test_number_list():
    assert number_list("50,20,20") == (20, 50)
    for wrong in ("", "a", "0", "5,-1", "2.5"):
        with pytest.raises(Exception, match="positive whole numbers"):
            number_list(wrong)
