"""Scenes about things: lost, given, lent, gathered, swapped, hidden.

Tangled from book/appendix-a-the-village.md: edit the book,
or edit here and run `./build.sh stitch`.
"""

# %% book/appendix-a-the-village.md#LOST
LOST = """
= lost.p 1: lose A X; goal A find X
could not find {A.her} {X:thing}. | missed {A.her} {X:thing}. | noticed that
{A.her} {X:thing} was gone. | looked for {A.her} {X:thing} and found an
empty hook instead. | turned the house upside down, for {A.her} {X:thing}
was not in its place.
= lost.matter 1: feel A M
Without it {A.she} could not {X.use}, and {A.she} was {M:sad}. | "How am I
to {X.use} now?" asked {A}, and {A.she} was {M:sad}. | It had been a
present, and {A} was {M:sad}. | {A} had hoped to {X.use} that week, and was
{M:sad}.
= lost.search 4 search: move A P; seek A X
{A} looked {P:at}, where {here}, but the {X} was not there. | {A.She} went
to {P:place} and searched every corner, in vain. | Was it {P:at}? No, there
was nothing but {junk}. | {A} asked everybody {P:at}, but nobody had seen
the {X}.
> 2 search: move A P; seek A X; move A Q; seek A X
First {A.she} looked {P:at} and then {Q:at}, and found nothing but {junk}. |
Neither {P:at} nor {Q:at} was there any sign of it.
= lost.ask 3: settle B; move A B.home
So {A.she} went to {B:the}, who lived {B:home}. | In the end {A.she} knocked
at a door {B:home}, and out came {B:the}. | Somebody {B:home} might know,
people said, and so {A} called on {B:the}. | There was one more house to
ask, {B:home}, and there {A} found {B:the}.
= lost.sent 1: settle B; tell C A; move A B.home
"Ask {B:the}," said {C}, and {A} ran to find {B.him} {B:home}. | "You want
{B:the}," said {C}, so {A} went to see {B.him} {B:home}.
= lost.left 4 left: know B X Q; lie X Q; tell B A; know A X Q
"You left it {Q:at}," said {B} at once. "I saw it when I went by." | "Your
{X}?" said {B}. "It was {Q:at} this morning, all alone." | "Think back,"
said {B}. "Did you not sit down {Q:at}?"
= lost.bird 3 bird: know B X Q; lie X Q; tell B A; know A X Q
"A magpie took it," said {B}, "and I know its hiding place: it is {Q:at}." |
{B} had seen a jackdaw carry it off and leave it {Q:at}.
= lost.wind 3 wind: know B X Q; lie X Q; tell B A; know A X Q
"The wind took it," said {B}, "and a boy who caught it left it {Q:at}." |
{B} had seen it sail over the roofs, and somebody pick it up {Q:at}.
= lost.kept 2 kept: have B X; know A X B
{B} laughed, for {B.she} had found it in the road and kept it safe. | "Is it
this one?" asked {B}, and took it down from a shelf.
> 1 kept: have B X; know A X B
"I borrowed it," said {B}, and blushed. "I only wanted to {X.use}."
= lost.fetch 3: move A Q; get A X
{A} ran to {Q}, and there it was, {spot}. | So off {A.she} went to {Q}, and
found it {spot}.
> 2: move A Q; follow B A; get A X
Together they hurried to {Q}, and there, {spot}, lay the {X}. | {B} came
along to {Q}, and between them they found it {spot}.
= lost.back 1: give B A X
{A} held out both hands, and had {A.her} {X} again. | {B} put the {X} into
{A.her} hands. | And so the {X} came back to {A}.
= lost.glad 1: feel A M
{A} was {M:glad}. | {A} laughed out loud, so {M:glad} was {A.she}. | Never
had {A} been so {M:glad}. | Now {A} could {X.use} again, and was {M:glad}.
> 1: feel A glad
{A} hugged {B} first and the {X} second. | "I will never let it out of my
sight again," said {A}.
= lost.thank 1: help B A
To thank {B.him}, {A} brought {B} {snack}. | {B} would take no reward, but
could not say no to {snack}. | "You are a friend," said {A}, and gave {B}
{snack}.
= lost.after.left
From then on {A} always put the {X} back in its place. | {A} tied a red
string to the {X}, and never lost it again.
= lost.after.bird
From then on the {X} stayed indoors whenever a bird was about. | {A} shook a
finger at the sky, and after that {A.she} kept the {X} under the bed.
= lost.after.wind
And from then on {A} shut the windows on windy days. | {A} put a stone on
the {X}, in case the wind came back.
= lost.after.kept
From then on the two of them shared the {X}. | The next time {B} needed
something, {A} was glad to lend it.
= lost.end 0.6
Asking is half of finding. | Patience finds what haste has lost. | What one
pair of eyes has missed, two may see.
"""


