"""The command export: a run as the next version of a SavedModel."""

from pathlib import Path

from remi_tf.commands.cli import Parser, add_exclude_history, add_run_dir, refuse_missing_run, verification
from remi_tf.commands.item_changes import add_item_changes, changed
from remi_tf.errors import command
from remi_tf.quiet_loading import load_tensorflow
from remi_tf.serving.signatures import MAX_TOP_N
from remi_tf.settings.exclusion import in_words


def main(argv: list[str]) -> int:
    """Save the next version of a run's model.

    Raises:
      InputError: a flag cannot be used, or there is no run.
    """
    parser = Parser(description="Export a run's best checkpoint as a SavedModel for TensorFlow Serving.")
    add_run_dir(parser)
    parser.add_argument("--export_dir", type=Path, help="folder of the versions (default: RUN_DIR/export)")
    parser.add_argument("--max_top_n", type=int, default=MAX_TOP_N, help=f"items returned (default: {MAX_TOP_N})")
    add_exclude_history(parser)
    parser.add_argument(
        "--index", action="store_true", help=f"also build the index in RUN_DIR/index again ({command('index')})"
    )
    add_item_changes(parser)
    flags = parser.parse_args(argv)
    refuse_missing_run(flags.run_dir)
    load_tensorflow()
    from remi_tf.serving.export import export_run, measured_metrics
    from remi_tf.training.run_folder import load_saved_run

    run = changed(load_saved_run(flags.run_dir, **verification(flags.no_verify)), flags)
    excluded = run.excludes_history(flags.exclude_history)
    _, note = measured_metrics(run, excluded)
    if note is not None:
        print(f"Note: {note}")
    path = export_run(run, flags.export_dir or flags.run_dir / "export", flags.max_top_n, excluded)
    print(in_words(excluded, run.repeats))
    print(f"exported to {path}")
    if flags.index:
        from remi_tf.recommending.index_folder import refresh_index, summary

        print(f"{summary(refresh_index(run, flags.run_dir / 'index'))}\nindex written to {flags.run_dir / 'index'}")
    return 0
