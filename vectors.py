"""Write the vectors of a run's items and of a log's users: python vectors.py --run_dir RUN --output DIR"""

from remi_tf.commands.cli import run_main
from remi_tf.commands.vectors import main

if __name__ == "__main__":
    run_main(main)
