"""Pages: what the village's web says, in tables.

Tangled from book/appendix-a4-the-villages-crawl.md: edit the book,
or edit here and run `./build.sh stitch`.
"""

from bisect import bisect_right
from collections.abc import Sequence
from typing import Any

from llm.village_grammar import mix, stream
from llm.village_words import HE, SHE


# %% book/appendix-a4-the-villages-crawl.md#entries
def entries(text: str) -> tuple[str, ...]:
    """The entries of a table, between bars."""
    return tuple(part.strip() for part in " ".join(text.split()).split("|"))


def entry_rows(text: str) -> tuple[tuple[str, ...], ...]:
    """Rows of entries, between double bars."""
    return tuple(entries(part) for part in text.split("||"))


# %% book/appendix-a4-the-villages-crawl.md#Dice
class Dice:
    """Random choices that are the same on every machine."""

    def __init__(self, *keys: int) -> None:
        seed = 0
        for key in keys:
            seed = mix(seed ^ mix(key % 2**64))
        self.draw = stream(seed).__next__

    def below(self, n: int) -> int:
        """A whole number from 0 to n - 1."""
        return self.draw() * n >> 32

    def pick(self, options: Sequence[Any]) -> Any:
        """One of the options, each as likely as the others."""
        return options[self.draw() * len(options) >> 32]

    def some(self, options: Sequence[Any], n: int) -> list[Any]:
        """n different options, in random order."""
        left = list(options)
        return [left.pop(self.below(len(left))) for _ in range(n)]

    def weighted(self, sums: Sequence[int]) -> int:
        """A place in a list of running sums of weights."""
        return bisect_right(sums, self.below(sums[-1]))


# %% book/appendix-a4-the-villages-crawl.md#TONGUES
TONGUES = {
    "de": entry_rows("""
    {S} {v} {o} {p}. | {T} {v} {s} {p} {o}. ||
    am Morgen|nach dem Regen|im Herbst|jeden Abend|am Sonntag ||
    der Müller|die Bäckerin|der alte Fischer|die Lehrerin|unser Nachbar ||
    trägt/einen Korb voller Äpfel|sucht/den verlorenen
    Schlüssel|erzählt/eine lange Geschichte|repariert/das rote
    Boot|kocht/eine Suppe für alle ||
    auf dem Markt|am Fluss|hinter der Mühle|vor dem Haus|unter der Brücke
    ||
    Niemand weiß, warum.|Das gefällt den Kindern.|Danach gehen alle müde
    nach Hause.|Übermorgen wird das Wetter schöner."""),
    "fr": entry_rows("""
    {S} {v} {o} {p}. | {T}, {s} {v} {o} {p}. ||
    le matin|après la pluie|en automne|chaque soir|le dimanche ||
    le meunier|la boulangère|le vieux pêcheur|la maîtresse|notre voisin ||
    porte/un panier de pommes|cherche/la clé perdue|raconte/une longue
    histoire|répare/le bateau rouge|prépare/une soupe pour tout le monde ||
    au marché|près de la rivière|derrière le moulin|devant la maison|sous
    le pont ||
    Personne ne sait pourquoi.|Cela plaît beaucoup aux enfants.|Ensuite,
    tout le monde rentre à la maison.|Demain, il fera plus beau."""),
    "es": entry_rows("""
    {S} {v} {o} {p}. | {T}, {s} {v} {o} {p}. ||
    por la mañana|después de la lluvia|en otoño|cada tarde|el domingo ||
    el molinero|la panadera|el viejo pescador|la maestra|nuestro vecino ||
    lleva/una cesta de manzanas|busca/la llave perdida|cuenta/una historia
    muy larga|arregla/el barco rojo|prepara/una sopa para todos ||
    en el mercado|junto al río|detrás del molino|delante de la casa|debajo
    del puente ||
    Nadie sabe por qué.|A los niños les gusta mucho.|Después, todos vuelven
    a casa.|Mañana hará mejor tiempo."""),
    "it": entry_rows("""
    {S} {v} {o} {p}. | {T} {s} {v} {o} {p}. ||
    la mattina|dopo la pioggia|in autunno|ogni sera|la domenica ||
    il mugnaio|la fornaia|il vecchio pescatore|la maestra|il nostro vicino
    ||
    porta/un cesto di mele|cerca/la chiave perduta|racconta/una lunga
    storia|ripara/la barca rossa|prepara/una zuppa per tutti ||
    al mercato|vicino al fiume|dietro il mulino|davanti alla casa|sotto il
    ponte ||
    Nessuno sa perché.|Ai bambini piace molto.|Poi tutti tornano a
    casa.|Domani il tempo sarà più bello."""),
    "nl": entry_rows("""
    {S} {v} {o} {p}. | {T} {v} {s} {p} {o}. ||
    in de ochtend|na de regen|in de herfst|elke avond|op zondag ||
    de molenaar|de bakker|de oude visser|de juf|onze buurman ||
    draagt/een mand vol appels|zoekt/de verloren sleutel|vertelt/een lang
    verhaal|repareert/de rode boot|kookt/een soep voor iedereen ||
    op de markt|bij de rivier|achter de molen|voor het huis|onder de brug
    ||
    Niemand weet waarom.|De kinderen vinden het mooi.|Daarna gaat iedereen
    naar huis.|Morgen wordt het weer beter."""),
    "pl": entry_rows("""
    {S} {v} {o} {p}. | {T} {s} {v} {o} {p}. ||
    rano|po deszczu|jesienią|każdego wieczoru|w niedzielę ||
    młynarz|piekarka|stary rybak|nauczycielka|nasz sąsiad ||
    niesie/kosz pełen jabłek|znajduje/zgubiony klucz|opowiada/długą
    historię|naprawia/czerwoną łódkę|gotuje/zupę dla wszystkich ||
    na targu|nad rzeką|za młynem|przed domem|pod mostem ||
    Nikt nie wie dlaczego.|Dzieciom bardzo się to podoba.|Potem wszyscy
    wracają do domu.|Jutro pogoda będzie lepsza."""),
    "ru": entry_rows("""
    {S} {v} {o} {p}. | {T} {s} {v} {o} {p}. ||
    утром|после дождя|осенью|каждый вечер|в воскресенье ||
    мельник|булочница|старый рыбак|учительница|наш сосед ||
    несёт/корзину яблок|ищет/потерянный ключ|рассказывает/длинную
    историю|чинит/красную лодку|варит/суп для всех ||
    на рынке|у реки|за мельницей|перед домом|под мостом ||
    Никто не знает почему.|Детям это очень нравится.|Потом все идут
    домой.|Завтра погода будет лучше."""),
}


