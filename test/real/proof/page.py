"""The commands of docs/install.md, by heading."""

import re


def blocks(text):
    """Heading -> its blocks of commands, unchanged."""
    found = {}
    for part in re.split(r"^#+ ", text, flags=re.MULTILINE)[1:]:
        heading, _, body = part.partition("\n")
        indented = re.findall(r"(?:^    .*\n(?:^\n(?=    ))?)+", body, flags=re.MULTILINE)
        found[heading] = [re.sub(r"^    ", "", block, flags=re.MULTILINE) for block in indented]
    return found


class Page:
    def __init__(self, path):
        self._blocks = blocks(path.read_text(encoding="utf-8"))

    def commands(self, heading, holding):
        """The one block that has `holding` in it, below the heading that begins with `heading`. If there is none, or more, the page has
        changed and the proof must, too."""
        fitting = [block for said, found in self._blocks.items() if said.startswith(heading) for block in found if holding in block]
        if len(fitting) != 1:
            raise SystemExit(f"proof: docs/install.md, '{heading}': {len(fitting)} blocks with '{holding}'")
        return fitting[0]
