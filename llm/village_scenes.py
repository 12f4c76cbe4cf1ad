"""Scenes: the wordings of what can happen, the likelier first.

Tangled from book/appendix-a-the-village.md: edit the book,
or edit here and run `./build.sh stitch`.
"""

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


# %% book/appendix-a-the-village.md#LOST
LOST = """
= lost.p 1: lose A X; goal A find X
could not find {A.her} {X:thing}. | missed {A.her} {X:thing}. | woke up and
saw that {A.her} {X:thing} was gone. | looked for {A.her} {X:thing} and
found an empty hook instead. | turned the house upside down, for {A.her}
{X:thing} was not in its place.
= lost.matter 1: feel A M
Without it {A.she} could not {X.use}, and {A.she} was {M:sad}. | "How am I
to {X.use} now?" asked {A}, and {A.she} was {M:sad}. | It had been a
present, and {A} was {M:sad}. | {A} had hoped to {X.use} that very day, and
was {M:sad}.
= lost.search 4 search: move A P; seek A X
{A} looked {P:at}, where {here}, but the {X} was not there. | {A.She} went
to {P:place} and searched every corner, in vain. | Was it {P:at}? No, there
was nothing but {junk}. | {A} asked everybody {P:at}, but nobody had seen
the {X}.
> 2 search: move A P; seek A X; move A Q; seek A X
First {A.she} looked {P:at} and then {Q:at}, and found nothing but {junk}. |
Neither {P:at} nor {Q:at} was there any sign of it.
= lost.ask 3: settle B; move A B.home
So {A.she} went to {B:the}, who lived {B:home} and noticed everything. | In
the end {A.she} knocked at the door of {B:the}, who lived {B:home}. |
Somebody told {A.him} to ask {B:the}, who lived {B:home}, and off {A} went.
= lost.sent 1: settle B; tell C A; move A B.home
"Ask {B:the}," said {C}, and {A} ran to find {B.him} {B:home}. | "You want
{B:the}," said {C}, so {A} went to see {B.him} {B:home}.
= lost.left 4 left: know B X Q; lie X Q; tell B A; know A X Q
"You left it {Q:at}," said {B} at once. "I saw it when I went by." | "Your
{X}?" said {B}. "It was {Q:at} this morning, all alone." | "Think back,"
said {B}. "Did you not sit down {Q:at}?"
= lost.bird 2 bird: know B X Q; lie X Q; tell B A; know A X Q
"A gull flew over with it," said {B}, "and dropped it {Q:at}." | {B} had
seen a jackdaw carry it off and lose it {Q:at}.
= lost.wind 2 wind: know B X Q; lie X Q; tell B A; know A X Q
"The wind took it," said {B}. "It came down {Q:at}." | {B} had seen it sail
over the roofs and land {Q:at}.
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
"Here you are," said {B}, and {A} had {A.her} {X} again. | {B} put the {X}
into {A.her} hands. | And so the {X} came back to {A}.
= lost.glad 1: feel A M
{A} was {M:glad}. | {A} laughed out loud, so {M:glad} was {A.she}. | {A}
hugged the {X} and was {M:glad}.
= lost.thank 1: help B A
That evening {A} could {X.use} again, and {B} came along to watch. | To
thank {B.him}, {A} brought {B} {snack}. | {B} would take no reward, but
could not say no to {snack}. | "You are a friend," said {A}, and gave {B}
{snack}.
= lost.after.left
From then on {A} always put the {X} back on its hook. | {A} tied a string to
the {X}, and never lost it again.
= lost.after.bird
From then on the {X} stayed indoors whenever birds were about. | {A} shook a
finger at the sky, and after that {A.she} kept the {X} under the bed.
= lost.after.wind
And from then on {A} shut the windows on windy days. | {A} put a stone on
the {X}, in case the wind came back.
= lost.after.kept
From then on the two of them shared the {X}. | The next time {B} needed
something, {A} was glad to lend it.
= lost.end 2
Asking is half of finding. | Patience finds what haste has lost. | What one
pair of eyes has missed, two may see.
"""


