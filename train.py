"""Train a model on a prepared dataset: python train.py --dataset book --model_type SA --remi"""

from pathlib import Path

from remi_tf.cli import Parser, add_settings, load_tensorflow, run_main
from remi_tf.errors import InputError
from remi_tf.presets import PROFILES, resolve, run_name

EXAMPLES = """examples:
  python train.py --dataset synthetic --remi
  python train.py --dataset data/shop --model_type SA --remi --run_dir runs/shop --max_steps 30000
  python train.py --resume --run_dir runs/shop
"""


def main(argv: list[str]) -> int:
    """Flags → run folder → training; 0 at the end, 130 after an interrupt."""
    parser = Parser(description=__doc__, epilog=EXAMPLES)
    parser.add_argument("--dataset", help="folder below data/ or path; book, gowalla … bring presets")
    parser.add_argument("--remi", action="store_true", help="REMI: --beta 1 --rr_lambda 100 --sampler uniform")
    parser.add_argument("--profile", choices=PROFILES, help="released: what the reference release computes")
    parser.add_argument("--run_dir", type=Path, help="run folder (default: runs/DATASET-MODEL[-remi][-released])")
    parser.add_argument("--resume", action="store_true", help="go on with the run in --run_dir, with its settings")
    parser.add_argument("--overwrite", action="store_true", help="delete the run in --run_dir and begin anew")
    add_settings(parser)
    flags = vars(parser.parse_args(argv))
    own = {name: flags.pop(name) for name in _OWN}

    profile, asked = own["profile"] or "default", {"model_type": "SA", **flags}
    if not own["resume"]:
        if own["dataset"] is None:
            raise InputError("--dataset is missing: the name or path of a prepared dataset, such as synthetic")
        resolve(Path(own["dataset"]).name, profile, own["remi"], asked)  # refuse before anything is loaded
    load_tensorflow()
    from remi_tf import run, training

    if own["resume"]:
        if own["run_dir"] is None:
            raise InputError("--resume needs --run_dir, the folder of the run to go on with")
        given = {**flags, **{name: own[name] for name in ("dataset", "remi", "profile", "overwrite") if own[name]}}
        refused = [name for name in given if name not in _LATER]
        if refused:
            raise InputError(f"--resume takes the run's own settings; leave out --{refused[0]}, or start another run")
        path = own["run_dir"]
        settings, dataset = run.read_config(path)
        settings = settings.replace(**flags)
    else:
        dataset = run.find_dataset(own["dataset"])
        settings = resolve(dataset.name, profile, own["remi"], asked, dataset.num_items)
        path = own["run_dir"] or Path("runs") / run_name(dataset.name, profile, own["remi"], asked)
    return training.run_training(path, settings, dataset, own["resume"], own["overwrite"])


_OWN = ("dataset", "remi", "profile", "run_dir", "resume", "overwrite")
_LATER = ("max_steps", "patience", "learning_rate")  # what --resume may change

if __name__ == "__main__":
    run_main(main)
