"""Search settings on validation users: python tune.py --dataset shop --model_type SA --remi"""

from remi_tf.commands.cli import run_main
from remi_tf.commands.tune import main

if __name__ == "__main__":
    run_main(main)