# %% book/appendix-a-the-village.md#GIFT
GIFT = """
= gift.p 1 gift: settle B
was thinking of {B:the}, who lived {B:home}. | got a letter from {B:the},
whose house was {B:home}. | heard people {B:home} speak of {B:the} and shake
their heads. | wondered why nobody had seen {B:the}, not even {B:home}.
= gift.need 3 need: trouble B; goal A help B
{B} could no longer {X:need}, for {B.her} {X} was past mending. | {B} longed
to {X:need}, but {B.her} {X} had been swept away by a flood. | Somebody had
sat on {B.her} {X:noun}, and now {B} could not {X.use}.
= gift.trouble 2 trouble: trouble B; goal A cheer B
{B} {!trouble}, and nobody had come to visit. | It seemed that {B}
{!trouble}.
= gift.sad 0.4: feel B M
It had made {B.him} {M:sad}. | "Poor {B}," said {A}. "How {M:sad} {B.she}
must be!"
= gift.have 3: have A X
Now {A} had {X:a_look} {X} that {A.she} hardly ever used. | In the attic {A}
found {X:a_look} {X}, under a sheet.
> 2: have A X
So {A} asked at every door until somebody parted with {X:a_look} {X}. | {A}
emptied {A.her} savings box and bought {X:a_look} {X}.
= gift.pick 1: have A X
"Nobody is sad for long who can {X:need}," thought {A}, who had {X:a_look}
{X} to spare. | "It would do {B.him} good to {X:need}," said {A}, and went
and bought {X:a_look} {X}. | {A} remembered that {B} liked to {X:need}, and
wrapped {X:a_look} {X} in paper.
= gift.tempt 1 tempt
Before setting out {A.she} tried it, and it was hard to think of giving it
away. | It was such a good {X} that for a moment {A.she} thought of keeping
it.
= gift.resist
But {A.she} thought of {B}, all alone {B.at_home}, and took it along. | But
{B} needed it more. | "No," {A} told {A.self}. "It is for {B}."
= gift.offer 1 offer: settle C; meet A C
"What {X.a}!" said {C:the}, who was {chore}. "Will you sell it to me?" |
Then came {C:the}, who wanted to buy the {X} for {N:number} {F:food}.
= gift.refuse
"It is for {B}," said {A}, and hurried on. | {A} shook {A.her} head and held
the {X} tighter.
= gift.rain 1 rain
The stream had burst its banks, and {A} had to go the long way round. |
There was a bull in the meadow, and {A} waited until it was asleep.
= gift.arrive 1: move A B.home
At last {A} stood at the door, out of breath. | {A} knocked, and {B} opened
the door a little way. | {B} was sitting by the window when {A} came in
{gate}.
= gift.give 1: give A B X; feel B M
"This is for you," said {A}. {B} held the {X} and was {M:thankful}. | {A}
gave {B} the {X}, and {B.she} was {M:thankful}. | {B} unwrapped the {X} and
was {M:thankful}.
> 1: give A B X; feel B thankful
{A} held out the {X}, and {B} threw both arms round {A.him}. | "For me?"
asked {B}, when {A} held out the {X}.
= gift.use
And so {B} could {X.use} again. | "Now I can {X.use}!" cried {B}, and danced
round the table.
= gift.smile
{B} laughed for the first time in a week. | {B} tried it out at once, and
forgot everything else. | "Will you show me how to {X.use}?" asked {B}, and
that was the end of sad thoughts.
= gift.later 1: help B A
When {A} fell ill that winter, it was {B} who came with {snack}. | And the
next day there was {snack} on {A.her} doorstep, and no name on it. | "Stay a
while," said {B}, and they shared {snack}. | {B} asked {A} in, and they
talked until the stars came out.
= gift.end 0.6
Kind words cost nothing, and kind deeds not much more. | Joy grows when it
is divided. | What you give away comes back.
"""


