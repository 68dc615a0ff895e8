# SPDX-License-Identifier: GPL-3.0-or-later
"""Draws one command of an asciicast as an SVG: still.py CAST SVG COMMAND [LINES]. It shows the command and the last LINES of what it printed."""

import html
import json
import re
import sys

# In parts, because this line is none of this file's.
LICENCE = "-".join(("SPDX", "License", "Identifier: GPL-3.0-or-later"))

COLOURS = {"31": "#ff7b72", "32": "#7ee787", "33": "#e3b341", "34": "#79c0ff", "35": "#d2a8ff", "36": "#76e3ea", "90": "#8b949e"}
WIDE, HIGH, MARGIN = 8.43, 19, 18


def screen(path):
    """The lines of the recording, colours included, and its width."""
    with open(path, encoding="utf-8") as file:
        head, *events = map(json.loads, file)
    text = "".join(event[2] for event in events)
    return text.replace("\r", "").split("\n"), head["width"]


def plain(line):
    return re.sub(r"\x1b\[[0-9;]*m", "", line)


def of_command(lines, command, count):
    """The command's own line and the last ones of what it printed."""
    start = next(number for number, line in enumerate(lines) if plain(line) == f"$ {command}")
    end = next((number for number in range(start + 1, len(lines)) if plain(lines[number]).startswith("$ ")), len(lines))
    said = lines[start + 1 : end]
    while said and not plain(said[-1]).strip():
        said.pop()
    cut = len(said) > count
    return [lines[start], *(["\x1b[90m...\x1b[0m"] if cut else []), *said[-count:]]


def spans(line):
    """A line as text of one colour after the other."""
    colour, bold = "#e6edf3", False
    for part in re.split(r"(\x1b\[[0-9;]*m)", line):
        if not part.startswith("\x1b"):
            if part:
                weight = ' font-weight="bold"' if bold else ""
                yield f'<tspan fill="{colour}"{weight}>{html.escape(part)}</tspan>'
            continue
        for code in part[2:-1].split(";"):
            if code in ("", "0"):
                colour, bold = "#e6edf3", False
            elif code == "1":
                bold = True
            else:
                colour = COLOURS.get(code, colour)


def main(cast, picture, command, count="24"):
    lines, width = screen(cast)
    shown = of_command(lines, command, int(count))
    wide, high = round(max(width, *(len(plain(line)) for line in shown)) * WIDE + 2 * MARGIN), len(shown) * HIGH + 2 * MARGIN + 22
    rows = [
        f'<text x="{MARGIN}" y="{MARGIN + 36 + number * HIGH}" xml:space="preserve">{"".join(spans(line))}</text>'
        for number, line in enumerate(shown)
    ]
    dots = "".join(f'<circle cx="{MARGIN + 6 + 20 * number}" cy="18" r="6" fill="#3d444d"/>' for number in range(3))
    with open(picture, "w", encoding="utf-8") as file:
        file.write(
            f"<!-- {LICENCE} -->\n"
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {wide} {high}" role="img" aria-label="{html.escape(command)}">\n'
            f'<rect width="{wide}" height="{high}" rx="10" fill="#0d1117"/>\n{dots}\n'
            '<g font-family="ui-monospace, SFMono-Regular, Menlo, Consolas, \'DejaVu Sans Mono\', monospace" font-size="14">\n'
            + "\n".join(rows)
            + "\n</g>\n</svg>\n"
        )


main(*sys.argv[1:])
