"""Scenes between people: quarrels, errands, rescues, work together.

Tangled from book/appendix-a-the-village.md: edit the book,
or edit here and run `./build.sh stitch`.
"""

# %% book/appendix-a-the-village.md#QUARREL
QUARREL = """
= quarrel.p 1: settle B
quarrelled with {B:the} over {X:a_thing}. | found {X:a_thing}, and so, at
the same moment, did {B:the}. | and {B:the} both laid a hand on {X:a_thing}.
= quarrel.want 1: goal A use X; goal B use X
Both of them wanted to {X.use}. | "I want to {X.use}," said {A}. "So do I!"
said {B}.
= quarrel.words
"I saw it first," said {A}. "I touched it first," said {B}. | "You always
get everything!" cried {B}. "You never share!" cried {A}. | {A} pulled at
one end, and {B} pulled at the other. | "It suits me better," said {B}.
"Ha!" said {A}.
= quarrel.away 3 b: get B X; feel A M; move B P
In the end {B} ran off with it to {P:place}, and {A} was {M:cross}. | {B}
was stronger and went away to {P:place} with the {X}, and {A} was {M:cross}.
> 3 a: get A X; feel B M; move A P
In the end {A} got away with it to {P:place}, and {B} was {M:cross}. | {A}
snatched the {X} and ran to {P:place}, and {B} was {M:cross}.
= quarrel.lone.b 1: feel A M; feel B sorry
But the evening was long, and {A} felt {M:lone}. | There was nobody to talk
to, and {A} felt {M:lone}. | {B} could {X.use} now, but alone it was no fun,
and {A} felt {M:lone}.
= quarrel.lone.a 1: feel A M
Now {A} could {X.use}, but alone it was no fun, and {A.she} felt {M:lone}. |
The {X} was {X.look}, and silent, and {A} felt {M:lone}.
= quarrel.advice 1 advice: settle C; meet A C
"Somebody has to begin," said {C:the}, who was {chore}. | "Is it worth a
friend?" asked {C:the}, who was {chore}.
= quarrel.meet 1: move A Q; move B Q
So {A} set out with {snack}, and {Q:at} {A.she} met {B}, who had set out
too. | Early next day they ran into each other {Q:at}, where {here}. | {A}
wrote a note, and so did {B}, and {Q:at} they met, each with a note.
= quarrel.sorry 1: feel A glad; feel B glad
"I am sorry," they said, both at once. | "I was silly," said {A}. "I was
sillier," said {B}. | "It is only {X.a}," said {B}. "And you are {A}."
= quarrel.solve.a 2: give A B X
{A} held out the {X} and said, "You have it first." | And {A} put the {X}
into {B.her} hands.
= quarrel.solve.b 2: give B A X
{B} held out the {X} and said, "You have it first." | And {B} gave {A} the
{X}.
= quarrel.turns
They took turns after that, and on Sundays they shared it. | Since then it
has belonged to both of them. | After that they never again quarrelled,
except about the weather.
= quarrel.end 2
The best seat is beside a friend. | Every storm runs out of rain. | It takes
one to begin and two to make peace.
"""


