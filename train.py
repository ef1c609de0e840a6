"""Train a model on a prepared dataset: python train.py --dataset book --model_type SA --remi"""

from remi_tf.commands.cli import run_main
from remi_tf.commands.train import main

if __name__ == "__main__":
    run_main(main)
