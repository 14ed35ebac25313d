"""Draw the rooms of the package and what they import, from the code: `docs/_static/rooms.svg`.

`python docs/draw_rooms.py` writes the picture; a test compares it with the code.
"""

import ast
from pathlib import Path
from xml.sax.saxutils import escape

PACKAGE = Path(__file__).resolve().parent.parent / "sklearn_ae"
PICTURE = Path(__file__).resolve().parent / "_static" / "rooms.svg"

# From the top.
ROOMS = (
    *("deployment", "inspection", "autoencoder", "thresholds"),
    *("metrics", "maps", "datasets", "_base"),
)
LEFT, WIDTH, HEIGHT, GAP, TOP = 14, 270, 46, 22, 82
TOTAL = (LEFT + WIDTH + 140, TOP + len(ROOMS) * (HEIGHT + GAP))


def find_imports():
    """Return for each room the other rooms that its modules import, in functions too."""
    imports = {room: set() for room in ROOMS}
    for room in ROOMS:
        for path in (PACKAGE / room).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if not isinstance(node, ast.ImportFrom) or not node.module:
                    continue
                package, *rest = node.module.split(".")
                named = rest[:1] or [alias.name for alias in node.names]
                if package == "sklearn_ae":
                    imports[room] |= {name for name in named if name in ROOMS and name != room}
    return imports


def find_purpose(room):
    """Return the first line of the docstring of a room."""
    docstring = ast.get_docstring(ast.parse((PACKAGE / room / "__init__.py").read_text("utf-8")))
    return docstring.splitlines()[0].rstrip(".")


def draw():
    """Return the picture as text."""
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {TOTAL[0]} {TOTAL[1]}" '
        f'width="{TOTAL[0]}" height="{TOTAL[1]}" font-family="Helvetica, Arial, sans-serif" '
        'font-size="14" fill="#1f2933">',
        "<title>The rooms of the package, and which imports which</title>",
        '<defs><marker id="tip" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" '
        'markerHeight="7" orient="auto"><path d="M0 0 L8 4 L0 8 Z" fill="#0072B2"/></marker>'
        "</defs>",
        f'<rect width="{TOTAL[0]}" height="{TOTAL[1]}" rx="8" fill="#ffffff"/>',
        f'<text x="{LEFT}" y="26" font-size="16" font-weight="bold">Eight rooms</text>',
        f'<text x="{LEFT}" y="46" font-size="12.5" fill="#5f6b76">Arrows lead to what a room '
        "imports, always below it.</text>",
        f'<text x="{LEFT}" y="63" font-size="12.5" fill="#5f6b76">All rooms import _base.</text>',
    ]
    imports = find_imports()
    below = {room: TOP + i * (HEIGHT + GAP) for i, room in enumerate(ROOMS)}
    for room, y in below.items():
        parts += [
            f'<rect x="{LEFT}" y="{y}" width="{WIDTH}" height="{HEIGHT}" rx="5" fill="#eef4f9" '
            'stroke="#0072B2" stroke-width="1.5"/>',
            f'<text x="{LEFT + 10}" y="{y + 19}" font-weight="bold">{room}</text>',
            f'<text x="{LEFT + 10}" y="{y + 36}" font-size="11" fill="#5f6b76">'
            f"{escape(find_purpose(room))}</text>",
        ]
        # Of all others it is said in words: seven more arrows would hide these.
        targets = [other for other in ROOMS if other in imports[room] and other != "_base"]
        for rank, other in enumerate(targets):
            start = y + HEIGHT - 6 - 5 * rank
            end = below[other] + 8 + 4 * min(ROOMS.index(room), 7)
            steps = ROOMS.index(other) - ROOMS.index(room)
            bend = LEFT + WIDTH + 18 + 24 * steps
            x = LEFT + WIDTH
            parts.append(
                f'<path d="M{x} {start} C{bend} {start} {bend} {end} {x + 2} {end}" fill="none" '
                'stroke="#0072B2" stroke-width="1.3" marker-end="url(#tip)"/>'
            )
    return "\n".join([*parts, "</svg>"]) + "\n"


if __name__ == "__main__":
    PICTURE.write_text(draw(), encoding="utf-8")
