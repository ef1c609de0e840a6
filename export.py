"""Export a run as a SavedModel: python export.py --run_dir RUN"""

from remi_tf.cli import load_tensorflow, run_main


def main(argv: list[str]) -> int:
    """Flags → remi_tf → exit code."""
    load_tensorflow()
    from remi_tf import serving

    return serving.main(argv)


if __name__ == "__main__":
    run_main(main)
