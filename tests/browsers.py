"""A page in a real browser, where there is one: Chromium or Chrome, without a window and without a network."""

import json
import re
import shutil
import subprocess
from html import unescape
from pathlib import Path

import pytest

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
QUIET = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update"),
    *("--disable-sync", "--no-first-run", "--hide-scrollbars", "--virtual-time-budget=5000"),
    "--host-resolver-rules=MAP * ~NOTFOUND",
)
MEASURE = """<!DOCTYPE html><meta charset="utf-8"><iframe src="PAGE" style="width: WIDTHpx; height: 800px; border: 0">
</iframe><pre id="found"></pre><script>
onload = () => {
  const frame = document.querySelector("iframe"), inside = frame.contentDocument, root = inside.documentElement;
  for (const each of inside.querySelectorAll("details")) each.open = true;
  const wide = [...inside.body.querySelectorAll("*")].filter(each => each.getBoundingClientRect().right > WIDTH + 1);
  document.getElementById("found").textContent = JSON.stringify({
    width: root.scrollWidth,
    wide: wide.filter(each => !each.ownerSVGElement).map(each => each.outerHTML.slice(0, 200)),
    requested: frame.contentWindow.performance.getEntriesByType("resource").map(each => each.name),
    headings: [...inside.querySelectorAll("h2")].map(each => each.textContent),
    title: inside.title,
    drawings: [...inside.querySelectorAll("svg")].map(each => each.getBoundingClientRect().width),
  });
};
</script>"""


@pytest.fixture(scope="session")
def browser() -> str:
    """Its program."""
    for name in NAMES:
        if path := shutil.which(name):
            return path
    pytest.skip(f"no browser here ({', '.join(NAMES)})")


def run(browser: str, profile: Path, page: Path, *flags: str) -> str:
    """What the browser prints."""
    command = [browser, *QUIET, f"--user-data-dir={profile}", *flags, page.as_uri()]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, check=True).stdout


def measured(browser: str, folder: Path, page: Path, width: int) -> dict:
    """What a window of this width shows of the page, which itself stays as it is: it lies in a frame."""
    frame = folder / f"frame_{width}.html"
    frame.write_text(MEASURE.replace("PAGE", page.as_uri()).replace("WIDTH", str(width)), encoding="utf-8")
    same = ("--allow-file-access-from-files", "--disable-web-security", "--dump-dom", "--window-size=1300,900")
    dom = run(browser, folder / "profile", frame, *same)
    return json.loads(unescape(re.search('<pre id="found">(.*?)</pre>', dom, re.S)[1]))
