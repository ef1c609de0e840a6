"""All settings of a run: five groups, checked together, written to and read from the run's config.json."""

import dataclasses
import difflib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from remi_tf.errors import InputError
from remi_tf.settings.boost import BoostSettings
from remi_tf.settings.checks import check_read, check_together
from remi_tf.settings.encoders import EncoderSettings, encoder_settings
from remi_tf.settings.exclusion import excludes_history
from remi_tf.settings.items import ItemSettings
from remi_tf.settings.names import known_settings
from remi_tf.settings.objective import ObjectiveSettings
from remi_tf.settings.training import TrainingSettings


@dataclass(frozen=True)
class Settings:
    """Everything that decides what a run computes.

    Example:
      >>> from remi_tf.settings.settings import Settings
      >>> Settings().replace(sampler="uniform", beta=1.0).changed()
      'sampler uniform, beta 1.0'

    Raises:
      InputError: groups that do not work together.
    """

    encoder: EncoderSettings = field(default_factory=encoder_settings)
    objective: ObjectiveSettings = field(default_factory=ObjectiveSettings)
    training: TrainingSettings = field(default_factory=TrainingSettings)
    boost: BoostSettings = field(default_factory=BoostSettings)
    items: ItemSettings = field(default_factory=ItemSettings)

    def __post_init__(self) -> None:
        check_together(self.encoder, self.objective, self.training)

    def to_json(self) -> dict[str, dict[str, Any]]:
        """Group → setting → value."""
        return dataclasses.asdict(self)

    @classmethod
    def from_json(cls, groups: Mapping[str, Mapping[str, Any]]) -> "Settings":
        """Inverse of `to_json`. Leaves out options of other encoders: older versions wrote them too.

        Runs of versions that had no `exclude_history` left the history in the lists, and still do.

        Raises:
          InputError: a setting that this version does not know, or an impossible value.
        """
        values = {name: value for group in groups.values() for name, value in group.items()}
        values.setdefault("exclude_history", "no")
        known = known_settings()
        _refuse_unknown(values)
        model_type = values.get("model_type", "SA")

        def has(name: str) -> bool:
            return model_type in known[name].only.get("model_type", (model_type,))

        return cls().replace(**{name: value for name, value in values.items() if has(name)})

    def replace(self, **values: Any) -> "Settings":
        """A copy with the named settings changed, whichever group they belong to.

        With another `model_type`, the options of that encoder get its defaults. Options of all encoders stay.

        Raises:
          InputError: an unknown name, an option of another encoder, or an impossible value.
        """
        _refuse_unknown(values)
        known = known_settings()
        model_type = values.get("model_type", self.encoder.model_type)
        for name, value in values.items():
            owners = known[name].only.get("model_type")
            if owners is not None and model_type not in owners:
                raise InputError(
                    f"--{name} {value}: read only with --model_type {' or '.join(owners)}, and --model_type is "
                    f"{model_type}; leave it out"
                )
        in_group = {
            group: {name: value for name, value in values.items() if known[name].group == group}
            for group in ("encoder", "objective", "training", "boost", "items")
        }
        if model_type == self.encoder.model_type:
            encoder = dataclasses.replace(self.encoder, **in_group["encoder"])
        else:
            kept = {
                each.name: getattr(self.encoder, each.name)
                for each in dataclasses.fields(EncoderSettings)
                if getattr(self.encoder, each.name) != each.default
            }
            encoder = encoder_settings(**{**kept, **in_group["encoder"]})
        return Settings(
            encoder,
            dataclasses.replace(self.objective, **in_group["objective"]),
            dataclasses.replace(self.training, **in_group["training"]),
            dataclasses.replace(self.boost, **in_group["boost"]),
            dataclasses.replace(self.items, **in_group["items"]),
        )

    def decided(self, repeats: float) -> "Settings":
        """A copy in which `exclude_history` is yes or no, for a log with this share of repeats."""
        excluded = excludes_history(self.training.exclude_history, lambda: repeats)
        return self.replace(exclude_history="yes" if excluded else "no")

    def refuse_unread(self, name: str, asked: str) -> None:
        """Refuse a setting that was given but would not be read. `asked`: how it was set, for the message.

        Raises:
          InputError: under these settings nothing reads it.
        """
        check_read(self.encoder, self.objective, self.flat(), name, asked)

    def changed(self) -> str:
        """The settings that differ from the defaults of --help, as text for people."""
        return ", ".join(f"{name} {value}" for name, value in self.differences().items())

    def differences(self) -> dict[str, Any]:
        """Setting → value, of those that differ from the defaults of --help."""
        known = known_settings()
        return {name: value for name, value in self.flat().items() if value != known[name].field.default}

    def flat(self) -> dict[str, Any]:
        """All settings of the run by name. Of the encoders' options, only those of its own encoder."""
        return {name: value for group in self.to_json().values() for name, value in group.items()}


def _refuse_unknown(values: Mapping[str, Any]) -> None:
    known = known_settings()
    if unknown := sorted(set(values) - set(known)):
        near = difflib.get_close_matches(unknown[0], known, n=1)
        hint = f"did you mean {near[0]!r}?" if near else f"there are: {', '.join(sorted(known))}"
        raise InputError(f"unknown setting {unknown[0]!r}; {hint}")
