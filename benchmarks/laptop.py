"""What `llm pretrain` makes of a text in some minutes, and what it writes then.

    python benchmarks/laptop.py tinyshakespeare.txt [--minutes 1 3 10] [--prompt ROMEO:]

Each run is the command as a reader would type it, in a process and a folder of its own.
Kept are the sizes that it chose, the loss on the last tenth of the text, which it never
trains on, and the beginning of a sample (seed 0, temperature 0.8).
"""

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path

from common import FOLDER, machine, write_record


def llm(*words: str) -> str:
    command = [sys.executable, "-m", "llm", *words]
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout


def run(text: Path, minutes: float, prompt: str, folder: Path) -> dict[str, object]:
    out = str(folder / f"{minutes:g}")
    llm("pretrain", "--data", str(text), "--minutes", f"{minutes:g}", "--out", out)
    result = json.loads((Path(out) / "result.json").read_text())
    recipe = json.loads((Path(out) / "recipe.json").read_text())["recipe"]
    wanted = ["--prompt", prompt, "--length", "120", "--temperature", "0.8"]
    return {
        "minutes": minutes,
        "layers": recipe["model"]["n_layers"],
        "width": recipe["model"]["d_model"],
        "vocabulary": recipe["model"]["vocab_size"],
        "steps": recipe["steps"],
        "tokens": result["tokens"],
        "seconds_of_training": result["seconds"],
        "nats_per_byte": round(result["validation/nats_per_byte"], 3),
        "sample": llm("sample", out, *wanted).strip(),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("text", type=Path)
    parser.add_argument("--minutes", type=float, nargs="+", default=[1, 3, 10])
    parser.add_argument("--prompt", default="ROMEO:")
    parser.add_argument("--out", type=Path, default=FOLDER / "records")
    options = parser.parse_args()
    runs = []
    with tempfile.TemporaryDirectory() as folder:
        for minutes in options.minutes:
            runs.append(run(options.text, minutes, options.prompt, Path(folder)))
            print(json.dumps(runs[-1], indent=1, ensure_ascii=False))
    record = {"machine": machine("torch"), "text": options.text.stem, "runs": runs}
    write_record("laptop", record, options.out)


if __name__ == "__main__":
    main()
