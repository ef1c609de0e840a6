"""Errors that are the user's to mend: one line that names the place, the value and the remedy."""


class InputError(ValueError):
    """Something given from outside (a file, a flag, a column) cannot be used.

    The entry points print its message without a traceback and exit with code 2.
    """


class TrainingDiverged(ArithmeticError):
    """A loss became NaN or infinite; the message names the step, the part and what to try."""