# %% book/appendix-a-the-village.md#GIFT
GIFT = """
= gift.p 1 gift: settle B
was thinking of {B:the}, who lived {B:home}. | worried about {B:the}, who
lived {B:home}. | got a letter from {B:the}, who lived {B:home}.
= gift.need 3 need: trouble B; goal A help B
{B} could no longer {X:need}, for {B.her} {X} was past mending. | {B} longed
to {X:need}, but {B.her} {X} had been swept away by the rain. | Somebody had
sat on {B.her} {X:noun}, and now {B} could not {X.use}.
= gift.trouble 3 trouble: trouble B; goal A cheer B
{B} {!trouble}, and nobody had come to visit. | It seemed that {B}
{!trouble}.
= gift.sad 0.4: feel B M
It had made {B.him} {M:sad}. | "Poor {B}," said {A}. "How {M:sad} {B.she}
must be!"
= gift.have 3: have A X
Now {A} had {X:a_look} {X} that {A.she} hardly ever used. | In the attic {A}
found {X:a_look} {X}, nearly as good as new.
> 2: have A X
So {A} sat down and made {X:a_look} {X}, and it took three days. | {A}
emptied {A.her} savings box and bought {X:a_look} {X}.
= gift.pick 1: have A X
{A} thought of {A.her} {X:thing}: that would cheer {B} up. | "I will bring
{B.him} {X:a_thing}," said {A}, and wrapped it in paper. | What {B} needs,
thought {A}, is {X:a_thing}, and {A.she} went and bought one.
= gift.tempt 1 tempt
On the way {A.she} tried it out, and it was hard to think of giving it away.
| It was such a good {X} that for a moment {A.she} thought of keeping it.
= gift.resist
But {A.she} thought of {B}, all alone {B.at_home}, and walked on. | But {B}
needed it more. | "No," {A} told {A.self}. "It is for {B}."
= gift.offer 1 offer: settle C; meet A C
"What {X.a}!" said {C:the}, who was {chore}. "Will you sell it to me?" |
Then came {C:the}, who wanted to buy the {X} for {N:number} {F:food}.
= gift.refuse
"It is for {B}," said {A}, and hurried on. | {A} shook {A.her} head and held
the {X} tighter.
= gift.rain 1 rain
Then it began to pour, and {A} hid the {X} under {A.her} coat. | The stream
had burst its banks, and {A} had to go the long way round.
= gift.arrive 1: move A B.home
At last {A} stood at the door, out of breath. | {A} knocked, and {B} opened
the door a little way. | {B} was sitting by the window when {A} came in
{gate}.
= gift.give 1: give A B X; feel B M
"This is for you," said {A}. {B} held the {X} and was {M:thankful}. | {A}
gave {B} the {X}, and {B.she} was {M:thankful}. | {B} unwrapped the {X} and
was {M:thankful}.
= gift.use
That very night {B} could {X.use} again. | And who was the first to {X.use}?
It was {B}. | "Now I can {X.use}!" cried {B}, and did so at once.
= gift.smile
{B} laughed for the first time in a week. | For a while {B} forgot
everything else. | They put it in the window, where the sun could reach it.
= gift.later 1: help B A
When {A} fell ill that winter, it was {B} who came with {snack}. | And the
next day there was {snack} on {A.her} doorstep, and no name on it. | "Stay a
while," said {B}, and they shared {snack}. | {B} asked {A} in, and they
talked until the stars came out.
= gift.end 2
Kind words cost nothing, and kind deeds not much more. | Joy grows when it
is divided. | What you give away comes back.
"""


