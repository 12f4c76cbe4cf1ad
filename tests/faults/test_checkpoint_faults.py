"""Checkpoints under fire: kills, cut and changed files, a full disk, bad numbers."""

import json
import math
import os
import random
import signal
import subprocess
import sys
import threading
import time
import warnings

import pytest
import torch
from matplotlib.figure import Figure
from torch import nn

from llm.checkpoint import (
    MANIFEST,
    REST,
    TENSORS,
    checkpoints,
    describe,
    load_latest,
    load_model,
    read_state,
    save_checkpoint,
    save_model,
)
from llm.config import preset
from llm.metrics_log import read_metrics
from llm.model import Transformer
from llm.tokenizer import train_bpe
from llm.train_config import TrainConfig
from llm.trainer import BadLossError, Trainer
from llm.validation import draw_curves

posix = pytest.mark.skipif(os.name == "nt", reason="needs fork and signals")
SIZES = {"n_layers": 1, "n_heads": 2, "d_model": 8, "d_ff": 16, "max_seq_len": 8}


class Counter:
    """An endless loader of numbers that knows where it stands."""

    def __init__(self):
        self.used = 0

    def __next__(self):
        self.used += 1
        generator = torch.Generator().manual_seed(self.used)
        return torch.randn(4, 8, generator=generator)

    def state_dict(self):
        return {"used": self.used}

    def load_state_dict(self, state):
        self.used = state["used"]


def make(run, steps=60, **options):
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(8, 32), nn.Dropout(0.3), nn.Linear(32, 8))
    optimizer = torch.optim.AdamW(model.parameters(), lr=0.01)
    for group in optimizer.param_groups:
        group["initial_lr"] = group["lr"]
    rest = {k: options.pop(k) for k in ("hooks", "evaluations") if k in options}
    loss_fn = options.pop("loss_fn", lambda model, x: (model(x) - x).square().mean())
    config = TrainConfig(steps=steps, show_progress=False, log_every=1, **options)
    return Trainer(
        *(model, loss_fn, Counter(), optimizer),
        *(lambda step: 1 - step / 60, config, run),
        count=len,
        **rest,
    )


def state(number):
    return {"weights": torch.full((50,), float(number)), "step": number}


def losses(run):
    return [row["loss"] for row in read_metrics(run)]


@posix
def test_kills_at_random_moments_leave_no_trace(tmp_path):
    """A dozen here, two hundred in benchmarks/kills.py."""
    whole = make(tmp_path / "whole")
    whole.train()
    run, draws = tmp_path / "killed", random.Random(0)
    for _ in range(12):
        if (child := os.fork()) == 0:
            try:
                one = make(run, save_every=1)
                one.resume()
                one.train()
            finally:
                os._exit(0)
        time.sleep(draws.random() * 0.1)
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            load_latest(run / "state")
    again = make(run, save_every=1)
    again.resume()
    again.train()
    assert losses(run) == losses(tmp_path / "whole")
    pairs = zip(whole.model.parameters(), again.model.parameters(), strict=True)
    assert all(torch.equal(one, other) for one, other in pairs)


