"""The example client against the stand-in server: conversations by REST and gRPC on the official protos.

The stand-in is not TensorFlow Serving; tests/serving/test_runtime.py loads exports the way that server does.
"""

import http.client
import json
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from pathlib import Path

import pytest
import tensorflow as tf

from examples import client as client_by_hand
from examples import stand_in_server
from examples.client import GrpcClient, RestClient, because, recommend
from examples.stand_in_server import StandIn
from remi_tf.data.tables.ids import id_text
from remi_tf.serving import export as serving
from tests.serving_toys import Dated, Routed, ask, decoded, make_dataset

pytestmark = pytest.mark.trains

ROOT = Path(__file__).resolve().parents[2]
HISTORY = ["ïtem 30", "nobody", "ïtem 30", "ïtem 44"]


@pytest.fixture(scope="module")
def dataset(tmp_path_factory):
    return make_dataset(tmp_path_factory.mktemp("data") / "tiny", categories=True)


@pytest.fixture(scope="module")
def server(dataset, tmp_path_factory):
    path = tmp_path_factory.mktemp("export")
    serving.export(Routed(), dataset, path, 20)
    server = StandIn(path)
    server.path = path
    yield server
    server.stop()


@pytest.fixture(params=["rest", "grpc"])
def client(request, server):
    if request.param == "rest":
        return RestClient(f"localhost:{server.rest_port}", "remi")
    return GrpcClient(f"localhost:{server.grpc_port}", "remi")


def test_the_client_gets_what_the_export_answers(client, server):
    module = tf.saved_model.load(str(server.path / "1"))
    plain = ask(module.signatures["serving_default"], HISTORY)
    answer = recommend(client, HISTORY, top_n=20)
    assert answer["items"] == decoded(plain["items"][0]) and answer["status"] == ""
    assert answer["scores"] == pytest.approx(plain["scores"][0].numpy().tolist(), rel=1e-5)
    (default,) = client.predict("serving_default", [{"history": HISTORY}])
    assert default["items"] == answer["items"] and default["known_items"] == 3


def test_choices_reach_the_model_and_a_bad_one_comes_back_as_status(client):
    plain = recommend(client, HISTORY, top_n=5)
    chosen = recommend(client, HISTORY, top_n=5, exclude=plain["items"][:2], categories=["crime"], exclude_history=True)
    assert not {*plain["items"][:2], *HISTORY} & set(chosen["items"])
    assert recommend(client, HISTORY, top_n=-1)["status"] == "error: top_n -1 is not in 1..20"
    with pytest.raises(ValueError, match="unknown or missing: colour; the model takes"):
        recommend(client, HISTORY, colour="red")


def test_an_item_is_explained_by_an_item_of_the_history(client):
    answer = recommend(client, HISTORY, top_n=20)
    reasons = {because(answer, HISTORY, place) for place in range(20)}
    assert "ïtem 44" in reasons and reasons <= set(HISTORY) - {"nobody"}
    assert because(recommend(client, ["nobody"]), ["nobody"], 0) == ""


def test_both_ways_say_the_same_of_several_rows(server):
    rest = RestClient(f"localhost:{server.rest_port}", "remi")
    by_grpc = GrpcClient(f"localhost:{server.grpc_port}", "remi")
    rows = [{"history": ["ïtem 3", ""]}, {"history": ["ïtem 4", "ïtem 5"]}]
    for signature in ("serving_default", "interests"):
        first, second = rest.predict(signature, rows), by_grpc.predict(signature, rows)
        assert [set(answer) for answer in first] == [set(answer) for answer in second]
        for one, other in zip(first, second, strict=True):
            assert one["known_items"] == other["known_items"]
    assert [answer["known"] for answer in rest.predict("items", [{"items": "ïtem 3"}, {"items": "x"}])] == [True, False]


def test_a_model_that_reads_times_gets_them(dataset, tmp_path):
    serving.export(Dated(), dataset, tmp_path, 20)
    server = StandIn(tmp_path)
    try:
        client = RestClient(f"localhost:{server.rest_port}", "remi")
        week = 7 * 86_400
        apart, same = (recommend(client, ["ïtem 3", "ïtem 4"], timestamps=[0, time]) for time in (9 * week, 0))
        assert apart["items"] != same["items"]
    finally:
        server.stop()


