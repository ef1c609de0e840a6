"""Ask TensorFlow Serving for recommendations, by REST or gRPC.

    python examples/client.py --history "sku-17,sku-4" --top_n 5                       # REST, localhost:8501
    python examples/client.py --history "sku-17,sku-4" --top_n 5 --grpc localhost:8500
    python examples/client.py --history "sku-17" --choices '{"exclude": ["sku-4"], "diversity": 0.1}'

The signature `recommend` wants every input by name. Which inputs there are depends on the model (times, profiles) and
on the data (categories). So the client asks the server, and fills the rest with values that choose nothing. REST needs
only the standard library. gRPC needs the package tensorflow-serving-api.

A server does not check the files that it loads. After copying a version to it, check them where this project is:
`remi_tf.serving.export.verify_export("export/1")`.

A raw id is sent as text, exactly as the export's assets/items.txt has it: `1003`, not `1003.0` or ` 1003`. The server
does not know other spellings: to it they are unknown ids. `known_items` in the answer counts the known ones.
"""

import argparse
import contextlib
import http.client
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
TEXTS = ("history", "profile", "exclude", "allow", "categories")  # inputs that are lists of strings


class RestClient:
    """A model behind TensorFlow Serving's REST interface.

    Calls raise RuntimeError if the server refuses, or does not answer.
    """

    def __init__(self, address: str, model: str, timeout: float = 10):
        self.url = f"http://{address}/v1/models/{model}"
        self.timeout = timeout  # seconds

    def inputs(self, signature: str) -> list[str]:
        """Names of a signature's inputs."""
        signatures = self._call("/metadata")["metadata"]["signature_def"]["signature_def"]
        return list(signatures.get(signature, {"inputs": ()})["inputs"])

    def predict(self, signature: str, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """One answer for each row. Lists with the same name must have the same length in all rows."""
        return self._call(":predict", {"signature_name": signature, "instances": rows})["predictions"]

    def _call(self, path: str, body: Any = None) -> Any:
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.url + path, data, {"Content-Type": "application/json"})
        try:
            with urllib.request.urlopen(request, timeout=self.timeout) as response:
                return json.load(response)
        except urllib.error.HTTPError as error:
            text = error.read().decode(errors="replace")
            with contextlib.suppress(ValueError, LookupError, TypeError):  # not TensorFlow Serving's own words
                text = json.loads(text)["error"]
            raise RuntimeError(f"{error.code}: {text}") from error
        except (OSError, http.client.HTTPException, ValueError) as error:
            reason = getattr(error, "reason", None) or error
            raise RuntimeError(f"{self.url}: no answer ({reason}); is this the REST address of a server?") from error