# %% book/appendix-a-the-village.md#BUILD
BUILD = """
= build.p 1: goal A build J
wanted to {J:purpose}. | felt a great wish to {J:purpose}. | made up {A.her}
mind to {J:purpose}.
= build.plan
So {A.she} began to build {J}, but {A.she} had no {X:tool} and no {Y:tool}.
| "I will build {J}," said {A}. All that was missing was {X:a_tool} and
{Y:a_tool}. | For that {A.she} needed {J}, and for {J} {A.she} needed
{X:a_tool} and {Y:a_tool}.
= build.first 1: settle B; have B X; move A B.home; lend B A X
Luckily {B:the}, who lived {B:home}, could lend {A.him} the {X}. | {A} went
to {B:the}, who lived {B:home}, and borrowed the {X}.
= build.second 2: settle C; have C Y; follow C A; lend C A Y
As for the {Y}, {C:the} brought one along and stayed to help. | Then {C:the}
turned up with the {Y}, asking what the noise was about.
> 2: move A P; get A Y
The {Y} {A.she} found {P:at}, {spot}. | There was an old {Y} {P:at}, which
nobody wanted, and {A} took it.
= build.bad 2 bad: feel A M
At first everything went wrong, and {A} was {M:cross}. | Twice it fell down,
and {A} was {M:cross}. | {A} hit {A.her} own thumb, and was {M:cross}.
= build.again
Then {A.she} drank a cup of water and began again. | "Third time lucky,"
said {A}.
= build.help 2 help: follow B A; help B A
{B} came by to hold the other end. | Soon {B} was there too, with a pencil
behind one ear.
= build.done
Before the sun went down, there it stood: {J}! | After three days there was
{J}, a little crooked, but strong. | At last the final nail was in.
= build.use 1: feel A M
Now {A} could {J.use}, and {A.she} was {M:proud}. | So {A} could {J.use}
after all, and was {M:proud}.
= build.share.b 2: help A B
{B} was the first to be invited. | "May I?" asked {B}, and of course {B}
might.
= build.share.c 2: help A C
{C} was the first to be invited. | "May I?" asked {C}, and of course {C}
might.
= build.return 1: move B B.home; move A B.home; give A B X
And the {X}? {A} took it back to {B} that same evening. | {A} did not forget
to return the {X} to {B}.
= build.end 2
Slow feet still arrive. | Two heads are better than one, and four hands
better still. | Whoever begins is halfway there.
"""


# %% book/appendix-a-the-village.md#ERRAND
ERRAND = """
= errand.p 1: settle D; have A X; goal A send X D
had to send {X:a_thing} to {D:the}, who lived {D:home}. | meant to give
{X:a_thing} to {D:the}, who lived {D:home}.
= errand.why 0.4
Without one, {D} could not {X.use}. | It was a birthday present.
= errand.busy
But there was bread in the oven, and {A} could not leave. | Now {A.her} foot
was sore, and it was a long way. | Somebody had to mind the little ones, so
{A} had to stay.
= errand.give 3: settle G; follow G H; give H G X
{H} gave the {X} to {G:the}, who was going that way. | "Will you take it
along?" {H} asked {G:the}, and handed over the {X}. | That is how {G:the}
came to have the {X}, and a sandwich for the road.
= errand.walk 2 walk: move H P
{H} carried it as far as {P:place}, where {here}. | {H} took it along to
{P:place}.
= errand.on 2 walk: move H P
From there {H} walked on to {P:place}. | {H} went a little farther, to
{P:place}, where {here}.
= errand.meet 2 meet: settle G; follow G H; give H G X
There {H} met {G:the}, who took the {X} on. | "I am in a hurry," said {H} to
{G:the}. "Would you carry the {X}?" | Somebody was waiting there: it was
{G:the}, and {H} passed the {X} on.
= errand.lose 2 lose: drop H X
{H} put the {X} down to tie a lace, and forgot it. | The {X} fell out of
{H}'s bag, and {H} did not notice.
= errand.found 1: settle G; move G P; get G X
Luckily {G:the} came by and picked up the {X}. | It was {G:the} who found
the {X} there, and saw the name on it.
= errand.arrive 1: move H D.home; give H D X; feel D M
{H} knocked at {D}'s door with the {X}, and {D} was {M:thankful}. | So it
was {H} who brought the {X} to {D}, and {D} was {M:thankful}. | And in the
end {D} got the {X} from {H}, and was {M:thankful}.
= errand.use
That night {D} could {X.use}. | {D} began at once to {X.use}.
= errand.thanks 1: tell D A
{D} never knew through how many hands it had gone. | A week later a letter
came for {A}: "Thank you for the {X}." | When {A} heard of it, {A.she}
laughed.
= errand.end 2
Even the longest road ends at a door. | A small help can mend a big trouble.
| Many feet make a short road.
"""


