"""A stand-in for TensorFlow Serving: for tests, for load tests, and to try the client without the real server.

    python examples/stand_in_server.py --model_base_path runs/shop/export

It is not TensorFlow Serving. It loads the newest version once. It has only the part of the gRPC and REST interfaces
that examples/client.py uses, with the official protos. docs/SERVING.md says what it leaves out. In production, run the
real server. It listens to this machine only (127.0.0.1), and refuses requests of more than 64 MiB.
"""

import argparse
import json
import re
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import grpc
import numpy as np
import tensorflow as tf
from google.protobuf import json_format
from tensorflow.core.protobuf import saved_model_pb2
from tensorflow_serving.apis import get_model_metadata_pb2, predict_pb2, prediction_service_pb2_grpc

DEFAULT_SIGNATURE = "serving_default"
HOST = "127.0.0.1"
MOST_BYTES = 64 << 20
"""A larger request is refused."""


class BadRequest(Exception):
    """The client did something wrong; the message says what."""


class ServedModel:
    """The newest version below a folder.

    Raises:
      FileNotFoundError: there is none.
    """

    def __init__(self, base_path: Path, name: str):
        versions = [int(path.parent.name) for path in base_path.glob("*/saved_model.pb") if path.parent.name.isdigit()]
        if not versions:
            raise FileNotFoundError(
                f"--model_base_path {base_path}: no version (1, 2, …) of an export there; export.py --run_dir RUN_DIR "
                "writes them below RUN_DIR/export"
            )
        self.version = max(versions)
        path = base_path / str(self.version)
        self.name = name
        self.module = tf.saved_model.load(str(path))
        graph = saved_model_pb2.SavedModel.FromString((path / "saved_model.pb").read_bytes()).meta_graphs[0]
        self.definitions = {
            name: definition for name, definition in graph.signature_def.items() if not name.startswith("__")
        }

    def inputs(self, signature: str) -> dict[str, Any]:
        """Name → TensorInfo of a signature's inputs."""
        if signature not in self.definitions:
            raise BadRequest(f"Serving signature key {signature!r} not found.")
        return dict(self.definitions[signature].inputs)

    def predict(self, signature: str, inputs: dict[str, tf.Tensor]) -> dict[str, np.ndarray]:
        """Run a signature. BadRequest if TensorFlow refuses the inputs."""
        wanted = set(self.inputs(signature))
        if wanted != set(inputs):
            raise BadRequest(
                f"input size does not match signature. Sent extra: {sorted(set(inputs) - wanted)}. Missing but "
                f"required: {sorted(wanted - set(inputs))}."
            )
        try:
            outputs = self.module.signatures[signature](**inputs)
        except tf.errors.OpError as error:
            raise BadRequest(error.message) from error
        return {name: value.numpy() for name, value in outputs.items()}


class PredictionService(prediction_service_pb2_grpc.PredictionServiceServicer):
    """The gRPC interface."""

    def __init__(self, model: ServedModel):
        self.model = model

    def Predict(self, request: Any, context: grpc.ServicerContext) -> Any:
        signature = request.model_spec.signature_name or DEFAULT_SIGNATURE
        try:
            inputs = {name: tf.constant(tf.make_ndarray(value)) for name, value in request.inputs.items()}
            outputs = self.model.predict(signature, inputs)
        except BadRequest as error:
            context.abort(grpc.StatusCode.INVALID_ARGUMENT, str(error))
        response = predict_pb2.PredictResponse()
        response.model_spec.name, response.model_spec.signature_name = self.model.name, signature
        response.model_spec.version.value = self.model.version
        for name, value in outputs.items():
            response.outputs[name].CopyFrom(tf.make_tensor_proto(value))
        return response

    def GetModelMetadata(self, request: Any, context: grpc.ServicerContext) -> Any:
        definitions = get_model_metadata_pb2.SignatureDefMap(signature_def=self.model.definitions)
        response = get_model_metadata_pb2.GetModelMetadataResponse()
        response.model_spec.name = self.model.name
        response.metadata["signature_def"].Pack(definitions)
        return response


