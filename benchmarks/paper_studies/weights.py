"""REMI's figure 4: the negatives of a user with the highest and the lowest weights of IHN.

A trained REMI, one step's uniform negatives, and test users with their first target: the interest that is closest to
the target scores the negatives, and the weights are w_j = exp(beta s_j) / mean_i exp(beta s_i). So their mean is 1.
A negative that is the target has no weight where hits do not count (--mask_accidental_hits).
"""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.ticker import LogLocator

from paper_studies.pictures import heading, save
from paper_studies.study import Asked, beside, paper
from paper_studies.trained import encoded, fullest_histories, measure_runs, title
from remi_tf.report.words import shortened

if TYPE_CHECKING:
    from remi_tf.api import Run

USERS, SHOWN, LATEST = 2, 8, 4


def ihn_weights(interests: np.ndarray, target: np.ndarray, negatives: np.ndarray, beta: float) -> np.ndarray:
    """[N] weights of mean 1 (REMI, eq. 10).

    Args:
      interests: [K, d]. target: [d]. negatives: [N, d].
    """
    chosen = interests[np.argmax(interests @ target)]
    scores = beta * (negatives @ chosen).astype(np.float64)
    weights = np.exp(scores - scores.max())
    return weights / weights.mean()


@dataclass(frozen=True)
class Weights:
    """The study of the weights. One seed is shown."""

    about: str = "REMI, figure 4: the negatives of a few users with the highest and the lowest weights of IHN"
    history: str = "no"
    options: tuple[str, ...] = ("users",)

    def measure(self, asked: Asked) -> int:
        """As of `Study`."""
        users = fullest_histories(asked, asked.users or USERS)

        def look(run: "Run", first: bool) -> dict[str, Any]:
            return {"users": _weighted(run, users)} if first else {}

        return measure_runs(asked, {"REMI": paper("SA", ihn=True, rr=True)}, look)

    def draw(self, content: dict[str, Any], output: Path) -> None:
        """As of `Study`: for each user bars of the highest and the lowest weights, on a logarithmic axis."""
        users = next(iter(content["systems"]["REMI"]["seeds"].values()))["users"]
        figure, axes = plt.subplots(1, len(users), figsize=(6.2 * len(users), 5.2), squeeze=False, layout="constrained")
        for axis, user in zip(axes[0], users, strict=True):
            rows = [*user["highest"], *user["lowest"]]
            places = np.arange(len(rows), 0, -1) - (np.arange(len(rows)) >= len(user["highest"]))
            colours = ["tab:red"] * len(user["highest"]) + ["tab:blue"] * len(user["lowest"])
            from_one = [row["weight"] - 1 for row in rows]
            bars = axis.barh(places, from_one, left=1, color=colours)
            axis.bar_label(bars, [f"{row['weight']:.2g}" for row in rows], padding=2, fontsize=8)
            axis.axvline(1, color="black", linewidth=1)
            axis.set_yticks(places, [row["title"] for row in rows], fontsize=8)
            axis.set_xscale("log")
            axis.margins(x=0.15)
            axis.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
            axis.xaxis.set_major_formatter("{x:g}")
            axis.minorticks_off()
            axis.set_xlabel(f"weight of the negative (mean 1 over {user['negatives']:,} draws)", fontsize=9)
            read = "\n".join(f"    {name}" for name in user["latest"])
            axis.set_title(
                f"user {shortened(user['user'], 20)}, target: {user['target']}\nlatest items:\n{read}",
                fontsize=9, loc="left",
            )  # fmt: skip
        figure.suptitle(f"Weights of IHN, beta {users[0]['beta']:g}, on {heading(content)}", fontsize=10)
        save(figure, beside(output, ".png"))


def _weighted(run: "Run", users: np.ndarray) -> list[dict[str, Any]]:
    import tensorflow as tf

    from remi_tf.data.dataset.views import targets

    history, interests = encoded(run, users)
    items, offsets = targets(run.dataset.test, users)
    vectors = run.model.item_vectors().numpy()
    beta, first = run.settings.objective.beta, items[offsets[:-1]]
    drawn = run.model.sampler(tf.constant(first, tf.int32), tf.constant(0)).ids.numpy()
    found = []
    for user, read, target, own in zip(users, history, first, interests.vectors.numpy(), strict=True):
        hits = (drawn == target) & run.settings.objective.mask_accidental_hits
        ids = drawn[~hits]
        weights = ihn_weights(own, vectors[target], vectors[ids], beta)
        places = np.unique(ids, return_index=True)[1]  # an item is shown once, however often it was drawn
        order = places[np.argsort(-weights[places], kind="stable")]
        order = order[ids[order] > 0]

        rows = [{"title": title(run.catalogue, ids[place]), "weight": float(weights[place])} for place in order]
        shown = min(SHOWN, len(rows) // 2)
        found.append(
            {
                "user": run.dataset.user_ids("test")[user],
                "target": title(run.catalogue, target),
                "latest": [title(run.catalogue, row) for row in read[read > 0][-LATEST:]],
                "beta": beta,
                "negatives": len(ids),
                "highest": rows[:shown],
                "lowest": rows[len(rows) - shown :],
            }
        )
    return found
