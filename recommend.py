"""Recommend for a history: python recommend.py --run_dir RUN --history ID,ID,ID"""

from remi_tf.commands.cli import run_main
from remi_tf.commands.recommend import main

if __name__ == "__main__":
    run_main(main)