class RestHandler(BaseHTTPRequestHandler):
    """The REST interface."""

    model: ServedModel  # set by serve()
    protocol_version = "HTTP/1.1"

    def _asked(self) -> str | None:
        """The part of the path after the model or its version. None if the server has another model or version."""
        base = f"/v1/models/{re.escape(self.model.name)}(?:/versions/{self.model.version})?"
        match = re.fullmatch(f"{base}((?:[/:][a-z]+)?)", self.path)
        return match[1] if match else None

    def do_GET(self) -> None:
        asked = self._asked()
        if asked == "":
            state = {"version": str(self.model.version), "state": "AVAILABLE", "status": {"error_code": "OK"}}
            self._answer(200, {"model_version_status": [state]})
        elif asked == "/metadata":
            definitions = get_model_metadata_pb2.SignatureDefMap(signature_def=self.model.definitions)
            fields = json_format.MessageToDict(definitions, preserving_proto_field_name=True)
            self._answer(200, {"model_spec": {"name": self.model.name}, "metadata": {"signature_def": fields}})
        else:
            self._answer(404, {"error": f"nothing at {self.path}"})

    def do_POST(self) -> None:
        if (body := self._body()) is None:
            return
        if self._asked() != ":predict":
            self._answer(404, {"error": f"nothing at {self.path}"})
            return
        try:
            request = json.loads(body)
            if not isinstance(request, dict):
                raise BadRequest("the request is no JSON object")
            signature = request.get("signature_name", DEFAULT_SIGNATURE)
            outputs = self.model.predict(signature, _columns(request, self.model.inputs(signature)))
        except KeyError as error:
            self._answer(400, {"error": f"{error} is missing"})
            return
        except (BadRequest, ValueError, TypeError, AttributeError, RecursionError) as error:
            self._answer(400, {"error": str(error)})
            return
        lists = {name: _plain(value.tolist()) for name, value in outputs.items()}
        if "instances" in request:
            count = len(request["instances"])
            self._answer(200, {"predictions": [{name: lists[name][row] for name in lists} for row in range(count)]})
        else:
            self._answer(200, {"outputs": lists})

    def _body(self) -> bytes | None:
        """The request's bytes. None where their number is not told or too large: that is answered then."""
        length = self.headers["Content-Length"] or ""
        if not length.isdecimal():
            wrong = 411, "Content-Length is missing"
        elif int(length) > MOST_BYTES:
            wrong = 413, f"the request has {int(length):,} bytes; at most {MOST_BYTES:,} are taken"
        else:
            return self.rfile.read(int(length))
        self.close_connection = True  # the bytes that are not read cannot be told from a next request
        self._answer(wrong[0], {"error": wrong[1]})
        return None

    def _answer(self, code: int, content: dict[str, Any]) -> None:
        body = json.dumps(content).encode()
        self.send_response(code)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *arguments: Any) -> None:
        """Requests are not logged."""


def _columns(request: dict[str, Any], inputs: dict[str, Any]) -> dict[str, tf.Tensor]:
    """The tensors of a REST request. Its form is row by row ("instances") or name by name ("inputs")."""
    if "instances" in request:
        rows = [row if isinstance(row, dict) else dict.fromkeys(inputs, row) for row in request["instances"]]
        values = {name: [row[name] for row in rows] for name in (rows[0] if rows else {})}
    else:
        given = request["inputs"]
        values = given if isinstance(given, dict) else dict.fromkeys(inputs, given)
    return {name: tf.constant(value, inputs[name].dtype if name in inputs else None) for name, value in values.items()}


def _plain(value: Any) -> Any:
    if isinstance(value, list):
        return [_plain(one) for one in value]
    return value.decode() if isinstance(value, bytes) else value


class StandIn:
    """The two servers. They run until `stop`, on the ports `grpc_port` and `rest_port`."""

    def __init__(self, base_path: Path, name: str = "remi", port: int = 0, rest_api_port: int = 0, threads: int = 8):
        model = ServedModel(base_path, name)
        limit = [("grpc.max_receive_message_length", MOST_BYTES)]
        self._grpc = grpc.server(ThreadPoolExecutor(threads), options=limit)
        prediction_service_pb2_grpc.add_PredictionServiceServicer_to_server(PredictionService(model), self._grpc)
        self.grpc_port = self._grpc.add_insecure_port(f"{HOST}:{port}")
        self._grpc.start()
        handler = type("Handler", (RestHandler,), {"model": model})
        self._rest = ThreadingHTTPServer((HOST, rest_api_port), handler)
        self.rest_port = self._rest.server_address[1]
        threading.Thread(target=self._rest.serve_forever, daemon=True).start()

    def stop(self) -> None:
        """Stop both servers."""
        self._grpc.stop(None).wait()
        self._rest.shutdown()
        self._rest.server_close()

    def wait(self) -> None:
        """Wait until the process is interrupted."""
        self._grpc.wait_for_termination()


def main() -> int:
    """Serve until interrupted. If there is nothing to serve or a port is in use: one line and exit code 2."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model_base_path", type=Path, required=True, help="folder with the versions: RUN_DIR/export")
    parser.add_argument("--model_name", default="remi", help="name that clients use (default: remi)")
    parser.add_argument("--port", type=int, default=8500, help="port of gRPC (default: 8500)")
    parser.add_argument("--rest_api_port", type=int, default=8501, help="port of REST (default: 8501)")
    flags = parser.parse_args()
    try:
        server = StandIn(flags.model_base_path, flags.model_name, flags.port, flags.rest_api_port)
    except (OSError, RuntimeError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    print(f"stand-in for TensorFlow Serving: gRPC on port {server.grpc_port}, REST on {server.rest_port}", flush=True)
    server.wait()
    return 0


if __name__ == "__main__":
    sys.exit(main())
