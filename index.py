"""Build a Faiss index of a run's items: python index.py --run_dir RUN"""

from remi_tf.commands.cli import run_main
from remi_tf.commands.index import main

if __name__ == "__main__":
    run_main(main)
