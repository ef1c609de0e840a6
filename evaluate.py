"""Evaluate a run: ``python evaluate.py --run_dir RUN``."""

from remi_tf.cli import run_main
from remi_tf.evaluation import main

if __name__ == "__main__":
    run_main(main)
