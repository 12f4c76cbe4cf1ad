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
to, and {A} felt {M:lone}. | With nobody to play with, {A} soon felt
{M:lone}.
= quarrel.lone.a 1: feel A M
Now {A} could {X.use}, but alone it was no fun, and {A.she} felt {M:lone}. |
The {X} was all {A}'s now, and still {A.she} felt {M:lone}.
= quarrel.advice 1 advice: settle C; meet A C
"Somebody has to begin," said {C:the}, who was {chore}. | "Is it worth a
friend?" asked {C:the}, who was {chore}.
= quarrel.meet 1: move A Q; move B Q
So {A} set out with {snack}, and {Q:at} {A.she} met {B}, who had set out
too. | Early next day they ran into each other {Q:at}, where {here}. | {A}
wrote a note, and so did {B}, and {Q:at} they met, each with a note.
= quarrel.sorry 1: feel A glad; feel B glad
"I am sorry," they said, both at once. | "I was wrong," said {A}. "We both
were," said {B}. | "It is only {X.a}," said {B}. "And you are {A}." | {A}
began to speak, but {B} said it first: "I am sorry." | Neither knew what to
say, so they laughed instead.
= quarrel.solve.a 2: give A B X
{A} held out the {X} and said, "You have it first." | And {A} put the {X}
into {B.her} hands.
= quarrel.solve.b 2: give B A X
"You take it," said {B}, and held out the {X}. | And {B} gave {A} the {X}.
= quarrel.turns 2
They found that two can {X.use} as well as one. | One day it was {A}'s after
that, and the next day {B}'s. | Since then it has belonged to both of them.
= quarrel.end 0.6
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
Luckily {B:the}, who lived {B:home}, could lend {A.him} the {X}. | {A} asked
{B:home}, and there {B:the} took the {X} from its nail. | There was just
such {X.a} {B:home}, and {B:the} was glad to lend it.
= build.second 2: settle C; have C Y; follow C A; lend C A Y
As for the {Y}, {C:the} brought one along and stayed to help. | Then {C:the}
turned up with the {Y}, asking what the noise was about.
> 2: move A P; get A Y
The {Y} {A.she} found {P:at}, {spot}. | There was an old {Y} {P:at}, which
nobody wanted, and {A} took it.
= build.bad 4 bad: feel A M
At first {J.fail}, and {A} was {M:annoyed}. | When {A} stepped back to look,
{J.fail}. How {M:annoyed} {A.she} was!
> 2 bad: feel A M
{A} hit {A.her} own thumb, and was {M:annoyed}. | {A} had held the plan
upside down, and was {M:annoyed}. | The best board turned out too short, and
{A} was {M:annoyed}. | A gust of wind carried off the plan, and {A} was
{M:annoyed}.
= build.again
But {A.she} took it apart and began again. | {A} slept on it, and in the
morning {A.she} knew what was wrong. | "Try it the other way round," said
{B}, and that was the answer. | So {A} began again, this time with a pencil
and a ruler.
= build.help 2 help: follow B A; help B A
{B} came by to hold the other end. | Soon {B} was there too, with a pencil
behind one ear.
= build.done
Before the week was out, there it stood: {J}! | With the {X} and the {Y} the
work went well, and soon there was {J}. | After three days there was {J}, a
little crooked, but strong. | It took a week, but then there was {J}.
= build.use 1: feel A M
Now {A} could {J.use}, and {A.she} was {M:proud}. | So {A} could {J.use}
after all, and was {M:proud}.
> 1: feel A proud
{A} tried it at once, and then once more. | {A} walked round it three times
and could not stop smiling.
= build.share.b 2: help A B
{B} was the first to be invited. | "May I try it?" asked {B}, and of course
{B.she} might.
= build.share.c 2: help A C
{C} was the first to be invited. | "May I try it?" asked {C}, and of course
{C.she} might.
= build.return 1: move B B.home; move A B.home; give A B X
And the {X}? {A} took it back to {B} the very evening it was done. | {A} did
not forget to return the {X} to {B}. | The {X} went back to {B}, cleaner
than before.
= build.end 0.6
Slow feet still arrive. | Two heads are better than one, and four hands
better still. | Whoever begins is halfway there.
"""


# %% book/appendix-a-the-village.md#ERRAND
ERRAND = """
= errand.p 1: settle D; have A X; goal A send X D
had to send {X:a_thing} to {D:the}, who lived {D:home}. | meant to give
{X:a_thing} to {D:the}, whose house was {D:home}. | hoped that {D:the}, who
lived {D:home}, would like {X:a_thing}.
= errand.why 1
Without one, {D} could not {X.use}. | It was a birthday present.
= errand.busy
But there was bread in the oven, and {A} could not leave. | But {A.her} foot
was sore, and it was a long way. | But somebody had to mind the little ones,
so {A} had to stay.
= errand.give 3: settle G; follow G H; give H G X
{H} gave the {X} to {G:the}, who was going that way. | "Will you take it
along?" {H} asked {G:the}, and handed over the {X}. | So {H} called {G:the},
who got the {X}, and a sandwich for the road.
= errand.walk 2 walk: move H P
{H} carried it as far as {P:place}, where {here}. | {H} took it along to
{P:place}.
= errand.on 2 walk: move H P
From there {H} walked on to {P:place}. | {H} went a little farther, to
{P:place}, where {here}.
= errand.meet 2 meet: settle G; follow G H; give H G X
There {H}'s shoe fell apart, but {G:the} took the {X} on. | "I am late for
work," said {H} to {G:the}. "Would you carry the {X}?" | Somebody was
waiting there: it was {G:the}, and {H} passed the {X} on.
= errand.lose 2 lose: drop H X
{H} put the {X} down to pick a flower, and forgot it. | A butterfly flew by,
and {H} ran after it without the {X}.
= errand.found 1: settle G; move G P; get G X
Luckily {G:the} came by and picked up the {X}. | It was {G:the} who found
the {X} there, and saw the name on it.
= errand.arrive 1: move H D.home; give H D X; feel D M
{H} knocked at {D}'s door with the {X}, and {D} was {M:thankful}. | So it
was {H} who brought the {X} to {D}, and {D} was {M:thankful}. | And in the
end {D} got the {X} from {H}, and was {M:thankful}.
> 1: move H D.home; give H D X; feel D thankful
"For me?" asked {D}, when {H} held out the {X}. | {H} knocked, and {D} came
running out and hugged first the {X} and then {H}.
= errand.use
Now {D} could {X.use} at last. | {D} had long wished to {X.use}, and now
{D.she} could.
= errand.thanks 1: tell D A
{D} never knew through how many hands it had gone. | A week later a letter
came for {A}: "Thank you for the {X}." | When {A} heard of it, {A.she}
laughed.
= errand.end 0.6
Even the longest road ends at a door. | A small help can mend a big trouble.
| Friends are the best post.
"""


# %% book/appendix-a-the-village.md#FOLLOW
FOLLOW = """
= follow.p 1: goal A find S
was woken by {S:sound}. | pricked up {A.her} ears: from far away came
{S:sound}. | put down {A.her} cup, for there was {S:sound} in the distance.
= follow.wonder 0.4
What could it be? | It was not the wind, and it was not the clock.
= follow.go 1: move A P
It seemed to come from {P:place}, so {A} went there. | {A} followed it to
{P:place}, where {here}.
= follow.b 1: settle B; follow B A
"Wait for me!" called {B:the}, and ran after {A}. | Soon {B:the} was walking
beside {A}. | Then {B:the}, who had heard it too, came along.
= follow.c 3 c: settle C; follow C B
Behind {B} came {C:the}, who had been {chore}. | Even {C:the} dropped
everything to follow {B}.
= follow.turn 3 turn
There it was louder, but it came from {Q:place}, | But nobody was there. It
came from {Q:place}, | No, it was farther on, {Q:at},
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
Round the corner they found {D:the}, {S.source}.
= follow.said
"I thought nobody could hear me," said {D}. | "Oh dear," said {D}, "was I
too loud?" | "Sit down," said {D}, "and be my guests." | "It is only me,"
said {D}. "Come closer."
= follow.glad 1: feel A M
{A} was {M:glad}, and stayed until dark. | They all began to laugh, and {A}
was {M:glad}. | And {A}, who was {M:glad}, stayed for supper. | It was a
merry end to a long walk, and {A} was {M:glad}.
> 1: feel A glad
{A} laughed until {A.she} had to sit down. | They stayed until the moon was
up.
= follow.late 2
When {C} heard about it, there was nothing left but the crumbs. | {C} was
sorry to have missed it.
= follow.end 0.6
Curious ears find good company. | Follow your ears, and take a friend along.
| Most mysteries are only neighbours.
"""


# %% book/appendix-a-the-village.md#RESCUE
RESCUE = """
= rescue.p 1: move A O
heard a cry for help {O:at}. | noticed something odd {O:at}. | was on the
way to {O:place} when somebody called for help. | came upon a strange sight
{O:at}.
= rescue.who 1: settle B; move B O; trouble B; goal A free B
It was {B:the}, who {U:stuck}. | There was {B:the}, who {U:stuck}. |
Somebody was in trouble: {B:the}, who {U:stuck}.
= rescue.said 0.8: feel B M
"Is anybody there?" called {B}, who was {M:afraid}. | "Don't go away!"
begged {B}, who was {M:afraid}. | {B} tried to look brave, but {B.she} was
{M:afraid}.
= rescue.try 1
At first {A} {U.try}. | For a start {A} {U.try}. | Without thinking twice,
{A} {U.try}.
= rescue.think
What {A} needed was {X.a}. | "Only {X.a} will do," thought {A}. | If only
{A} had had {X.a}!
= rescue.fetch 3: settle C; have C X; move A C.home; lend C A X
{A} ran to {C:the}, who lived {C:home}, to borrow one. | There was one
{C:home}, and {C:the} gave it to {A} without many questions. | {A} knew of
one {C:home}, and {C:the} was quick to lend it.
= rescue.came 1 came: settle C; have C X; follow C A; lend C A X
Just then {C:the} came by with one, and was glad to lend it. | By good luck
{C:the} was passing on a cart, and there was one in it.
= rescue.jog 0.6
"What is it for?" asked {C}, but {A} was gone already. | "Take it, and my
good wishes with it," said {C}. | "Mind you bring it back," said {C}.
= rescue.free 1: move A O; help A B
With the {X} it was soon done: {A} {U.way}, and {B} was safe. | Back in a
hurry, {A} {U.way}, and soon {B} was safe. | "Hold on!" cried {A}, who
{U.way}, and at last {B} was safe.
= rescue.free.came 1: help A B; help C B
With the {X} it was soon done: {A} {U.way}, and {B} was safe. | {A} {U.way},
while {C} gave good advice, and soon {B} was safe.
= rescue.thank 1: feel B M
{B} was {M:thankful}. | "I thought that nobody would come," said {B}, who
was {M:thankful}. | {B} hugged {A}, and was {M:thankful}.
= rescue.return 1: move A C.home; give A C X
On the way home {A} brought the {X} back to {C}. | Then {A} carried the {X}
home to {C}, and told the whole story.
= rescue.return.came 1: give A C X
Then {A} handed the {X} back to {C}. | And {C} got the {X} back, with
thanks.
= rescue.later 1: help B A
When {A.her} roof leaked that winter, {B} was there before {A} had asked. |
A year later it was {A} who needed help, and guess who came? {B}. | And
whenever {A} was tired after that, {B} brought {A.him} {snack}.
= rescue.end 0.6
Courage is fear that keeps walking. | Whoever hears is already halfway to
helping. | Nobody is too little to be of use.
"""


# %% book/appendix-a-the-village.md#FRIEND
FRIEND = """
= friend.p 1: move A P; feel A lonely
sat {P:at} all alone. | went to {P:place}, where nobody knew {A.him}. |
stood {P:at} and watched the others play.
= friend.wish 1: goal A find friend
{A} wished for a friend, but did not know how to begin. | Everybody seemed
to have somebody, except {A}. | It is hard to be brave when there is nobody
to see it.
= friend.other 1: settle B; move B P; feel B lonely
Not far off sat {B:the}, who felt just the same. | Now {B:the} was there
too, and was just as alone. | Behind a newspaper sat {B:the}, who had read
the same page three times.
= friend.shy 2 shy
They looked at each other, and both looked away. | {A} coughed. {B} coughed
too.
= friend.first 1: meet A B
"Do you like {L:love}?" asked {A} at last. | "May I sit here?" asked {B},
and {A} made room. | {A} sneezed. "Bless you," said {B}, and held out a
handkerchief.
= friend.loves 1: meet A B
"Do you like {L} too?" asked {A} at last.
= friend.yes
And then they talked about everything under the sun. | One word led to
another, and soon both were laughing. | {B} smiled, and so did {A}, and the
rest was easy.
= friend.give 2 gift: meet B A
{B} gave {A} {K:keepsake}, to remember the day. | "Keep this," said {B}, and
put {K:keepsake} into {A.her} hand.
= friend.show 2 show: move A Q; move B Q
"Come, I will show you something," said {B}, and they went to {Q:place},
where {here}. | Together they walked to {Q:place}, and it was dark before
they noticed.
= friend.glad 1: feel A M; feel B M
{A} was {M:glad}, and {B} no less. | Two people went home that night, and
both were {M:glad}.
> 1: feel A glad; feel B glad
The way home had never seemed so short. | {A} skipped all the way home, and
{B} all the way back again.
= friend.later
Since then there has been a second cup on {A}'s table. | The next morning
{B} was at the door, with {snack}. | After that, nobody ever saw one of them
without the other.
= friend.later.gift 3
To this day {A} carries {K} in one pocket. | If you visit {A}, you will see
{K} on the windowsill.
= friend.end 0.6
Asking costs nothing, and a friend is worth more than gold. | The quiet ones
often have the most to say. | Every friend was a stranger once.
"""
