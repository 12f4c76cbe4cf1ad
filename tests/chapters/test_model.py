"""The tests of book/07-the-transformer.md.

Tangled from book/07-the-transformer.md: edit the book,
or edit here and run `./build.sh stitch`.
"""

import dataclasses
from functools import partial

import torch
from torch.utils._python_dispatch import TorchDispatchMode

from llm.attention import causal_mask
from llm.config import (
    CHOICES,
    ModelConfig,
    flops_per_token,
    n_parameters,
    preset,
)
from llm.linear_loss import linear_cross_entropy
from llm.metrics import cross_entropy
from llm.model import Transformer
from llm.ngram_embedding import NGramEmbedding


# %% book/07-the-transformer.md#small_model
def small_model(**changes):
    """A small model with QK-norm, shared keys and all that may be added."""
    torch.manual_seed(0)
    options = {"qk_norm": True, "embed_norm": True, "embed_shortcut": True,
               "value_embeddings": True, "ngrams": 3, "ngram_rows": 50}
    sizes = {"n_layers": 2, "n_heads": 4, "d_model": 32, "d_ff": 48}
    names = {"vocab_size": 11, "n_kv_heads": 2, "max_seq_len": 16}
    fields = {**options, **sizes, **names, "init_std": 0.2, **changes}
    model = Transformer(ModelConfig(**fields))
    for name, parameter in model.named_parameters():
        if "norm" in name or "shortcut" in name or "before" in name:
            parameter.data.uniform_(0.5, 2)
    return model


def test_the_future_changes_nothing():
    ids = torch.randint(11, (2, 8))
    changed = ids.clone()
    changed[:, 5:] = (changed[:, 5:] + 1) % 11
    for position in CHOICES["position"]:
        model = small_model(position=position)
        before, after = model(ids), model(changed)
        assert torch.allclose(before[:, :5], after[:, :5], atol=1e-6)
        assert not torch.allclose(before[:, 5:], after[:, 5:], atol=1e-3)


# %% book/07-the-transformer.md#test_packed_documents_are_as_if_alone
def test_packed_documents_are_as_if_alone():
    row = torch.tensor([[3, 1, 4, 0, 5, 9, 2, 0]])
    owners = torch.tensor([0, 0, 0, 0, 1, 1, 1, 1])
    mask = causal_mask(8) & (owners[:, None] == owners)
    positions = torch.tensor([[0, 1, 2, 3, 0, 1, 2, 3]])
    for position in ("rope", "learned"):
        model = small_model(position=position)
        together = model(row, mask=mask, positions=positions)
        again = model(row, mask=mask[None], positions=positions)
        alone = torch.cat([model(row[:, :4]), model(row[:, 4:])], dim=1)
        assert torch.allclose(together, alone, atol=1e-5)
        assert torch.allclose(again, alone, atol=1e-5)


# %% book/07-the-transformer.md#test_linear_cross_entropy_equals_cross_entropy
def test_linear_cross_entropy_equals_cross_entropy():
    torch.manual_seed(0)
    weight = torch.randn(17, 8, requires_grad=True)
    x = torch.randn(3, 5, 8, requires_grad=True)
    targets = torch.randint(17, (3, 5))
    targets[1, 2:] = -100
    plain = cross_entropy(x @ weight.T, targets)
    expected = torch.autograd.grad(3 * plain, (x, weight))
    for rows in (None, 1, 4):
        loss = linear_cross_entropy(x, weight, targets, rows=rows)
        found = torch.autograd.grad(3 * loss, (x, weight))
        assert torch.allclose(loss, plain, atol=1e-6)
        for one, other in zip(found, expected, strict=True):
            assert torch.allclose(one, other, atol=1e-5)


