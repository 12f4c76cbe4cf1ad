"""Tables in print: ragged columns at the left edge, as wide as their texts need."""

from dataclasses import dataclass, field

from docutils import nodes

from literate.latex_code import docname_of, label, raw

LINE = 80  # characters of a table's type in a line
GUTTER = 2
KEEP = 16  # a table of so many lines is never broken


@dataclass
class Column:
    """A table's column: how it is aligned, and the texts in it."""

    align: str = "l"
    asked: int = 0  # the author's share of the width
    texts: list[str] = field(default_factory=list)

    def add(self, entry: nodes.Element) -> None:
        """Take a cell into account."""
        self.texts.append(entry.astext())
        for name, align in {"text-right": "r", "text-center": "c"}.items():
            if name in entry["classes"]:
                self.align = align

    @property
    def longest(self) -> int:
        """The width that the column would like."""
        return max(
            (len(row) for text in self.texts for row in text.split("\n")), default=0
        )

    @property
    def word(self) -> int:
        """The width that it must have."""
        return max(
            (len(word) for text in self.texts for word in text.split()), default=0
        )


def shares(columns: list[Column], given: bool) -> list[float | None]:
    """The share of the line that each column gets, or None: as wide as its texts."""
    if given:
        return [column.asked / sum(c.asked for c in columns) for column in columns]
    room = LINE - GUTTER * len(columns)
    if sum(column.longest for column in columns) <= room:
        return [None] * len(columns)
    long = [column.longest > room // len(columns) for column in columns]
    pairs = list(zip(columns, long, strict=True))
    left = room - sum(column.longest for column, is_long in pairs if not is_long)
    wishes = [c.longest**0.6 if is_long else 0 for c, is_long in pairs]
    for _ in range(20):  # until each has room for its longest word, if there is any
        words = [(c.word + 1) * sum(wishes) / max(left, 1) for c in columns]
        wishes = [wish and max(wish, w) for wish, w in zip(wishes, words, strict=True)]
    return [wish / sum(wishes) * left / room if wish else None for wish in wishes]


def column_types(columns: list[Column], widths: list[float | None]) -> str:
    """What LaTeX's tabular is told: natural columns, and ragged ones of a width."""
    types = ""
    for column, share in zip(columns, widths, strict=True):
        if share is None:
            types += column.align
        else:
            ragged = {"l": "RaggedRight", "r": "RaggedLeft", "c": "Centering"}
            width = rf"{share:.4f}\linewidth"
            width += rf"-{2 * (len(columns) - 1) * share:.4f}\tabcolsep"
            types += rf">{{\{ragged[column.align]}\arraybackslash}}"
            types += rf"p{{\dimexpr {width}\relax}}"
    return types


def height(columns: list[Column], widths: list[float | None]) -> int:
    """About how many lines the rows take."""
    lines = [
        [-(-len(text) // int(share * LINE)) if share else 1 for text in column.texts]
        for column, share in zip(columns, widths, strict=True)
    ]
    return sum(map(max, zip(*lines, strict=True)))


def tabulate(table: nodes.table) -> nodes.inline:
    """A table as a tabular in one piece, or as a longtable if it is long."""
    group = next(iter(table.findall(nodes.tgroup)))
    rows = list(group.findall(nodes.row))
    columns = [Column(asked=spec["colwidth"]) for spec in group.findall(nodes.colspec)]
    for row in rows:
        for column, entry in zip(columns, row.children, strict=True):
            assert isinstance(entry, nodes.Element)
            column.add(entry)
    widths = shares(columns, "colwidths-given" in table["classes"])
    types = column_types(columns, widths)
    head = sum(
        len(list(part.findall(nodes.row))) for part in group.findall(nodes.thead)
    )
    cells = [row_nodes(row, number < head) for number, row in enumerate(rows)]
    title = next(iter(table.findall(nodes.title)), None)
    marks = "".join(rf"\label{{{label(docname_of(table), i)}}}" for i in table["ids"])
    apart = "2.5pt" if height(columns, widths) > len(rows) else "0pt"
    for number, row in enumerate(cells):
        title_row = sum(bool(entry.astext()) for entry in rows[number].children) == 1
        close = title_row or number == len(rows) - 2  # no page ends after this row
        skip = r"\nobreak" if close else ""
        skip += rf"\vskip{apart if number >= head else '0pt'}\relax"
        row.append(
            raw(r"\\ " + (rf"\noalign{{{skip}}}" if number < len(rows) - 1 else ""))
        )
    heading = [raw(r"\toprule "), *(node for row in cells[:head] for node in row)]
    heading.append(raw(r"\midrule " if head else ""))
    rest = [node for row in cells[head:] for node in row]
    out: list[nodes.Node] = []
    if height(columns, widths) <= KEEP:
        if title:
            out = [raw(r"\bookcaption{"), *title.children, raw(rf"}}{{{marks}}}")]
        begin, end = rf"\begin{{booktable}}{{{types}}}", r"\end{booktable}"
        out = [raw(r"\begin{bookwhole}"), *out, raw(begin), *heading, *rest]
        return nodes.inline("", "", *out, raw(rf"\bottomrule{end}\end{{bookwhole}}"))
    if title:
        out = [raw(r"\caption{"), *title.children, raw(rf"}}{marks}\\ ")]
        out += [*(node.deepcopy() for node in heading), raw(r"\endfirsthead ")]
    out.insert(0, raw(rf"\begin{{booklongtable}}{{{types}}}"))
    out += [*heading, raw(r"\endhead "), *rest]
    return nodes.inline("", "", *out, raw(r"\bottomrule\end{booklongtable}"))


def row_nodes(row: nodes.row, head: bool) -> list[nodes.Node]:
    """The cells of a row, with what stands between them."""
    out: list[nodes.Node] = []
    for i, entry in enumerate(row.children):
        assert isinstance(entry, nodes.Element)
        inline = len(entry) == 1 and isinstance(entry[0], nodes.paragraph)
        content = entry.children[0].children if inline else entry.children
        out.append(raw((" & " if i else "") + (r"\bookth{" if head else "")))
        out += [*content, raw("}" if head else "")]
    return out


def simple(table: nodes.table) -> bool:
    """Has it no cell over several rows or columns?"""
    entries = list(table.findall(nodes.entry))
    spans = any("morecols" in e or "morerows" in e for e in entries)
    return not spans and len(list(table.findall(nodes.tgroup))) == 1
