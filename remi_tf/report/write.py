"""The page as a file: one HTML file that needs nothing else."""

from collections.abc import Sequence
from pathlib import Path

from remi_tf.files import atomic_file, refuse_file
from remi_tf.progress import say
from remi_tf.report.about import about
from remi_tf.report.diversity import diversity
from remi_tf.report.gather import Asked, Findings, gather
from remi_tf.report.interests import interests
from remi_tf.report.learning import learning
from remi_tf.report.measures import comparison, metrics, of_segments
from remi_tf.report.page import page, paragraph
from remi_tf.report.people import extremes, sample_users
from remi_tf.report.popularity import popularity


def write_report(
    paths: Sequence[Path],
    output: Path,
    asked: Asked,
    overwrite: bool = False,
    verify: bool = True,
    progress: bool = False,
) -> None:
    """Write a page about one run, or about two on the same data.

    Args:
      paths: one or two run folders. asked, verify, progress: as of `gather`.

    Raises:
      InputError: the file exists and `overwrite` is false, or as `gather`.
      TrainingDiverged: as `gather`.
    """
    refuse_file("--output", output, overwrite)
    findings = gather(paths, asked, verify, progress)
    say("drawing the page", shown=progress)
    text = html_of(findings)
    refuse_file("--output", output, overwrite)  # what has come in the meantime
    with atomic_file(output) as file:
        file.write(text)


def html_of(findings: Findings) -> str:
    """The page as text."""
    paths = [run.path for run in findings.runs]
    which = f"Two runs next to each other: A is {paths[0]}, B is {paths[1]}. " if findings.two else ""
    intro = [paragraph(f"{which}All numbers are of the best weights and the {findings.asked.split} users.")]
    sections = [
        about(findings),
        learning(findings),
        metrics(findings),
        *([comparison(findings)] if findings.two else []),
        of_segments(findings),
        interests(findings),
        sample_users(findings),
        popularity(findings),
        diversity(findings),
        extremes(findings),
    ]
    return page(" and ".join(map(str, paths)), intro, sections)
