"""The works that the book cites, from `book/references.bib`, as Markdown."""

import re
from collections.abc import Iterable

from pybtex.backends.markdown import Backend
from pybtex.database import BibliographyData, parse_file
from pybtex.exceptions import PybtexError
from pybtex.plugin import find_plugin
from pybtex.richtext import Text

from literate.book import LiterateError


class Works:
    """A bibliography, by key."""

    def __init__(self, data: BibliographyData) -> None:
        self.data = data

    @classmethod
    def read(cls, path: str) -> "Works":
        """Read a BibTeX file."""
        try:
            return cls(parse_file(path, "bibtex"))
        except PybtexError as error:
            line = getattr(error, "lineno", None) or 1
            raise LiterateError(path, line, str(error)) from None

    def __contains__(self, key: str) -> bool:
        return key in self.data.entries

    def cite(self, key: str) -> tuple[str, str]:
        """Who wrote a work, and when: `Sennrich et al.` and `2016`."""
        entry = self.data.entries[key]
        people = entry.persons.get("author") or entry.persons.get("editor") or []
        names = [" ".join(one.prelast_names + one.last_names) for one in people]
        names = [
            str(Text.from_latex(name)) for name in names or [entry.fields["title"]]
        ]
        if len(names) > 2 or names[-1] == "others":
            names = [f"{names[0]} et al."]
        return " and ".join(names), entry.fields.get("year", "n.d.")

    def listed(self, keys: Iterable[str]) -> list[str]:
        """Some works in full, sorted by author."""
        style = find_plugin("pybtex.style.formatting", "plain")()
        entries = [self.data.entries[key] for key in keys]
        works = style.format_entries(entries, self.data)
        return [" ".join(work.text.render(_Prose()).split()) for work in works]


class _Prose(Backend):
    """Markdown that escapes only what Markdown would take for markup."""

    def format_str(self, str_: str) -> str:
        return re.sub(r"([*_`\\\[\]<])", r"\\\1", str_)
