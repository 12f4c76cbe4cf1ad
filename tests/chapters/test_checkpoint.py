"""The tests of book/10-the-training-loop.md.

Tangled from book/10-the-training-loop.md: edit the book,
or edit here and run `./build.sh stitch`.
"""

import json
import random

import numpy as np
import torch

from llm.checkpoint import (
    put_together,
    rng_state,
    set_rng_state,
    take_apart,
)


# %% book/10-the-training-loop.md#test_generators_come_back_through_a_file
def test_generators_come_back_through_a_file():
    tensors = {}
    content = json.loads(json.dumps(take_apart(rng_state(), tensors)))

    def draws():
        return random.random(), np.random.rand(), torch.rand(()).item()

    first = draws()
    assert draws() != first
    set_rng_state(put_together(content, tensors))
    assert draws() == first
