"""Which values and combinations of settings have a meaning; the others are refused before TensorFlow is loaded."""

import dataclasses
from numbers import Integral, Real
from typing import Any

from remi_tf.config import GROUP_OF, GROUPS, SETTING, Settings
from remi_tf.encoders import ENCODERS
from remi_tf.errors import InputError


def check(settings: Settings) -> None:
    """Refuse values and combinations that have no meaning.

    Raises:
      InputError: naming the flags, the reason and the remedy.
    """
    values = settings.flat()
    for cls in GROUPS.values():
        for setting in dataclasses.fields(cls):
            value, choices = values[setting.name], setting.metadata["choices"]
            if choices and value not in choices:
                raise InputError(f"--{setting.name} {value!r}: choose one of {', '.join(choices)}")
            _check_number(setting.name, value, setting.default, setting.metadata["help"])
    if values["dropout"] >= 1:
        raise InputError(f"--dropout {values['dropout']}: nothing would be left; give a share below 1")
    if values["embedding_dim"] % values["num_heads"]:
        raise InputError(
            f"--num_heads {values['num_heads']}: attention heads share --embedding_dim {values['embedding_dim']}; "
            "take a number that divides it"
        )
    if values["active_concepts"] > values["num_concepts"]:
        raise InputError(
            f"--active_concepts {values['active_concepts']} --num_concepts {values['num_concepts']}: a history cannot "
            "be split into more concepts than there are; take fewer active ones or a larger table"
        )
    if values["label_attention"] == "power" and values["label_power"] % 2 != 1:
        raise InputError(
            f"--label_attention power --label_power {values['label_power']}: an even power loses the sign of negative "
            "products and a fractional one has no value for them; take an odd whole number, or --label_attention scale"
        )
    _check_model(settings)
    if values["beta"] > 0 and values["sampler"] != "uniform":
        raise InputError(
            f"--beta {values['beta']} with --sampler {values['sampler']}: IHN reweights uniform negatives "
            "(REMI, section 3.2); use --sampler uniform or --beta 0"
        )
    if values["loss"] != "softmax" and values["sampler"] != "uniform":
        raise InputError(
            f"--loss {values['loss']} with --sampler {values['sampler']}: only the softmax corrects for how negatives "
            "are drawn, this loss takes them as they come; add --sampler uniform"
        )
    if values["sampler"] == "mns" and values["num_negatives"] < values["batch_size"]:
        raise InputError(
            f"--sampler mns --num_negatives {values['num_negatives']}: a batch of {values['batch_size']} alone gives "
            "as many; take more negatives than --batch_size"
        )
    if values["sampler"] == "in_batch" and values["batch_size"] == 1:
        raise InputError(
            "--sampler in_batch --batch_size 1: there is no other target in the batch to compete; take larger batches"
        )


def _check_number(name: str, value: Any, default: Any, meaning: str) -> None:
    """Refuse what is not a number of the default's kind, or out of range."""
    if type(default) is int:
        least = 0 if name in _MAY_BE_ZERO else 1
        if not isinstance(value, Integral):
            raise InputError(f"--{name} {value}: must be a whole number ({meaning})")
        if value < least:
            raise InputError(f"--{name} {value}: must be {least} or more ({meaning})")
    elif type(default) is float:
        above = name in _ABOVE_ZERO
        usable = isinstance(value, Real) and 0 <= float(value) < float("inf")
        if not usable or (above and value == 0):
            raise InputError(
                f"--{name} {value}: must be a finite number {'above' if above else 'of at least'} 0; the default is "
                f"{default}"
            )


