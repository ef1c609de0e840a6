"""REMI's figures 1(b) and 5: what each interest reads of the histories of a few test users, with RR and without.

The users are those with the longest histories (trained.fullest_histories). OUTPUT.json also has the mean variance of
the rows of all test users (REMI, eq. 13: over all slots, padding too). RR is the only difference: IHN is off.
"""

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.colors import PowerNorm

from paper_studies.pictures import heading, heat_map, save
from paper_studies.study import Asked, beside, paper
from paper_studies.trained import encoded, fullest_histories, in_batches, measure_runs, title
from remi_tf.report.words import shortened

if TYPE_CHECKING:
    from remi_tf.api import Run

USERS = 3
MODELS = {"ComiRec-SA": "SA", "PIMI": "PIMI", "UMI": "UMI"}


@dataclass(frozen=True)
class Routing:
    """The study of the routing."""

    about: str = "REMI, figures 1(b) and 5: the routing of a few users, with RR and without, for SA, PIMI and UMI"
    history: str = "no"
    options: tuple[str, ...] = ("users",)

    def systems(self, with_profiles: bool) -> dict[str, str]:
        """Name → flags."""
        return {
            f"{name} {'with' if rr else 'without'} RR": paper(model, rr=rr)
            for name, model in MODELS.items()
            if model != "UMI" or with_profiles
            for rr in (False, True)
        }

    def measure(self, asked: Asked) -> int:
        """As of `Study`."""
        profiles = bool(asked.dataset.profile_columns)
        if not profiles:
            print(f"{asked.data.path}: it has no profiles of users, so UMI is left out", file=sys.stderr)
        users = fullest_histories(asked, asked.users or USERS)

        def look(run: "Run", first: bool) -> dict[str, Any]:
            seen: dict[str, Any] = {"variance": _variance(run)}
            if first:
                history, interests = encoded(run, users)
                seen["maps"] = [
                    np.round(matrix[:, ids > 0], 4).tolist()
                    for matrix, ids in zip(interests.routing.numpy(), history, strict=True)
                ]
                seen["items"] = [[title(run.catalogue, row) for row in ids[ids > 0]] for ids in history]
            return seen

        named = [asked.dataset.user_ids("test")[user] for user in users]
        return measure_runs(asked, self.systems(profiles), look, users=named)

    def draw(self, content: dict[str, Any], output: Path) -> None:
        """As of `Study`: a row for each system, a column for each user."""
        systems, users = content["systems"], content["users"]
        size = (3.2 * len(users) + 1.2, 1.75 * len(systems) + 0.6)
        figure, axes = plt.subplots(len(systems), len(users), figsize=size, squeeze=False, layout="constrained")
        norm = PowerNorm(0.5, 0, 1)
        for place, (row, (name, found)) in enumerate(zip(axes, systems.items(), strict=True)):
            seeds = list(found["seeds"].values())
            variance = np.mean([seed["variance"] for seed in seeds])
            for axis, user, matrix in zip(row, users, seeds[0]["maps"], strict=True):
                numbers = [[str(each + 1) for each in range(size)] for size in np.shape(matrix)]
                title = f"user {shortened(user, 24)}" if place == 0 else ""
                image = heat_map(np.array(matrix), *numbers, title, axis, norm)
            model, _, rr = name.partition(" ")
            row[0].set_ylabel(f"{model}\n{rr}\nvariance {variance:.3f}", fontsize=8)
        for axis in axes[-1]:
            axis.set_xlabel("item of the history, oldest first", fontsize=8)
        figure.colorbar(image, ax=axes, label="weight of the item", shrink=0.6)
        figure.suptitle(f"Routing on {heading(content)}, a row for each interest", fontsize=10)
        save(figure, beside(output, ".png"))


def _variance(run: "Run") -> float:
    """Mean over test users and interests of a routing row's variance."""
    from remi_tf.objective.regularizers import routing_variance

    parts = [routing_variance(encoded(run, users)[1].routing).numpy() for users in in_batches(run)]
    return float(np.concatenate(parts).mean())