# %% book/appendix-a-the-village.md#PROMISE
PROMISE = """
= promise.p 1: goal A use X
wanted very much to {X:need}, but had no {X}. | longed to {X:need}, but
{A.her} {X} had worn out. | hoped to {X:need}, but had sold {A.her} {X}.
= promise.lend 1: settle B; have B X; move A B.home; lend B A X;
  goal A return X B
So {A.she} went to {B:the}, who lived {B:home}, and borrowed {X:a_look} {X}.
| But there was {X:a_look} {X} {B:home}, and it belonged to {B:the}, who was
willing to lend it. | "Take mine," said {B:the}, who lived {B:home}, and
gave {A.him} {X:a_look} {X}.
= promise.word 1: promise A B X
"I will bring it back {W:deadline}," said {A}. | {A} promised to return it
{W:deadline}. | "I need it back {W:deadline}," said {B}, and {A} gave
{A.her} word.
= promise.use 1: feel A M
Now {A} could {X.use}, and {A.she} was {M:glad}. | {A} went off to {X.use},
and was {M:glad}. | "At last I can {X.use}!" thought {A}, who was {M:glad}.
> 1: feel A glad
{A} thanked {B} three times and hurried home with it. | {A} sang all the way
home.
= promise.rain 2 on
Then, on the way back, it began to pour, and the road turned into a stream.
| When it was time to go back, a storm bent the trees down to the ground.
= promise.rain.on
{A} put the {X} under {A.her} coat and walked through the puddles. | "A
promise has no umbrella," said {A}, and went out.
= promise.sleep 2 sleep: move A P
But {P:at}, where {here}, {A} sat down to rest and fell asleep. | On the way
back {A.she} lay down {P:at}, for just a moment, and slept.
= promise.sleep.on
It was nearly too late when {A.she} woke, and {A.she} ran. | A raindrop fell
on {A.her} nose, and up {A.she} jumped.
= promise.offer 2 offer: settle C; meet A C
"Sell me that {X}," said {C:the}. "I will give you {N:number} {F:food}." |
At the corner {C:the}, who was {chore}, offered {A.him} {N:number} {F:food}
for it.
= promise.offer.on
"I can't sell what is not mine," said {A}. | {A} was hungry, but {A.she}
shook {A.her} head.
= promise.stay 2 stay: settle C; meet A C
"Stay and share my {snack}," said {C:the}, who was {chore}. | "Why hurry?"
asked {C:the}. "There is {snack} on the stove."
= promise.stay.on
"I gave my word," said {A}, and buttoned up {A.her} coat. | It smelled
wonderful, but {A} said no.
= promise.forget 2 forget
{A} was so taken with it that {A.she} forgot what day it was. | The time was
nearly up, and {A} had forgotten all about it.
= promise.forget.on
Then the {X} caught {A.her} eye, and {A} leapt up. | {A} woke in the middle
of the night, remembered, and packed the {X} at once.
= promise.back 1: move A B.home; give A B X; keep A B X
So the {X} came back to {B} {W}, as {A} had promised. | And {A} stood
{B.at_home} {W}, with the {X} in {A.her} hands. | "Here is your {X}," said
{A}, who had kept {A.her} word.
= promise.need
It was well that {A} came, for {B} wanted to {X.use}. | {B} had been
waiting, for it was {B.her} turn to {X.use}.
= promise.trust 1: feel B M
"Your word is worth gold," said {B}, who was {M:thankful}. | {B} was
{M:thankful}, and gave {A} {snack} for the way home.
> 1: feel B thankful
From then on {B} lent {A} whatever {A.she} asked for.
= promise.break 1 break: feel A M
On the way back {A.she} slipped, the {X} {X.broke}, and {A} was {M:guilty}.
| Then somebody bumped into {A}, and the {X} {X.broke}. How {M:guilty} {A}
was!
= promise.truth 1: move A B.home; tell A B
It would have been easy to hide, but {A} went to {B} and told {B.him}. | "I
have spoiled your {X}," said {A} to {B}, and looked at the floor.
= promise.work 1: help A B; feel A M
{A} helped {B} in the house until it was paid for, and was {M:proud}. | {A}
sat mending it until it was better than before, and {A.she} was {M:proud}.
= promise.forgive
"A {X} can be mended," said {B}, "and so can a friend." | "I like the truth
better than any {X}," said {B}.
= promise.end 0.6
A promise is a kind of treasure. | Honest hands sleep well. | Trust is a
bridge with two ends.
"""


