"""recommend.py: what the exported model returns for one history, for people."""

import json
import re

from remi_tf.data.rows import LATEST
from remi_tf.errors import InputError
from remi_tf.serving import MAX_TOP_N, Exported, add_run_flags, export_run, exported_versions, open_run, origin


def parse_list(flag: str, text: str) -> list[str]:
    """The values of "a,b,c", or of a JSON list of strings and whole numbers.

    Raises:
      InputError: something in square brackets is not such a list.
    """
    if not text.startswith("["):
        return [value.strip() for value in text.split(",")]
    try:
        values = json.loads(text)
    except ValueError as error:
        raise InputError(f"{flag} {text}: not a JSON list ({error})") from error
    if not all(isinstance(value, str | int) and not isinstance(value, bool) for value in values):
        raise InputError(f"{flag} {text}: the list may hold strings and whole numbers only")
    return [str(value) for value in values]


def parse_history(values: list[str]) -> list[str]:
    """Raw ids, oldest first, of the --history flags: "a,b,c" once, or once for each id, or a JSON list.

    Raises:
      InputError: something in square brackets is not a JSON list of ids.
    """
    lists = [
        parse_list("--history", value) if len(values) == 1 or value.startswith("[") else [value] for value in values
    ]
    return [raw_id for ids in lists for raw_id in ids if raw_id]


def parse_timestamps(text: str) -> list[int]:
    """Seconds since 1970 of --timestamps: "1388534400,1388620800".

    Raises:
      InputError: one of them is not a whole number, negative, or beyond the year 2100.
    """
    values = parse_list("--timestamps", text)
    for value in values:
        if not re.fullmatch(r"[+-]?\d{1,18}", value):
            raise InputError(f"--timestamps: {value!r} is not a whole number of seconds since 1970, such as 1388534400")
        if int(value) < 0:
            raise InputError(f"--timestamps: {value} is negative; give seconds since 1970, such as 1388534400")
        if int(value) > LATEST:
            raise InputError(
                f"--timestamps: {value} seconds since 1970 are beyond the year 2100; are these milliseconds?"
            )
    return [int(value) for value in values]


def main(argv: list[str]) -> int:
    """recommend.py: print what the exported model returns for one history.

    Raises:
      InputError: a flag cannot be used, or there is no run.
    """
    from remi_tf.cli import Parser

    parser = Parser(
        description="Recommend for a history of raw item ids, by the exported model (exported first if need be).",
        epilog='Ids that hold commas: give --history once for each id, or as a JSON list: --history \'["a,b", "c"]\'. '
        'Values of a profile that hold commas: --profile \'["F", "Paris, 11e"]\'.',
    )
    add_run_flags(parser)
    parser.add_argument("--history", action="append", required=True, help='raw item ids, oldest first: "a,b,c"')
    parser.add_argument(
        "--timestamps", help='seconds since 1970 of its items: "1388534400,1388620800" (default: all on one day)'
    )
    parser.add_argument("--profile", help="the user's profile, in the columns' order: \"F,25,4\" (default: unknown)")
    parser.add_argument("--top_n", type=int, default=10, help="items to print (default: 10)")
    flags = parser.parse_args(argv)
    history = parse_history(flags.history)
    timestamps = None if flags.timestamps is None else parse_timestamps(flags.timestamps)
    profile = None if flags.profile is None else parse_list("--profile", flags.profile)
    run = open_run(flags)
    if not exported_versions(flags.export_dir):
        print(f"nothing exported yet: exporting to {export_run(run, flags.export_dir, max(MAX_TOP_N, flags.top_n))}")
    exported = Exported(flags.export_dir)
    if any(exported.card.get(name) != value for name, value in origin(run).items()):
        print(f"note: {exported.path} holds other weights than the run's best (step {run.step}); export.py renews it")
    items, scores, known = exported.recommend(history, flags.top_n, timestamps, profile)
    for note in input_notes(exported, timestamps, profile):
        print(note)
    rows = run.catalogue.vocabulary.rows(history)
    if unknown := [raw_id for raw_id, row in zip(history, rows, strict=True) if row == 0]:
        print(f"not in the catalogue and ignored: {', '.join(map(repr, unknown))}")
    if known == 0:
        print("no item of the history is known: these are the most popular items")
    titles = run.catalogue.titles
    of_items = [titles[row - 1] if titles and row else "" for row in run.catalogue.vocabulary.rows(items)]
    width = max(7, *map(len, items))
    print(f"{'rank':>4}  {'item_id':<{width}}  {'score':>8}  {'title' if titles else ''}".rstrip())
    for rank, (item, score, title) in enumerate(zip(items, scores, of_items, strict=True), start=1):
        print(f"{rank:>4}  {item:<{width}}  {score:>8.4f}  {title}".rstrip())
    return 0


def input_notes(exported: Exported, timestamps: list[int] | None, profile: list[str] | None) -> list[str]:
    """What was assumed of the inputs that the model reads beside the history."""
    notes = []
    if "timestamps" in exported.inputs and timestamps is None:
        notes.append("no --timestamps: the items count as of one day")
    if "profile" in exported.inputs and profile is None:
        columns = ",".join(column.name for column in exported.profile_columns)
        notes.append(f"no --profile: nothing is known of the user ({columns})")
    values = profile or [""] * len(exported.profile_columns)
    for column, value in zip(exported.profile_columns, values, strict=True):
        if value and value not in column.values:
            known = ", ".join(map(repr, column.values[:5])) + (", …" if len(column.values) > 5 else "")
            notes.append(f"not among the values of {column.name} ({known}) and ignored: {value!r}")
    return notes
