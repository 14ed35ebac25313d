"""Check that every link inside a built site leads somewhere.

    python docs/check_links.py docs/_build/html

Reads the HTML alone, nothing of the network: links to other sites are left to their readers. A
link, a picture, a script or a style sheet must name a file of the site, and what follows a `#` an
element of that page.
"""

import sys
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

# Attributes that name another file. Those of forms and of `srcset` are not used by the theme.
_LINKING = {"href", "src"}
# Holds templates of the theme, which are no pages.
_STATIC = "_static"


class _Page(HTMLParser):
    """What a page links to, and what in it can be linked to."""

    def __init__(self, path):
        super().__init__()
        self.links, self.anchors = [], set()
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag, attrs):
        for name, value in attrs:
            if name == "id" or (tag == "a" and name == "name"):
                self.anchors.add(value)
            elif name in _LINKING and value:
                self.links.append((self.getpos()[0], value))


def broken_links(site):
    """Find links of a site that lead nowhere.

    Parameters
    ----------
    site : pathlib.Path
        Folder of the HTML.

    Returns
    -------
    broken : list of str
        "page:line: link", in the order of the pages.
    """
    site = site.resolve()
    pages = {path: _Page(path) for path in _pages_of(site)}
    return [
        f"{path.relative_to(site)}:{line}: {link}"
        for path, page in pages.items()
        for line, link in page.links
        if not _leads_somewhere(path, link, pages)
    ]


def _pages_of(site):
    return [p for p in sorted(site.rglob("*.html")) if _STATIC not in p.relative_to(site).parts]


def _leads_somewhere(path, link, pages):
    parts = urlsplit(link)
    if parts.scheme or parts.netloc:
        return True
    target = (path.parent / unquote(parts.path)).resolve() if parts.path else path
    if target.is_dir():
        target /= "index.html"
    if not target.is_file():
        return False
    if not parts.fragment or target not in pages:
        return True
    return unquote(parts.fragment) in pages[target].anchors


def main():
    (site,) = map(Path, sys.argv[1:])
    n_pages = len(_pages_of(site))
    if not n_pages:
        sys.exit(f"No pages in {site}: build the site first.")
    broken = broken_links(site)
    print(*broken, f"{n_pages} pages, {len(broken)} broken links", sep="\n")
    sys.exit(bool(broken))


if __name__ == "__main__":
    main()
