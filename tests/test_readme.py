"""The Python code of the README runs as printed, and its links lead somewhere."""

import re
from pathlib import Path

import pytest

README = Path(__file__).resolve().parent.parent / "README.md"
LINK = re.compile(r"\]\(([^)#\s]+)")
PYTHON_BLOCK = re.compile(r"^```python\n(.*?)^```", re.MULTILINE | re.DOTALL)


def test_python_blocks_run_in_order(tmp_path, monkeypatch):
    """One namespace for all blocks, as for a reader who types them one after the other."""
    pyplot = pytest.importorskip("matplotlib.pyplot", reason="the README draws with matplotlib")
    monkeypatch.chdir(tmp_path)
    text = README.read_text(encoding="utf-8")
    blocks = list(PYTHON_BLOCK.finditer(text))
    assert blocks, "README.md shows no Python code"
    namespace = {"__name__": "__main__"}
    for block in blocks:
        # The empty lines make tracebacks give the README's own line numbers.
        lines_before = text.count("\n", 0, block.start(1))
        code = "\n" * lines_before + block.group(1)
        exec(compile(code, str(README), "exec"), namespace)
    pyplot.close("all")


@pytest.mark.parametrize("page", sorted(README.parent.glob("*.md")), ids=lambda page: page.name)
def test_links_lead_somewhere(page):
    links = LINK.findall(page.read_text(encoding="utf-8"))
    files = [link for link in links if "://" not in link]
    assert [file for file in files if not (page.parent / file).exists()] == []
