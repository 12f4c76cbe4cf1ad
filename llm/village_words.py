"""Words: who and what there is in the village, the commoner first.

Tangled from book/appendix-a-the-village.md: edit the book,
or edit here and run `./build.sh stitch`.
"""


# %% book/appendix-a-the-village.md#words
def words(text: str) -> tuple[str, ...]:
    """A text, cut at its commas."""
    return tuple(" ".join(word.split()) for word in text.split(","))


def pairs(text: str) -> dict[str, str]:
    """A text `one: two; three: four` as a dictionary."""
    rows = " ".join(text.split()).split("; ")
    halves = (row.partition(": ") for row in rows)
    return {left: right for left, _, right in halves}


SHE = words("""Fern, Hazel, Mabel, Olive, Wren, Clara, Ivy, Dora, Nell,
    Agnes, Poppy, Rosa, Edith, Tilda, Bettany, Juniper, Maud, Sorrel, Pearl,
    Greta, Iris, Flora, Lottie, Marigold, Tansy, Una, Vera, Winifred, Yara,
    Zelda, Bramble, Celia, Daphne, Esme, Freya, Gwen, Hester, Isolde, Kitty,
    Linnet, Minna, Nora, Odette, Petra, Quilla, Runa, Saffron, Thea, Ursula,
    Violet, Wilma, Yvette, Zinnia, Amelie, Beatrix, Cora, Dulcie,
    Elspeth""")
HE = words("""Bo, Tobias, Otto, Jasper, Finn, Rufus, Milo, Barnaby, Alder,
    Hugo, Pip, Linus, Edmund, Oswin, Gus, Wilf, Basil, Percy, Rowan, Silas,
    Arlo, Bertram, Casper, Digby, Ezra, Felix, Gilbert, Horace, Ivo, Jonah,
    Kester, Leopold, Magnus, Ned, Orin, Piers, Quentin, Ralph, Sorley,
    Thaddeus, Umber, Victor, Walter, Xander, Yorick, Zeke, Ambrose, Bruno,
    Cedric, Dunstan, Elias, Fergus, Godwin, Humphrey, Jethro, Lucian,
    Mortimer, Nestor""")
KINDS = words("""hedgehog, miller, badger, baker, rabbit, fox, mouse,
    shepherd, squirrel, otter, weaver, frog, carpenter, hare, gardener,
    goose, potter, owl, beekeeper, mole, fisherman, duck, tailor, toad,
    cobbler, lamb, blacksmith, beaver, postman, crow, cook, robin, teacher,
    goat, sailor, heron, doctor, weasel, painter, dormouse, clockmaker,
    swan, piper, donkey, farmer, ferret, librarian, magpie, candlemaker,
    pony, ferryman, stoat, basketmaker, sparrow, juggler, newt, woodcutter,
    lizard, innkeeper, cricket, glassblower, kitten, chimneysweep, vole,
    mason, raven, thatcher, jackdaw, cooper, tortoise, bookbinder,
    lacemaker, finch, ropemaker, marten, astronomer, thrush""")


# %% book/appendix-a-the-village.md#TRAITS
# A trait belongs to a group, and the group makes some plots likelier.
TRAITS = {
    "careless": words("forgetful, dreamy, hasty, sleepy, clumsy"),
    "kind": words("kind, gentle, generous, thoughtful, friendly"),
    "proud": words("proud, stubborn, grumpy, boastful, fussy"),
    "able": words("busy, clever, patient, careful, hard-working"),
    "brave": words("brave, curious, cheerful, merry, restless"),
    "true": words("honest, faithful, earnest, loyal, polite"),
    "shy": words("shy, quiet, lonely, timid, bashful"),
}
GROUPS = {trait: group for group in TRAITS for trait in TRAITS[group]}
# What happens to whom: plots that show the trait.
LEANINGS = {
    "careless": ("lost", "promise"),
    "kind": ("gift", "rescue", "hide"),
    "proud": ("quarrel",),
    "able": ("build", "harvest", "swap"),
    "brave": ("follow", "rescue"),
    "true": ("promise", "errand"),
    "shy": ("friend",),
}
# Adjectives that go with all things, and those of one material.
LOOKS = words("""red, old, little, blue, green, yellow, new, white, black,
    handsome, purple, pretty, grey, pink, orange, crimson, plain, scarlet,
    lucky, famous, turquoise, odd""")
