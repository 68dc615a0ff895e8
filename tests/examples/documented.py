# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every example of the documentation, as it is written: of the plugins' pages, the guides and the READMEs."""

from __future__ import annotations

import pathlib
import re
import textwrap

import yaml

TOP = pathlib.Path(__file__).resolve().parents[2]
TEXTS = sorted([TOP / "README.md", *TOP.glob("roles/*/README.md"), *TOP.glob("docs/docsite/rst/*.rst")])
PLAYBOOKS = sorted(TOP.glob("playbooks/*.yml"))
PAGES = sorted(
    path for pattern in ("modules/*.py", "filter/*.yml", "inventory/*.py", "lookup/*.py") for path in TOP.glob("plugins/" + pattern)
)

# Fenced in Markdown, indented in reStructuredText.
FENCED = re.compile(r"^```(\w*)\n(.*?)^```", re.M | re.S)
INDENTED = re.compile(r"^\.\. code-block:: (\w+)\n\n((?:(?: {4}.*)?\n)+)", re.M)
# A command in the middle of a sentence, in either.
INLINE = re.compile(r"(?<!`)`{1,2}(ansible-playbook [^`]+)`")
# The head of a playbook; what may be left out is in brackets.
HEADS = re.compile(r"^#.*?(ansible-playbook .*)$", re.M)


def of_page(path):
    """What a plugin's page shows as its examples."""
    source = path.read_text()
    if path.suffix == ".yml":
        return yaml.safe_load(source)["EXAMPLES"]
    return re.search(r'^EXAMPLES = r?"""\n(.*?)^"""', source, re.M | re.S)[1]


def blocks(text):
    """The blocks of a guide or README: (language, content)."""
    yield from FENCED.findall(text)
    for language, block in INDENTED.findall(text):
        yield language, textwrap.dedent(block)


def tasks(text):
    """Every task of a list of tasks, by its name, each as it is written."""
    written = re.split(r"^(?=- )", text, flags=re.M)
    return [(yaml.safe_load(task)[0]["name"], task.rstrip() + "\n") for task in written if task.startswith("- ")]


def commands(block):
    """The commands of a block, without prompt and comment."""
    lines = [line.split("  #")[0].strip() for line in block.splitlines()]
    if any(line.startswith("$ ") for line in lines):
        lines = [line.removeprefix("$ ") for line in lines if line.startswith("$ ")]
    return [line for line in lines if line]


def of_text(text):
    """What a guide or README shows: each block of YAML under its first line, each command under itself."""
    for language, block in blocks(text):
        if language == "yaml":
            yield block.splitlines()[0], block
        else:
            yield from ((command, command) for command in commands(block))
    for command in INLINE.findall(FENCED.sub("", text)):
        yield command, command


def all_examples():
    """Every example, as (page, name, text); a page is a plugin's name, or a text's path."""
    for path in PAGES:
        text = of_page(path)
        yield from ((path.stem, name, task) for name, task in tasks(text) or [("", text)])
    for path in TEXTS:
        yield from ((str(path.relative_to(TOP)), name, text) for name, text in of_text(path.read_text()))
    for path in PLAYBOOKS:
        for command in HEADS.findall(path.read_text()):
            words = command.replace("[", "").replace("]", "")
            yield str(path.relative_to(TOP)), words, words