class GrpcClient:
    """The same model behind the gRPC interface. Calls raise the same errors."""

    def __init__(self, address: str, model: str, timeout: float = 10):
        import grpc
        from tensorflow_serving.apis import prediction_service_pb2_grpc

        self.stub = prediction_service_pb2_grpc.PredictionServiceStub(grpc.insecure_channel(address))
        self.refusal = grpc.RpcError
        self.address, self.model = address, model
        self.timeout = timeout  # seconds

    def inputs(self, signature: str) -> list[str]:
        """Names of a signature's inputs."""
        return list(self._types(signature))

    def predict(self, signature: str, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """One answer for each row. Lists with the same name must have the same length in all rows."""
        import tensorflow as tf
        from tensorflow_serving.apis import predict_pb2

        request = predict_pb2.PredictRequest()
        request.model_spec.name, request.model_spec.signature_name = self.model, signature
        for name, dtype in self._types(signature).items():
            request.inputs[name].CopyFrom(tf.make_tensor_proto([row[name] for row in rows], dtype))
        outputs = self._call(self.stub.Predict, request).outputs
        columns = {name: _plain(tf.make_ndarray(value).tolist()) for name, value in outputs.items()}
        return [{name: column[row] for name, column in columns.items()} for row in range(len(rows))]

    def _types(self, signature: str) -> dict[str, int]:
        from tensorflow_serving.apis import get_model_metadata_pb2

        request = get_model_metadata_pb2.GetModelMetadataRequest(metadata_field=["signature_def"])
        request.model_spec.name = self.model
        answer = get_model_metadata_pb2.SignatureDefMap()
        self._call(self.stub.GetModelMetadata, request).metadata["signature_def"].Unpack(answer)
        return {name: tensor.dtype for name, tensor in answer.signature_def[signature].inputs.items()}

    def _call(self, method: Any, request: Any) -> Any:
        try:
            return method(request, timeout=self.timeout)
        except self.refusal as error:
            raise RuntimeError(f"{self.address}: {error.code().name}: {error.details()}") from error


def recommend(client: RestClient | GrpcClient, history: list[str], **choices: Any) -> dict[str, Any]:
    """The answer of `recommend` for one history of raw ids, oldest first.

    Args:
      choices: any input of the signature: top_n, exclude_history, exclude, allow, categories, diversity. Also what the
        model reads in addition to the history: timestamps (without them, all items count as of one day), profile.

    Raises:
      ValueError: the model does not take a choice, a choice has the wrong type, or a profile is missing for a model
        that reads one.
      RuntimeError: the server refuses, or does not answer.
    """
    row = NOTHING_CHOSEN | {"timestamps": [0] * len(history)} | {"history": history} | choices
    names = client.inputs("recommend")
    if not names:
        raise ValueError("the model has no signature recommend; export.py writes one that has")
    if wrong := set(choices) - set(names) or set(names) - set(row):
        raise ValueError(f"unknown or missing: {', '.join(sorted(wrong))}; the model takes {', '.join(names)}")
    for name in names:
        _check(name, row[name])
    return client.predict("recommend", [{name: row[name] for name in names}])[0]


def because(answer: dict[str, Any], history: list[str], place: int) -> str:
    """The item of the history that counts most for the interest that fetched the item at `place`; "" if unknown."""
    interest = answer["interest"][place]
    if interest < 0 or "attention" not in answer:
        return ""
    attention = answer["attention"][interest]
    return history[attention.index(max(attention))]


def _check(name: str, value: Any) -> None:
    """Refuse a wrong type here, because the server's own answer does not name the input."""
    if name in TEXTS or name == "timestamps":
        one, words = (str, "strings") if name in TEXTS else (int, "whole numbers")
        if not isinstance(value, list) or not all(isinstance(each, one) and each is not True for each in value):
            raise ValueError(f"{name}: give a list of {words}, not {json.dumps(value)}")
    elif name in NOTHING_CHOSEN:
        wanted = type(NOTHING_CHOSEN[name])
        if type(value) is not wanted and not (wanted is float and type(value) is int):
            words = {int: "a whole number", bool: "true or false", float: "a number"}[wanted]
            raise ValueError(f"{name}: give {words}, not {json.dumps(value)}")


def _history(text: str) -> list[str]:
    """The ids in "a,b,c", or in a JSON list of strings and whole numbers, as recommend.py reads them."""
    ids = text.split(",")
    if text.startswith("["):
        ids = [
            int(raw_id) if isinstance(raw_id, float) and raw_id.is_integer() else raw_id
            for raw_id in _json("--history", text, list)
        ]
        if not all(isinstance(raw_id, str | int) and not isinstance(raw_id, bool) for raw_id in ids):
            raise ValueError(f"--history {text}: the list may hold strings and whole numbers only")
    else:
        ids = [raw_id.strip() for raw_id in ids]
    return [str(raw_id).strip() for raw_id in ids if str(raw_id).strip()] or [""]  # "" is padding


def _json(flag: str, text: str, kind: type) -> Any:
    try:
        value = json.loads(text)
    except ValueError as error:
        raise ValueError(f"{flag} {text}: not JSON ({error})") from error
    if not isinstance(value, kind):
        raise ValueError(f"{flag} {text}: not a JSON {'list' if kind is list else 'object'}")
    return value


def _shown(text: str) -> str:
    """Text with an escape for each character that is none to be shown: it could steer the terminal."""
    return "".join(char if char.isprintable() else repr(char)[1:-1] for char in text)


def _plain(value: Any) -> Any:
    """Turn the bytes of gRPC into text, as in REST."""
    if isinstance(value, list):
        return [_plain(one) for one in value]
    return value.decode() if isinstance(value, bytes) else value


def main() -> int:
    """Print the answer. An error is one line and exit code 2."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--history", required=True, help='raw item ids, oldest first: "a,b,c" or a JSON list')
    parser.add_argument("--top_n", type=int, default=10, help="how many items are wanted (default: 10)")
    parser.add_argument("--choices", default="{}", help="other inputs, as a JSON object")
    parser.add_argument("--rest", default="localhost:8501", help="address for REST (default: localhost:8501)")
    parser.add_argument("--grpc", help="address for gRPC; then REST is not used")
    parser.add_argument("--model", default="remi", help="name of the model in the server (default: remi)")
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):  # what the console cannot show is replaced
            stream.reconfigure(errors="backslashreplace")
    flags = parser.parse_args()
    try:
        history = _history(flags.history)
        choices = {"top_n": flags.top_n} | _json("--choices", flags.choices, dict)
        if wrong := {"client", "history"} & set(choices):
            raise ValueError(f"--choices: {wrong.pop()} is none of the choices; leave it out")
        client = GrpcClient(flags.grpc, flags.model) if flags.grpc else RestClient(flags.rest, flags.model)
        answer = recommend(client, history, **choices)
    except ModuleNotFoundError as error:
        print(f"error: --grpc needs the package tensorflow-serving-api ({error})", file=sys.stderr)
        return 2
    except (RuntimeError, ValueError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    if answer["status"]:
        print(answer["status"], file=sys.stderr)
    if (known := answer["known_items"]) < len([raw_id for raw_id in history if raw_id]):
        print(f"note: {known} of {len(history)} ids of the history are known", file=sys.stderr)
    for place, item in enumerate(answer["items"]):
        if item:
            read = because(answer, history, place)
            why = f"\tbecause you read {_shown(read)}" if read else ""
            print(f"{_shown(item)}\t{answer['scores'][place]:.4f}{why}")
    return 2 if answer["status"].startswith("error: ") else 0


if __name__ == "__main__":
    sys.exit(main())
