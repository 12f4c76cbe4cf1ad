"""What our hook writes, read by TensorBoard itself."""

import sys

import pytest
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from llm.validation import tensorboard


def test_tensorboard_reads_what_the_hook_writes(tmp_path):
    hook = tensorboard(tmp_path)
    for step, loss in ((10, 2.5), (20, 1.25)):
        hook(None, {"step": step, "loss": loss, "sample/0": f"text {step}"})
    events = EventAccumulator(str(tmp_path)).Reload()
    points = [(e.step, e.value) for e in events.Scalars("loss")]
    assert points == [(10, 2.5), (20, 1.25)]
    (name,) = (tag for tag in events.Tags()["tensors"] if "sample/0" in tag)
    texts = [e.tensor_proto.string_val[0].decode() for e in events.Tensors(name)]
    assert texts == ["text 10", "text 20"]


def test_without_tensorboard_a_sentence_names_the_remedy(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "torch.utils.tensorboard", None)
    with pytest.raises(ImportError, match=r"pip install 'literate-llm\[train\]'"):
        tensorboard(tmp_path)