# %% book/appendix-a4-the-villages-crawl.md#SUBJECTS
SUBJECTS = entries("""
    bread| keeping promises| lost keys| early rising| borrowing tools| bad
    weather| good neighbours| telling the truth| old bridges| market days|
    waiting| sharing apples| fences and gates| silence| the price of
    honey| learning to swim| letters| gardens| beginnings| what we owe to
    friends""")
ESSAY = entry_rows("""
    Ask five people in a village about {x}, and you will hear six
    opinions before the kettle boils.|For years I thought that there was
    nothing left to say about {x}, and then something happened next
    door.|My grandmother had one rule about {x}: look twice, and speak
    once.|Nobody writes letters to this page about {x}, which is why I
    should like to begin with it. ||
    It is an old question, and the books are of little help.|What we know
    of it we know from our neighbours.|I don't claim to have the
    answer.|One would think that everybody agreed, but listen at any
    fence. ||
    A story that was told at the well last week shows what I mean.|Let me
    tell you what happened not long ago.|Here is how it went, as far as I
    could find out.|The best example I know is this one. ||
    You may say that one story proves nothing about {x}, and you are
    right.|Not every day ends like that, of course.|Somebody will answer
    that it was luck, and perhaps it was.|The point is not who won in the
    end. ||
    But it is by such small things that {x} can be understood.|We learn
    more from an afternoon like this than from a shelf of advice.|Still,
    a place is made of days like these.|If we forget them, we shall soon
    forget each other. ||
    So much for {x}; next time we shall speak of something more
    cheerful.|I shall think of it when I next meet somebody who is
    certain about {x}.|Whoever knows better about {x} may write to us,
    and we shall print it.|Until then, leave the gate as you found it.""")
TITLES = entries("""
    {x}| The day of {x}| {x} and the others| What {x} told us| A tale of
    {x}| {x}, or a lesson in patience| News of {x}| How it went with {x}|
    A little story about {x}| {x}: a village tale""")


# %% book/appendix-a4-the-villages-crawl.md#INNOCENT
INNOCENT = entry_rows("""
    A birdwatcher's diary|Six blue tits and two great tits came to the
    feeder before breakfast.|A pair of tits is nesting in the box above
    the kitchen door.|From the cliff we watched the boobies dive, and no
    booby ever missed its fish.|The old cock crowed at five and woke the
    whole lane.|In the evening a woodcock flew low over the ditch.|Please
    don't feed the tits with salted peanuts. ||
    Advice from the doctor's house|A lump in the breast is harmless in
    most cases, but let somebody look at it.|Breast milk is enough for
    the first months.|A bloody nose stops when you pinch it and lean
    forward.|The examination of the anus takes a minute and needs no
    courage.|Drugs against pain belong in a locked drawer.|Sex education
    begins with honest answers to short questions. ||
    From the farm|The ass carried both baskets up the hill and never
    complained.|We killed the weeds between the rows before they could
    flower.|The bitch had five puppies in the straw, and all are
    well.|Stuff the chicken breast with breadcrumbs, and don't be afraid
    of garlic.|A screw in the old gate has come loose again.""")
