"""Checks which settings work together. Wrong combinations are refused before TensorFlow is loaded."""

from collections.abc import Iterable, Mapping
from typing import Any

from remi_tf.errors import InputError
from remi_tf.settings.encoders import ENCODERS, EncoderSettings
from remi_tf.settings.names import known_settings
from remi_tf.settings.objective import BY_SCORE, ObjectiveSettings
from remi_tf.settings.training import TrainingSettings


def check_together(encoder: EncoderSettings, objective: ObjectiveSettings, training: TrainingSettings) -> None:
    """Refuse groups of settings that do not work together. Each group has already checked its own values.

    Raises:
      InputError: with the flags, the reason and the remedy.
    """
    _check_encoder_and_objective(encoder, objective)
    if objective.beta > 0 and objective.sampler != "uniform":
        raise InputError(
            f"--beta {objective.beta} with --sampler {objective.sampler}: IHN reweights uniform negatives "
            "(REMI, section 4.1); use --sampler uniform or --beta 0"
        )
    if objective.loss != "softmax" and objective.sampler != "uniform":
        raise InputError(
            f"--loss {objective.loss} with --sampler {objective.sampler}: only the softmax corrects for how negatives "
            "are drawn; add --sampler uniform"
        )
    if objective.sampler == "mns" and objective.num_negatives < training.batch_size:
        raise InputError(
            f"--sampler mns --num_negatives {objective.num_negatives}: a batch of {training.batch_size} has that many "
            "other targets; take more negatives than --batch_size"
        )
    if objective.targets == "every" and objective.loss == "softmax" and objective.sampler in ("in_batch", *BY_SCORE):
        raise InputError(
            f"--sampler {objective.sampler} with --targets every: the positions of a batch share one draw of "
            f"negatives, and {objective.sampler} takes them by each row's target or scores; take "
            "--sampler uniform, log_uniform, mns or full, or --targets last"
        )
    if objective.sampler == "in_batch" and training.batch_size == 1:
        raise InputError(
            "--sampler in_batch --batch_size 1: there is no other target in the batch to compete; take larger batches"
        )


def _check_encoder_and_objective(encoder: EncoderSettings, objective: ObjectiveSettings) -> None:
    """Refuse an objective that cannot train the encoder."""
    model_type, entry = encoder.model_type, ENCODERS[encoder.model_type]
    if objective.rep_lambda and encoder.num_interests == 1:
        raise InputError(f"--rep_lambda {objective.rep_lambda}: it sets interests apart, and {model_type} has one here")
    for name in ("rr_lambda", "re4_attend", "re4_contrast", "re4_construct"):
        if getattr(objective, name):
            _check_routing(encoder, f"--{name} {getattr(objective, name)}")
    if not entry.states and (objective.loss == "bce" or objective.targets == "every"):
        asked, instead = ("--loss bce", "softmax") if objective.loss == "bce" else ("--targets every", "last")
        raise InputError(
            f"{asked}: it trains the user's vector after each item, which {model_type} does not give (models that do: "
            f"{', '.join(name for name in ENCODERS if ENCODERS[name].states)}); take {asked.split()[0]} {instead}"
        )


def _check_routing(encoder: EncoderSettings, penalty: str) -> None:
    """Refuse a penalty on the routing if the encoder has none, or if training cannot change it."""
    if not ENCODERS[encoder.model_type].routing:
        raise InputError(
            f"{penalty}: {encoder.model_type} has no routing matrix to work on; models with one are "
            f"{', '.join(name for name in ENCODERS if ENCODERS[name].routing)}"
        )
    if (reason := encoder.fixed_routing()) is not None:
        raise InputError(f"{penalty} {reason}")


OF_SEVERAL_TOWERS = ("idw_alpha", "idw_repel", "idw_form")
"""The settings of MTMI's loss that only mean something if a user has several vectors."""
CHANGEABLE = ("max_steps", "patience", "learning_rate")
"""The settings that a resumed run may change."""


def check_changes(changes: Mapping[str, Any], others: Iterable[str] = ()) -> None:
    """Refuse changes to settings that a resumed run must keep.

    Args:
      changes: settings by name.
      others: other flags that were given.

    Raises:
      InputError: with the first one that is refused.
      InputError: naming the first of them.
    """
    if refused := [name for name in (*changes, *others) if name not in CHANGEABLE]:
        raise InputError(
            f"--resume takes the run's own settings, except --{', --'.join(CHANGEABLE)}; leave out --{refused[0]}, or "
            "start another run"
        )
    if changes.get("max_steps") == 0:
        raise InputError("--max_steps 0: nothing would be learnt; 0 is for --warm_start, to take a run as it is")


def check_read(
    encoder: EncoderSettings, objective: ObjectiveSettings, values: Mapping[str, Any], name: str, asked: str
) -> None:
    """Refuse a setting that was given but would not be read.

    Args:
      values: all settings by name.
      name: the setting.
      asked: how it was set, for the message.

    Raises:
      InputError: under these settings nothing reads it.
    """
    model_type, entry, known = encoder.model_type, ENCODERS[encoder.model_type], known_settings()[name]
    if entry.counted and (known.group == "objective" or known.field.metadata["of_gradient_steps"]):
        raise InputError(f"{asked}: {model_type} is counted, not trained; leave it out")
    if entry.counted and name == "embedding_dim":
        raise InputError(f"{asked}: {model_type} is counted and has no vectors; leave it out")
    for other, readers in known.only.items():
        if values[other] not in readers:
            raise InputError(
                f"{asked}: read only with --{other} {' or '.join(readers)}, and --{other} is {values[other]}; leave it "
                "out"
            )
    switch = known.field.metadata["switch"]
    if switch is not None and not values[switch]:
        raise InputError(f"{asked}: read only with --{switch} above 0; leave it out, or give both")
    other_readout = name == "readout" and objective.readout != "hard"
    if encoder.num_interests == 1 and (name == "multi_interest_weight" or other_readout):
        one, more = "--num_interests 1 leaves one vector a user", ", or take several interests"
        if entry.single:
            one, more = f"{model_type} has one vector a user", ""
        raise InputError(f"{asked}: {one}, so all readouts are the same; leave it out{more}")
    if encoder.num_interests == 1 and name in OF_SEVERAL_TOWERS:
        raise InputError(
            f"{asked}: with one vector a user the loss is a plain triplet, with nothing to weigh or to push apart; "
            "leave it out"
        )
    if (reason := encoder.unread(name)) is not None:
        raise InputError(f"{asked}: {reason}")
