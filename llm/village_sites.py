"""Sites: how the pages of the village's web look.

Tangled from book/appendix-a4-the-villages-crawl.md: edit the book,
or edit here and run `./build.sh stitch`.
"""

import html
from functools import lru_cache
from typing import NamedTuple

from llm.village_pages import INLINE, LINKS, PAPERS, SITES, Dice, entries

# %% book/appendix-a4-the-villages-crawl.md#COOKIES
COOKIES = entries("""
    We use cookies. By staying on this page you agree to that.| Your
    privacy matters to us and to our 212 partners.| This site eats
    cookies. Accept all of them, or choose.| Can we measure how you read?
    You may change your mind at any time.""")
ADVERTS = entries("""
    Soap that smells of rain: two for the price of one!| Lose your keys?
    Never again, with KeyGoose.| Seven things that millers don't want you
    to know| Is your roof safe? Get a free report.| Sponsored: why
    everybody is buying wool now""")
REMARKS = entries("""
    Lovely, thank you!| First!| I read this to my children, and they asked
    for more.| Does anybody know where the picture was taken?| My aunt
    tells it differently.| This.| Couldn't agree more| Too long, but
    nice.| Came here from the front page.| More of this, please, and fewer
    adverts.| Check my profile for great kettles!!!| When does the next
    part come?""")
SCRIPT = """(function(w,d){var q=w._q=w._q||[];q.push(["site","%s"]);
if(q.length<9&&d.cookie.indexOf("seen")<0){
d.write("<p>You have %d free pages left.</p>")}
for(var i=0;i<q.length;i++){w.onload=function(){
track(q[i],{"page":"%s","a":i>3})}}w.ads=[%s];})(window,document);"""


# %% book/appendix-a4-the-villages-crawl.md#DESIGNS
DESIGNS = (
    ("utf-8", '<p>{}</p>\n', """
<!doctype html><html lang="{lang}"><head><meta charset="{charset}">
<title>{title} | {site}</title><style>{css}</style><script>{js}</script>
</head><body><div class="cookie-banner" role="dialog"><p>{cookie}</p>
<button>Accept all</button><button>Settings</button></div><header><a
href="/">{site}</a><nav><ul>{menu}</ul></nav></header><main><article>
<h1>{title}</h1>
{main}</article><section id="comments" class="comments">
<h2>Comments</h2>{comments}</section></main><aside class="sidebar"><h2>Most
read</h2>{teasers}<div class="ad-slot">{ad}</div></aside><footer><p>&copy;
{year} {site}. All rights reserved.</p><ul>{menu}</ul></footer></body>
</html>
"""),
    ("utf-8", '<p>{}</p>\n', """
<!DOCTYPE html><html lang="{lang}"><head><meta http-equiv="Content-Type"
content="text/html; charset={charset}"><title>{title} &#8211;
{site}</title><style type="text/css">{css}</style></head><body
class="post-template single"><div id="page"><div id="masthead"
class="site-header"><div class="site-title">{site}</div><ul id="menu"
class="nav-menu">{menu}</ul></div><div id="content"><div class="post
hentry"><h1 class="entry-title">{title}</h1><div class="entry-content">
{main}</div><div class="sharedaddy"><a href="#">Share</a><a
href="#">Print</a><a href="mailto:{mail}">Mail</a></div></div><div
id="comments"><h3>What readers say</h3>{comments}</div></div><div
id="secondary" class="widget-area"><div class="widget"><h3>Recent
posts</h3>{teasers}</div><div class="widget advertisement">{ad}</div></div>
<div id="colophon" class="site-footer">Proudly run by {site} &middot; <a
href="mailto:{mail}">{mail}</a></div></div><div id="cookie-notice">{cookie}
<a href="/cookies">OK</a></div><script>{js}</script></body></html>
"""),
    ("iso-8859-1", '{}<br><br>\n', """
<HTML><HEAD><TITLE>{site}: {title}</TITLE><META HTTP-EQUIV="Content-Type"
CONTENT="text/html; charset={charset}"></HEAD><BODY BGCOLOR="#FFFFEE">
<CENTER><FONT SIZE=6 COLOR=navy><B>{site}</B></FONT></CENTER><HR><TABLE
WIDTH=780 BORDER=0><TR><TD CLASS="menu" WIDTH=160 VALIGN=top>
<UL>{menu}</UL><BLINK>{ad}</BLINK></TD><TD VALIGN=top><H1>{title}</H1><FONT
FACE="Times">{main}</FONT></TD></TR></TABLE><HR><CENTER><FONT SIZE=1>Best
viewed at 800&times;600. Copyright &copy; {year} {site}. You are visitor
no. 004711.</FONT></CENTER></BODY></HTML>
"""),
    ("utf-8", '<div class="c7">{}</div>\n', """
<!doctype html><html><head><meta charset={charset}><title>{title}</title>
<style>{css}</style></head><body><div class="a1"><div class="a2"><div
class="b3"><span>{site}</span></div><div class="b4">{menu}</div></div><div
class="a3"><div class="b1"><h2>{title}</h2><div class="c5"><div class="c6">
{main}</div></div></div><div class="b2"><div
class="c9">{ad}</div>{teasers}</div></div><div class="a4">{cookie}</div>
<div class="a5">&copy;&nbsp;{year} {site}</div></div><script>{js}</script>
</body></html>
"""),
    ("windows-1252", '<p>{}\n', """
<html lang={lang}><head><title>{title}</title><meta charset="{charset}">
<style>{css}</style><body><div class=header><a href=/>{site}</a></div><div
class=nav><ul>{menu}</ul></div><div class=wrapper><div class=content><h1>
<b><i>{title}</b></i></h1>
{main} <div class=advert>{ad}</div><div class=related><h4>More like
this</h4>{teasers}</div></div><div class=comments>{comments}</div><div
class=footer>{year} {site} <a href=/terms>Terms</a><a
href=/privacy>Privacy</a></div>
"""),
    ("utf-8", '<p>{}</p>\n', """
<!doctype html><html lang="{lang}"><head><meta charset="{charset}">
<title>{title}</title><meta name="description" content="{ad}">
<style>{css}</style></head><body><div id="overlay" class="modal
cookie-consent"><div class="modal-body"><h2>Before you read on</h2>
<p>{cookie}</p><button>Agree</button></div></div><div class="topbar"><div
class="ad-banner">{ad}</div></div><nav class="main-nav"><ul>{menu}</ul>
</nav><div class="layout"><div class="col-8"><article class="story">
<header><h1>{title}</h1></header>
{main}</article><div class="newsletter-box"><p>Get our letter every
morning.</p><form action="/in"><input name="mail">
<button>Subscribe</button></form></div><div
class="comments-list">{comments}</div></div><div class="col-4
sidebar">{teasers}</div></div><footer class="footer"><p>{site}, {mail}</p>
<p>Imprint &middot; Terms &middot; Privacy &middot; Cookies</p></footer>
<script>{js}</script></body></html>
"""),
    ("utf-8", '<p>{}</p>\n', """
<!doctype html><meta charset="{charset}"><title>{title}</title>
<h1>{title}</h1>
{main}<p><a href="/">Back</a></p>
"""),
    ("utf-8", '<p class="p">{}</p>', """
<!doctype html><html lang="{lang}"><head><meta charset="{charset}">
<title>{title}</title><script>{js}</script><script
type="application/json">{{"route": "/read", "ad": "{ad}"}}</script></head>
<body><noscript>Please enable JavaScript.</noscript><div id="root"><div
role="navigation">{menu}</div><div role="main"><h1>{title}</h1>{main}</div>
<div role="complementary">{teasers}</div><div
role="contentinfo">{site}</div></div></body></html>
"""),
)


