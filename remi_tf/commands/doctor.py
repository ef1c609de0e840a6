"""The command doctor: which versions and devices are here, and what to do about known conflicts."""

from remi_tf.commands.cli import Parser
from remi_tf.doctor import report


def main(argv: list[str]) -> int:
    """Print the report; 0 when all is well, 1 when a conflict was found."""
    Parser(description="Print versions, devices and a remedy for every known conflict.").parse_args(argv)
    lines, well = report()
    print(*lines, sep="\n")
    return 0 if well else 1
