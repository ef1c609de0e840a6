"""The encoders by the name that --model_type takes. A new one costs its file and a line here.

Nothing here loads TensorFlow, so that config.py can refuse a combination as soon as the flags are parsed.
"""

from collections.abc import Mapping, Sequence
from importlib import import_module
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from remi_tf.config import EncoderSettings
    from remi_tf.encoders.base import Encoder


class Entry(NamedTuple):
    """path: "module:class" below remi_tf.encoders.
    routing: whether it gives Interests.routing, which routing regularisation and Re4's losses need.
    single: one vector a user; num_interests is 1.
    needs: inputs beside the history: "days", "profile".
    counted: its item table is counted from the log instead of trained, so that no objective is read.
    defaults: settings whose default differs for this encoder."""

    path: str
    routing: bool = False
    single: bool = False
    needs: tuple[str, ...] = ()
    counted: bool = False
    defaults: Mapping[str, Any] = MappingProxyType({})


ENCODERS: dict[str, Entry] = {
    "Pop": Entry("popularity:Popularity", single=True, counted=True, defaults={"embedding_dim": 1}),
    "DNN": Entry("dnn:DNN", single=True),
    "GRU4REC": Entry("gru:GRU4REC", single=True, defaults={"dropout": 0.2}),
    "Que2Search": Entry("que2search:Que2Search", routing=True, single=True),
    "SA": Entry("self_attention:SelfAttention", routing=True),
    "MTMI-DNN": Entry("dnn:DNN", defaults={"loss": "idw", "sampler": "uniform"}),
    "MTMI-GRU": Entry(
        "gru:GRU4REC", defaults={"loss": "idw", "sampler": "uniform", "dropout": 0.2, "gru_projection": False}
    ),
    "MTMI-Q2S": Entry("que2search:Que2Search", routing=True, defaults={"loss": "idw", "sampler": "uniform"}),
    "PIMI": Entry("pimi:PIMI", routing=True, needs=("days",), defaults={"dropout": 0.1, "num_heads": 4}),
    "SASRec": Entry("sasrec:SASRec", single=True, defaults={"dropout": 0.2}),
    "MIND": Entry("capsules:MIND", routing=True, defaults={"learning_rate": 5e-3}),
    "DR": Entry("capsules:DynamicRouting", routing=True, defaults={"learning_rate": 5e-3}),
    "Re4": Entry("re4:Re4", routing=True, defaults={"re4_attend": 1e-3, "re4_contrast": 0.1, "re4_construct": 0.1}),
    "SINE": Entry("sine:SINE", single=True),
    "UMI": Entry("umi:UMI", routing=True, needs=("profile",), defaults={"readout": "per_candidate"}),
}


def make_encoder(settings: "EncoderSettings", seed: int, profile_sizes: Sequence[int] = ()) -> "Encoder":
    """The encoder called `settings.model_type`, one of `ENCODERS`; `seed` decides its initial weights.

    profile_sizes: how many values each profile column has; only encoders that need profiles are told.
    """
    entry = ENCODERS[settings.model_type]
    module, cls = entry.path.split(":")
    options = {"profile_sizes": tuple(profile_sizes)} if "profile" in entry.needs else {}
    return getattr(import_module(f"remi_tf.encoders.{module}"), cls)(settings, seed, **options)
