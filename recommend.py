"""Recommend for a history: ``python recommend.py --run_dir RUN --history "id,id,id"``."""

from remi_tf.cli import run_main
from remi_tf.serving import recommend_main

if __name__ == "__main__":
    run_main(recommend_main)
