"""Settings as the command line gives them."""

from remi_tf.commands.cli import Parser, add_settings


def parse(*arguments: str) -> dict:
    parser = Parser()
    add_settings(parser)
    return vars(parser.parse_args(list(arguments)))
