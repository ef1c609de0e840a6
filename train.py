"""Train a model on a prepared dataset: python train.py --dataset book --model_type SA --remi"""

from pathlib import Path
from typing import Any

from remi_tf import starting
from remi_tf.cli import Parser, add_settings, load_tensorflow, run_main
from remi_tf.presets import PAPER_TRAINING, PROFILES, REMI, REMI_RECIPE

EXAMPLES = """examples:
  python train.py --dataset synthetic --remi
  python train.py --dataset data/shop --model_type SA --remi --run_dir runs/shop --max_steps 30000
  python train.py --resume --run_dir runs/shop
  python train.py --warm_start runs/shop --dataset data/shop-june --run_dir runs/shop-june
"""


def _as_flags(values: dict[str, Any]) -> str:
    return " ".join(f"--{name} {value}" for name, value in values.items())


REMI_HELP = (
    f"REMI: {_as_flags(REMI)}; under the default profile also {_as_flags(REMI_RECIPE)}, where the model has no value "
    "of its own"
)
PROFILE_HELP = (
    f"paper: the papers' training ({_as_flags(PAPER_TRAINING)}), --remi without its recipe; released: what REMI's "
    "release computes, its flaws included"
)


def main(argv: list[str]) -> int:
    """Flags → run folder → training; 0 at the end, 130 after an interrupt."""
    parser = Parser(description=__doc__, epilog=EXAMPLES)
    parser.add_argument("--dataset", help="folder below data/ or path; book, gowalla … bring presets")
    parser.add_argument("--remi", action="store_true", help=REMI_HELP)
    parser.add_argument("--profile", choices=PROFILES, help=PROFILE_HELP)
    parser.add_argument("--run_dir", type=Path, help="run folder (default: runs/DATASET-MODEL[-remi][-PROFILE])")
    parser.add_argument(
        "--resume",
        action="store_true",
        help="go on with the run in --run_dir, with its settings (--max_steps, --patience, --learning_rate may change)",
    )
    parser.add_argument("--warm_start", type=Path, metavar="RUN", help="start from a run's weights, with its settings")
    parser.add_argument("--overwrite", action="store_true", help="delete the run in --run_dir and begin anew")
    add_settings(parser)
    flags = vars(parser.parse_args(argv))
    own = {name: flags.pop(name) for name in starting.OWN}

    starting.check(own, flags)
    load_tensorflow()
    from remi_tf import training

    return training.run_training(*starting.start(own, flags))


if __name__ == "__main__":
    run_main(main)
