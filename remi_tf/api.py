"""The Python front door: prepare a log, train on it, evaluate, recommend, export. The commands call the same functions.

Nothing here prints. Training and long evaluations show a progress bar on a terminal and in a notebook.
"""

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from remi_tf.data.dataset.folder import Dataset, find_dataset, load_dataset
from remi_tf.data.protocol.options import unknown_option
from remi_tf.data.protocol.prepare_request import Log, PrepareRequest
from remi_tf.errors import InputError
from remi_tf.evaluation.evaluate import evaluate as evaluate_model
from remi_tf.evaluation.list_metrics import ItemFacts
from remi_tf.evaluation.metrics import CUT_OFFS
from remi_tf.evaluation.tally import Evaluation
from remi_tf.recommending.index_folder import build_index
from remi_tf.recommending.recommender import Recommender
from remi_tf.serving.export import export_run
from remi_tf.serving.signatures import MAX_TOP_N
from remi_tf.training.measurements import OnValidation
from remi_tf.training.plan import Plan, carry_out, plan_new, plan_resume, plan_warm_start
from remi_tf.training.run_folder import SavedRun, load_saved_run


@dataclass(frozen=True, repr=False)
class Run(SavedRun):
    """A trained run, ready to use. `train`, `resume` and `load_run` return one.

    Attributes:
      path: the run folder; settings: what ran; catalogue: items, titles, categories.
      model: with the best weights, which were saved at `step`.
      dataset: the data it was trained on (InputError if they are gone).

    Example:
      >>> import remi_tf
      >>> run = remi_tf.load_run("runs/shop")
      >>> run.settings.encoder.model_type, run.catalogue.num_items, run.step
      ('SA', 40, 20)
    """

    def evaluate(
        self,
        split: str = "test",
        top_n: int | Sequence[int] = CUT_OFFS,
        *,
        exclude_history: bool | str | None = None,
        published_ndcg: bool = False,
        progress: bool = True,
    ) -> Evaluation:
        """Metrics of the best weights over the whole catalogue.

        Example:
          >>> import remi_tf
          >>> evaluation = remi_tf.load_run("runs/shop").evaluate(top_n=(5, 50))
          >>> [name for name in evaluation.figures if name.endswith("@5")]  # with categories there are more
          ['recall@5', 'hit_rate@5', 'ndcg@5', 'ndcg_hits@5', 'novelty@5', 'catalogue_coverage@5', 'gini@5']
          >>> evaluation.per_user["recall@50"].shape  # one value per test user; there are 40 items, so all are found
          (8,)

        Args:
          split: valid or test.
          top_n: cut-offs n of metric@n, or one of them.
          exclude_history: leave the history out of the list: yes, no, auto, True or False; None does as training did.
          published_ndcg: also the NDCGs of published tables, whose order is not that of the list (slow).
          progress: show a bar on a terminal or in a notebook.

        Returns:
          An Evaluation: `per_user` (metric@n → [users] float64), `means`, `figures`. docs/EVALUATION.md has formulas.

        Raises:
          InputError: an unknown split, cut-offs that are not positive, a split without targets, or data that are gone.
        """
        if split not in ("valid", "test"):
            raise InputError(f"split {split!r}: choose valid or test")
        top_n = (top_n,) if isinstance(top_n, int) else top_n
        users, out = self.dataset.split(split), self.excludes_history(exclude_history)
        items = ItemFacts.of(self.dataset)
        return evaluate_model(self.model, users, top_n, out, published_ndcg, progress=progress, items=items)

    def recommender(self, index: str | Path | None = None) -> Recommender:
        """A Recommender for histories of raw ids.

        Example:
          >>> import remi_tf
          >>> recommender = remi_tf.load_run("runs/shop").recommender()
          >>> found = recommender.recommend([["sku-17", "sku-4"], ["sku-30"]], top_n=3)
          >>> found[["user", "rank"]].to_numpy().tolist()
          [[0, 1], [0, 2], [0, 3], [1, 1], [1, 2], [1, 3]]

        Args:
          index: an index folder of this run (`build_index`), searched instead of every item; None is exact.

        Raises:
          InputError: the index is damaged or belongs to another run.
        """
        return Recommender(self, index)

    def export(
        self, path: str | Path | None = None, *, max_top_n: int = MAX_TOP_N, exclude_history: bool | str | None = None
    ) -> Path:
        """Save the model as the next version of a SavedModel for TensorFlow Serving, whole or not at all.

        Example:
          >>> import remi_tf
          >>> remi_tf.load_run("runs/shop").export("exports/shop").name
          '1'

        Args:
          path: folder of the versions 1, 2, …; None is `export` in the run folder.
          max_top_n: items returned for each history.
          exclude_history: never return an item of the history unless a request asks for it; values as of `evaluate`.

        Returns:
          The new version's folder.

        Raises:
          InputError: the run has diverged, or `max_top_n` is not positive.
        """
        return export_run(self, Path(path) if path is not None else self.path / "export", max_top_n, exclude_history)

    def build_index(self, path: str | Path | None = None, **options: Any) -> dict[str, Any]:
        """Build an approximate index of the items and measure it against exact search.

        Example:
          >>> import remi_tf
          >>> remi_tf.load_run("runs/shop").build_index("indexes/shop", top_n=5)["recall"]["value"]
          1.0

        Args:
          path: the index folder; None is `index` in the run folder.
          options: those of `remi_tf.recommending.index_folder.build_index` (kind, min_recall, overwrite, …).

        Returns:
          What index.json holds, including the recall.
        """
        return build_index(self, Path(path) if path is not None else self.path / "index", **options)


