"""The command recommend: the best items for one history, as text, or for every user of a log, as Parquet."""

import argparse
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from remi_tf.commands.cli import Parser, add_exclude_history, add_run_dir, refuse_missing_run, verification
from remi_tf.commands.console import shown
from remi_tf.commands.id_flags import parse_history, parse_list, parse_timestamps
from remi_tf.commands.item_changes import add_item_changes, changed
from remi_tf.commands.log_flags import (
    READING,
    add_log_flags,
    check_log_flags,
    counts_of_log,
    log_files,
    log_notes,
    refuse_given,
)
from remi_tf.data.tables.ids import matched
from remi_tf.errors import InputError, command
from remi_tf.files import refuse_file
from remi_tf.quiet_loading import load_tensorflow
from remi_tf.settings.exclusion import in_words

NOT_PARQUET = (".csv", ".tsv", ".txt", ".json", ".jsonl", ".gz")
"""Endings of a file that people would not read as Parquet."""

if TYPE_CHECKING:
    from remi_tf.data.dataset.profiles import ProfileColumn
    from remi_tf.data.dataset.vocabulary import Vocabulary
    from remi_tf.recommending.choices import Choices
    from remi_tf.recommending.recommender import Recommender


def main(argv: list[str]) -> int:
    """Print the best items for a history, or write those for every user of a log.

    Raises:
      InputError: a flag cannot be used, or there is no run.
    """
    flags = _parse(argv)
    exclude = parse_list("--exclude", flags.exclude) if flags.exclude else ()
    allow = None if flags.allow is None else parse_list("--allow", flags.allow)
    categories = None if flags.categories is None else parse_list("--categories", flags.categories)
    load_tensorflow()
    from remi_tf.recommending.choices import Choices

    choices = Choices(flags.top_n, flags.exclude_history, exclude, allow, categories, flags.diversity)
    if flags.input is not None:
        return _score_log(flags, choices)
    history = parse_history(flags.history)
    timestamps = None if flags.timestamps is None else parse_timestamps(flags.timestamps)
    profile = None if flags.user_profile is None else parse_list("--user_profile", flags.user_profile)
    recommender = _recommender(flags)
    known = recommender.catalogue.vocabulary
    history, choices = list(matched(history, known)), _spelled(choices, known)
    _check_inputs(recommender, history, timestamps, profile)
    for line in answer_lines(recommender, history, choices, timestamps, profile):
        print(line)
    return 0


def _recommender(flags: argparse.Namespace) -> "Recommender":
    from remi_tf.recommending.recommender import Recommender
    from remi_tf.training.run_folder import load_saved_run

    verify = verification(flags.no_verify)
    return Recommender(changed(load_saved_run(flags.run_dir, **verify), flags), flags.index, **verify)


def _spelled(choices: "Choices", known: "Vocabulary") -> "Choices":
    """The same with --exclude and --allow in the catalogue's spelling."""
    allow = None if choices.allow is None else list(matched(list(choices.allow), known))
    return replace(choices, exclude=list(matched(list(choices.exclude), known)), allow=allow)


def _score_log(flags: argparse.Namespace, choices: "Choices") -> int:
    """Write the best items for every user of a log."""
    from remi_tf.recommending.known import Known
    from remi_tf.recommending.whole_logs import score_files

    recommender, log, known = _recommender(flags), log_files(flags), Known()
    for line in [*log_notes(recommender, flags.time_col), *choice_notes(recommender, choices)]:
        print(line)
    counts = score_files(recommender, log, flags.output, choices, known=known, allow_unknown=flags.allow_unknown)
    print(*counts_of_log(log, known, recommender), sep="\n")
    print(f"{counts['rows']:,} rows for {counts['users']:,} users written to {flags.output}")
    return 0


def _parse(argv: list[str]) -> argparse.Namespace:
    parser = Parser(
        description="Recommend with a run's best weights: for a history of raw item ids, or for every user of a log.",
        epilog='Ids that hold commas: give --history once for each id, or as a JSON list: --history \'["a,b", "c"]\'. '
        'Values of a profile that hold commas: --user_profile \'["F", "Paris, 11e"]\'.',
    )
    add_run_dir(parser)
    parser.add_argument(
        "--index", type=Path, metavar="DIR", help=f"search this index ({command('index')}) instead of every item"
    )
    one = parser.add_argument_group("one history")
    one.add_argument("--history", action="append", help='raw item ids, oldest first: "a,b,c"')
    one.add_argument(
        "--timestamps", help='seconds since 1970 of its items: "1388534400,1388620800" (default: all on one day)'
    )
    one.add_argument("--user_profile", help="the user's profile, in the columns' order: \"F,25,4\" (default: unknown)")
    log = parser.add_argument_group("every user of a log")
    add_log_flags(log)
    log.add_argument("--output", type=Path, metavar="FILE.parquet", help="gets user, rank, item, score, interest")
    log.add_argument("--overwrite", action="store_true", help="replace the output if it exists (default: refuse)")
    log.add_argument(
        "--allow_unknown",
        action="store_true",
        help="go on where no item of the log is known: everybody gets popular items (default: stop)",
    )
    choice = parser.add_argument_group("what to recommend")
    choice.add_argument("--top_n", type=int, default=10, help="items for each history (default: 10)")
    add_exclude_history(choice)
    choice.add_argument("--exclude", metavar="IDS", help='raw ids never to recommend: "a,b,c"')
    choice.add_argument("--allow", metavar="IDS", help="recommend only these raw ids")
    choice.add_argument("--categories", metavar="NAMES", help="recommend only items of these categories")
    loses = "what an item's score loses for each item of its category before it (default: 0)"
    choice.add_argument("--diversity", type=float, default=0.0, help=loses)
    add_item_changes(parser)
    flags = parser.parse_args(argv)
    _check_flags(flags)
    return flags


