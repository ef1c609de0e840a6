"""Flags of the original releases are answered with what to type here."""

from importlib import import_module

import pytest

from remi_tf.commands.main import COMMANDS
from remi_tf.commands.other_names import OTHER_NAMES
from remi_tf.errors import InputError

# The flags that the three releases have: ComiRec's train.py, and REMI's, which has all of pytorch_ComiRec's.
COMIREC = (
    *("-p", "--dataset", "--random_seed", "--embedding_dim", "--hidden_size", "--num_interest", "--model_type"),
    *("--learning_rate", "--max_iter", "--patience", "--coef", "--topN"),
)
REMI = (
    *("-p", "--dataset", "--random_seed", "--hidden_size", "--interest_num", "--model_type", "--learning_rate"),
    *("--lr_dc", "--lr_dc_step", "--max_iter", "--patience", "--topN", "--gpu", "--coef", "--exp", "--add_pos"),
    *("--dropout", "--layers", "--weight_decay", "--sampled_n", "--sampled_loss", "--sample_prob", "--rbeta"),
    "--rlambda",
)


def refusal(name: str, *arguments: str) -> str:
    with pytest.raises(InputError) as refused:
        import_module(f"remi_tf.commands.{name}").main(list(arguments))
    return str(refused.value)


def test_every_flag_of_the_releases_is_known():
    assert {*COMIREC, *REMI} <= set(OTHER_NAMES)


@pytest.mark.parametrize("flag", [flag for flag, entry in OTHER_NAMES.items() if entry.flag is not None])
def test_the_flag_that_is_named_is_one_of_each_command_that_is_named(flag):
    entry = OTHER_NAMES[flag]
    for name in entry.commands:
        assert refusal(name, entry.flag) == f"argument {entry.flag}: expected one argument; --help lists the flags"
        if entry.flag != flag:
            assert refusal(name, flag, "1").startswith(f"unknown flag {flag}; it is called {entry.flag} here")
    assert entry.commands


@pytest.mark.parametrize("name", [name for name in COMMANDS if name != "doctor"])
def test_no_command_guesses_at_a_flag_of_the_releases(name):
    for flag in OTHER_NAMES:
        text = refusal(name, flag)
        if not text.startswith(f"argument {flag}: expected"):  # then the command has it too
            assert text.startswith(f"unknown flag {flag}; ")
            assert "did you mean" not in text and "--help lists" not in text


@pytest.mark.parametrize(
    ("name", "arguments", "message"),
    [
        ("train", "-p train", "leave it out: python train.py only trains"),
        ("train", "-p test --dataset book", "-p test is a command of its own here: python evaluate.py --run_dir RUN"),
        ("evaluate", "-p output", "here: python vectors.py --run_dir RUN --output DIR"),
        ("train", "-p=test", "-p test is a command of its own"),
        ("train", "-p", "each part is a command of its own here (-p train: python train.py, -p test: python"),
        ("train", "--max_iter 1000", "it is called --max_steps here, and counts steps, not thousands of them: "
         "--max_steps 1000000"),
        ("train", "--max_iter --remi", "it is called --max_steps here, and counts steps, not thousands of them"),
        ("train", "--gpu 3", "put CUDA_VISIBLE_DEVICES=3 before the command instead"),
        ("train", "--gpu", "put CUDA_VISIBLE_DEVICES=0 before the command instead"),
        ("train", "--coef 0.1", "called --diversity here, a flag of python evaluate.py and python recommend.py"),
        ("recommend", "--coef 0.1", "it is called --diversity here"),
        ("evaluate", "--model_type MIND", "it is a flag of python train.py; the run keeps its value"),
        ("train", "--sampled_n 0", "--sampled_n 0 is --sampler full of python train.py here"),
        ("train", "--interest_num 8", "it is called --num_interests here"),
    ],
)  # fmt: skip
def test_what_is_said_is_what_to_type(name, arguments, message):
    text = refusal(name, *arguments.split())
    assert text.startswith(f"unknown flag {arguments.split()[0].split('=')[0]}; ")
    assert text.endswith(message) or message in text


def test_all_flags_that_are_not_known_are_answered_at_once():
    typed = "--interest_num 4 -p train --random_seed 1 --gpu 0 --dataset shop --nonsens 1"
    text = refusal("train", *typed.split())
    assert text.startswith("unknown flags: --interest_num (it is called --num_interests here), -p (leave it out: ")
    assert "--random_seed (it is called --seed here), --gpu (put CUDA_VISIBLE_DEVICES=0 before" in text
    assert "--nonsens (" in text and "--dataset" not in text


def test_a_word_that_belongs_to_no_flag_is_called_a_word():
    assert refusal("train", "ml-100k").startswith("unknown word ml-100k; ")