def _check_model(settings: Settings) -> None:
    """Refuse what the encoder cannot do."""
    if settings.encoder.model_type not in ENCODERS:
        raise InputError(f"--model_type {settings.encoder.model_type!r}: choose one of {', '.join(ENCODERS)}")
    model_type, objective = settings.encoder.model_type, settings.objective
    entry = ENCODERS[model_type]
    if entry.single and settings.encoder.num_interests > 1:
        raise InputError(
            f"--num_interests {settings.encoder.num_interests}: {model_type} gives one vector a user; leave it out, or "
            f"take a multi-interest model ({', '.join(name for name in ENCODERS if not ENCODERS[name].single)})"
        )
    if objective.rep_lambda and settings.encoder.num_interests == 1:
        raise InputError(f"--rep_lambda {objective.rep_lambda}: it sets interests apart, and {model_type} has one here")
    for name in ("rr_lambda", "re4_attend", "re4_contrast", "re4_construct"):
        if getattr(objective, name):
            _check_routing(settings, f"--{name} {getattr(objective, name)}")
    if objective.loss == "bce" and model_type != "SASRec":
        raise InputError(f"--loss bce: it scores the state after each item, which only SASRec has, not {model_type}")
    if objective.loss == "idw" and settings.encoder.num_interests == 1:
        has = (
            f"{model_type} gives one; take --loss softmax"
            if entry.single
            else "--num_interests 1 leaves one; take 2 or more"
        )
        raise InputError(f"--loss idw: it sets a user's vectors against each other, and {has}")


def _check_routing(settings: Settings, penalty: str) -> None:
    """Refuse a penalty on the routing where there is none, or none that could change."""
    encoder, entry = settings.encoder, ENCODERS[settings.encoder.model_type]
    if not entry.routing:
        raise InputError(
            f"{penalty}: {encoder.model_type} has no routing matrix to work on; models with one are "
            f"{', '.join(name for name in ENCODERS if ENCODERS[name].routing)}"
        )
    if encoder.model_type in SETTING["routing_iterations"].metadata["only"]["model_type"]:
        if encoder.routing_iterations == 1:
            raise InputError(
                f"{penalty} --routing_iterations 1: after one round the routing is the random or even start, which "
                "nothing can train; take 2 rounds or more"
            )
        if encoder.num_interests == 1 and not (encoder.model_type != "UMI" and encoder.routing_softmax == "sequence"):
            raise InputError(
                f"{penalty} --num_interests 1: items that choose among one interest have nothing to choose; take more, "
                "or --routing_softmax sequence"
            )


def check_read(settings: Settings, name: str, asked: str) -> None:
    """Refuse what was asked for and would not be read.

    Args:
      name: the setting.
      asked: how it came to be set, for the message.

    Raises:
      InputError: nothing reads it under these settings.
    """
    values, entry = settings.flat(), ENCODERS[settings.encoder.model_type]
    model_type = settings.encoder.model_type
    if entry.counted and (GROUP_OF[name] == "objective" or name in _OF_STEPS):
        raise InputError(f"{asked}: {model_type} is counted, not trained; leave it out")
    for other, readers in SETTING[name].metadata["only"].items():
        if values[other] not in readers:
            raise InputError(
                f"{asked}: read only with --{other} {' or '.join(readers)}, and --{other} is {values[other]}; leave it "
                "out"
            )
    for switch in _SWITCHED_BY.get(name, ()):
        if not values[switch]:
            raise InputError(f"{asked}: read only with --{switch} above 0; leave it out, or give both")
    one_vector = values["num_interests"] == 1
    if one_vector and (name == "multi_interest_weight" or (name == "readout" and values[name] != "hard")):
        one, more = "--num_interests 1 leaves one vector a user", ", or take several interests"
        if entry.single:
            one, more = f"{model_type} has one vector a user", ""
        raise InputError(f"{asked}: {one}, so that all readouts are the same; leave it out{more}")
    if name == "mask_padding" and model_type in ("MIND", "DR") and values["routing_softmax"] == "interests":
        raise InputError(
            f"{asked}: with --routing_softmax interests padding never takes part; leave it out, or route over the "
            "sequence"
        )


_SWITCHED_BY = {"stop_gradient_weights": ("beta",), "rr_reduction": ("rr_lambda",), "rep_form": ("rep_lambda",)}
_OF_STEPS = ("optimizer", "learning_rate", "weight_decay", "average_steps")
_ABOVE_ZERO = ("learning_rate", "label_power", "correlation_scale", "concept_temperature", "preference_temperature")
_MAY_BE_ZERO = ("average_steps", "max_steps", "seed", "patience", "eval_users")