def test_wrong_requests_are_refused_with_their_reason(server):
    rest = RestClient(f"localhost:{server.rest_port}", "remi")
    with pytest.raises(RuntimeError, match=r"400: .*required: .*top_n"):
        rest.predict("recommend", [{"history": HISTORY}])
    with pytest.raises(RuntimeError, match=r"400: .*'nothing' not found"):
        rest.predict("nothing", [{"history": HISTORY}])
    with pytest.raises(RuntimeError, match="400: "):
        rest.predict("serving_default", [{"history": ["a"]}, {"history": ["a", "b"]}])
    with pytest.raises(RuntimeError, match="400: "):
        rest.predict("serving_default", [{"history": [3, 4]}])
    with pytest.raises(RuntimeError, match="INVALID_ARGUMENT"):
        GrpcClient(f"localhost:{server.grpc_port}", "remi").predict("interests", [{"history": "ïtem 3"}])
    with pytest.raises(urllib.error.HTTPError, match="404"):
        urllib.request.urlopen(f"http://localhost:{server.rest_port}/v1/models/other")
    with urllib.request.urlopen(f"http://localhost:{server.rest_port}/v1/models/remi") as answer:
        assert json.load(answer)["model_version_status"][0]["state"] == "AVAILABLE"


def test_the_client_by_hand(server):
    command = [sys.executable, str(ROOT / "examples" / "client.py"), "--rest", f"localhost:{server.rest_port}"]
    command += ["--history", ",".join(HISTORY), "--top_n", "3", "--choices", '{"diversity": 0.5}']
    result = subprocess.run(command, capture_output=True, encoding="utf-8", env={"PYTHONIOENCODING": "utf-8"})
    lines = [line.split("\t") for line in result.stdout.splitlines()]
    assert len(lines) == 3 and lines[0][2].startswith("because you read ïtem"), result.stderr


def by_hand(monkeypatch, capsys, main, *flags):
    """Exit code, output and errors of an example in this process."""
    monkeypatch.setattr(sys, "argv", ["example", *flags])
    code = main()
    return code, *capsys.readouterr()


@pytest.mark.parametrize("way", ["rest", "grpc"])
@pytest.mark.parametrize(
    ("choices", "message"),
    [
        ('{"divers": 0.1}', "unknown or missing: divers; the model takes "),
        ('{"exclude": "sku-4"}', 'exclude: give a list of strings, not "sku-4"'),
        ('{"exclude": [4]}', "exclude: give a list of strings, not [4]"),
        ('{"diversity": "x"}', 'diversity: give a number, not "x"'),
        ('{"exclude": ["a", null]}', 'exclude: give a list of strings, not ["a", null]'),
        ('{"exclude_history": 1}', "exclude_history: give true or false, not 1"),
        ('{"history": ["a"]}', "--choices: history is none of the choices"),
        ('{"top_n": -1}', "top_n -1 is not in 1..20"),
        ("x", "--choices x: not JSON"),
        ("[1]", "--choices [1]: not a JSON object"),
    ],
)
def test_a_mistake_at_the_client_is_told_in_one_line(server, monkeypatch, capsys, way, choices, message):
    address = f"localhost:{server.rest_port if way == 'rest' else server.grpc_port}"
    flags = [f"--{way}", address, "--history", "ïtem 3", "--choices", choices]
    code, output, errors = by_hand(monkeypatch, capsys, client_by_hand.main, *flags)
    assert code == 2 and not output
    assert errors.startswith(f"error: {message}") and errors.count("\n") == 1


@pytest.mark.parametrize("way", ["rest", "grpc"])
def test_a_server_that_is_not_there_is_told_in_one_line(monkeypatch, capsys, way):
    flags = [f"--{way}", "localhost:1", "--history", "ïtem 3"]
    code, _, errors = by_hand(monkeypatch, capsys, client_by_hand.main, *flags)
    assert code == 2 and errors.startswith("error: ") and "localhost:1" in errors and errors.count("\n") == 1