# %% book/appendix-a-the-village.md#HARVEST
HARVEST = """
= harvest.p 1: goal A gather F
needed {N:goal} {F:food} for {V:feast}. | promised {N:goal} {F:food} for
{V:feast}. | was asked for {N:goal} {F:food} for {V:feast}, and had none.
= harvest.more 4 more: move A P; gain A K
{A} asked {P:at}, where {here}, and came back with {K:number}. | Somebody
{P:at} could spare {K:number}, and {A} carried them home. | Down {A.she}
went to {P:place} and brought home {K:number}.
> 1 more: gain A K
On the top shelf of the pantry {A} found {K:number}. | An old aunt sent
{A.him} {K:number} in a basket.
= harvest.friend 3 more: settle B; gain A K
"Take {K:number} of mine," said {B:the}. "I have more than I need." | In the
evening {B:the} heard of it, came by and left {K:number} on the table.
= harvest.less 3 less: spend A K
Then {!thief} ate {K:some}. | In the night {!thief} stole {K:some}. | Sad to
say, {K:some} {mishap}. | {A} was so hungry that {A.she} ate {K:some}.
= harvest.beg 3 less: settle C; share A C K; feel C glad
"Could you spare {K:some}?" asked {C:the}, and {A} could not say no. | {A}
met {C:the}, who had had no supper, and gave away {K:some}.
= harvest.low 0.4
{A} counted what was left, and sighed. | "It will never be enough," said
{A}.
= harvest.back 3 more: gain A K; help C A
Then {C} came back with {K:number}: "You helped me, and I help you." | {C}
had not forgotten, and sent {A.him} {K:number}.
= harvest.done 1: feel A M
At last {A} had enough for {V}, and was {M:proud}. | Now there were enough
for {V}, and {A} was {M:proud}. | {A} counted twice: it was enough, and
{A.she} was {M:proud}.
> 1: feel A proud
That was enough for {V}, and {A} danced round the basket. | "That makes
enough for {V}!" cried {A}.
= harvest.c 2
Guess who got the best seat that evening? It was {C}. | {C} was invited, and
sat next to {A}.
= harvest.b 2
{A} kept a chair for {B}, who came early. | And {B} ate more than anybody,
and sang. | The first toast was to {B}, and the second to {A}.
= harvest.end 0.6
Those who share are never poor. | A small help can mend a big trouble. |
Many hands make a full basket.
"""


# %% book/appendix-a-the-village.md#SWAP
SWAP = """
= swap.p 1: settle B; have B Z; goal A get Z
fell in love with {Z:a_thing} that belonged to {B:the}. | saw {Z:a_thing} in
the window of {B:the}. | dreamed of {Z:a_thing} that belonged to {B:the}.
= swap.why 1
With it {A.she} could {Z.use}. | "If it were mine, I could {Z.use}," said
{A}.
= swap.price 1: have A X
But {B} wanted to {Y:need}, and asked for {Y:a_look} {Y}. All that {A} had
was {X:a_thing}. | "I need {Y:a_thing}," said {B}, "and nothing else will
do." {A} had only {X:a_thing}.
= swap.owner 1: settle C; have C Y
As it happened, {C:the} had {Y.a}, but longed to {X.use}. | {A} asked up and
down the road, until {C:the} brought out {Y.a} that was never used. | "I
have {Y.a}," said {C:the}, "but I would rather {X.use}."
= swap.first 1: swap A C X Y
"My {X} for your {Y}," said {A}, and {C} shook hands on it. | So {A} and {C}
swapped, the {X} for the {Y}. | {C} took the {X}, and {A} took the {Y}.
= swap.long 1: goal C get V; settle D; have D V
But {C} wanted {V:a_thing} for it, and only {D:the} had one. | "Only for
{V:a_thing}," said {C}. One like that belonged to {D:the}.
= swap.fourth 1: swap A D X V
{D} was happy to have the {X}, and gave {A} the {V}. | So {A} swapped with
{D}, the {X} for the {V}.
= swap.third 1: swap A C V Y
Then {C} got the {V}, and {A} got the {Y}. | With the {V} {A} went back to
{C}, and swapped it for the {Y}.
= swap.last 1: swap A B Y Z
Then {A} carried the {Y} to {B}, and came away with the {Z}. | {B} took the
{Y}, and the {Z} was {A}'s at last. | So {B} had the {Y} at last, and {A}
had the {Z}.
= swap.glad 1: feel A M
Now {A} could {Z.use}, and was {M:glad}. | {A} went off to {Z.use}, and was
{M:glad}.
> 1: feel A glad
{A} skipped all the way home with it. | {A} could not stop looking at it.
= swap.miss 1 miss: feel A M
But at night {A} missed the {X}, and was {M:sad}.
= swap.undo 1: swap C A X Z; feel A glad; feel C glad
So {A} went to {C} and swapped the {Z} for the {X}, and both were glad. |
"Have the {Z}," {A} told {C}, "and let me have the {X} again."
= swap.undo.long 1: swap D A X Z; feel A glad; feel D glad
So {A} went to {D} and swapped the {Z} for the {X}, and both were glad. |
"Have the {Z}," {A} told {D}, "and let me have the {X} again."
= swap.end 0.6
One house's clutter is another house's treasure. | You never know what a
thing is worth until it is gone.
"""


