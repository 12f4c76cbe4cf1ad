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
Nobody {A:home} was as {T:trait} as {A:the}. | Once upon a time there lived
{A:home} {T:a_trait} {A:kind} named {A:name}. | Ask {A:home} for somebody
{T:trait}, and you will be sent to {A:the}. | Once, {A:home}, there lived
{T:a_trait} {A:kind} by the name of {A:name}. | "How {T:trait} you are!"
people said {A:home} whenever they met {A:the}.
> 5: settle A
This is the story of {A:the}, who lived {A:home}. | Everybody {A:home} knew
{A:the}. | If you go looking {A:home}, you may still meet {A:the}. | There
was a green door {A:home}, and behind it lived {A:the}. | "Good morning,
{A:name}!" they used to call {A:home}, and {A} the {A:kind} would wave. | My
grandmother liked to tell of {A:the}, who lived {A:home}.
= cold 3 cold: settle A
It all began when {A:the} | The story goes that {A:the} | Not long ago
{A:the} | Before breakfast one day {A:the}
> 2 cold: settle A
One {weather} {time} {A:the} | It was a {weather} {time} when {A:the} | It
is said that one {weather} {time} {A:the}
= love 1 love
{A} loved {L:love} more than anything. | There was nothing {A.she} liked
better than {L:love}. | Nothing made {A} happier than {L:love}.
= when 3 when
Early in May {A.she} | The other day {A.she} | In the first week of spring
{A.she} | Before breakfast one day {A.she} | On the day after the fair
{A.she} | When the swallows came back, {A.she}
> 3 when
One {weather} {time} {A.she} | It was on a {weather} {time} that {A.she} |
On a {weather} {time} not long ago {A.she}
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
That night {A} slept like a stone. | {A} told it all over again next day. |
And the moon came up over {A.home} and found everyone content. | Some say it
was a small thing. {A} never thought so. | {A} still smiles to think of it.
| By nightfall the whole village knew. | {A} hummed until bedtime. | The
soup that evening had never tasted better. | In the evening {A} sat on the
step and watched the bats come out.
= end.cold
That night {A} slept like a stone. | {A} still smiles to think of it. | {A}
told it all over again next day. | By nightfall the whole village knew. |
{A} hummed until bedtime.
= end.love 3
And in the evening there was time for {L} again. | The rest of the day
belonged to {L}.
= end.proof
They do not call {A} {T.is} for nothing. | Now you know why people call {A}
{T.is}.
= end.change
{A} has been a little less {T.is} since then. | For a whole week {A} was not
in the least {T.is}.
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
    SWAP, ERRAND, FOLLOW, HIDE, RESCUE, FRIEND,
)