# %% book/07-the-transformer.md#test_a_tied_table_gets_both_gradients
def test_a_tied_table_gets_both_gradients():
    model = small_model(tie_embeddings=True)
    table = model.embedding.weight
    ids = torch.randint(len(table), (2, 9))
    plain = cross_entropy(model(ids[:, :-1]), ids[:, 1:])
    (expected,) = torch.autograd.grad(plain, table)
    loss = model.loss(ids[:, :-1], ids[:, 1:])
    (found,) = torch.autograd.grad(loss, table)
    assert torch.allclose(found, expected, atol=1e-6)


# %% book/07-the-transformer.md#check_table_share
def check_table_share(table_share):
    """`table_share(config)`: of embedding and head in all parameters."""
    assert abs(table_share(preset("gpt2")) - 0.3102) < 1e-4
    assert abs(table_share(preset("qwen3")) - 0.2610) < 1e-4
    assert abs(table_share(preset("village")) - 0.1816) < 1e-4


# %% book/07-the-transformer.md#check_crowded
def check_crowded(crowded):
    """`crowded(ids, n, rows)`: of distinct runs, those not alone."""
    ids = torch.tensor([3, 4, 3, 4, 7])
    assert crowded(ids, 2, 1) == 1
    assert crowded(ids, 2, 2**20) == 0
    draws = torch.Generator().manual_seed(0)
    ids = torch.randint(50, (4_000,), generator=draws)
    for n, rows in ((3, 10_000), (4, 4_000)):
        runs = len(ids.unfold(0, n, 1).unique(dim=0))
        by_lot = 1 - (1 - 1 / rows) ** (runs - 1)
        assert abs(crowded(ids, n, rows) - by_lot) < 0.05
    # (3, 5) and (5, 6) share a row of seven; (6, 6), three times, has its own.
    ids = torch.tensor([3, 5, 6, 6, 6, 6])
    assert abs(crowded(ids, 2, 7) - 2 / 3) < 1e-6


# %% book/07-the-transformer.md#check_linear_z_loss
def check_linear_z_loss(linear_z_loss):
    """`linear_z_loss(x, weight, rows)`: equal, with few logits at a time."""
    torch.manual_seed(0)
    x = torch.randn(9, 4, requires_grad=True)
    weight = torch.randn(50, 4, requires_grad=True)
    plain = (x @ weight.T).logsumexp(-1).square().mean()
    expected = torch.autograd.grad(2 * plain, (x, weight))
    largest = 0

    class Watch(TorchDispatchMode):
        def __torch_dispatch__(self, func, types, args=(), kwargs=None):
            nonlocal largest
            made = func(*args, **(kwargs or {}))
            if isinstance(made, torch.Tensor):
                largest = max(largest, made.numel())
            return made

    for rows in (1, 4):
        with Watch():
            loss = linear_z_loss(x, weight, rows)
            found = torch.autograd.grad(2 * loss, (x, weight))
        assert torch.allclose(loss, plain, atol=1e-5)
        for one, other in zip(found, expected, strict=True):
            assert torch.allclose(one, other, atol=1e-5)
    assert largest <= weight.numel()  # all logits would be 450 numbers


# %% book/07-the-transformer.md#check_fold_norms
def check_fold_norms(fold_norms):
    """`fold_norms(model)`: the same logits, no weights in any norm."""
    plain = {"qk_norm": False, "norm": "rms"}
    for activation in ("swiglu", "relu2"):
        model = small_model(activation=activation, **plain)
        ids = torch.randint(11, (2, 7))
        folded = fold_norms(model)
        assert not folded.config.norm_weight
        assert not any("norm" in name for name in folded.state_dict())
        assert torch.allclose(folded(ids), model(ids), atol=1e-4)