MATERIALS = {
    "metal": words("""silver, copper, rusty, brass, shiny, iron, golden,
        dented, tin, heavy"""),
    "wood": words("""wooden, painted, carved, crooked, polished, oak,
        battered, light, maple, knotty"""),
    "cloth": words("""striped, warm, patched, woollen, spotted, silk, faded,
        velvet, checked, soft"""),
    "paper": words("""leather, dusty, thick, tattered, illustrated, slim,
        borrowed, ancient"""),
    "china": words("""china, chipped, glass, gleaming, flowered, delicate,
        round, precious"""),
}
# What becomes of them in a fall.
BROKE = pairs("""
    metal: got a dent; wood: cracked; cloth: tore; paper: lost a page;
    china: lost a piece
""")
# What things are for: "Without it she could not ..."
USES = {
    "metal": pairs("""
        lantern: see the path at night; kettle: make the tea; key: open the
        garden gate; bell: call the others to supper; spade: dig the
        potatoes; whistle: call across the valley; trumpet: play in the
        band; needle: mend a torn sleeve; hammer: drive in a nail; compass:
        tell north from south; bucket: carry water from the well; spoon:
        stir the porridge; anchor: moor the boat; thimble: sew a button on;
        sickle: cut the nettles; pan: fry pancakes; rattle: scare the
        sparrows from the seed; weathercock: see where the wind comes from
    """),
    "wood": pairs("""
        ladder: reach the top shelf; drum: keep time for the dancers;
        basket: gather mushrooms; flute: play the old tunes; broom: sweep
        the step; fiddle: play at the wedding; rake: heap up the leaves;
        oar: row across the lake; paintbrush: paint the fence; sledge: slide
        down the slope; wheelbarrow: move the turnips; stool: milk the cow;
        chessboard: beat an uncle at chess; spindle: spin the yarn; rolling
        pin: roll out the dough; pipe: blow bubbles
    """),
    "cloth": pairs("""
        scarf: walk in the wind; blanket: sleep warm; ribbon: tie up the
        parcel; hat: sit in the sun; umbrella: stay dry in the rain; coat:
        play in the snow; tent: sleep under the stars; cushion: sit in
        comfort; kite: play in the wind; apron: knead bread without a mess;
        hammock: nap in the shade; flag: greet the passing boats; net: catch
        minnows; sack: bring the flour home
    """),
    "paper": pairs("""
        book: read aloud in the evening; map: find the way home; songbook:
        sing the second verse; notebook: do the sums; almanac: foretell the
        weather; cookbook: bake the honey cake; atlas: dream of faraway
        islands; diary: write down the day
    """),
    "china": pairs("""
        teapot: pour for the guests; jug: fetch the milk; cup: drink cocoa;
        mirror: comb a stubborn tuft; clock: get up at seven;
        telescope: look at the moon; bowl: serve the soup; vase: put tulips
        on the table; hourglass: boil an egg; lamp: read after dark
    """),
}


