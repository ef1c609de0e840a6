"""Write a page about a run: python report.py --run_dir RUN"""

from remi_tf.commands.cli import run_main
from remi_tf.commands.report import main

if __name__ == "__main__":
    run_main(main)
