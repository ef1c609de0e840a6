"""Warm-up requests: TensorFlow Serving sends them to a new version before that takes requests."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import tensorflow as tf
from tensorflow_serving.apis import predict_pb2, prediction_log_pb2

from remi_tf.serving.graph import SPECS, ServingGraph

WARM_UP = Path("assets.extra") / "tf_serving_warmup_requests"
BATCHES = (1, 8)


def write_warm_up(path: Path, graph: ServingGraph, raw_ids: list[str]) -> None:
    """Write a TFRecord of PredictionLogs: every signature at every size of BATCHES, `recommend` also with its choices.

    raw_ids: the history of every user.
    """
    with tf.io.TFRecordWriter(str(path)) as file:
        for signature, inputs in _requests(graph, raw_ids):
            request = predict_pb2.PredictRequest()
            request.model_spec.signature_name = signature
            for name, values in inputs.items():
                request.inputs[name].CopyFrom(tf.make_tensor_proto(values, SPECS[name].dtype))
            log = prediction_log_pb2.PredictionLog(predict_log=prediction_log_pb2.PredictLog(request=request))
            file.write(log.SerializeToString())


def _requests(graph: ServingGraph, raw_ids: list[str]) -> Iterator[tuple[str, dict[str, Any]]]:
    for batch in BATCHES:
        one_a_row: dict[str, Any] = {
            "history": [raw_ids] * batch,
            "timestamps": [[0] * len(raw_ids)] * batch,
            "profile": [[""] * len(graph.profile_codes)] * batch,
            "items": raw_ids,
        }
        plain: dict[str, Any] = {"top_n": graph.max_top_n, "exclude_history": False, "diversity": 0.0}
        plain |= {"exclude": [[""]], "allow": [[""]], "categories": [[""]]}
        chosen = plain | {"exclude_history": True, "exclude": [raw_ids], "allow": [raw_ids], "diversity": 1.0}
        chosen["categories"] = [graph.category_names[:1] or [""]]
        for signature, names in graph.inputs.items():
            for choices in (plain, chosen) if signature == "recommend" else (plain,):
                yield signature, {name: (one_a_row | choices)[name] for name in names}