# %% book/appendix-a4-the-villages-crawl.md#Site
class Site(NamedTuple):
    """A website: what all of its pages share."""

    host: str
    charset: str
    declares: bool  # does the server name the charset, too?
    quote: bool  # does it write &quot;?
    ad: str
    paragraph: str
    page: str
    parts: dict[str, str]


@lru_cache(maxsize=64)
def make_site(number: int) -> Site:
    """The site with this number, the same in all crawls."""
    dice = Dice(number, 7)
    name = f"{dice.pick(SITES)} {dice.pick(PAPERS)}"
    host = name.lower().replace(" ", "-") + f"{number}.example."
    host += dice.pick(("org", "com", "net"))
    charset, paragraph, page = DESIGNS[number % len(DESIGNS)]
    menu = "\n".join(
        f'<li><a href="/{link.split()[0].lower()}">{link}</a></li>'
        for link in dice.some(LINKS, 8 + dice.below(8))
    )
    css = "\n".join(
        f".{dice.pick(PAPERS).lower()}{i}{{margin:0 {dice.below(40)}px;"
        f"color:#{dice.below(4096):03x};display:block}}"
        for i in range(20 + dice.below(80))
    )
    js = SCRIPT % (name, dice.below(9), host, dice.below(9**9))
    ad = dice.pick(ADVERTS)
    parts = {
        "site": name, "charset": charset, "menu": menu, "css": css,
        "js": js * (1 + dice.below(4)), "cookie": dice.pick(COOKIES),
        "ad": ad, "mail": f"desk@{host}", "year": str(2015 + number % 15),
    }
    declares, quote = dice.below(3) > 0, dice.below(3) == 0
    return Site(
        host, charset, declares, quote, ad, paragraph, page.strip(), parts
    )


# %% book/appendix-a4-the-villages-crawl.md#decorated
def decorated(dice: Dice, text: str, quote: bool) -> str:
    """A paragraph in HTML, sometimes with a word set apart."""
    plain = not any(letter in text for letter in "@0123456789")
    text = html.escape(text, quote=False)
    text = text.replace('"', "&quot;") if quote else text
    if plain and dice.below(2):
        words = text.split(" ")
        i = dice.below(len(words))
        words[i] = dice.pick(INLINE).format(words[i])
        text = " ".join(words)
    return text