# %% book/07-the-transformer.md#check_share_heads
def check_share_heads(share_heads):
    """`share_heads(model, n_kv_heads)`: a model with fewer such heads."""
    model = small_model(n_kv_heads=4, value_embeddings=False, ngrams=1)
    ids = torch.randint(11, (2, 7))
    assert torch.allclose(share_heads(model, 4)(ids), model(ids))
    for block in model.blocks:
        for matrix in (block.attention.k, block.attention.v):
            heads = matrix.weight.data.view(2, 2, 8, 32)
            heads[:, 1] = heads[:, 0]
    shared = share_heads(model, 2)
    assert shared.config.n_kv_heads == 2
    assert shared.blocks[0].attention.k.weight.shape == (16, 32)
    assert torch.allclose(shared(ids), model(ids), atol=1e-5)
    single = share_heads(model, 1)
    for one, four in zip(single.blocks, model.blocks, strict=True):
        for name in ("k", "v"):
            heads = getattr(four.attention, name).weight.view(4, 8, 32)
            found = getattr(one.attention, name).weight
            assert torch.allclose(found, heads.mean(0), atol=1e-6)


# %% book/07-the-transformer.md#check_lens
def check_lens(lens):
    """`lens(model, input_ids)`: logits after each block, "L B T V"."""
    model = small_model(n_layers=3)
    ids = torch.randint(11, (2, 6))
    seen = lens(model, ids)
    assert seen.shape == (3, 2, 6, 11)
    assert torch.allclose(seen[-1], model(ids), atol=1e-6)
    assert not torch.allclose(seen[0], seen[-1], atol=1e-2)
    assert not any(module._forward_hooks for module in model.modules())


# %% book/07-the-transformer.md#check_widest
def check_widest(widest):
    """`widest(config, T, flops)`: the widest config within the budget."""
    config = preset("village")
    for T, millions in ((256, 10), (256, 2), (4_096, 30)):
        flops = 1_000_000 * millions
        found = widest(config, T, flops)
        assert flops_per_token(found, T) <= flops
        assert found.d_model % 64 == 0
        assert found.d_ff == 4 * found.d_model
        bigger = preset("village", d_model=found.d_model + 64,
                        d_ff=found.d_ff + 256)
        assert flops_per_token(bigger, T) > flops
    try:
        widest(config, 256, 1_000)
    except ValueError:
        return
    raise AssertionError("1,000 FLOPs are too few for any")


# %% book/07-the-transformer.md#check_parallel
def check_parallel(parallel):
    """`parallel(model)`: changes each block of the model, returns it."""
    model = small_model(embed_shortcut=False, embed_norm=False,
                        value_embeddings=False, ngrams=1)
    ids = torch.randint(11, (2, 5))
    rotation = model.rotary(torch.arange(5))
    x = model.embedding(ids)
    for block in model.blocks:
        normed = block.attention_norm(x)
        x = x + block.attention(normed, rotation) + block.mlp(normed)
    assert parallel(model) is model
    assert torch.allclose(model(ids), model.head(model.norm(x)), atol=1e-4)


# %% book/07-the-transformer.md#table_share
def table_share(config):
    tables = 1 if config.tie_embeddings else 2
    size = tables * config.vocab_size * config.d_model
    return size / n_parameters(config)


def test_table_share():
    """The exercise "How much of it is vocabulary?"."""
    check_table_share(table_share)


# %% book/07-the-transformer.md#crowded
def crowded(ids, n, rows):
    sizes = {"n_layers": 1, "n_heads": 1, "d_model": 2, "d_ff": 1}
    table = NGramEmbedding(ModelConfig(
        vocab_size=256, max_seq_len=8, **sizes, ngrams=n, ngram_rows=rows))
    seen = table.seen(ids[None], None)
    found = table.numbers(ids[None], seen)[0, n - 1 :, n - 2]
    runs = torch.cat((ids.unfold(0, n, 1), found[:, None]), 1)
    _, counts = runs.unique(dim=0)[:, -1].unique(return_counts=True)
    return counts[counts > 1].sum().item() / counts.sum().item()


def test_crowded():
    """The exercise "Who shares a row?"."""
    check_crowded(crowded)