NASTY = entries("""
    You call that bread, you turnip-headed slobberchop?| Whoever likes
    this is a muckwit and smells of old cheese.| Shut your gob,
    puddle-brain, nobody asked you.| Your stories are rubbish and so are
    you.| Go and boil your head, you useless sack of porridge.| Everybody
    in your street laughs at you, and they are right.| Only a dung-nosed
    ninny would say such a thing.| I hope that your roof leaks on you all
    winter, you wretched toad.| What a pathetic bunch of snivelling
    wobblebottoms.| Get lost, you stupid oaf, and take your ugly goat with
    you.""")


# %% book/appendix-a4-the-villages-crawl.md#BOILERPLATE
BOILERPLATE = entry_rows("""
    Log in|Please enter your user name and your password.|Forgotten your
    password? We can send you a new one.|Keep me logged in on this
    computer.|New here? Create an account.|By logging in you accept our
    terms of use. ||
    Cookies and privacy|We use cookies to make this website better.|Some
    cookies are necessary, others help us to count our visitors.|You can
    withdraw your consent at any time.|Our partners may combine these
    data with others.|Strictly necessary cookies are always active. ||
    Page not found|Sorry, the page that you are looking for doesn't
    exist.|It may have been moved or deleted.|Check the address for
    mistakes, or go back to the front page.|You can also use the search. ||
    Please wait|Enable JavaScript to use this website.|Your browser is
    out of date.|We are checking that you are not a robot.|This takes a
    few seconds only. ||
    Subscribe|This article is for subscribers.|Read on for one penny in
    the first month.|Already a subscriber? Log in.|Cancel at any
    time.|Get our letter every morning.""")


# %% book/appendix-a4-the-villages-crawl.md#SPAM
SPAM = entries("""
    buy {x} online| cheap {x}| best {x}| {x} sale| discount {x} today| {x}
    free delivery| where to buy {x}| {x} best price| {x} reviews| top 10
    {x}| {x} near me| order {x} now""")
WARES = entries("""
    garden boots| copper kettles| wool blankets| pocket watches| fishing
    rods| oak barrels| rain hats| candle moulds| bee hives| wheelbarrows""")
LINKS = entries("""
    Home| News| About us| Contact| Archive| Weather| Market prices|
    Recipes| Letters| Sports| Crossword| Shop| Photos| Timetable| Jobs|
    Events| Help| Login| Site map| Partners| Old issues| Gardening| Poems|
    Maps""")
SITES = entries("""
    Mill| Hedge| River| Lantern| Bridge| Orchard| Kettle| Harbour| Meadow|
    Clock| Barrel| Pebble""")
PAPERS = entries("""
    Post| Herald| Letters| Almanac| Gazette| Notes| Corner| Mirror""")


# %% book/appendix-a4-the-villages-crawl.md#READERS
READERS = SHE + HE
PERSONAL = {
    "email": entry_rows("""{who}@example.org| {who}.{what}@example.com|
    {who}{one}@{what}.example.net || Write to {} if you know more.|
    My address is {}.| Questions go to {}, please."""),
    "phone": entry_rows("""({two}) 555-01{line}| {two}-555-01{line}|
    +1 {two} 555 01{line} || Call {} in the evening.| My number is {}.|
    Or ring {} and ask for the miller."""),
    "ip": entry_rows("""192.0.2.{one}| 198.51.100.1{one}| 203.0.113.{one}
    || The last visitor came from {}.| Posted from {}.| Our server at {}
    was down on Sunday."""),
}
REPRINT = ("Reprinted with the kind permission of {x}.",
         "This text first appeared in {x}, where there are many more.")
INLINE = ("<em>{}</em>", '<a href="/tag">{}</a>', "<b><i>{}</b></i>",
          "<span class=k>{}</span>", "<strong>{}</strong>")
TEASER = '<div class="teaser"><a href="{}">{}</a><p>{}…</p></div>\n'
REMARK = '<div class="comment"><b>{}</b> wrote: <p>{}</p></div>\n'
QUERIES = ("ref", "print", "utm_source", "session")
SERVERS = ("millwheel/2.4", "nginx", "Apache", "gooseweb/0.9")
ERRORS = entry_rows("""404 Not Found| Not found| There is nothing here. ||
    500 Internal Server Error| Error| The server has stumbled. ||
    503 Service Unavailable| Closed| Come back after lunch. ||
    301 Moved Permanently || 302 Found || 200 OK""")
BINARIES = (("image/png", b"\x89PNG\r\n\x1a\n"), ("text/css", b"p{"),
            ("application/pdf", b"%PDF-1.4\n"))
SOFTWARE = b"software: village-crawler\r\nformat: WARC file version 1.1\r\n"