# %% book/appendix-a-the-village.md#PROMISE
PROMISE = """
= promise.p 1: goal A use X
would have liked to {X:need}, but had no {X}. | longed to {X:need}, but
{A.her} {X} had worn out.
= promise.lend 1: settle B; have B X; move A B.home; lend B A X;
  goal A return X B
So {A.she} went to {B:the}, who lived {B:home}, and borrowed {X:a_look} {X}.
| "Take mine," said {B:the}, who lived {B:home}, and gave {A.him} {X:a_look}
{X}. | Now {B:the}, who lived {B:home}, had {X:a_look} {X} and was willing
to lend it.
= promise.word 1: promise A B X
"I will bring it back {W:deadline}," said {A}. | {A} promised to return it
{W:deadline}. | "I need it back {W:deadline}," said {B}, and {A} gave
{A.her} word.
= promise.use 1: feel A M
Now {A} could {X.use}, and {A.she} was {M:glad}. | It was a fine {X}, and
{A} was {M:glad} from morning to night. | {A} went off to {X.use}, and was
{M:glad}.
= promise.rain 2 on
Then it began to pour, and the road turned into a stream. | A storm came up,
and the trees bent down to the ground.
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
{A} was in bed already when {A.she} remembered. | The day was over, and {A}
had forgotten all about it.
= promise.forget.on
{A} pulled {A.her} boots on over bare feet and ran into the dark. | Then the
{X} caught {A.her} eye, and {A} leapt up.
= promise.back 1: move A B.home; give A B X; keep A B X
So the {X} came back to {B} {W}, as {A} had promised. | And {A} stood
{B.at_home} {W}, with the {X} in {A.her} hands. | "Here is your {X}," said
{A}, and it was {W}, as agreed.
= promise.need
It was well that {A} came, for {B} wanted to {X.use}. | {B} had been
waiting, for {B.she} had to {X.use} that night.
= promise.trust 1: feel B M
"Your word is worth gold," said {B}, and was {M:thankful}. | From then on
{B} lent {A} whatever {A.she} asked for. | {B} was {M:thankful}, and gave
{A} {snack} for the way home.
= promise.break 1 break: feel A M
On the way back {A.she} slipped, the {X} broke, and {A} was {M:lone}. | Then
somebody bumped into {A}, and the {X} was in pieces. How {M:lone} {A} felt!
= promise.truth 1: move A B.home; tell A B
It would have been easy to hide, but {A} went to {B} and told {B.him}. | "I
have broken your {X}," said {A} to {B}, and looked at the floor.
= promise.work 1: help A B; feel A M
For three days {A} helped {B} with everything, and in the end {A.she} was
{M:proud}. | {A} spent the whole week mending it, until it was better than
before, and {A.she} was {M:proud}.
= promise.forgive
"A {X} can be mended," said {B}, "and so can a friend." | "I like the truth
better than any {X}," said {B}.
= promise.end 2
A promise is a kind of treasure. | Honest hands sleep well. | Trust is a
bridge with two ends.
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


# %% book/appendix-a-the-village.md#HARVEST
HARVEST = """
= harvest.p 1: goal A gather F
needed {N:goal} {F:food} for {V:feast}. | promised {N:goal} {F:food} for
{V:feast}. | was asked for {N:goal} {F:food} for {V:feast}, and had none.
= harvest.more 4 more: move A P; gain A K
{A} went to {P:place}, where {here}, and came back with {K:number}. | There
were {K:number} to be had {P:at}, and {A} took them home. | Down {A.she}
went to {P:place} and brought home {K:number}.
> 1 more: gain A K
Behind the house {A} found {K:number}. | An old aunt sent {A.him} {K:number}
in a basket.
= harvest.friend 3 more: settle B; gain A K
"Take {K:number} of mine," said {B:the}. | In the evening {B:the} came by
and left {K:number} on the table.
= harvest.again 3 more: gain A K
The next day {B} brought {K:number}. | "Will this help?" asked {B}, and put
down {K:number}.
= harvest.less 3 less: spend A K
Then {!thief} ate {K:some}. | In the night {!thief} stole {K:some}. | Sad to
say, {K:some} {mishap}. | {A} was so hungry that {A.she} ate {K:some}.
= harvest.beg 3 beg: settle C; share A C K; feel C glad
"Could you spare {K:some}?" asked {C:the}, and {A} could not say no. | {A}
met {C:the}, who had had no supper, and gave away {K:some}.
= harvest.low 0.4
{A} counted what was left, and sighed. | "It will never be enough," said
{A}.
= harvest.back 2 more: gain A K; help C A
Then {C} came back with {K:number}: "You helped me, and I help you." | {C}
had not forgotten, and sent {A.him} {K:number}.
= harvest.done 1: feel A M
At last {A} had enough for {V}, and was {M:proud}. | Now there were enough
for {V}, and {A} was {M:proud}. | {A} counted twice: it was enough, and
{A.she} was {M:proud}.
= harvest.c 2
Guess who got the best seat that evening? It was {C}. | {C} was invited, and
sat next to {A}.
= harvest.b 2
{B} helped to carry them, and was given the first bite. | {A} kept a chair
for {B}, who came early.
= harvest.end 2
Those who share are never poor. | A small help can mend a big trouble. |
Many hands make a full basket.
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