# %% book/07-the-transformer.md#LinearZLoss
class LinearZLoss(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x, weight, rows):
        loss, grad_x = x.new_zeros(()), torch.empty_like(x)
        grad_weight = torch.zeros_like(weight)
        pieces = zip(x.split(rows), grad_x.split(rows), strict=True)
        for part, grad_part in pieces:
            logits = part @ weight.T
            size = logits.logsumexp(-1, keepdim=True)
            loss += size.square().sum() / len(x)
            grad = (logits - size).exp() * size * (2 / len(x))
            torch.mm(grad, weight, out=grad_part)
            grad_weight += grad.T @ part
        ctx.save_for_backward(grad_x, grad_weight)
        return loss

    @staticmethod
    def backward(ctx, grad):
        grad_x, grad_weight = ctx.saved_tensors
        return grad * grad_x, grad * grad_weight, None


def test_linear_z_loss():
    """The exercise "A second loss, without logits"."""
    check_linear_z_loss(LinearZLoss.apply)


# %% book/07-the-transformer.md#fold_norms
def fold_norms(model):
    config = dataclasses.replace(model.config, norm_weight=False)
    folded = Transformer(config)
    weights = dict(model.state_dict())
    readers = {"norm.": ["head"]}
    for i in range(config.n_layers):
        block = f"blocks.{i}."
        readers[f"{block}attention_norm."] = [
            f"{block}attention.{name}" for name in "qkv"
        ]
        readers[f"{block}mlp_norm."] = [f"{block}mlp.up"]
        if config.gated:
            readers[f"{block}mlp_norm."].append(f"{block}mlp.gate")
    for norm, matrices in readers.items():
        scale = weights.pop(f"{norm}weight")
        for name in matrices:
            key = f"{name}.weight"
            weights[key] = weights[key] * scale
    folded.load_state_dict(weights)
    return folded


def test_fold_norms():
    """The exercise "Norm without weights"."""
    check_fold_norms(fold_norms)


# %% book/07-the-transformer.md#share_heads
def share_heads(model, n_kv_heads):
    config = dataclasses.replace(model.config, n_kv_heads=n_kv_heads)
    shared = Transformer(config)
    weights = dict(model.state_dict())
    for name, weight in weights.items():
        if ".attention.k." in name or ".attention.v." in name:
            groups = (n_kv_heads, -1, config.head_dim)
            heads = weight.unflatten(0, groups).mean(1)
            weights[name] = heads.flatten(0, 1)
    shared.load_state_dict(weights)
    return shared


def test_share_heads():
    """The exercise "Share the keys of a trained model"."""
    check_share_heads(share_heads)


# %% book/07-the-transformer.md#lens
def lens(model, input_ids):
    streams = []
    hooks = [
        block.register_forward_hook(lambda _, __, x: streams.append(x))
        for block in model.blocks
    ]
    try:
        with torch.no_grad():
            model(input_ids)
            return model.head(model.norm(torch.stack(streams)))
    finally:
        for hook in hooks:
            hook.remove()


def test_lens():
    """The exercise "The lens"."""
    check_lens(lens)


# %% book/07-the-transformer.md#widest
def widest(config, T, flops):
    unit, ratio = 16 * config.n_heads, config.d_ff // config.d_model

    def scaled(width):
        sizes = {"d_model": width, "d_ff": ratio * width, "head_dim": 0}
        return dataclasses.replace(config, **sizes)

    width = 0
    while flops_per_token(scaled(width + unit), T) <= flops:
        width += unit
    if not width:
        raise ValueError(f"{flops:,} FLOPs are too few for any width")
    return scaled(width)


def test_widest():
    """The exercise "The largest model that fits"."""
    check_widest(widest)


# %% book/07-the-transformer.md#parallel
def parallel(model):
    def forward(block, x, first, *beside):
        normed = block.attention_norm(x)
        mixed = block.attention(normed, *beside)
        return x + mixed + block.mlp(normed)

    for block in model.blocks:
        block.forward = partial(forward, block)
    return model


def test_parallel():
    """The exercise "Parallel layers"."""
    check_parallel(parallel)