# %% book/appendix-a-the-village.md#HIDE
HIDE = """
= hide.p 1: settle B; have A X; goal A give X B
bought {X:a_thing} for the birthday of {B:the}. | wrapped {X:a_thing} as a
surprise for {B:the}. | chose {X:a_thing} as a present for {B:the}.
= hide.put 1: move A P; drop A X; know A X P
{A} hid it {P:at}, {spot}, where {B} would never look. | So that {B} should
not see it, {A} hid the {X} {P:at}, {spot}.
= hide.moved 2: settle C; move C P; get C X; move C Q; drop C X; know C X Q
"Somebody has lost this," said {C:the}, and took the {X} to {Q:place}. |
While {A} was asleep, {C:the} found the {X} and put it away {Q:at}, to keep
it safe. | Then {C:the}, who was tidying up and knew nothing, carried the
{X} to {Q:place}.
= hide.other 1 other: settle D; move D Q; get D X; move D R; drop D X;
  know D X R; know C X Q
There {D:the} nearly tripped over it, and moved the {X} to {R:place}.
= hide.day 1: move A P; seek A X; feel A M
On the day itself {A} went to {P}, and the {X} was gone. {A} was {M:dismay}.
| {A} looked for the {X} {P.at}, but there was nothing, and {A.she} was
{M:dismay}.
= hide.tell 1: tell C A; know A X Q
"I took it to {Q}," said {C}, and turned red. | "Was it yours?" asked {C}.
"I put it away {Q.at}."
= hide.tell.other 1: tell D A; know A X R
"I took it to {R}," said {D}, and turned red. | {C} asked {D}, and {D} said,
"It is safe {R.at}."
= hide.fetch 1: move A Q; get A X
{A} ran to {Q} and came back with it just in time. | Never was anybody so
quick to {Q} and back.
= hide.fetch.other 1: move A R; get A X
{A} ran to {R} and came back with it just in time. | Never was anybody so
quick to {R} and back.
= hide.finder 2 finder: move B Q; get B X; know B X Q; follow B A
Then somebody came up with the {X} in both hands: "Whose is this?" It was
{B}. | "Do you know whose this is?" asked {B}, who had found the {X} {Q.at}.
= hide.yours 1: feel B M
"Yours," said {A}, and {B} was {M:thankful}. | {A} had to laugh: "It is for
you!" {B} was {M:thankful}.
= hide.give 1: give A B X; feel B M
"Happy birthday!" said {A}, and {B} was {M:thankful}. | {A} gave {B} the
{X}, and {B.she} was {M:thankful}.
> 1: give A B X; feel B thankful
"Surprise!" cried {A}, and {B} unwrapped the {X} and gasped. | "For me?"
asked {B}, when {A} held out the {X}.
= hide.party
There was {snack} for everybody, even for {C}. | They lit the candles, and
{C} was forgiven. | "It is just what I wanted," said {B}.
= hide.end 0.6
A secret needs a good place and a quiet neighbour. | Even a well-meant hand
should ask first.
"""
