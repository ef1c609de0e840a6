"""Recommend for a history: python recommend.py --run_dir RUN --history ID,ID,ID"""

from remi_tf.cli import load_tensorflow, run_main


def main(argv: list[str]) -> int:
    """Flags → remi_tf → exit code."""
    load_tensorflow()
    from remi_tf import recommending

    return recommending.main(argv)


if __name__ == "__main__":
    run_main(main)