def prepare(log: Log, output: str | Path, **options: Any) -> Dataset:
    """Turn a raw interaction log into a dataset folder, and open it.

    Example:
      >>> import pandas as pd, remi_tf
      >>> clicks = pd.DataFrame({"user": list("aabbcc"), "item": list("xyxyxy"), "time": [1, 2, 1, 2, 1, 2]})
      >>> dataset = remi_tf.prepare(
      ...     clicks, "data/tiny", user_col="user", item_col="item", time_col="time", time_unit="s", min_count=1
      ... )
      >>> dataset.num_items, dataset.vocabulary.raw_ids([1, 2])
      (2, ['x', 'y'])

    Args:
      log: a file or files (CSV, TSV, JSON lines, Parquet, compressed or archived), a DataFrame, or None where `source`
        needs none.
      output: the dataset folder.
      options: user_col, item_col, time_col and all others of `PrepareRequest`; the flags of the command have the same
        names.

    Returns:
      The dataset. How it was made and what was dropped is in `dataset.manifest["made_by"]`.

    Raises:
      InputError: an option, a file or a row that cannot be used, or an output that exists.
    """
    known = [field.name for field in dataclasses.fields(PrepareRequest)]
    if unknown := sorted(set(options) - set(known)):
        raise unknown_option(unknown[0], known)
    request = PrepareRequest(log=log, output=output, **options)
    request.write()
    return load_dataset(request.folder)


