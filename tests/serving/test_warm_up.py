"""Warm-up requests: TensorFlow Serving reads them and the model answers."""

import pytest
import tensorflow as tf
from tensorflow_serving.apis import prediction_log_pb2

from remi_tf.serving import export as serving
from remi_tf.serving.warm_up import WARM_UP
from tests.serving_toys import (
    COLUMNS,
    Dated,
    Personal,
    Routed,
    make_dataset,
)

pytestmark = pytest.mark.trains


@pytest.mark.parametrize("kind", [Routed, Dated, Personal])
def test_warm_up_requests_are_those_that_the_server_reads_and_the_model_answers(kind, tmp_path):
    data = make_dataset(tmp_path / "data", profile_columns=COLUMNS, categories=True)
    path = serving.export(kind(), data, tmp_path / "export", 5)
    signatures = tf.saved_model.load(str(path)).signatures
    asked = []
    for record in tf.data.TFRecordDataset(str(path / WARM_UP)):
        request = prediction_log_pb2.PredictionLog.FromString(record.numpy()).predict_log.request
        inputs = {name: tf.constant(tf.make_ndarray(value)) for name, value in request.inputs.items()}
        signatures[request.model_spec.signature_name](**inputs)
        asked.append(request.model_spec.signature_name)
    assert set(asked) == {"serving_default", "recommend", "interests", "items"}
    assert len(asked) < 1000  # the server takes no more