# %% book/appendix-a-the-village.md#SIGHTS
# Where one can be, and what one sees there.
SIGHTS = pairs("""
    at the mill: the great wheel turned and dripped | sacks leaned on each
    other like tired uncles; by the river: a kingfisher flashed past like a
    spark | the ferry rope creaked; in the orchard: wasps hummed over the
    windfalls | a ladder stood against the tallest tree; in the forest: a
    woodpecker knocked on a hollow trunk | moss lay on the stones like
    velvet; at the market: everybody talked at once | cheeses were stacked
    like drums; by the pond: ducklings paddled in single file | dragonflies
    hovered over the lilies; on the hill: the wind combed the grass | one
    could see three villages; in the barn: dust danced in the light | a hen
    sat on somebody's hat; at the bakery: the windows were white with steam
    | the first loaves were cooling; in the meadow: poppies nodded |
    grasshoppers fiddled in the sun; by the well: a chain clinked against
    the stone | frogs sang in the damp; on the bridge: the boards boomed
    under every step | two anglers shared one hook; in the garden: a snail
    was crossing the path | bees crowded the lavender; at the school:
    somebody was learning to count | chalk dust hung in the doorway; in the
    cave: drops fell one by one | bats slept in rows; at the inn: the soup
    was always hot | a parrot swore in the hall; by the lake: the reeds
    whispered | an empty boat rocked on its rope; in the chapel: a candle
    burned all day | an old organ sighed; at the smithy: sparks flew up |
    the bellows wheezed; in the attic: a spider mended its web | trunks
    stood under the slates; on the beach: the tide was going out | gulls
    quarrelled over a crab; at the harbour: masts nodded to each other |
    nets hung drying; in the library: pages rustled | the clocks ticked
    softly; by the waterfall: the spray made small rainbows | nobody could
    hear a word; in the cellar: it smelled of cider | jars of plums glowed
    in the dusk; at the crossroads: four signposts disagreed | carts had
    worn deep ruts; in the valley: cowbells tinkled | shadows came early; by
    the old oak: acorns dropped like rain | initials were cut into the bark;
    on the jetty: ropes lay coiled like cats | a cormorant dried its wings;
    in the greenhouse: tomatoes ripened | the panes were misted over; in the
    workshop: shavings curled on the floor | every tool had its nail; by the
    hedge: blackberries shone | a wren scolded everyone; in the vineyard:
    starlings came and went | the grapes were still sour; on the green:
    washing flapped like flags | the goats had eaten the goalposts; in the
    stable: a foal stamped | it was warm and smelled of hay; at the
    lighthouse: the lamp went round and round | the stairs seemed to have no
    end; by the quarry: echoes answered | blocks of chalk gleamed; in the
    tower: pigeons murmured | the bell rope swung a little; in the loft:
    apples lay in rows | a cat blinked from the rafters; at the post office:
    letters waited in pigeonholes | stamps were being licked; by the
    fountain: sparrows bathed | coins winked in the water; on the island:
    nobody lived but rabbits | driftwood lay bleached as bone; in the marsh:
    a bittern boomed | the ground shook like jelly; at the dairy: butter was
    being churned | the milk stood in blue pans; by the gate: nettles leaned
    in | a horseshoe hung upside down; in the cornfield: larks rose and fell
    | a scarecrow bowed; on the cliff: puffins stood about like waiters |
    the sea looked wrinkled; at the windmill: the sails swished | flour lay
    on everything; in the kitchen: a pot bubbled | onions hung in plaits; by
    the stream: watercress grew | trout flickered below the bank; in the
    pantry: a mousehole had a tiny doormat | hams hung from hooks; at the
    toll house: the barrier was always open | an old soldier dozed; in the
    glade: foxgloves stood like sentries | deer had slept in the ferns; by
    the signpost: the road forked | somebody had painted a hand pointing up;
    on the moor: the heather buzzed | the sky was enormous; in the
    courtyard: a fig tree leaned on the wall | doves cooed from the gutter;
    at the boathouse: hulls lay upturned like beetles | varnish was drying;
    in the churchyard: ivy covered the angels | a robin sang on a stone; by
    the canal: a barge slid past | the lock gates dripped; at the theatre:
    somebody was rehearsing a sneeze | the curtain had moths
""")
INDOORS = frozenset(words("""the mill, the barn, the bakery, the school, the
    cave, the inn, the chapel, the smithy, the attic, the library, the
    cellar, the greenhouse, the workshop, the stable, the lighthouse, the
    tower, the loft, the post office, the dairy, the windmill, the kitchen,
    the pantry, the toll house, the boathouse, the theatre"""))
# "at" for "the mill".
PREPOSITION = {
    place: at for at, place in (key.split(" ", 1) for key in SIGHTS)
}


# %% book/appendix-a-the-village.md#FOODS
FOODS = words("""apples, plums, eggs, nuts, berries, pears, mushrooms,
    cherries, buns, carrots, figs, turnips, onions, chestnuts, peaches,
    cakes, potatoes, radishes, pumpkins, beans, walnuts, pies, quinces,
    biscuits, cabbages, strawberries, leeks, tarts, lemons, hazelnuts,
    apricots, muffins, parsnips, cheeses, melons, scones, dumplings,
    pretzels, gooseberries, waffles""")
NUMBERS = words("""no, one, two, three, four, five, six, seven, eight, nine,
    ten, eleven, twelve, thirteen, fourteen, fifteen, sixteen, seventeen,
    eighteen, nineteen, twenty""")
# What somebody builds, and what for.
JOBS = pairs("""
    a boat: see the other side of the lake; a treehouse: watch the stars
    from high up; a bench: rest on the way up; a swing: fly over the
    nettles; a bridge: cross the stream with dry feet; a henhouse: keep the
    fox out; a raft: float down to the sea; a stage: put on a play; a cart:
    take everyone to the fair; a dovecote: hear cooing in the morning; a
    rocking horse: ride without leaving the kitchen; a sundial: be on time
    for once; a bookcase: have all the stories in one place; a trellis: let
    the roses climb; a puppet theatre: make the children laugh; a chicken
    ladder: help the hens to bed; a letterbox: get some letters at last; a
    windbreak: have breakfast outside
""")
# How it goes wrong at first.
FAILURES = words("""the boat sank in the shallows, it slid out of the tree,
    the bench tipped over under a sparrow, the ropes were of two lengths,
    the bridge ended a yard short, the hens could not get in, the raft came
    apart like a biscuit, a leg went through the floor, the wheels pointed
    in two directions, the doves looked at it and flew away, the horse only
    rocked sideways, it showed midnight at noon, the first book fell
    straight through, the trellis lay down on the roses, the curtain opened
    the wrong way, the rungs came off in a row, there was no slot for the
    letters, the wind picked it up and took it away""")