def _check_flags(flags: argparse.Namespace) -> None:
    """Refuse flags that do not go together, before TensorFlow is loaded."""
    refuse_missing_run(flags.run_dir)
    if (flags.history is None) == (flags.input is None):
        raise InputError("give either --history IDS or --input FILE")
    if flags.input is not None and flags.output is None:
        raise InputError("--output is missing: name the Parquet file for the recommendations")
    if flags.input is not None:
        refuse_given(flags, ("timestamps", "user_profile"), "--history")
    else:
        refuse_given(flags, ("output", "overwrite", *READING, "allow_unknown"), "--input")
    check_log_flags(flags)
    if flags.output is not None:
        if flags.output.suffix.lower() in NOT_PARQUET:
            raise InputError(f"--output {flags.output}: it is written as Parquet; name a file such as top.parquet")
        refuse_file("--output", flags.output, flags.overwrite, flags.input)


def answer_lines(
    recommender: "Recommender",
    history: list[str],
    choices: "Choices",
    timestamps: list[int] | None = None,
    profile: list[str] | None = None,
) -> list[str]:
    """What is printed for one history: notes, then a line for each item."""
    from remi_tf.recommending.histories import from_lists
    from remi_tf.recommending.known import spellings

    catalogue = recommender.catalogue
    rows = catalogue.vocabulary.rows(history)
    lines = [*input_notes(recommender, timestamps, profile), *choice_notes(recommender, choices)]
    if unknown := [raw_id for raw_id, row in zip(history, rows, strict=True) if row == 0]:
        lines.append(f"not in the catalogue and ignored: {', '.join(map(repr, unknown))}")
        lines += [f"{text!r} is unknown, {other!r} is known" for text, other in spellings(unknown, catalogue).items()]
    if not rows.any():
        what = "no item of the history is known" if history else "the history is empty"
        lines.append(f"{what}: these are the most popular items")
    users = from_lists([history], None if timestamps is None else [timestamps])
    profiles = None if profile is None else recommender.profiles({0: profile})
    found = recommender.table(users, choices, profiles)
    if len(found) < min(choices.top_n, catalogue.num_items):
        lines.append(f"only {len(found)} items may be recommended")
    titles = catalogue.titles
    of_items = [shown(titles[row - 1]) if titles else "" for row in catalogue.vocabulary.rows(found["item"])]
    names = [shown(item) for item in found["item"]]
    width = max(7, *map(len, names)) if names else 7
    lines.append(f"{'rank':>4}  {'item_id':<{width}}  {'score':>8}  interest  {'title' if titles else ''}".rstrip())
    for item, title, (rank, score, interest) in zip(
        names, of_items, found[["rank", "score", "interest"]].itertuples(index=False), strict=True
    ):
        by = interest if interest >= 0 else "-"
        lines.append(f"{rank:>4}  {item:<{width}}  {score:>8.4f}  {by:>8}  {title}".rstrip())
    return lines


def choice_notes(recommender: "Recommender", choices: "Choices") -> list[str]:
    """Whether the history is left out, and what is said where more items are wanted than there are."""
    number, run = recommender.catalogue.num_items, recommender.run
    many = [f"--top_n {choices.top_n}: the catalogue has {number:,} items"] if choices.top_n > number else []
    return [in_words(run.excludes_history(choices.exclude_history), run.repeats), *many]


def _check_inputs(
    recommender: "Recommender", history: list[str], timestamps: list[int] | None, profile: list[str] | None
) -> None:
    columns = [column.name for column in recommender.catalogue.profile_columns]
    given: tuple[tuple[str, str, Any, int, str], ...] = (
        ("timestamps", "days", timestamps, len(history), "items of --history"),
        ("user_profile", "profile", profile, len(columns), f"columns: {', '.join(columns)}"),
    )
    for name, feature, values, number, what in given:
        if values is not None and feature not in recommender.run.model.needs:
            raise InputError(f"--{name}: the model does not read it; leave it out")
        if values is not None and len(values) != number:
            raise InputError(f"--{name}: {len(values)} values for {number} {what}; give one for each")


def _what_it_takes(column: "ProfileColumn") -> str:
    if column.kind != "category":
        form = "a number" if column.kind == "number" else "a date such as 2024-12-31"
        return f"not {form}, as {column.name} is,"
    known = ", ".join(map(repr, column.values[:5])) + (", …" if len(column.values) > 5 else "")
    return f"not among the values of {column.name} ({known})"


def input_notes(recommender: "Recommender", timestamps: list[int] | None, profile: list[str] | None) -> list[str]:
    """What was assumed about the inputs that the model reads besides the history."""
    notes, needs = [], recommender.run.model.needs
    known_columns = recommender.catalogue.profile_columns if "profile" in needs else ()
    if "days" in needs and timestamps is None:
        notes.append("no --timestamps: the items count as of one day")
    if "profile" in needs and profile is None:
        columns = ",".join(column.name for column in known_columns)
        notes.append(f"no --user_profile: nothing is known of the user ({columns})")
    values = profile or [""] * len(known_columns)
    for column, value in zip(known_columns, values, strict=True):
        if value and not column.coder()(value):
            notes.append(f"{_what_it_takes(column)} and ignored: {value!r}")
    return notes