def train(
    dataset: Dataset | str | Path,
    model_type: str = "SA",
    *,
    remi: bool = False,
    recipe: str = "default",
    run_dir: str | Path | None = None,
    overwrite: bool = False,
    warm_start: str | Path | SavedRun | None = None,
    allow_no_match: bool = False,
    on_validation: OnValidation | None = None,
    **settings: Any,
) -> Run:
    """Train a model until its budget of steps or its patience is used up.

    Example:
      >>> import remi_tf
      >>> run = remi_tf.train("shop", "DNN", max_steps=40, eval_every=20, num_negatives=30)
      >>> str(run.path)
      'runs/shop-DNN'

    Args:
      dataset: what `prepare` returned, a dataset folder, or the name of one below data/.
      model_type: an encoder of README's model table, or a paper's name for a system.
      remi: with REMI's hard negatives and routing regularisation.
      recipe: default, paper, released, mtmi or mtmi_study; docs/MODELS.md tells them apart.
      run_dir: the run folder; None names it after what was asked for, below runs/.
      overwrite: replace a run that is there.
      warm_start: a run whose weights and settings the new one starts from; `run_dir` must be given, and `settings` are
        changes to its settings.
      allow_no_match: start from a run that knows none of the dataset's items all the same.
      on_validation: called with a Validation after each validation.
      settings: any setting that `train.py --help` lists, by its name.

    Returns:
      The run with its best weights.

    Raises:
      InputError: settings that do not go together, data that cannot train this model, or a folder that is in use.
      TrainingDiverged: a loss became NaN or infinite.
      TrainingInterrupted: Ctrl-C or SIGTERM; everything is saved, and `resume` goes on.
    """
    if "profile" in settings:
        raise InputError(f"profile={settings['profile']!r}: it is called recipe now")
    data = dataset if isinstance(dataset, Dataset) else find_dataset(_folder(dataset))
    path = None if run_dir is None else Path(run_dir)
    if warm_start is None:
        explicit = {"model_type": model_type, **settings}
        plan = plan_new(data, explicit, remi=remi, recipe=recipe, path=path, overwrite=overwrite)
        return _trained(plan, on_validation)
    if path is None:
        raise InputError("warm_start: give run_dir, the folder of the new run")
    if remi or recipe != "default" or model_type != "SA":
        raise InputError("warm_start takes the settings of its run; leave out model_type, remi and recipe")
    before = warm_start.path if isinstance(warm_start, SavedRun) else Path(warm_start)
    plan = plan_warm_start(data, before, settings, path=path, overwrite=overwrite, allow_no_match=allow_no_match)
    return _trained(plan, on_validation)


def resume(
    run_dir: str | Path, *, on_validation: OnValidation | None = None, verify: bool = True, **changes: Any
) -> Run:
    """Go on with a run that was interrupted, or whose budget grows, as if it had never stopped.

    Example:
      >>> import remi_tf
      >>> remi_tf.resume("runs/shop", max_steps=20).settings.training.max_steps
      20

    Args:
      run_dir: the run folder.
      verify: compare the run's files with their checksums.
      changes: max_steps, patience or learning_rate; every other setting is the run's own.

    Raises:
      InputError: no run there, another process trains in it, its files are damaged, its data are gone or others, or
        changes that would train nothing.
    """
    return _trained(plan_resume(Path(run_dir), changes, verify=verify), on_validation)


def load_run(path: str | Path, *, verify: bool = True) -> Run:
    """Open a run folder with its best weights. The data are looked for only when `Run.dataset` is asked for.

    Example:
      >>> import remi_tf
      >>> remi_tf.load_run("runs/shop").path.name
      'shop'

    Args:
      verify: compare sizes and SHA-256 of the run's files and of its weights with what was written.

    Raises:
      InputError: no run there, a damaged file, or no weights saved yet.
    """
    saved = load_saved_run(path, verify)
    return Run(**{field.name: getattr(saved, field.name) for field in dataclasses.fields(saved)})


def evaluate(run: Run | str | Path, split: str = "test", top_n: Sequence[int] = CUT_OFFS, **options: Any) -> Evaluation:
    """`Run.evaluate` of a run or of the run in a folder; arguments, result and errors are the same.

    Example:
      >>> import remi_tf
      >>> 0 <= remi_tf.evaluate("runs/shop", "valid", top_n=(5,)).means["recall@5"] <= 1
      True
    """
    return (run if isinstance(run, Run) else load_run(run)).evaluate(split, top_n, **options)


def _folder(dataset: Any) -> str | Path:
    """The name or path of a dataset, if it is one."""
    if not isinstance(dataset, str | Path):
        raise InputError(
            f"dataset: {type(dataset).__name__} is no dataset; make one of your log with remi_tf.prepare(log, "
            '"data/NAME", user_col=…, item_col=…, time_col=…)'
        )
    return dataset


def _trained(plan: Plan, on_validation: OnValidation | None) -> Run:
    carry_out(plan, on_validation)
    return load_run(plan.path, verify=plan.verify)