def test_every_cut_of_every_file_is_noticed(tmp_path):
    save_checkpoint(tmp_path, 1, state(1))
    newest = save_checkpoint(tmp_path, 2, state(2))
    for name in (TENSORS, REST, MANIFEST):
        path = newest / name
        good = path.read_bytes()
        for bad in (b"", good[:1], good[:-1], good[: len(good) // 2], good + b" "):
            if name == MANIFEST and bad == good + b" ":
                continue
            path.write_bytes(bad)
            with pytest.warns(UserWarning, match="step-00000002"):
                step, found = load_latest(tmp_path)
            assert step == 1
            assert found["weights"][0] == 1
        path.unlink()
        with pytest.warns(UserWarning, match="using step-00000001"):
            assert load_latest(tmp_path)[0] == 1
        path.write_bytes(good)
    assert load_latest(tmp_path)[0] == 2


def test_every_flipped_bit_of_the_data_is_noticed(tmp_path):
    path = save_checkpoint(tmp_path, 1, state(1))
    draws = random.Random(0)
    for name in (TENSORS, REST):
        good = (path / name).read_bytes()
        for _ in range(40):
            at, bit = draws.randrange(len(good)), draws.randrange(8)
            bad = bytearray(good)
            bad[at] ^= 1 << bit
            (path / name).write_bytes(bad)
            with pytest.raises(ValueError, match="changed since"):
                read_state(path)
        (path / name).write_bytes(good)


@pytest.mark.parametrize(
    "manifest",
    [
        "[]",
        "{}",
        '{"step": 1, "files": {}}',
        '{"step": 1, "files": []}',
        '{"step": 1, "files": {"state.safetensors": 3, "state.json": 4}}',
        "\x00",
    ],
)
def test_a_forged_manifest_is_a_sentence_not_a_traceback(tmp_path, manifest):
    path = save_checkpoint(tmp_path, 1, state(1))
    (path / MANIFEST).write_text(manifest)
    with pytest.raises(ValueError, match="no checkpoint is whole"):
        load_latest(tmp_path)


def test_a_forged_state_runs_nothing(tmp_path):
    """Someone who can compute checksums still can't make us run anything."""
    path = save_checkpoint(tmp_path, 1, state(1))
    for content in (
        {"tensor": "absent"},
        {"object": "os.system"},
        {"items": [["a"]]},
        {"array": [1], "dtype": "object_"},
        {"array": ["x"], "dtype": "float64"},
        {"array": [300], "dtype": "uint8"},
        {"array": [10**30], "dtype": "int64"},
        {"items": [[[1], 2]]},
    ):
        (path / REST).write_text(json.dumps({"items": [["x", content]]}))
        manifest = json.loads((path / MANIFEST).read_text())
        manifest["files"][REST] = describe(path / REST)
        (path / MANIFEST).write_text(json.dumps(manifest))
        with pytest.raises(ValueError, match="whole"):
            load_latest(tmp_path)


def test_all_damaged_is_an_error_and_none_is_none(tmp_path):
    assert load_latest(tmp_path / "absent") is None
    for step in (1, 2):
        (save_checkpoint(tmp_path, step, state(step)) / REST).unlink()
    with pytest.raises(ValueError, match="no checkpoint is whole"):
        load_latest(tmp_path)


def test_the_last_k_are_kept_and_litter_is_swept(tmp_path):
    litter = tmp_path / ".step-00000009.123"
    litter.mkdir(parents=True)
    for step in range(1, 6):
        save_checkpoint(tmp_path, step, state(step), keep=3)
    assert [p.name[-1] for p in checkpoints(tmp_path)] == ["5", "4", "3"]
    assert not litter.exists()


def test_the_same_step_may_be_saved_again(tmp_path):
    save_checkpoint(tmp_path, 1, state(1))
    save_checkpoint(tmp_path, 1, state(7))
    assert load_latest(tmp_path)[1]["step"] == 7
    assert len([*tmp_path.iterdir()]) == 1


@posix
def test_a_full_disk_leaves_the_old_checkpoint(tmp_path):
    """Files longer than 4 kB can't be written: saving fails, nothing is lost."""
    program = (
        "import resource, sys, torch\n"
        "from llm.checkpoint import load_latest, save_checkpoint\n"
        "folder = sys.argv[1]\n"
        "save_checkpoint(folder, 1, {'weights': torch.ones(10)})\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))\n"
        "try:\n"
        "    save_checkpoint(folder, 2, {'weights': torch.ones(10_000)})\n"
        "except OSError as error:\n"
        "    assert 'make room' in str(error), error\n"
        "    print('said')\n"
        "assert load_latest(folder)[0] == 1\n"
    )
    command = [sys.executable, "-c", program, str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (0, "said\n"), done.stderr
    assert os.listdir(tmp_path) == ["step-00000001"]


def test_a_failing_write_is_a_sentence_and_training_can_resume(tmp_path, monkeypatch):
    run = tmp_path / "run"
    one = make(run, save_every=20)

    def full(path):
        raise OSError(28, "No space left on device")

    def hook(trainer, row):
        if row["step"] == 25:
            monkeypatch.setattr("llm.checkpoint.flush", full)

    one.hooks = [hook]
    with pytest.raises(OSError, match="step 40 couldn't be saved"):
        one.train()
    monkeypatch.undo()
    again = make(run, save_every=20)
    assert again.resume()
    assert again.step == 20
    again.train()
    make(tmp_path / "whole").train()
    assert losses(run) == losses(tmp_path / "whole")


@pytest.mark.parametrize("bad", [float("nan"), float("inf"), -float("inf")])
def test_a_bad_loss_stops_before_the_step(tmp_path, bad):
    def loss_fn(model, x):
        loss = (model(x) - x).square().mean()
        return loss * bad if one.step == 30 else loss

    one = make(tmp_path, loss_fn=loss_fn, save_every=8)
    with pytest.raises(BadLossError, match=r"step 31: .*step-00000024 is good"):
        one.train()
    assert all(p.isfinite().all() for p in one.model.parameters())
    assert load_latest(tmp_path / "state")[0] == 24
    assert all(p.grad is None for p in one.model.parameters())
    one.loss_fn = lambda model, x: (model(x) - x).square().mean()
    one.train()  # without the batch that was bad
    assert one.step == 60
    assert all(math.isfinite(loss) for loss in losses(tmp_path))


def test_a_bad_gradient_of_a_good_loss_stops_too(tmp_path):
    def loss_fn(model, x):
        weight = model[0].weight
        zero = (weight * 0).sum().sqrt()  # its derivative at 0 is infinite, times 0
        return (model(x) - x).square().mean() + zero

    with pytest.raises(BadLossError, match=r"step 1: .*nothing was saved"):
        make(tmp_path, loss_fn=loss_fn).train()


@posix
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_polite_signal_saves_and_says_how_to_go_on(tmp_path, capsys, number):
    def hook(trainer, row):
        if row["step"] == 17 and not trainer.stopping:
            os.kill(os.getpid(), number)

    before = signal.getsignal(number)
    with pytest.raises(KeyboardInterrupt):
        make(tmp_path / "run", hooks=[hook]).train()
    assert signal.getsignal(number) is before
    assert "stopped after step 17 of 60" in capsys.readouterr().err
    again = make(tmp_path / "run")
    again.resume()
    assert again.step == 17
    again.train()
    make(tmp_path / "whole").train()
    assert losses(tmp_path / "run") == losses(tmp_path / "whole")


def test_training_in_a_thread_needs_no_signals(tmp_path):
    one = make(tmp_path)
    thread = threading.Thread(target=one.train)
    thread.start()
    thread.join()
    assert one.step == 60


def test_a_torn_last_line_is_forgiven_and_one_in_the_middle_is_not(tmp_path):
    one = make(tmp_path, steps=5)
    one.train()
    path = tmp_path / "metrics.jsonl"
    text = path.read_text()
    path.write_text(text + '{"step": 6, "lo')
    assert len(read_metrics(tmp_path)) == 5
    path.write_text('{"step"\n' + text)
    with pytest.raises(ValueError, match="line 1 is no row"):
        read_metrics(tmp_path)


def test_the_state_of_another_model_or_optimizer_is_refused(tmp_path):
    make(tmp_path, steps=5).train()
    other = make(tmp_path)
    other.model = nn.Linear(8, 9)
    with pytest.raises(ValueError, match="another model"):
        other.resume()
    other = make(tmp_path)
    other.optimizer = torch.optim.SGD(nn.Linear(3, 3, bias=False).parameters(), lr=1)
    with pytest.raises(ValueError, match=r"another optimizer.*kind AdamW, not SGD"):
        other.resume()
    other = make(tmp_path)
    other.optimizer.param_groups[0]["params"].pop()
    with pytest.raises(ValueError, match=r"another optimizer.*its groups are"):
        other.resume()


@pytest.mark.parametrize(
    "change",
    [
        lambda state: {k: v for k, v in state.items() if k != "rng"},
        lambda state: {**state, "step": "x"},
        lambda state: {**state, "optimizer": [1]},
        lambda state: {**state, "optimizer": {}},
        lambda state: {**state, "model": [1]},
        lambda state: {**state, "loader": {}},
        lambda state: {**state, "losses": ["x"]},
        lambda state: {**state, "rng": {"python": 1}},
    ],
)
def test_a_state_with_a_wrong_part_is_a_sentence(tmp_path, change):
    one = make(tmp_path, steps=2)
    one.train()
    with pytest.raises(ValueError, match="holds the state of another"):
        make(tmp_path).load_state_dict(change(one.state_dict()))


def test_a_resumed_run_has_the_settings_of_now(tmp_path):
    """Only the averages come back: a lower rate can be resumed with."""
    make(tmp_path / "run", steps=20).train()
    again = make(tmp_path / "run")
    for group in again.optimizer.param_groups:
        group.update(lr=0.002, initial_lr=0.002, weight_decay=0.3, betas=(0.5, 0.6))
    assert again.resume()
    (group,) = again.optimizer.param_groups
    assert (group["initial_lr"], group["weight_decay"]) == (0.002, 0.3)
    assert group["betas"] == (0.5, 0.6)
    assert again.optimizer.state_dict()["state"][0]["step"] == 20
    again.one_step()
    assert group["lr"] == 0.002 * (1 - 20 / 60)


@pytest.mark.parametrize("keep", [1, 2])
def test_a_save_below_damaged_checkpoints_is_kept(tmp_path, keep):
    for step in (50, 100, 150):
        save_checkpoint(tmp_path, step, state(step), keep=3)
    for step in (100, 150):
        (tmp_path / f"step-{step:08}" / TENSORS).write_bytes(b"cut")
    with pytest.warns(UserWarning, match="using step-00000050"):
        assert load_latest(tmp_path)[0] == 50
    save_checkpoint(tmp_path, 75, state(75), keep=keep)
    assert load_latest(tmp_path)[0] == 75
    assert len(checkpoints(tmp_path)) == keep


def test_what_resume_passed_over_does_not_count_as_kept(tmp_path):
    """A damaged step 50 between the steps 40 and 60 would push out step 40."""
    make(tmp_path, steps=50, save_every=10, keep=2).train()
    (tmp_path / "state" / "step-00000050" / REST).unlink()
    again = make(tmp_path, save_every=20, keep=2)
    with pytest.warns(UserWarning, match="using step-00000040"):
        again.resume()
    again.train()
    assert [p.name[-2:] for p in checkpoints(tmp_path / "state")] == ["60", "40"]
    (tmp_path / "state" / "step-00000060" / REST).unlink()
    with pytest.warns(UserWarning, match="using step-00000040"):
        assert load_latest(tmp_path / "state")[0] == 40


def test_a_folder_with_another_run_is_refused(tmp_path):
    make(tmp_path, steps=40, save_every=20).train()
    before = (tmp_path / "metrics.jsonl").read_bytes()
    with pytest.raises(ValueError, match=r"has a run of 40 steps: resume\(\) it"):
        make(tmp_path, steps=30, save_every=5).train()
    assert (tmp_path / "metrics.jsonl").read_bytes() == before
    assert load_latest(tmp_path / "state")[0] == 40
    (tmp_path / "metrics.jsonl").unlink()
    with pytest.raises(ValueError, match="has a run of 40 steps"):
        make(tmp_path).train()


def test_an_evaluation_before_the_first_step_is_no_other_run(tmp_path):
    one = make(tmp_path, evaluations={"v": lambda model: {"x": 1.0}})
    one.run.mkdir(exist_ok=True)
    one.evaluate()
    one.train()
    steps = [row["step"] for row in read_metrics(tmp_path) if "v/x" in row]
    assert steps == [0, 60]


def test_a_finished_run_returns_its_evaluation_and_more_steps_are_refused(tmp_path):
    calls = iter(range(10))
    evaluations = {"v": lambda model: {"x": float(next(calls))}}
    first = make(tmp_path, steps=20, evaluations=evaluations).train()
    again = make(tmp_path, steps=20, evaluations=evaluations)
    again.resume()
    rows = read_metrics(tmp_path)
    assert again.train() == first == {"v/x": 0.0}
    assert read_metrics(tmp_path) == rows
    less = make(tmp_path, steps=10)
    less.resume()
    with pytest.raises(ValueError, match="has 20 steps already, more than the 10"):
        less.train()


def test_a_hook_that_stops_a_run_is_no_interrupt(tmp_path):
    def hook(trainer, row):
        if row["step"] == 7:
            trainer.stopping = True

    one = make(tmp_path, hooks=[hook], evaluations={"v": lambda model: {"x": 1.0}})
    assert one.train() == {"v/x": 1.0}
    assert load_latest(tmp_path / "state")[0] == one.step == 7


def test_a_failing_evaluation_leaves_the_model_in_training(tmp_path):
    def fails(model):
        torch.rand(())
        raise RuntimeError("no")

    one = make(tmp_path, evaluations={"v": fails})
    before = torch.get_rng_state()
    with pytest.raises(RuntimeError, match="no"):
        one.evaluate()
    assert one.model.training
    assert torch.equal(torch.get_rng_state(), before)


def test_micro_batches_without_targets_do_not_count(tmp_path):
    def loss_fn(model, x):
        seen.append(x)  # were it asked for the second one, it would be NaN
        factor = math.nan if len(seen) > one.step + 1 else 1
        return (model(x) - x).square().mean() * factor

    seen, counts = [], iter([4, 0] * 3)
    one = make(tmp_path / "some", steps=3, accumulate=2, loss_fn=loss_fn)
    one.count = lambda x: next(counts)
    one.train()
    assert one.tokens == 12
    assert len(seen) == 3
    none = make(tmp_path / "none", steps=3)
    none.count = lambda x: 0
    with pytest.raises(BadLossError, match="step 1: no batch has a target"):
        none.train()


@pytest.mark.parametrize("text", ["a\u2028b", "a\u2029b", "a\x85b", "a\x0bb\x1cb\r"])
def test_samples_with_any_character_can_be_read_and_resumed(tmp_path, text):
    evaluations = {"sample": lambda model: {"0": text}}
    make(tmp_path, steps=5, evaluations=evaluations).train()
    again = make(tmp_path, evaluations=evaluations)
    again.resume()
    again.train()
    found = [r["sample/0"] for r in read_metrics(tmp_path) if "sample/0" in r]
    assert found == [text, text]


def test_a_line_torn_within_a_character_is_forgiven(tmp_path):
    path = tmp_path / "metrics.jsonl"
    torn = '{"step": 2, "sample/0": "é'.encode()[:-1]
    path.write_bytes(b'{"step": 1, "loss": 2.0}\n' + torn)
    assert read_metrics(tmp_path) == [{"step": 1, "loss": 2.0}]
    path.write_bytes(torn)  # killed before the first checkpoint, not resumed
    make(tmp_path).train()
    assert len(losses(tmp_path)) == 60


@pytest.mark.parametrize("line", [b"3", b"[1]", b"{}", b'{"step": "x"}', b"\xff"])
def test_a_line_that_is_no_row_is_a_sentence(tmp_path, line):
    (tmp_path / "metrics.jsonl").write_bytes(line + b"\n" + b'{"step": 1}\n')
    with pytest.raises(ValueError, match="line 1 is no row"):
        read_metrics(tmp_path)


def test_rows_that_cannot_be_drawn_are_left_out():
    axes = Figure().subplots()
    rows = [{"step": 1, "loss": 2.0}, {"step": 2, "sample/0": "x", "tokens": 8}]
    rows += [{"step": step, "tokens": step, "v/x": 1.0} for step in (1, 2)]
    draw_curves(axes, rows)
    assert [line.get_label() for line in axes.lines] == ["v/x"]


def test_a_tied_model_and_views_of_one_tensor_are_saved(tmp_path):
    config = preset("village", vocab_size=16, tie_embeddings=True, **SIZES)
    weights = Transformer(config).state_dict()
    table = torch.arange(12.0).reshape(3, 4)
    parts = {"all": table, "row": table[1], "turned": table.T, "end": table[2:]}
    save_checkpoint(tmp_path, 1, {"model": weights, "parts": parts})
    assert os.listdir(tmp_path) == ["step-00000001"]
    found = load_latest(tmp_path)[1]
    assert all(torch.equal(found["model"][name], weights[name]) for name in weights)
    assert all(torch.equal(found["parts"][name], parts[name]) for name in parts)
    tied = found["model"]
    assert tied["head.weight"].data_ptr() == tied["embedding.weight"].data_ptr()


def test_a_state_that_no_file_holds_leaves_nothing(tmp_path):
    with pytest.raises(ValueError, match="x is a object"):
        save_checkpoint(tmp_path, 1, {"x": object()})
    assert os.listdir(tmp_path) == []


def test_the_litter_of_a_killed_namesake_is_no_obstacle(tmp_path):
    """In a container each process may have the same number."""
    litter = tmp_path / f".step-00000001.{os.getpid()}"
    litter.mkdir(parents=True)
    (litter / TENSORS).write_bytes(b"half")
    save_checkpoint(tmp_path, 1, state(1))
    assert load_latest(tmp_path)[0] == 1


def save_small_model(folder):
    tokenizer = train_bpe("aa bb", 258, ["<|endoftext|>"])
    model = Transformer(preset("village", vocab_size=258, **SIZES))
    save_model(folder, model, tokenizer)


def test_a_model_folder_that_does_not_fit_is_a_sentence(tmp_path):
    tokenizer = train_bpe("aa bb", 258, ["<|endoftext|>"])
    for tied in (False, True):
        config = preset("village", vocab_size=258, tie_embeddings=tied, **SIZES)
        model = Transformer(config)
        save_model(tmp_path, model, tokenizer)
        again, its_tokenizer = load_model(tmp_path)
        ids = torch.arange(6)[None]
        assert torch.equal(model(ids), again(ids))
        assert its_tokenizer.vocab == tokenizer.vocab
    fields = json.loads((tmp_path / "config.json").read_text())
    for changes in (
        {"d_ff": 24},
        {"n_layers": 2},
        {"model_type": "llama"},
        {"nonsense": 1},
        {"n_layers": -1},
    ):
        (tmp_path / "config.json").write_text(json.dumps({**fields, **changes}))
        with pytest.raises(ValueError, match="config"):
            load_model(tmp_path)
    (tmp_path / "config.json").write_text(json.dumps(fields))
    (tmp_path / "model.safetensors").unlink()
    with pytest.raises(ValueError, match="model"):
        load_model(tmp_path)
    with pytest.raises(ValueError, match="no model is there"):
        load_model(tmp_path / "absent")


def test_a_tokenizer_that_is_not_the_model_s_is_refused(tmp_path):
    save_small_model(tmp_path)
    saved = tmp_path / "tokenizer.json"
    good = saved.read_text()
    for text, size in (("cc dd", 258), ("aa bb cc cc", 260), ("", 257)):
        train_bpe(text, size, ["<|endoftext|>"]).save(saved)
        with pytest.raises(ValueError, match="isn't the tokenizer of the model"):
            load_model(tmp_path)
    config = json.loads((tmp_path / "config.json").read_text())
    del config["tokenizer"]  # as older folders are
    (tmp_path / "config.json").write_text(json.dumps(config))
    train_bpe("cc cc dd dd", 260, ["<|endoftext|>"]).save(saved)
    with pytest.raises(ValueError, match="isn't the tokenizer of the model"):
        load_model(tmp_path)
    saved.write_text(good)
    load_model(tmp_path)
    saved.unlink()
    with pytest.raises(ValueError, match=r"tokenizer\.json is missing"):
        load_model(tmp_path)


def test_the_file_that_is_damaged_is_the_one_named(tmp_path):
    save_small_model(tmp_path)
    stored = tmp_path / "model.safetensors"
    stored.write_bytes(stored.read_bytes()[:-10])
    with pytest.raises(ValueError, match=r"model\.safetensors is truncated") as error:
        load_model(tmp_path)
    assert "config.json" not in str(error.value)
    config = json.loads((tmp_path / "config.json").read_text())
    (tmp_path / "config.json").write_text(json.dumps({**config, "n_heads": "two"}))
    with pytest.raises(ValueError, match=r"config\.json describes no model"):
        load_model(tmp_path)