# %% book/appendix-a-the-village.md#FOLLOW
FOLLOW = """
= follow.p 1: goal A find S
was woken by {S:sound}. | pricked up {A.her} ears: there was {S:sound} in
the air. | put down {A.her} cup, for there was {S:sound} in the distance.
= follow.wonder 0.4
What could it be? | It was not the wind, and it was not the clock.
= follow.go 1: move A P
It came from {P:place}, so {A} went there. | {A} followed it to {P:place},
where {here}.
= follow.b 1: settle B; follow B A
"Wait for me!" called {B:the}, and ran after {A}. | Soon {B:the} came after
{A}.
= follow.c 3 c: settle C; follow C B
Behind {B} came {C:the}, who had been {chore}. | Even {C:the} dropped
everything to follow {B}.
= follow.turn 3 turn
But now it came from {Q:place}, | Then it seemed to come from {Q:place}, |
Suddenly it was {Q:at},
= follow.two 1 on: move A Q; follow B A
so {A} went on, and {B} went with {A.him}. | and {A} and {B} hurried there.
= follow.three 3 on: move A Q; follow B A; follow C A
so {A} went on, and the others followed. | and all three hurried there.
> 2 stay: move A Q; follow B A
so {A} and {B} went on, but {C} stayed behind.
> 2 split: move A Q; follow C A
so {A} and {C} went on, but {B} sat down to rest.
= follow.fear 0.4: feel A M
{A} was {M:afraid}, but {A.she} did not turn back.
= follow.there 1: settle D; meet A D
There stood {D:the}, {S.source}! | And there was {D:the}, {S.source}. |
Behind the door they found {D:the}, {S.source}.
= follow.said
"I thought nobody could hear me," said {D}. | "Oh dear," said {D}, "was I
too loud?" | "Sit down," said {D}, "and be my guests."
= follow.glad 1: feel A M
{A} was {M:glad}, and stayed until dark. | They all began to laugh, and {A}
was {M:glad}. | Nobody minded, and {A} was {M:glad} to have come.
= follow.late 2
When {C} heard about it, there was nothing left but the crumbs. | {C} was
sorry to have missed it.
= follow.end 2
Curious ears find good company. | Follow your ears, and take a friend along.
| Most mysteries are only neighbours.
"""


# %% book/appendix-a-the-village.md#RESCUE
RESCUE = """
= rescue.p 1: move A P
heard a cry for help {P:at}. | was on the way to {P:place} when somebody
called for help.
= rescue.who 1: settle B; move B P; trouble B; goal A free B
It was {B:the}, who {U:stuck}. | It came from {B:the}, who {U:stuck}.
= rescue.said 0.8: feel B M
"Is anybody there?" called {B}, who was {M:afraid}. | "Don't go away!"
begged {B}, who was {M:afraid}. | {B} tried to look brave, but {B.she} was
{M:afraid}.
= rescue.try 0.6
{A} tried this and that, and it only got worse. | {A} called and pulled and
pushed, and nothing helped.
= rescue.think
What {A} needed was {X.a}. | "Only {X.a} will do," thought {A}.
= rescue.fetch 3: settle C; have C X; move A C.home; lend C A X
{A} ran to {C:the}, who lived {C:home}, to borrow one. | Now {C:the}, who
lived {C:home}, had one, and {A} fetched it from there.
= rescue.jog 0.6
"What is it for?" asked {C}, but {A} was gone already. | "Take it, and my
good wishes with it," said {C}. | "Mind you bring it back," said {C}.
= rescue.free 1: move A P; help A B
Back {A.she} went, and with the {X} it was done in no time. | Soon {A} was
back with the {X}, and a moment later {B} was free.
= rescue.thank 1: feel B M
{B} was {M:thankful}. | "I thought that nobody would come," said {B}, and
was {M:thankful}. | {B} hugged {A}, and was {M:thankful}.
= rescue.return 1: move A C.home; give A C X
On the way home {A} brought the {X} back to {C}. | Then {A} carried the {X}
home to {C}, and told the whole story.
= rescue.later 1: help B A
When {A.her} roof leaked that winter, {B} was there before {A} had asked. |
A year later it was {A} who needed help, and guess who came? {B}. | And
whenever {A} was tired after that, {B} brought {A.him} {snack}.
= rescue.end 2
Courage is fear that keeps walking. | Whoever hears is already halfway to
helping. | Nobody is too little to be of use.
"""


