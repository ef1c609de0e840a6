"""Fetch a public log: it is resumed after a break, checked, and put in place only when it is whole."""

import contextlib
import hashlib
import http.client
import ipaddress
import json
import os
import urllib.error
import urllib.parse
import urllib.request
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from remi_tf.data.tables import amazon_2023
from remi_tf.data.tables.sources import ALL_SOURCES, SOURCES
from remi_tf.errors import InputError
from remi_tf.files import write_json
from remi_tf.locks import locked_beside
from remi_tf.manifests import sha256
from remi_tf.progress import bar

BLOCK = 1 << 20
TIMEOUT_SECONDS = 60
MOST_BYTES = 16 << 30
"""A file that is larger is not fetched: none of the known ones is."""
GROUPLENS = "https://files.grouplens.org/datasets/movielens/"
SNAP = "https://snap.stanford.edu/data/"


@dataclass(frozen=True)
class Download:
    """A file to fetch.

    md5: as its owner publishes it, None where no checksum is published.
    most_bytes: what is longer is refused.
    """

    url: str
    md5: str | None = None
    most_bytes: int = MOST_BYTES

    @property
    def file(self) -> str:
        return self.url.rsplit("/", 1)[-1]


DOWNLOADS: dict[str, list[Download]] = {
    "ml-100k": [Download(GROUPLENS + "ml-100k.zip", "0e33842e24a9c977be4e0107933c0723")],
    "ml-1m": [Download(GROUPLENS + "ml-1m.zip", "c4d9eecfca2ab87c1945afe126590906")],
    "gowalla": [Download(SNAP + "loc-gowalla_totalCheckins.txt.gz")],
    "book": [Download(SNAP + "amazon/productGraph/categoryFiles/reviews_Books_5.json.gz")],
    **{
        amazon_2023.source_name(category): [Download(url) for url in amazon_2023.addresses(category)]
        for category in amazon_2023.CATEGORIES
    },
}
"""The files of each source; the first one is the log, a table of items may follow."""
DOWNLOADED = [name for name in ALL_SOURCES if name in DOWNLOADS or name.endswith(":CATEGORY")]
"""The sources that --download fetches, as messages name them."""


def download(source: str, folder: str | Path) -> list[dict[str, Any]]:
    """Fetch the files of a named source into `folder`; a file that is there already is only checked.

    Returns:
      For each file its name, URL, SHA-256 and whether a published checksum confirmed it, for the manifest.

    Raises:
      InputError: the source has no public address, the network fails, or a file is not what it should be.
        The message says how to get the file by hand.
    """
    if source not in DOWNLOADS:
        known = SOURCES.get(source)
        by_hand = f"get {known.manual} and name it with --input" if known else f"choose one of {', '.join(DOWNLOADED)}"
        raise InputError(f"--download: {source} has no public address; {by_hand}")
    return [fetch(wanted, Path(folder)) for wanted in DOWNLOADS[source]]


def fetch(wanted: Download, folder: Path) -> dict[str, Any]:
    """Fetch one file. What a broken attempt left in FILE.part is continued if the server still has that version.

    Raises:
      InputError: as `download`.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with locked_beside(folder / wanted.file, "fetching it"):
        return _fetch(wanted, folder)


def _fetch(wanted: Download, folder: Path) -> dict[str, Any]:
    target = folder / wanted.file
    if not target.is_file():
        part = folder / f"{wanted.file}.part"
        try:
            _refuse_unsafe(wanted.url, wanted.url)
            _fetch_part(wanted, part)
        except (urllib.error.URLError, http.client.HTTPException, OSError) as error:
            raise InputError(f"{wanted.url}: {_reason(error)}; {_by_hand(wanted, folder)}") from error
        _check(wanted, part)
        os.replace(part, target)
        _state_file(part).unlink(missing_ok=True)
    else:
        _check(wanted, target)
    checked = "md5 published by the owner" if wanted.md5 else "no checksum is published for this file"
    return {"file": wanted.file, "url": wanted.url, "sha256": sha256(target), "checked": checked}


def _fetch_part(wanted: Download, part: Path) -> None:
    """Bring `part` to its full length, from where it stands if the server's version is still the same."""
    request = urllib.request.Request(wanted.url, headers={"User-Agent": "remi_tf", "Accept-Encoding": "identity"})
    for ours in (part, _state_file(part)):
        if ours.is_symlink():
            raise OSError(f"{ours} is a symbolic link; remove it")
    have = part.stat().st_size if part.is_file() else 0
    version = _read_version(part)
    if have and version:
        request.add_header("Range", f"bytes={have}-")
        request.add_header("If-Range", version)
    try:
        response = urllib.request.build_opener(_SafeRedirects(wanted.url)).open(request, timeout=TIMEOUT_SECONDS)
    except urllib.error.HTTPError as error:
        error.close()
        if error.code != 416 or not have:
            raise
        part.unlink()  # there is more than the server's file is long: begin again
        return _fetch_part(wanted, part)
    with response:
        have = _begins_at(response, have if request.has_header("Range") else 0)
        whole = _whole_length(response, have, wanted)
        _write_version(part, response.headers)
        with (
            open(part, "ab" if have else "wb") as file,
            bar(part.stem, total=whole, initial=have, unit="B", unit_scale=True) as shown,
        ):
            while block := response.read(BLOCK):
                if file.tell() + len(block) > wanted.most_bytes:
                    raise OSError(f"it is longer than {wanted.most_bytes:,} bytes, which is not the file that is known")
                file.write(block)
                shown.update(len(block))
            file.flush()
            os.fsync(file.fileno())
    if whole is not None and part.stat().st_size != whole:
        raise OSError(
            f"the connection broke off at {part.stat().st_size:,} of {whole:,} bytes; run it again to continue"
        )


