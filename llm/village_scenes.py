"""Scenes: the wordings of what can happen, the likelier first.

Tangled from book/appendix-a-the-village.md: edit the book,
or edit here and run `./build.sh stitch`.
"""

from llm.village_scenes_friends import (
    BUILD,
    ERRAND,
    FOLLOW,
    FRIEND,
    QUARREL,
    RESCUE,
    TRACK,
)
from llm.village_scenes_things import (
    GIFT,
    HARVEST,
    HIDE,
    LOST,
    PROMISE,
    SWAP,
)

# %% book/appendix-a-the-village.md#FRAME
FRAME = """
= open 5: settle A
Once there was {T:a_trait} {A:kind} called {A:name}, who lived {A:home}. |
Once upon a time there lived {A:home} {T:a_trait} {A:kind} named {A:name}. |
Nobody {A:home} was as {T:trait} as {A:the}. | There was never so {T:trait}
{A:a_kind} as {A:name}, who lived {A:home}. | Ask {A:home} for somebody
{T:trait}, and you will be sent to {A:the}. | Long ago, {A:home}, there
lived {T:a_trait} {A:kind} by the name of {A:name}.
> 3: settle A
This is the story of {A:the}, who lived {A:home}. | You may have heard of
{A:the}, who lived {A:home}. | If you go looking {A:home}, you may still
meet {A:the}. | Everybody {A:home} knew {A:the}.
= cold 2 cold: settle A
One {weather} {time} {A:the} | It was a {weather} {time} when {A:the} | It
is said that one {weather} {time} {A:the}
= love 1 love
{A} loved {L:love} more than anything. | There was nothing {A.she} liked
better than {L:love}. | Give {A.him} {L:love}, and {A} asked for no more.
= when 2 when
One {weather} {time} {A.she} | It happened one {weather} {time} that {A.she}
| On a {weather} {time} not long ago {A.she} | Then, one {weather} {time},
{A.she}
= aside.low 0.4
{A} sat on the step with {A.her} chin in {A.her} hands. | Even {A.her}
supper had no taste. | Nobody had ever seen {A} so quiet. | The sky looked
greyer than before.
= aside.love 0.4
Not even {L} could cheer {A.him} up. | On any other day there would have
been time for {L}. | For once {A.she} had no wish for {L}.
= aside.up 0.4
{A} whistled all the way. | The wind was behind {A.him}, and the road felt
short. | With every step {A} walked a little faster.
= aside.meet 0.4: settle C; meet A C
On the way {A.she} passed {C:the}, who was {chore} and waved. | "In a
hurry?" called {C:the}, who was {chore}.
= aside.view 0.4: move A P
The road led past {P:place}, where {here}. | Halfway, {P:at}, {A} stopped to
tie a shoelace.
= end
That night {A} slept like a stone. | So it was, and it is still told
{A.at_home}. | Ask {A}, and you will hear the story from the beginning. |
And the moon came up over {A.home} and found everyone content. | Some say it
was a small thing. {A} never thought so. | The next morning {A} was up
before the sun. | That is how it happened, and nobody {A.at_home} will tell
you otherwise.
= end.cold
That night {A} slept like a stone. | And if nobody has changed it, that is
how it ended. | Ask {A}, and you will hear the story from the beginning. |
The next morning {A} was up before the sun.
= end.love 1.5
And in the evening there was time for {L} again. | Then {A} went home to
{L}, and was {M:glad}.
"""


# %% book/appendix-a-the-village.md#scenes
def scenes(*texts: str) -> dict[str, str]:
    """Scenes by name: after `= name`, what they may say."""
    parts = [p for text in texts for p in f"\n{text}".split("\n= ")[1:]]
    names = [part.split(maxsplit=1)[0] for part in parts]
    rows = zip(names, parts, strict=True)
    return {name: part[len(name) :].lstrip(" ") for name, part in rows}


SCENES = scenes(
    FRAME, LOST, GIFT, PROMISE, QUARREL, HARVEST, BUILD,
    SWAP, ERRAND, FOLLOW, HIDE, RESCUE, FRIEND, TRACK,
)
