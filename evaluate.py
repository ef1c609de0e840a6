"""Evaluate a run: python evaluate.py --run_dir RUN"""

from remi_tf.cli import load_tensorflow, run_main


def main(argv: list[str]) -> int:
    """Flags → remi_tf → exit code."""
    load_tensorflow()
    from remi_tf import evaluating

    return evaluating.main(argv)


if __name__ == "__main__":
    run_main(main)
