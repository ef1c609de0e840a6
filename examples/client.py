"""Ask TensorFlow Serving for recommendations, by REST or gRPC.

    python examples/client.py --history "sku-17,sku-4" --top_n 5                       # REST, localhost:8501
    python examples/client.py --history "sku-17,sku-4" --top_n 5 --grpc localhost:8500
    python examples/client.py --history "sku-17" --choices '{"exclude": ["sku-4"], "diversity": 0.1}'

The signature `recommend` wants every input by name. Which there are depends on the model (times, profiles) and on the
data (categories), so the client asks the server and fills up with what chooses nothing. REST needs the standard library
alone, gRPC the package tensorflow-serving-api.
"""

import argparse
import json
import sys
import urllib.error
import urllib.request
from typing import Any

NOTHING_CHOSEN = {
    "top_n": 10,
    "exclude_history": False,
    "exclude": [""],
    "allow": [""],
    "categories": [""],
    "diversity": 0.0,
}


class RestClient:
    """A model behind TensorFlow Serving's REST interface."""

    def __init__(self, address: str, model: str, timeout: float = 10):
        self.url = f"http://{address}/v1/models/{model}"
        self.timeout = timeout  # seconds

    def inputs(self, signature: str) -> list[str]:
        """Names of a signature's inputs."""
        return list(self._call("/metadata")["metadata"]["signature_def"]["signature_def"][signature]["inputs"])

    def predict(self, signature: str, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """One answer for each row; lists of one name must be of one length in all rows."""
        return self._call(":predict", {"signature_name": signature, "instances": rows})["predictions"]

    def _call(self, path: str, body: Any = None) -> Any:
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.url + path, data, {"Content-Type": "application/json"})
        try:
            with urllib.request.urlopen(request, timeout=self.timeout) as response:
                return json.load(response)
        except urllib.error.HTTPError as error:
            raise RuntimeError(f"{error.code}: {json.load(error)['error']}") from error


class GrpcClient:
    """The same behind its gRPC interface."""

    def __init__(self, address: str, model: str, timeout: float = 10):
        import grpc
        from tensorflow_serving.apis import prediction_service_pb2_grpc

        self.stub = prediction_service_pb2_grpc.PredictionServiceStub(grpc.insecure_channel(address))
        self.model = model
        self.timeout = timeout  # seconds

    def inputs(self, signature: str) -> list[str]:
        """Names of a signature's inputs."""
        return list(self._types(signature))

    def predict(self, signature: str, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """One answer for each row; lists of one name must be of one length in all rows."""
        import tensorflow as tf
        from tensorflow_serving.apis import predict_pb2

        request = predict_pb2.PredictRequest()
        request.model_spec.name, request.model_spec.signature_name = self.model, signature
        for name, dtype in self._types(signature).items():
            request.inputs[name].CopyFrom(tf.make_tensor_proto([row[name] for row in rows], dtype))
        outputs = self.stub.Predict(request, timeout=self.timeout).outputs
        columns = {name: _plain(tf.make_ndarray(value).tolist()) for name, value in outputs.items()}
        return [{name: column[row] for name, column in columns.items()} for row in range(len(rows))]

    def _types(self, signature: str) -> dict[str, int]:
        from tensorflow_serving.apis import get_model_metadata_pb2

        request = get_model_metadata_pb2.GetModelMetadataRequest(metadata_field=["signature_def"])
        request.model_spec.name = self.model
        answer = get_model_metadata_pb2.SignatureDefMap()
        self.stub.GetModelMetadata(request, timeout=self.timeout).metadata["signature_def"].Unpack(answer)
        return {name: tensor.dtype for name, tensor in answer.signature_def[signature].inputs.items()}


def recommend(client: RestClient | GrpcClient, history: list[str], **choices: Any) -> dict[str, Any]:
    """The answer of `recommend` for one history of raw ids, oldest first.

    choices: any input of the signature: top_n, exclude_history, exclude, allow, categories, diversity; and what the
      model reads beside the history: timestamps (without them all items count as of one day), profile.

    Raises:
      ValueError: a choice that the model does not take, or no profile for a model that reads one.
    """
    row = NOTHING_CHOSEN | {"timestamps": [0] * len(history)} | {"history": history} | choices
    names = client.inputs("recommend")
    if wrong := set(choices) - set(names) or set(names) - set(row):
        raise ValueError(f"unknown or missing: {', '.join(sorted(wrong))}; the model takes {', '.join(names)}")
    return client.predict("recommend", [{name: row[name] for name in names}])[0]


def because(answer: dict[str, Any], history: list[str], place: int) -> str:
    """The item of the history that the interest which fetched the item reads most; "" where nobody knows."""
    interest = answer["interest"][place]
    if interest < 0 or "attention" not in answer:
        return ""
    attention = answer["attention"][interest]
    return history[attention.index(max(attention))]


def _plain(value: Any) -> Any:
    """gRPC's bytes as text, as REST has them."""
    if isinstance(value, list):
        return [_plain(one) for one in value]
    return value.decode() if isinstance(value, bytes) else value


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--history", required=True, help='raw item ids, oldest first: "a,b,c"')
    parser.add_argument("--top_n", type=int, default=10, help="items wanted (default: 10)")
    parser.add_argument("--choices", type=json.loads, default={}, help="other inputs, as a JSON object")
    parser.add_argument("--rest", default="localhost:8501", help="address of REST (default: localhost:8501)")
    parser.add_argument("--grpc", help="address of gRPC, instead of REST")
    parser.add_argument("--model", default="remi", help="the model's name in the server (default: remi)")
    flags = parser.parse_args()
    client = GrpcClient(flags.grpc, flags.model) if flags.grpc else RestClient(flags.rest, flags.model)
    history = flags.history.split(",")
    answer = recommend(client, history, top_n=flags.top_n, **flags.choices)
    if answer["status"]:
        print(answer["status"], file=sys.stderr)
    for place, item in enumerate(answer["items"]):
        if item:
            read = because(answer, history, place)
            print(f"{item}\t{answer['scores'][place]:.4f}" + (f"\tbecause you read {read}" if read else ""))


if __name__ == "__main__":
    main()
