"""Language identification by character trigrams.

Tangled from book/03-cleaning-a-crawl.md: edit the book,
or edit here and run `./build.sh stitch`.
"""

from collections.abc import Mapping

import numpy as np
from jaxtyping import Int64

# %% book/03-cleaning-a-crawl.md#SAMPLES
SAMPLES = {
    "en": """
The weather was fine this morning, so we walked along the river to the
next town. There is a market there every Saturday, and people come from
all the villages around to buy bread, cheese and fruit. My sister wanted
to know what everything cost, but she had forgotten her purse. In the end
we bought nothing except two apples, which we ate on the way home. Have
you ever been there? You should go and see it before the winter comes,
because after that the road is often closed.""",
    "de": """
Das Wetter war heute Morgen schön, also gingen wir am Fluss entlang in
die nächste Stadt. Dort gibt es jeden Samstag einen Markt, und die Leute
kommen aus allen Dörfern der Umgebung, um Brot, Käse und Obst zu kaufen.
Meine Schwester wollte wissen, was alles kostet, aber sie hatte ihren
Geldbeutel vergessen. Am Ende kauften wir nichts außer zwei Äpfeln, die
wir auf dem Heimweg aßen. Bist du schon einmal dort gewesen? Du solltest
hinfahren, bevor der Winter kommt, denn danach ist die Straße oft
gesperrt.""",
    "fr": """
Il faisait beau ce matin, alors nous avons marché le long de la rivière
jusqu'à la ville voisine. Il y a là un marché tous les samedis, et les
gens viennent de tous les villages des environs pour acheter du pain, du
fromage et des fruits. Ma sœur voulait savoir combien tout coûtait, mais
elle avait oublié son porte-monnaie. Finalement, nous n'avons rien
acheté, sauf deux pommes que nous avons mangées sur le chemin du retour.
Y es-tu déjà allé ? Tu devrais y aller avant que l'hiver n'arrive, car
ensuite la route est souvent fermée.""",
    "es": """
Esta mañana hacía buen tiempo, así que fuimos caminando por la orilla del
río hasta el pueblo de al lado. Allí hay un mercado todos los sábados, y
la gente viene de todas las aldeas de alrededor para comprar pan, queso y
fruta. Mi hermana quería saber cuánto costaba todo, pero había olvidado
su monedero. Al final no compramos nada, salvo dos manzanas que nos
comimos en el camino de vuelta. ¿Has estado allí alguna vez? Deberías ir
a verlo antes de que llegue el invierno, porque después la carretera está
cerrada muchas veces.""",
    "it": """
Questa mattina il tempo era bello, così abbiamo camminato lungo il fiume
fino alla città vicina. Lì c'è un mercato ogni sabato, e la gente viene
da tutti i villaggi dei dintorni per comprare pane, formaggio e frutta.
Mia sorella voleva sapere quanto costava tutto, ma aveva dimenticato il
portafoglio. Alla fine non abbiamo comprato niente, tranne due mele che
abbiamo mangiato sulla via di casa. Ci sei mai stato? Dovresti andarci
prima che arrivi l'inverno, perché dopo la strada è spesso chiusa.""",
    "nl": """
Het weer was vanmorgen mooi, dus liepen we langs de rivier naar de
volgende stad. Daar is elke zaterdag een markt, en de mensen komen uit
alle dorpen in de omgeving om brood, kaas en fruit te kopen. Mijn zus
wilde weten wat alles kostte, maar ze was haar portemonnee vergeten.
Uiteindelijk kochten we niets behalve twee appels, die we op weg naar
huis hebben opgegeten. Ben je daar ooit geweest? Je zou er eens heen
moeten gaan voordat de winter komt, want daarna is de weg vaak
afgesloten.""",
    "pt": """
Esta manhã fazia bom tempo, por isso fomos a pé ao longo do rio até à
cidade vizinha. Há lá um mercado todos os sábados, e as pessoas vêm de
todas as aldeias em redor para comprar pão, queijo e fruta. A minha irmã
queria saber quanto custava tudo, mas tinha esquecido a carteira. No fim
não comprámos nada, exceto duas maçãs, que comemos no caminho para casa.
Já lá estiveste alguma vez? Devias ir ver antes que chegue o inverno,
porque depois a estrada está muitas vezes fechada.""",
    "sv": """
Vädret var fint i morse, så vi gick längs floden till nästa stad. Där är
det marknad varje lördag, och folk kommer från alla byar runt omkring för
att köpa bröd, ost och frukt. Min syster ville veta vad allting kostade,
men hon hade glömt sin plånbok. Till slut köpte vi ingenting utom två
äpplen, som vi åt på vägen hem. Har du någonsin varit där? Du borde åka
dit innan vintern kommer, för sedan är vägen ofta stängd.""",
    "pl": """
Dziś rano była ładna pogoda, więc poszliśmy wzdłuż rzeki do sąsiedniego
miasta. W każdą sobotę jest tam targ, a ludzie przyjeżdżają ze wszystkich
okolicznych wsi, żeby kupić chleb, ser i owoce. Moja siostra chciała
wiedzieć, ile to wszystko kosztuje, ale zapomniała portmonetki. W końcu
nie kupiliśmy nic oprócz dwóch jabłek, które zjedliśmy w drodze do domu.
Czy byłeś tam kiedyś? Powinieneś tam pojechać, zanim przyjdzie zima, bo
potem droga jest często zamknięta.""",
    "fi": """
Sää oli tänä aamuna kaunis, joten kävelimme jokea pitkin
naapurikaupunkiin. Siellä on markkinat joka lauantai, ja ihmiset tulevat
kaikista ympäristön kylistä ostamaan leipää, juustoa ja hedelmiä. Siskoni
halusi tietää, mitä kaikki maksaa, mutta hän oli unohtanut kukkaronsa.
Lopulta emme ostaneet mitään muuta kuin kaksi omenaa, jotka söimme
kotimatkalla. Oletko koskaan käynyt siellä? Sinun pitäisi mennä katsomaan
sitä ennen kuin talvi tulee, koska sen jälkeen tie on usein suljettu.""",
}