FAILS = dict(zip(JOBS, FAILURES, strict=True))
TOOLS = words("""hammer, ladder, saw, rope, plank, drill, chisel, plane,
    crowbar, file, mallet, pulley, vice, lathe""")
# How somebody is stuck, and what helps; what fails / and what frees.
STUCK = pairs("""
    was stuck up a tree: ladder; had sunk into a muddy hole: rope; was
    sitting on a roof and could not get down: ladder; had slid into a ditch:
    rope; was buried in leaves up to the chin: rake; had a foot under a
    fallen stone: crowbar; was tangled in brambles: sickle; was hanging from
    a branch by the braces: stepladder; was shut in by a heap of earth:
    spade; was stuck in a hollow trunk: saw; had dropped the house key down
    a drain: hook; had fallen down a dry well: bucket
""")
ATTEMPTS = words("""shook the trunk / leaned it against the trunk and held
    on, pulled until a boot came off / tied it to a tree and hauled, piled
    up crates that fell over / set it against the gutter and held on,
    reached down and could not reach far enough / let it down and pulled,
    dug with both hands while more leaves came sliding / raked until two
    feet came to light, pushed at the stone with all possible might / lifted
    the stone by an inch, tugged until the thorns took hold of both of them
    / cut the stems one by one, jumped as high as possible / climbed up and
    undid two buttons, poked at the earth with a stick that broke / dug a
    way through, pulled at one arm and then at the other / sawed off the
    rim, tried with two fingers and pushed the key deeper / fished until the
    key came up, let down a scarf that was too short / let it down and wound
    it up again""")
RESCUES = dict(zip(STUCK, ATTEMPTS, strict=True))
# What is heard in the distance, and where it comes from.
SOUNDS = pairs("""
    music: practising the trombone in secret; laughter: reading a letter
    from an aunt; a strange humming: carrying a beehive under a cloth; a
    great splashing: learning to swim; hammering: nailing up an invitation
    to a dance; somebody singing: singing to a cow that would not sleep; a
    clatter of pans: cooking for the whole village; shouting: quarrelling
    with an echo; sneezing: dusting a hundred books; a squeak: trying out
    new boots
""")
# What keeps somebody in low spirits.
TROUBLES = words("""had caught a cold, could not sleep, had hurt a foot,
    missed an old friend, felt left out, had burned the porridge,
    was afraid of the thunder, had been blamed for a theft,
    had forgotten how to laugh, had quarrelled with a cousin,
    could not stop hiccuping, had lost at marbles, had toothache,
    had been laughed at, was homesick, had torn a good pair of trousers""")


