"""Downloads against a local server: resumed, checked, atomic, and clear about what to do by hand."""

import gzip
import hashlib
import http.server
import json
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from remi_tf.commands.prepare import main
from remi_tf.data.dataset.folder import load_dataset
from remi_tf.data.tables.download import DOWNLOADS, Download, download, fetch
from remi_tf.errors import InputError
from tests.amazon_toys import BEGIN, item, lines, ratings, review

CONTENT = bytes(range(256)) * 4000  # 1 MB
MD5 = hashlib.md5(CONTENT).hexdigest()


class Server(http.server.ThreadingHTTPServer):
    """Serves /log.gz with ranges; breaks off after `limit` bytes of a body where that is set."""

    content = CONTENT
    etag = '"one"'
    limit: int | None = None
    requests: list[str | None]
    location = "http://127.0.0.1:1/elsewhere"
    others: dict[str, bytes] = {}  # noqa: RUF012 (replaced as a whole)


class Handler(http.server.BaseHTTPRequestHandler):
    server: Server

    def do_GET(self) -> None:
        self.server.requests.append(self.headers.get("Range"))
        if self.path in ODD:
            ODD[self.path](self)
            return
        if self.path in self.server.others:
            body = self.server.others[self.path]
            self.answer(200, {"Content-Length": str(len(body))}, body)
            return
        if self.path != "/log.gz":
            self.send_error(404)
            return
        begin, asked = 0, self.headers.get("Range")
        if asked and self.headers.get("If-Range") == self.server.etag:
            begin = int(asked.removeprefix("bytes=").rstrip("-"))
            if begin >= len(self.server.content):
                self.send_error(416)
                return
        body = self.server.content[begin:]
        self.send_response(206 if begin else 200)
        self.send_header("ETag", self.server.etag)
        self.send_header("Content-Length", str(len(body)))
        if begin:
            self.send_header(
                "Content-Range", f"bytes {begin}-{len(self.server.content) - 1}/{len(self.server.content)}"
            )
        self.end_headers()
        self.wfile.write(body[: self.server.limit])

    def answer(self, status: int, headers: dict[str, str], body: bytes) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


ODD = {
    "/moved": lambda handler: handler.answer(302, {"Location": handler.server.location}, b""),
    "/part": lambda handler: handler.answer(
        206, {"Content-Length": "10", "Content-Range": f"bytes 0-9/{len(CONTENT)}"}, CONTENT[:10]
    ),
    "/unasked": lambda handler: handler.answer(
        206, {"Content-Length": "10", "Content-Range": f"bytes 90-99/{len(CONTENT)}"}, CONTENT[90:100]
    ),
    "/no-content": lambda handler: handler.answer(203, {"Content-Length": "10"}, CONTENT[:10]),
    "/unknown-length": lambda handler: handler.answer(200, {}, CONTENT[: handler.server.limit]),
    "/packed": lambda handler: handler.answer(200, {"Content-Length": "9", "Content-Encoding": "br"}, b"123456789"),
}
"""Answers of a server, or of somebody between, that must not pass for the file."""


