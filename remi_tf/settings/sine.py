"""The options of SINE, checked without any other setting."""

from dataclasses import dataclass

from remi_tf.errors import InputError
from remi_tf.settings.setting import SettingGroup, setting


@dataclass(frozen=True)
class SINEOptions(SettingGroup):
    """SINE."""

    num_concepts: int = setting(50, "rows of the concept table")
    active_concepts: int = setting(4, "concepts a user's history is split into")
    concept_temperature: float = setting(0.1, "temperature of the softmax over concepts", above_zero=True)
    concept_lambda: float = setting(0.1, "weight of the penalty that keeps concepts apart")

    def check(self) -> None:
        super().check()
        if self.active_concepts > self.num_concepts:
            raise InputError(
                f"--active_concepts {self.active_concepts} --num_concepts {self.num_concepts}: a history cannot be "
                "split into more concepts than there are; take fewer active ones or a larger table"
            )
