"""The settings of the training loop."""

from dataclasses import dataclass

from remi_tf.settings import exclusion, selection
from remi_tf.settings.setting import SettingGroup, setting


@dataclass(frozen=True)
class TrainingSettings(SettingGroup):
    """Settings of the fit loop."""

    batch_size: int = setting(128, "users per step over all devices, B")
    max_steps: int = setting(1_000_000, "largest number of steps", least=0)
    eval_every: int = setting(1000, "steps between validations (each saves a checkpoint)")
    patience: int = setting(50, "stop if more validations than this in a row bring no better --select", least=0)
    select: str = setting(
        selection.DEFAULT,
        "metric@N of the validation users that chooses the best weights, or the settings of a counted model: "
        f"{', '.join(selection.METRICS)}",
    )
    eval_users: int = setting(0, "validate on this many users; 0 = all", least=0)
    exclude_history: str = setting(
        "auto",
        "leave a user's history out of the user's lists, in validation and in all that uses the run; auto: if less "
        f"than {exclusion.MOST_REPEATS:.0%} of the targets repeat an item of it; no under the papers' recipes",
        choices=exclusion.CHOICES,
    )
    first_target: int = setting(
        1, "0-based position of a user's first item that may be a target; 4 under --recipe paper, released and comirec"
    )
    optimizer: str = setting(
        "lazy_adam",
        "lazy_adam updates only the rows read in the step, adam every row",
        choices=("lazy_adam", "adam"),
        of_gradient_steps=True,
    )
    learning_rate: float = setting(
        3e-3,
        "step size of the optimizer; 0.001 with --remi and under --recipe paper, released and comirec, except for "
        "models with their own",
        above_zero=True,
        of_gradient_steps=True,
    )
    weight_decay: float = setting(
        0.0, "L2 added to the gradient (of the rows read, under lazy_adam)", of_gradient_steps=True
    )
    average_steps: int = setting(
        0,
        "validate and save the mean of the weights over about this many last steps, at most a quarter of all steps so "
        "far (needs a second copy of the weights in memory); 0 = the weights as they are",
        least=0,
        of_gradient_steps=True,
    )
    init: str = setting(
        "random",
        "what the item table starts from; spectral: a truncated SVD of the training log, so that items which the same "
        "users have start near each other",
        choices=("random", "spectral"),
        of_gradient_steps=True,
    )
    seed: int = setting(2021, "decides weights, windows and negatives", least=0)

    def check(self) -> None:
        selection.check(self.select)