# %% book/appendix-a-the-village.md#TABLES
# Plain tables: a gap `{weather}` in a wording takes one of these.
TABLES = {
    "weather": words("""sunny, rainy, windy, cold, foggy, warm, snowy,
        bright, frosty, cloudy, stormy, grey, golden, misty, mild, chilly,
        breezy, dull, clear, damp, drizzly, blustery, crisp, gloomy"""),
    "time": words("""morning, evening, afternoon, Monday, Sunday, Friday,
        Tuesday, Saturday, Wednesday, Thursday, market day, day,
        washing day, noon"""),
    "love": words("""singing, old songs, telling jokes, climbing trees,
        warm soup, counting stars, dancing, flying kites, baking bread,
        long walks, skipping stones, growing roses, carving spoons,
        solving riddles, watching clouds, fresh honey, swimming, tall tales,
        ginger tea, knitting socks, chasing butterflies, making jam,
        whistling, drawing maps, picnics, quiet rain, the smell of hay,
        folding paper boats, playing chess, buttered toast,
        rolling down hills, sailing, listening to the wind, moonlight,
        writing poems, humming, hide and seek, brass bands, snowmen,
        inventing words, building dams, pressing flowers, pancakes,
        imitating birdcalls, spinning wool, juggling turnips,
        sketching insects, collecting buttons"""),
    "glad": words("""happy, glad, cheerful, delighted, pleased, content,
        overjoyed, in high spirits, as happy as could be"""),
    "sad": words("""sad, worried, upset, gloomy, miserable, downcast,
        troubled, wretched, heavy-hearted, close to tears"""),
    "thankful": words("""grateful, delighted, thankful, overjoyed,
        speechless with joy"""),
    "cross": words("""cross, angry, furious, offended, sulky, hurt, bitter,
        indignant"""),
    "annoyed": words("cross, annoyed, angry, vexed, grumpy all day"),
    "afraid": words("""afraid, frightened, nervous, uneasy, anxious,
        scared"""),
    "proud": words("""proud, pleased, relieved, delighted, ten feet
        tall"""),
    "lone": words("lonely, left out, friendless, small and lonely"),
    "guilty": words("ashamed, sorry, sick at heart, close to tears"),
    "dismay": words("dismayed, alarmed, aghast, upset, in despair"),
    "keepsake": words("""a button, a white pebble, a feather, a snail shell,
        a drawing, a four-leaved clover, a paper boat, a marble,
        a pressed flower, a wooden whistle"""),
    "spot in": words("""behind a barrel, under an old coat, on a beam,
        in a heap of straw, behind a loose brick, on the top shelf,
        beneath a stool, in a dusty corner, behind the door"""),
    "spot out": words("""under a bush, behind a stone, beneath a bench,
        in the long grass, beside a puddle, on top of a post,
        under an upturned bucket, between two stones, on a tree stump"""),
    "junk": words("""cobwebs, an old boot, a sleeping cat, three acorns,
        a rusty nail, a very surprised toad, somebody's sandwich, dust,
        a mitten, a broken plate, half a biscuit, feathers"""),
    "chore": words("""hanging out the washing, shelling peas,
        painting a door, feeding the hens, sweeping leaves, mending a net,
        chopping wood, polishing spoons, weeding the path, airing a quilt,
        counting sheep, stacking logs, teaching a parrot to say please,
        peeling potatoes, watering beans, plaiting onions, oiling a hinge,
        grinding pepper, picking slugs off the lettuce, tuning a piano"""),
    "feast": words("""the harvest supper, the school fair, a birthday party,
        the winter, a cousin's wedding, the picnic, the travellers,
        a sick neighbour, the midsummer feast, the baking contest,
        the choir, the lodgers, the regatta, the night watch,
        the carnival"""),
    "thief": words("""a goat, a crow, a hungry puppy, two small piglets,
        a magpie in a hurry, a passing cow, an army of ants,
        somebody's uncle"""),
    "mishap": words("""rolled into the pond,
        fell through a hole in the sack, turned out to be rotten,
        vanished overnight, got wet and fell apart, slid down the well"""),
    "deadline": words("""within three days, within the week,
        the very next morning, before the full moon, in time for the fair,
        before the first of May, in time for the harvest"""),
    "trouble": TROUBLES,
    "snack": words("""honey cake, hot chestnuts, onion soup, plum tart,
        cheese on toast, gingerbread, pea soup, apple pie, buttered corn,
        cocoa, pumpkin stew, blackberry jam, lemonade, barley broth"""),
    "gate": words("""with a loud knock, on tiptoe, out of breath,
        with muddy boots, through the back door, as fast as the wind,
        without an umbrella, singing all the way"""),
}


# %% book/appendix-a-the-village.md#UNFIT
# What nobody wishes for in such weather.
UNFIT = {
    weather: words(things)
    for skies, things in pairs("""
        sunny, warm, bright, golden, mild, clear: umbrella, coat, sledge;
        rainy, windy, foggy, cloudy, stormy, grey, misty, breezy, dull,
        damp, drizzly, blustery, crisp, gloomy: hat, hammock, sledge;
        cold, snowy, frosty, chilly: hat, hammock, tent
    """).items()
    for weather in words(skies)
}


# %% book/appendix-a-the-village.md#HELD_OUT
# Never together in a training story: this animal and that thing.
HELD_OUT = {
    "hedgehog": ("lantern", "drum"),
    "badger": ("kettle", "flute"),
    "rabbit": ("scarf", "map"),
    "mouse": ("spade", "fiddle"),
    "otter": ("whistle", "blanket"),
    "squirrel": ("trumpet", "mirror"),
    "frog": ("book", "broom"),
    "hare": ("teapot", "ribbon"),
    "owl": ("needle", "notebook"),
    "mole": ("telescope", "kite"),
}
