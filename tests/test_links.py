"""The checker of the documentation's links finds what leads nowhere, and nothing else."""

import subprocess
import sys
from pathlib import Path

import pytest

CHECKER = Path(__file__).resolve().parent.parent / "docs" / "check_links.py"


def run_checker(site):
    command = [sys.executable, str(CHECKER), str(site)]
    return subprocess.run(command, capture_output=True, check=False, encoding="utf-8")


@pytest.fixture
def check(tmp_path):
    """Check a site of two pages, of which the first has the given body."""

    def run(body):
        (tmp_path / "folder").mkdir()
        (tmp_path / "index.html").write_text(f"<body>{body}</body>", encoding="utf-8")
        (tmp_path / "folder" / "page.html").write_text(
            '<h1 id="größe">Size</h1><a href="../index.html">up</a>', encoding="utf-8"
        )
        return run_checker(tmp_path)

    return run


@pytest.mark.parametrize(
    "body",
    [
        '<a href="folder/page.html">a page</a>',
        '<a href="folder/page.html#gr%C3%B6%C3%9Fe">an element of it</a>',
        '<p id="here"><a href="#here">an element of this page</a>',
        '<a href="https://example.org/nowhere">another site</a>',
        '<a href="mailto:nobody@example.org">an address</a>',
    ],
)
def test_good_links_pass(check, body):
    result = check(body)
    assert result.returncode == 0, result.stdout + result.stderr


@pytest.mark.parametrize(
    "link", ["folder/other.html", "folder/page.html#width", "#nowhere", "../outside.html"]
)
def test_broken_link_is_named_with_its_page_and_line(check, link):
    result = check(f'<p>\n<a href="{link}">nowhere</a>')
    assert result.returncode == 1
    assert f"index.html:2: {link}" in result.stdout


def test_missing_picture_is_broken(check):
    assert "index.html:1: picture.png" in check('<img src="picture.png">').stdout


def test_folder_without_pages_is_an_error(tmp_path):
    assert run_checker(tmp_path).returncode != 0