def _begins_at(response: http.client.HTTPResponse, asked: int) -> int:
    """Where in the file the answer begins: at 0, or where it was asked to.

    Raises:
      OSError: it is another part of the file, or the file in another form.
    """
    place = response.headers.get("Content-Range", "")
    if response.headers.get("Content-Encoding", "identity") != "identity":
        raise OSError(f"the server sent it packed as {response.headers['Content-Encoding']}, which was not asked for")
    if response.status == 206 and asked and place.startswith(f"bytes {asked}-"):
        return asked
    if response.status != 200:
        raise OSError(
            f"the server answered {response.status} with a part that was not asked for ({place or 'unnamed'})"
        )
    return 0


def _whole_length(response: http.client.HTTPResponse, have: int, wanted: Download) -> int | None:
    """Bytes of the whole file, None where the server does not say and a checksum will tell.

    Raises:
      OSError: too many, or nothing would tell whether the file is whole.
    """
    length = response.headers.get("Content-Length")
    if length is None or not length.isascii() or not length.isdigit():
        if wanted.md5 is None:
            raise OSError(
                "the server does not say how long it is and no checksum is published, so a cut would not show"
            )
        return None
    whole = have + int(length)
    if whole > wanted.most_bytes:
        raise OSError(f"it has {whole:,} bytes, more than the {wanted.most_bytes:,} that are expected at most")
    return whole


class _SafeRedirects(urllib.request.HTTPRedirectHandler):
    """Follows only to https, or within this machine from an address on it."""

    def __init__(self, begun: str):
        self.begun = begun

    def redirect_request(self, req: Any, fp: Any, code: int, msg: str, headers: Any, newurl: str) -> Any:
        _refuse_unsafe(newurl, self.begun)
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def _refuse_unsafe(url: str, begun: str) -> None:
    """Raise OSError unless `url` is https, or, like the address `begun` with, of this machine."""
    if urllib.parse.urlsplit(url).scheme != "https" and not (_is_here(url) and _is_here(begun)):
        raise OSError(f"{url} is not https, so what comes from it cannot be trusted")


def _is_here(url: str) -> bool:
    parts = urllib.parse.urlsplit(url)
    with contextlib.suppress(ValueError):
        return parts.scheme == "http" and ipaddress.ip_address(parts.hostname or "").is_loopback
    return parts.scheme == "http" and parts.hostname == "localhost"


def _state_file(part: Path) -> Path:
    return part.with_name(f"{part.name}.json")


def _read_version(part: Path) -> str | None:
    """The ETag or date that the server gave for what is in `part`; without one it cannot be continued safely."""
    with contextlib.suppress(OSError, ValueError):
        version = json.loads(_state_file(part).read_text(encoding="utf-8")).get("version")
        return version if isinstance(version, str) else None
    return None


def _write_version(part: Path, headers: Any) -> None:
    etag = headers.get("ETag")
    strong = etag if etag and not etag.startswith("W/") else None  # a weak ETag does not promise equal bytes
    write_json(_state_file(part), {"version": strong or headers.get("Last-Modified")})


def _check(wanted: Download, path: Path) -> None:
    """Raise InputError if the checksum is not the published one; a file just fetched is then removed."""
    if wanted.md5 is None:
        return
    digest = hashlib.md5(usedforsecurity=False)
    with open(path, "rb") as file:
        while block := file.read(BLOCK):
            digest.update(block)
    if digest.hexdigest() != wanted.md5:
        fetched = path.suffix == ".part"  # a file that was there before is not removed here
        if fetched:
            path.unlink()
            _state_file(path).unlink(missing_ok=True)
        remedy = "it was damaged on the way and has been removed: run it again" if fetched else f"remove {path}"
        raise InputError(
            f"{wanted.file}: md5 {digest.hexdigest()}, but {wanted.md5} is published; {remedy}, "
            f"or {_by_hand(wanted, path.parent)}"
        )


def _reason(error: Exception) -> str:
    if isinstance(error, urllib.error.HTTPError):
        return f"the server answered {error.code} {error.reason}"
    if isinstance(error, urllib.error.URLError):
        return f"cannot be reached ({error.reason})"
    return f"the transfer failed ({error or type(error).__name__})"


def _by_hand(wanted: Download, folder: Path) -> str:
    return f"by hand: fetch {wanted.url}, put it at {folder / wanted.file} and run the same command again"