@pytest.fixture
def server() -> Iterator[Server]:
    running = Server(("127.0.0.1", 0), Handler)
    running.requests = []
    thread = threading.Thread(target=running.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    yield running
    running.shutdown()
    running.server_close()
    thread.join()


def address(server: Server, name: str = "log.gz") -> str:
    return f"http://127.0.0.1:{server.server_address[1]}/{name}"


def test_a_whole_file_is_put_in_place_and_described(server, tmp_path):
    entry = fetch(Download(address(server), MD5), tmp_path)
    assert (tmp_path / "log.gz").read_bytes() == CONTENT
    assert entry["sha256"] == hashlib.sha256(CONTENT).hexdigest() and "published" in entry["checked"]
    assert [path.name for path in tmp_path.iterdir()] == ["log.gz"]
    assert "no checksum is published" in fetch(Download(address(server)), tmp_path)["checked"]
    assert len(server.requests) == 1  # a file that is there is not fetched again


def test_a_broken_transfer_is_continued_where_it_broke(server, tmp_path):
    server.limit = 300_000
    with pytest.raises(InputError, match=r"broke off at 300,000 of 1,024,000 bytes; run it again to continue"):
        fetch(Download(address(server), MD5), tmp_path)
    assert not (tmp_path / "log.gz").exists()
    server.limit = None
    fetch(Download(address(server), MD5), tmp_path)
    assert server.requests == [None, "bytes=300000-"]
    assert (tmp_path / "log.gz").read_bytes() == CONTENT


def test_a_file_that_changed_meanwhile_is_fetched_anew(server, tmp_path):
    server.limit = 300_000
    with pytest.raises(InputError):
        fetch(Download(address(server)), tmp_path)
    server.limit, server.etag, server.content = None, '"two"', CONTENT[::-1]
    fetch(Download(address(server)), tmp_path)
    assert (tmp_path / "log.gz").read_bytes() == CONTENT[::-1]


def test_a_part_of_unknown_version_is_never_continued(server, tmp_path):
    (tmp_path / "log.gz.part").write_bytes(b"rubbish")
    fetch(Download(address(server), MD5), tmp_path)
    assert server.requests == [None]


def test_a_part_that_is_whole_already_is_not_asked_for_more_than_once(server, tmp_path):
    (tmp_path / "log.gz.part").write_bytes(CONTENT)
    (tmp_path / "log.gz.part.json").write_text(json.dumps({"version": server.etag}))
    fetch(Download(address(server), MD5), tmp_path)
    assert (tmp_path / "log.gz").read_bytes() == CONTENT


def test_a_corrupted_file_is_removed_and_reported(server, tmp_path):
    server.content = b"x" + CONTENT[1:]
    with pytest.raises(InputError, match=f"but {MD5} is published.*by hand: fetch"):
        fetch(Download(address(server), MD5), tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_wrong_file_put_there_by_hand_is_refused_and_left_alone(server, tmp_path):
    (tmp_path / "log.gz").write_bytes(b"mine")
    with pytest.raises(InputError, match=r"is published; remove .*log\.gz"):
        fetch(Download(address(server), MD5), tmp_path)
    assert (tmp_path / "log.gz").read_bytes() == b"mine" and not server.requests


def test_404_names_the_address_and_the_manual_way(server, tmp_path):
    with pytest.raises(InputError, match=r"nothing\.gz: the server answered 404 .*by hand: fetch .* put it at"):
        fetch(Download(address(server, "nothing.gz")), tmp_path)


def test_no_network_names_the_manual_way(tmp_path):
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        port = closed.getsockname()[1]
    with pytest.raises(InputError, match=r"cannot be reached .*by hand"):
        fetch(Download(f"http://127.0.0.1:{port}/log.gz"), tmp_path)


@pytest.mark.parametrize("source", ["taobao", "rocket", "synthetic"])
def test_sources_behind_a_login_say_where_to_get_them(source, tmp_path: Path):
    with pytest.raises(InputError, match="no public address"):
        download(source, tmp_path)


def test_ratings_and_item_table_of_a_category_are_fetched_and_prepared(server, tmp_path, monkeypatch):
    rows = [review(f"AG{user}", f"B{n}", BEGIN + n) for user in range(10) for n in range(6)]
    table = [item(f"B{n}", ["Gift Cards", "Red" if n % 2 else "Blue"]) for n in range(6)]
    server.others = {
        "/Gift_Cards.csv.gz": gzip.compress(ratings(rows).encode()),
        "/meta_Gift_Cards.jsonl.gz": gzip.compress(lines(table).encode()),
    }
    source, files = "amazon-2023:Gift_Cards", list(server.others)
    assert [f"/{wanted.file}" for wanted in DOWNLOADS[source]] == files
    monkeypatch.setitem(DOWNLOADS, source, [Download(address(server, name[1:])) for name in files])
    monkeypatch.chdir(tmp_path)
    assert main(["--source", source, "--download"]) == 0
    raw = tmp_path / "data" / "raw" / "amazon-2023-Gift_Cards"
    assert sorted(path.name for path in raw.iterdir()) == ["Gift_Cards.csv.gz", "meta_Gift_Cards.jsonl.gz"]
    dataset = load_dataset("data/amazon-2023-Gift_Cards")
    assert dataset.titles == [f"Film B{n}" for n in range(6)] and dataset.categories.max() == 2
    noted = dataset.manifest["made_by"]["files"]
    assert [entry["file"] for entry in noted] == [name[1:] for name in files]
    assert all("no checksum is published" in entry["checked"] and len(entry["sha256"]) == 64 for entry in noted)


def test_the_addresses_of_a_category_are_those_of_the_release():
    begin = "https://mcauleylab.ucsd.edu/public_datasets/data/amazon_2023"
    assert [wanted.url for wanted in DOWNLOADS["amazon-2023:Movies_and_TV"]] == [
        f"{begin}/benchmark/0core/rating_only/Movies_and_TV.csv.gz",
        f"{begin}/raw/meta_categories/meta_Movies_and_TV.jsonl.gz",
    ]


def test_all_addresses_are_https():
    assert all(wanted.url.startswith("https://") for files in DOWNLOADS.values() for wanted in files)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("part", "answered 206 with a part that was not asked for .bytes 0-9"),
        ("unasked", "answered 206 with a part that was not asked for .bytes 90-99"),
        ("no-content", "answered 203"),
        ("unknown-length", "does not say how long it is and no checksum is published"),
        ("packed", "packed as br"),
    ],
)
def test_an_answer_that_may_be_a_piece_of_the_file_is_refused(server, tmp_path, name, message):
    with pytest.raises(InputError, match=rf"{message}.*by hand: fetch"):
        fetch(Download(address(server, name)), tmp_path)
    assert not (tmp_path / name).exists()