# %% book/appendix-a-the-village.md#FRIEND
FRIEND = """
= friend.p 1: move A P; feel A lonely
sat {P:at} all alone. | went to {P:place}, where nobody knew {A.him}.
= friend.wish 1: goal A find friend
{A} wished for a friend, but did not know how to begin. | Everybody seemed
to have somebody, except {A}. | It is hard to be brave when there is nobody
to see it.
= friend.other 1: settle B; move B P; feel B lonely
Not far off sat {B:the}, who was {chore} and felt just the same. | Now
{B:the} was there too, {chore}, and was just as alone.
= friend.shy 2 shy
They looked at each other, and both looked away. | {A} coughed. {B} coughed
too.
= friend.first 1: meet A B
"Do you like {L:love}?" asked {A} at last. | "May I sit here?" asked {B},
and {A} made room. | A gust of wind took {A.her} hat, and {B} caught it.
= friend.loves 1: meet A B
"Do you like {L} too?" asked {A} at last.
= friend.yes
"I thought you would never ask," said {B}. | It turned out that both of them
were fond of {snack}. | And then they talked about everything under the sun.
= friend.give 2 gift: have B X; give B A X
{B} had {X:a_thing} and gave it to {A}, to remember the day. | "Keep this,"
said {B}, and gave {A} {X:a_thing}.
= friend.show 2 show: move A Q; move B Q
"Come, I will show you something," said {B}, and they went to {Q:place},
where {here}. | Together they walked to {Q:place}, and it was dark before
they noticed.
= friend.glad 1: feel A M; feel B M
{A} was {M:glad}, and {B} no less. | Two people went home that night, and
both were {M:glad}.
= friend.later
Since then there has been a second cup on {A}'s table. | The next morning
{B} was at the door, with {snack}. | After that, nobody ever saw one of them
without the other.
= friend.later.gift 3
The {X} still hangs over {A}'s bed.
= friend.end 2
Asking costs nothing, and a friend is worth more than gold. | The quiet ones
often have the most to say. | Every friend was a stranger once.
"""


# %% book/appendix-a-the-village.md#TRACK
TRACK = """
= track.p 1: settle B; settle C; have A X; goal A share X
shared {X:a_thing} with {B:the} and {C:the}. | owned {X:a_thing} together
with {B:the} and {C:the}.
= track.all 1: goal A use X; goal B use X; goal C use X
All three of them wanted to {X.use}. | They had agreed to take turns. | "One
at a time!" said {A}.
= track.meet 1: move A P; move B P; move C P
They met {P:at}, where {here}. | All of them went to {P:place}.
= track.find 6: get H Y
There {H} found {Y:a_thing}. | {H} saw {Y:a_thing} on the ground and took
it.
= track.give 6: give H G X
{H} gave {G} the {X}. | Then it was {G}'s turn, and {H} handed over the {X}.
= track.swap 9: swap H G X Y
{H} and {G} swapped the {X} and the {Y}.
= track.drop 2: drop H X
{H} put the {X} down. | {H} grew tired of the {X} and left it there.
= track.take 6: get H X
{H} picked up the {X}. | {H} had waited for this, and took the {X}.
= track.go 2: move H P
{H} went to {P:place}. | {H} set off for {P:place}.
= track.back 2: move H P
{H} went back to {P}.
= track.join 4: follow H G
{H} followed {G}. | {H} ran after {G}.
= track.both 1: move H P; move G P
{H} and {G} went to {P:place} together.
= track.end 1: feel A M
When the sun went down, {A} was {M:glad}, and knew where everything was. |
By evening all three were tired, and {A} was {M:glad}. | And so the day was
over. {A} was {M:glad}, and fell asleep in a chair.
"""
