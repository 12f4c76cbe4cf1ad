"""The mark of the book: a page of prose and a page of code, in logo.svg."""

from pathlib import Path

PROSE = ((5, 9), (5, 9), (5, 9), (5, 6))  # where a line begins, and its length
CODE = ((18, 9), (20, 7), (20, 5), (18, 6))


def bars(lines: tuple[tuple[int, int], ...], colour: str) -> str:
    """Lines of text as they look from afar."""
    rows = "".join(
        f'<rect x="{x}" y="{7.5 + 5 * row}" width="{width}" height="2.2"/>'
        for row, (x, width) in enumerate(lines)
    )
    return f'<g fill="{colour}">{rows}</g>'


def draw() -> str:
    """The mark as an SVG of 32 by 32."""
    return (
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32">'
        "<title>The Literate LLM</title>"
        '<rect width="32" height="32" rx="3" fill="#f6f4ef"/>'
        '<path d="M16 3v26" stroke="#cfc9be" stroke-width="1"/>'
        f"{bars(PROSE, '#1d2733')}{bars(CODE, '#b0440b')}</svg>\n"
    )


if __name__ == "__main__":
    Path(__file__).with_suffix(".svg").write_text(draw(), encoding="utf-8")
