"""The tests of book/10-the-training-loop.md.

Tangled from book/10-the-training-loop.md: edit the book,
or edit here and run `./build.sh stitch`.
"""

import dataclasses
import json

from llm.cooking import Recipe
from llm.optim import OptimConfig
from llm.recipes import RECIPES, digest


# %% book/10-the-training-loop.md#test_a_digest_depends_on_every_setting
def test_a_digest_depends_on_every_setting():
    recipe = RECIPES["hamlet-small"]
    again = Recipe.from_dict(json.loads(json.dumps(recipe.to_dict())))
    assert again == recipe
    assert digest(again) == digest(recipe)
    for changes in ({"seed": 1}, {"optim": OptimConfig(lr=1.0)}):
        other = dataclasses.replace(recipe, **changes)
        assert digest(other) != digest(recipe)
