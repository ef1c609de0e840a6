"""Flags that hold several ids or times."""

import json

from remi_tf.data.tables.ids import NotAnId, id_text
from remi_tf.data.tables.units import unix_seconds
from remi_tf.errors import InputError


def parse_list(flag: str, text: str) -> list[str]:
    """The values of "a,b,c", or of a JSON list of strings and whole numbers.

    Raises:
      InputError: something in square brackets is not such a list.
    """
    if not text.lstrip().startswith("["):
        return [value.strip() for value in text.split(",")]
    try:
        values = json.loads(text)
    except ValueError as error:
        raise InputError(f"{flag} {text}: not a JSON list ({error})") from error
    try:
        return [id_text(value) for value in values]
    except NotAnId as error:
        raise InputError(f"{flag} {text}: {error}") from error


def parse_history(values: list[str]) -> list[str]:
    """Raw ids, oldest first, of the --history flags: "a,b,c" once, or once for each id, or a JSON list.

    Raises:
      InputError: something in square brackets is not a JSON list of ids.
    """
    lists = [
        parse_list("--history", value) if len(values) == 1 or value.lstrip().startswith("[") else [value]
        for value in values
    ]
    return [raw_id for ids in lists for raw_id in ids if raw_id]


def parse_timestamps(text: str) -> list[int]:
    """Seconds since 1970 of --timestamps: "1388534400,1388620800".

    Raises:
      InputError: one of them is not a whole number, negative, or beyond the year 2100.
    """
    return [unix_seconds(value, "--timestamps") for value in parse_list("--timestamps", text)]