# %% book/appendix-a-the-village.md#SWAP
SWAP = """
= swap.p 1: settle B; have B Z; goal A get Z
fell in love with {Z:a_thing} that belonged to {B:the}. | saw {Z:a_thing} in
the window of {B:the}.
= swap.why 0.4
With it {A.she} could {Z.use}. | "If it were mine, I could {Z.use}," said
{A}.
= swap.price 1: have A X
But {B} wanted {Y:a_thing} for it, and {A} had only {X:a_thing}. | "I will
part with it for {Y:a_thing}," said {B}. {A} had nothing but {X:a_thing}.
= swap.owner 1: settle C; have C Y
As it happened, {C:the} had {Y.a} and was tired of it. | {A} asked up and
down the road, until {C:the} brought out {Y.a}. | "I have {Y.a}," said
{C:the}, who was {chore}.
= swap.first 1: swap A C X Y
"My {X} for your {Y}," said {A}, and {C} shook hands on it. | So {A} and {C}
swapped, the {X} for the {Y}. | {C} took the {X}, and {A} took the {Y}.
= swap.long 1: goal C get V; settle D; have D V
But {C} would not take {X.a}, only {V:a_thing}, which {D:the} had. | "Bring
me {V:a_thing}," said {C}, and one like that belonged to {D:the}.
= swap.fourth 1: swap A D X V
{D} was happy to have the {X}, and gave {A} the {V}. | So {A} swapped with
{D}, the {X} for the {V}.
= swap.third 1: swap A C V Y
Then {C} got the {V}, and {A} got the {Y}. | With the {V} {A} went back to
{C}, and swapped it for the {Y}.
= swap.last 1: swap A B Y Z
Then {A} carried the {Y} to {B}, and came away with the {Z}. | {B} took the
{Y}, and the {Z} was {A}'s at last. | Now {B} had the {Y}, and {A} had the
{Z}.
= swap.glad 1: feel A M
That evening {A} could {Z.use}, and was {M:glad}. | {A} went off to {Z.use},
and was {M:glad}.
= swap.miss 1 miss: feel A M
But at night {A} missed the {X}, and was {M:sad}.
= swap.undo 1: swap C A X Z; feel A glad; feel C glad
So {A} went to {C} and swapped the {Z} for the {X}, and both were glad. |
"Have the {Z}," {A} told {C}, "and let me have the {X} again."
= swap.undo.long 1: swap D A X Z; feel A glad; feel D glad
So {A} went to {D} and swapped the {Z} for the {X}, and both were glad. |
"Have the {Z}," {A} told {D}, "and let me have the {X} again."
= swap.end 2
And so everybody had what they wanted. | One house's clutter is another
house's treasure. | You never know what a thing is worth until it is gone.
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


# %% book/appendix-a-the-village.md#HIDE
HIDE = """
= hide.p 1: settle B; have A X; goal A give X B
bought {X:a_thing} for the birthday of {B:the}. | wrapped {X:a_thing} as a
surprise for {B:the}.
= hide.put 1: move A P; drop A X; know A X P
{A} hid it {P:at}, {spot}, where {B} would never look. | So that {B} should
not see it, {A} hid the {X} {P:at}.
= hide.moved 2: settle C; move C P; get C X; move C Q; drop C X; know C X Q
While {A} was asleep, {C:the} found the {X} and took it to {Q:place}. | But
{C:the}, who knew nothing, put the {X} away {Q:at}. | It looked like rain,
so {C:the} carried the {X} to {Q:place}.
= hide.other 1 other: settle D; move D Q; get D X; move D R; drop D X;
  know D X R; know C X Q
Later {D:the} needed the room and moved the {X} to {R:place}.
= hide.day 1: move A P; seek A X; feel A M
On the day itself {A} went to {P}, and the {X} was gone. {A} was {M:afraid}.
| {A} looked for the {X} {P.at}, but there was nothing, and {A.she} was
{M:afraid}.
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
Then somebody came up to {A} with the {X} in both hands. It was {B}. | "Do
you know whose this is?" asked {B}, who had found the {X} {Q.at}.
= hide.yours 1: feel B M
"Yours," said {A}, and {B} was {M:thankful}. | {A} had to laugh: "It is for
you!" {B} was {M:thankful}.
= hide.give 1: give A B X; feel B M
"Happy birthday!" said {A}, and {B} was {M:thankful}. | {A} gave {B} the
{X}, and {B.she} was {M:thankful}.
= hide.party
There was {snack} for everybody, even for {C}. | They lit the candles, and
{C} was forgiven. | Afterwards {B} used it to {X.use}, and all the guests
looked on.
= hide.end 2
A secret needs a good place and a quiet neighbour. | The best hiding place
is the one you tell a friend. | Even a well-meant hand should ask first.
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
