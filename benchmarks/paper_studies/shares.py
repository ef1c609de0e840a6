"""BaM's figure 1: which share of a user's top 10 comes from each interest.

For each test user, the shares of the interests are sorted, the largest first. An item belongs to the interest that
scores it highest; equal ones share it. Systems are trained as for bam_systems, so they have the same runs.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.colors import Normalize

from paper_studies.pictures import heading, heat_map, save
from paper_studies.study import Asked, beside, paper
from paper_studies.systems_of_papers import BAM
from paper_studies.trained import encoded, in_batches, measure_runs

if TYPE_CHECKING:
    from remi_tf.api import Run

TOP_N, COLUMNS = 10, 200


@dataclass(frozen=True)
class Shares:
    """The study of the shares."""

    about: str = "BaM, figure 1: the share of a user's top 10 that comes from each interest, for SA, REMI and BaM"
    history: str = "yes"
    options: tuple[str, ...] = ()

    def systems(self) -> dict[str, str]:
        """Name → flags."""
        remi = paper("SA", ihn=True, rr=True, more=BAM)
        return {"ComiRec-SA": paper("SA", more=BAM), "REMI": remi, "BaM": paper("BaM", more=BAM)}

    def measure(self, asked: Asked) -> int:
        """As of `Study`."""

        def look(run: "Run", first: bool) -> dict[str, Any]:
            shares = np.concatenate([_shares(run, users, asked.data.exclude_history) for users in in_batches(run)])
            shares = -np.sort(-shares, axis=1)
            seen: dict[str, Any] = {"means": shares.mean(axis=0).tolist()}
            if first:
                order = np.lexsort(-shares.T[::-1])  # by the largest share, then by the second
                chosen = np.linspace(0, len(order) - 1, min(COLUMNS, len(order))).astype(int)
                seen["map"] = np.round(shares[order[chosen]].T, 3).tolist()
            return seen

        return measure_runs(asked, self.systems(), look)

    def draw(self, content: dict[str, Any], output: Path) -> None:
        """As of `Study`: one heat map for each system, interests × users."""
        systems = content["systems"]
        figure, axes = plt.subplots(
            len(systems), 1, figsize=(8.5, 1.9 * len(systems) + 0.7), squeeze=False, layout="constrained"
        )
        for axis, (name, found) in zip(axes[:, 0], systems.items(), strict=True):
            seeds = list(found["seeds"].values())
            matrix = np.array(seeds[0]["map"])
            means = " ".join(f"{mean:.0%}" for mean in np.mean([seed["means"] for seed in seeds], axis=0))
            ranks = [f"{place}." for place in range(1, len(matrix) + 1)]
            labels = [str(user) for user in range(1, matrix.shape[1] + 1)]
            image = heat_map(matrix, ranks, labels, f"{name}: mean shares {means}", axis, Normalize(0, 1))
            axis.set_ylabel("interest,\nby its share", fontsize=8)
        axes[-1, 0].set_xlabel("test users, by their largest share", fontsize=9)
        figure.colorbar(image, ax=axes, label=f"share of the top {TOP_N}", shrink=0.7)
        figure.suptitle(heading(content), fontsize=10)
        save(figure, beside(output, ".png"))


def _shares(run: "Run", users: np.ndarray, exclude_history: bool) -> np.ndarray:
    """[U, K] share of each user's top 10 that each interest answers for."""
    import tensorflow as tf

    from remi_tf.evaluation.interest_report import examine
    from remi_tf.evaluation.tally import left_out
    from remi_tf.retrieval.top_k import top_k

    _, interests = encoded(run, users)
    vectors = run.model.item_vectors()
    out = tf.constant(left_out(run.dataset.test, users, exclude_history)) if exclude_history else None
    ids, _ = top_k(interests.vectors, vectors, TOP_N, exclude=out)
    answers = examine(interests, tf.gather(vectors, ids))["answers"] * tf.cast(ids > 0, tf.float32)[:, None]
    return tf.math.divide_no_nan(tf.reduce_sum(answers, 2), tf.reduce_sum(answers, [1, 2])[:, None]).numpy()