# %% book/03-cleaning-a-crawl.md#grams
BUCKETS, ENOUGH = 14, 2_000
MULTIPLIER = np.uint64(0x9E3779B97F4A7C15)
FINISHER = np.uint64(0xD6E8FEB86659FD93)


def grams(text: str, longest: int) -> Int64[np.ndarray, "N"]:
    """All runs of 1 to `longest` characters, as buckets below 2**14."""
    spaced = " " + " ".join(text.lower().split()) + " "
    points = np.frombuffer(spaced.encode("utf-32-le"), "<u4")
    points = points.astype(np.uint64)
    hashes, rows = np.zeros(len(points), np.uint64), []
    for n in range(longest):
        end = max(len(points) - n, 0)
        hashes = hashes[:end] * MULTIPLIER + points[n:] + np.uint64(n + 1)
        rows.append(hashes * FINISHER >> np.uint64(64 - BUCKETS))
    return np.concatenate(rows).astype(np.int64)


# %% book/03-cleaning-a-crawl.md#LanguageIdentifier
class LanguageIdentifier:
    """Naive Bayes over character n-grams: one row of scores a language."""

    def __init__(
        self,
        samples: Mapping[str, str] = SAMPLES,
        longest: int = 4,
        smoothing: float = 0.1,
    ) -> None:
        self.languages, self.longest = list(samples), longest
        size = 2**BUCKETS
        rows = [grams(text, longest) for text in samples.values()]
        counts = np.stack([np.bincount(r, minlength=size) for r in rows])
        total = counts.sum(axis=1, keepdims=True)
        shares = (counts + smoothing) / (total + smoothing * size)
        self.scores = np.ascontiguousarray(np.log(shares).T, np.float32)

    def rank(self, text: str) -> dict[str, float]:
        """The languages and their mean log-probabilities, best first."""
        found = grams(text[:ENOUGH], self.longest)
        means = self.scores[found].mean(axis=0)
        order = np.argsort(-means, kind="stable")
        return {self.languages[i]: float(means[i]) for i in order}

    def identify(self, text: str, unknown: float = -8.3) -> str:
        """The likeliest language, or "?" if none is likely."""
        best, score = next(iter(self.rank(text).items()))
        return best if score > unknown else "?"
