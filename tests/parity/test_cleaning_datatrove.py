"""The pipeline on datatrove keeps the documents that ours keeps, to the letter."""

import gzip
import json
import warnings
from itertools import islice

import pytest

pytest.importorskip("fastwarc")
pytest.importorskip("resiliparse")
pytest.importorskip("datatrove")
pytest.importorskip("orjson")

from llm.cleaning import CleanOptions, clean
from llm.cleaning_datatrove import datatrove_pipelines
from llm.quality import train_quality
from llm.village import Village
from llm.village_crawl import write_crawl


@pytest.mark.parametrize("with_models", [False, True])
def test_datatrove_keeps_what_we_keep(tmp_path, with_models):
    from datatrove.executor import LocalPipelineExecutor

    crawl, _ = write_crawl(tmp_path, Village().stories(), pages=400, seed=3)
    options = CleanOptions()
    if with_models:
        texts = [story.text for story in islice(Village(seed=4).stories(), 60)]
        train_quality(texts, ["buy boots " * 30]).save(tmp_path / "quality")
        (tmp_path / "items").write_text("\n".join(texts[:9]), encoding="utf-8")
        (tmp_path / "words").write_text("almanac\n", encoding="utf-8")
        options = CleanOptions(
            quality=tmp_path / "quality",
            evaluation=tmp_path / "items",
            block=tmp_path / "words",
        )
    counts = clean([crawl], tmp_path / "ours", options, size=150)["counts"]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        pipelines = datatrove_pipelines([crawl], tmp_path / "theirs", options)
        for number, pipeline in enumerate(pipelines):
            logs = str(tmp_path / "logs" / str(number))
            executor = LocalPipelineExecutor(pipeline, workers=1, logging_dir=logs)
            executor.run()
    found = []
    for path in sorted((tmp_path / "theirs/documents").glob("*.jsonl.gz")):
        with gzip.open(path, "rt", encoding="utf-8") as file:
            rows = map(json.loads, file)
            found += [(r["id"], r["metadata"]["url"], r["text"]) for r in rows]
    with (tmp_path / "ours/documents.jsonl").open(encoding="utf-8") as file:
        ours = [tuple(json.loads(line).values()) for line in file]
    assert found == ours
    assert len(ours) > 50
    broken = tmp_path / "theirs/rejected" / crawl.name / "reasons.jsonl"
    assert len(broken.read_text().splitlines()) == counts["broken"]
