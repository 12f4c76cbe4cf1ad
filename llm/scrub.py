"""Personal data, word lists, and text of an evaluation.

Tangled from book/03-cleaning-a-crawl.md: edit the book,
or edit here and run `./build.sh stitch`.
"""

import re
from collections.abc import Iterable
from ipaddress import ip_address

from llm.dedup import shingles, words_of

# %% book/03-cleaning-a-crawl.md#PII
EMAIL = re.compile(r"(?<![\w.+-])[\w.+-]+@[\w-]+(?:\.[\w-]+)+")
PHONE = re.compile(
    r"(?<![\w.+-])(?:"
    r"\+\d{1,3}(?:[ .-]?\(?\d{2,5}\)?){2,4}"  # +44 20 7946 0958
    r"|\(\d{3,5}\)[ .-]?\d{3,4}[ .-]?\d{3,4}"  # (020) 7946 0123
    r"|0\d{2,4}[ .-]\d{3,4}[ .-]\d{3,4}"  # 020 7946 0123
    r"|(?:\d{3}[ .-])?\d{3}[.-]\d{4}"  # 212-555-0142, 555-0142
    r")(?![\w-])"
)
IP = re.compile(
    r"(?<![\w.:])(?:\d{1,3}(?:\.\d{1,3}){3}"
    r"|(?:[0-9a-f]{0,4}:){2,7}[0-9a-f]{0,4})(?![\w:]|\.\d)", re.IGNORECASE
)


def scrub(text: str) -> tuple[str, dict[str, int]]:
    """Put `[email]`, `[phone]` and `[ip]` where such data stood.

    Returns the new text, and how many of each kind were replaced.
    """
    text, emails = EMAIL.subn("[email]", text)
    ips = 0

    def replace(match: re.Match[str]) -> str:
        nonlocal ips
        try:
            ip_address(match[0])
        except ValueError:
            return match[0]
        ips += 1
        return "[ip]"

    text = IP.sub(replace, text)
    text, phones = PHONE.subn("[phone]", text)
    return text, {"email": emails, "phone": phones, "ip": ips}


# %% book/03-cleaning-a-crawl.md#WordList
class WordList:
    """Finds the words of a list in texts: whole words, any case."""

    def __init__(self, words: Iterable[str]) -> None:
        words = sorted(filter(None, map(str.strip, words)))
        either = "|".join(map(re.escape, words)) or r"(?!)"
        self.pattern = re.compile(rf"\b(?:{either})\b", re.IGNORECASE)

    def find(self, text: str) -> str | None:
        """The first listed word in a text, if there is one."""
        match = self.pattern.search(text)
        return match[0].lower() if match else None


# %% book/03-cleaning-a-crawl.md#Decontaminator
class Decontaminator:
    """Finds runs of n words that also occur in an evaluation set.

    An item shorter than n words counts as one run if it has at least
    `shortest` words; shorter ones are ignored.
    """

    def __init__(
        self, items: Iterable[str], n: int = 13, shortest: int = 8
    ) -> None:
        self.n = n
        self.runs: dict[int, set[int]] = {}
        for item in items:
            words = words_of(item)
            size = min(n, len(words))
            if size >= shortest:
                hashes = shingles(words, size).tolist()
                self.runs.setdefault(size, set()).update(hashes)

    def overlap(self, text: str) -> int:
        """How many of the text's runs occur in the evaluation set."""
        words, count = words_of(text), 0
        for size, known in self.runs.items():
            if len(words) >= size:
                runs = shingles(words, size).tolist()
                count += sum(run in known for run in runs)
        return count