def test_without_a_length_the_published_checksum_tells(server, tmp_path):
    assert "published" in fetch(Download(address(server, "unknown-length"), MD5), tmp_path)["checked"]
    (tmp_path / "unknown-length").unlink()
    server.limit = 500_000
    with pytest.raises(InputError, match=f"but {MD5} is published"):
        fetch(Download(address(server, "unknown-length"), MD5), tmp_path)


def test_a_redirect_stays_on_this_machine_or_goes_to_https(server, tmp_path):
    server.location = "/log.gz"
    fetch(Download(address(server, "moved"), MD5), tmp_path)
    assert (tmp_path / "moved").read_bytes() == CONTENT
    (tmp_path / "moved").unlink()
    for location in ("http://example.org/log.gz", "ftp://example.org/log.gz", "http://[::2]/log.gz"):
        server.location = location
        with pytest.raises(InputError, match="is not https, so what comes from it cannot be trusted"):
            fetch(Download(address(server, "moved"), MD5), tmp_path)
    for url in ("http://example.org/log.gz", "file:///etc/hostname"):
        with pytest.raises(InputError, match="is not https"):
            fetch(Download(url), tmp_path)


def test_what_is_far_longer_than_expected_is_not_fetched(server, tmp_path):
    with pytest.raises(InputError, match=r"it has 1,024,000 bytes, more than the 1,000 that are expected at most"):
        fetch(Download(address(server), MD5, most_bytes=1000), tmp_path)
    with pytest.raises(InputError, match=r"it is longer than 1,000 bytes"):
        fetch(Download(address(server, "unknown-length"), MD5, most_bytes=1000), tmp_path)


@pytest.mark.parametrize("name", ["log.gz.part", "log.gz.part.json"])
def test_a_part_that_is_a_link_is_not_written_through(server, tmp_path, name):
    (tmp_path / "mine.txt").write_text("mine")
    (tmp_path / name).symlink_to("mine.txt")
    with pytest.raises(InputError, match=rf"{name} is a symbolic link; remove it"):
        fetch(Download(address(server), MD5), tmp_path)
    assert (tmp_path / "mine.txt").read_text() == "mine"
