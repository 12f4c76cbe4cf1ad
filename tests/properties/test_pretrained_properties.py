"""Whatever stands in a checkpoint: it loads, or ends in one sentence."""

import json
import warnings
from pathlib import Path

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from safetensors import safe_open

from llm.config import preset
from llm.model import Transformer
from llm.pretrained import from_pretrained, save_pretrained
from llm.tensor_files import DTYPE_SIZES, read_header
from llm.tokenizer import train_bpe

FEW = settings(
    max_examples=100,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
ODD = st.sampled_from(
    [
        *(None, True, 0, -1, 1, 2, 8, 1.5, 10**400, 2**31, float("nan"), float("inf")),
        *("", "F32", "x" * 5_000, "\n\x1b", [], [2, 2], [0], [-1], {}, {"a": 1}),
    ]
)
ENTRIES = st.one_of(
    ODD,
    st.fixed_dictionaries(
        {
            "dtype": st.sampled_from([*DTYPE_SIZES, "F8_E4M3", 5]),
            "shape": st.lists(st.integers(-1, 5), max_size=3) | ODD,
            "data_offsets": st.lists(st.integers(-1, 40), max_size=3) | ODD,
        }
    ),
    st.builds(
        lambda shape, start: {
            "dtype": "F32",
            "shape": shape,
            "data_offsets": [start, start + 4 * shape[0]],
        },
        st.lists(st.integers(0, 4), min_size=1, max_size=1),
        st.integers(0, 4).map(lambda n: 4 * n),
    ),
)
HEADERS = st.dictionaries(st.text(max_size=5), ENTRIES, max_size=3) | ODD


@pytest.fixture(scope="module")
def good(tmp_path_factory):
    folder = tmp_path_factory.mktemp("good")
    sizes = {"vocab_size": 300, "n_layers": 2, "n_heads": 2, "d_model": 16}
    more = {"d_ff": 24, "head_dim": 8, "max_seq_len": 32, "tie_embeddings": False}
    model = Transformer(preset("llama", **sizes, **more))
    tokenizer = train_bpe("the sun rose over the village " * 9, 280, ["<|endoftext|>"])
    save_pretrained(model, tokenizer, folder)
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def one_sentence(error: ValueError, name: str = "") -> None:
    assert name in str(error)
    assert "\n" not in str(error)
    assert len(str(error)) < 500


def check_header(path: Path) -> None:
    try:
        entries = read_header(path)
    except ValueError as error:
        one_sentence(error, path.name)
        return
    data = path.read_bytes()
    length = int.from_bytes(data[:8], "little")
    total = sum(entry.end - entry.start for entry in entries.values())
    assert 8 + length + total == len(data)
    with safe_open(path, "pt") as file:
        assert set(file.keys()) == set(entries)
        for name, entry in entries.items():
            assert tuple(file.get_slice(name).get_shape()) == entry.shape


@FEW
@given(HEADERS, st.integers(0, 20), st.integers(-2, 2))
def test_headers(tmp_path, header, size, error):
    text = json.dumps(header).encode()
    length = max(len(text) + (error if error % 2 else 0), 0)
    path = tmp_path / "a.safetensors"
    path.write_bytes(length.to_bytes(8, "little") + text + bytes(4 * size))
    check_header(path)


@FEW
@given(st.binary(max_size=40), st.integers(0, 12))
def test_bytes(tmp_path, text, start):
    path = tmp_path / "a.safetensors"
    path.write_bytes(start.to_bytes(8, "little") + text)
    check_header(path)


def load(folder: Path, files: dict[str, bytes]) -> None:
    for name, content in files.items():
        (folder / name).write_bytes(content)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            model, tokenizer = from_pretrained(folder)
        except ValueError as error:
            one_sentence(error)
            return
    if tokenizer is not None:
        text = "the sun rose\n over 東京"
        assert tokenizer.decode(tokenizer.encode(text)) == text
    with torch.no_grad():
        assert model(torch.arange(9)[None]).isfinite().all()


@settings(FEW, max_examples=40)
@given(st.data())
def test_a_file_with_a_few_wrong_bytes(tmp_path, good, data):
    name = data.draw(st.sampled_from(sorted(good)))
    content = bytearray(good[name])
    for _ in range(data.draw(st.integers(1, 3))):
        i = data.draw(st.integers(0, min(len(content), 3_000) - 1))
        content[i] = data.draw(st.integers(0, 255))
    load(tmp_path, {**good, name: bytes(content)})


NAMES = st.sampled_from(
    [
        *("rope_theta", "rope_scaling", "rope_parameters", "layer_types", "is_causal"),
        *("num_hidden_layers", "num_attention_heads", "num_key_value_heads"),
        *("head_dim", "hidden_size", "vocab_size", "rms_norm_eps", "hidden_act"),
        *("architectures", "model_type", "max_position_embeddings", "mlp_bias"),
    ]
)
SCALINGS = st.fixed_dictionaries(
    {"rope_type": st.sampled_from(["linear", "yarn", "llama3", "default", 5])},
    optional=dict.fromkeys(
        [
            *("factor", "beta_fast", "beta_slow", "attention_factor", "rope_theta"),
            *("low_freq_factor", "high_freq_factor"),
            "original_max_position_embeddings",
        ],
        ODD,
    ),
)


@settings(FEW, max_examples=80)
@given(st.dictionaries(NAMES, ODD | SCALINGS, min_size=1, max_size=2))
def test_a_config_with_odd_options(tmp_path, good, options):
    config = {**json.loads(good["config.json"]), **options}
    load(tmp_path, {**good, "config.json": json.dumps(config).encode()})