def test_ids_with_commas_come_as_a_json_list(server, monkeypatch, capsys):
    flags = ["--rest", f"localhost:{server.rest_port}", "--top_n", "3", "--history"]
    code, output, errors = by_hand(monkeypatch, capsys, client_by_hand.main, *flags, '["item,7"]')
    assert code == 0 and "because you read item,7" in output and not errors
    code, _, errors = by_hand(monkeypatch, capsys, client_by_hand.main, *flags, "[item")
    assert code == 2 and errors.startswith("error: --history [item: not JSON")


def test_a_json_list_is_read_as_ids_are_read_everywhere():
    text = '[7, 103.0, " a ", "103.0"]'
    assert client_by_hand._history(text) == [*map(id_text, json.loads(text))] == ["7", "103", "a", "103.0"]
    for text in ("[1.5]", "[true]", "[null]"):
        with pytest.raises(ValueError, match="strings and whole numbers only"):
            client_by_hand._history(text)


def test_how_many_ids_are_known_is_told_where_some_are_not(server, monkeypatch, capsys):
    flags = ["--rest", f"localhost:{server.rest_port}", "--top_n", "3", "--history"]
    _, _, errors = by_hand(monkeypatch, capsys, client_by_hand.main, *flags, "ïtem 3, ÏTEM 4")
    assert errors == "note: 1 of 2 ids of the history are known\n"


def raw_answer(server, head: bytes, body: bytes = b"") -> tuple[int, str]:
    """The status and the error that the stand-in answers with, to bytes as they are."""
    with socket.create_connection(("127.0.0.1", server.rest_port), timeout=10) as connection:
        connection.sendall(head + b"\r\n\r\n" + body)
        answer = http.client.HTTPResponse(connection)
        answer.begin()
        return answer.status, json.load(answer)["error"]


PREDICT = b"POST /v1/models/remi:predict HTTP/1.1\r\nHost: x"


def test_the_stand_in_refuses_what_is_too_large_before_it_reads_it(server):
    code, words = raw_answer(server, PREDICT + b"\r\nContent-Length: 99999999999")
    assert code == 413 and "99,999,999,999 bytes; at most" in words
    assert raw_answer(server, PREDICT) == (411, "Content-Length is missing")
    assert raw_answer(server, PREDICT + b"\r\nContent-Length: -5")[0] == 411
    by_grpc = GrpcClient(f"localhost:{server.grpc_port}", "remi")
    with pytest.raises(RuntimeError, match="RESOURCE_EXHAUSTED"):
        by_grpc.predict("serving_default", [{"history": ["x" * (70 << 20)]}])


@pytest.mark.parametrize("body", [b"[]", b"{}", b"5", b"\xff", b"[" * 100_000, b'{"instances": 3}', b'{"inputs": {}}'])
def test_the_stand_in_answers_a_request_that_is_none_with_an_error(server, body):
    code, words = raw_answer(server, PREDICT + b"\r\nContent-Length: " + str(len(body)).encode(), body)
    assert code == 400 and words


def test_the_stand_in_listens_to_this_machine_only(server):
    assert server._rest.server_address[0] == "127.0.0.1"


def test_a_version_can_be_named_in_the_path(server):
    rest = RestClient(f"localhost:{server.rest_port}", "remi")
    by_version = RestClient(f"localhost:{server.rest_port}", "remi/versions/1")
    rows = [{"history": HISTORY}]
    assert by_version.predict("serving_default", rows) == rest.predict("serving_default", rows)
    assert by_version.inputs("recommend") == rest.inputs("recommend")
    with pytest.raises(RuntimeError, match="404"):
        RestClient(f"localhost:{server.rest_port}", "remi/versions/2").predict("serving_default", rows)


def test_a_stand_in_without_an_export_says_what_writes_one(monkeypatch, capsys, tmp_path):
    for path in (tmp_path / "nowhere", tmp_path):
        flags = ["--model_base_path", str(path)]
        code, _, errors = by_hand(monkeypatch, capsys, stand_in_server.main, *flags)
        assert code == 2 and errors.startswith(f"error: --model_base_path {path}: no version")
        assert "export.py --run_dir" in errors and errors.count("\n") == 1
