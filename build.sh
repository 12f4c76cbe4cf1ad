#!/usr/bin/env bash
# The Literate LLM: one entry, for people and for machines. See ./build.sh help.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"

readonly VENV=.venv LOGS=_build/logs
readonly PDF=_build/latex/the-literate-llm.pdf HTML=_build/html/index.html EPUB=_build/the-literate-llm.epub
readonly TEX_PACKAGES="texlive-xetex texlive-latex-recommended texlive-latex-extra \
texlive-fonts-recommended latexmk make xindy poppler-utils fonts-jetbrains-mono \
fonts-texgyre fonts-texgyre-math fonts-symbola fonts-dejavu-core fonts-freefont-otf \
fonts-wqy-microhei libcairo2"
readonly TEX_MAC="brew install --cask mactex-no-gui font-jetbrains-mono && brew install cairo"

usage() {
  cat <<'TEXT'
usage: ./build.sh [COMMAND]

Without a command: set up, tangle, execute what is stale, verify every chapter
with nbval, render the PDF, and say where it is and how long each step took.

  test             every check: book against package, linters, tests, chapters
  pdf              the PDF, from the committed notebooks, executing nothing
  html             the HTML edition, likewise
  epub             the EPUB edition, likewise
  notebooks        weave the chapters and execute those that are stale
  tangle           write llm/ and tests/chapters/ from book/
  check            compare llm/, tests/chapters/ and notebooks/ with book/
  stitch           carry edits made in llm/ back into book/
  watch            tangle, execute and render again whatever you save
  serve            show the HTML edition on http://127.0.0.1:8000 (or PORT)
  handout NN       one chapter as a PDF (or, with --format html, as HTML)
  release          all editions and the wheel into dist/, the PDF to the root
  clean            remove _build/; with --all the environment too
  help             this text

environment: PYTHON   the interpreter to set up with (default: 3.11 to 3.13)
             JOBS     how many chapters run at once (default: the cores)
             PORT     the port of serve
TEXT
}

die() { printf 'build.sh: %s\n' "$*" >&2; exit 2; }

# --- set-up ----------------------------------------------------------------

supported() {
  "$1" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' 2>/dev/null
}

find_python() {
  local candidate
  if [ -n "${PYTHON:-}" ]; then
    command -v "$PYTHON" >/dev/null || die "PYTHON is set to $PYTHON, which is not a program here."
    supported "$PYTHON" || die "PYTHON is $("$PYTHON" --version 2>&1), but Python 3.11 to 3.13 is needed."
    printf '%s' "$PYTHON"; return
  fi
  for candidate in python3 python3.13 python3.12 python3.11; do
    if command -v "$candidate" >/dev/null && supported "$candidate"; then
      printf '%s' "$candidate"; return
    fi
  done
  die "Python 3.11 to 3.13 is needed and none was found: install one, or set PYTHON=/path/to/python3."
}

need_disk() {  # need_disk MEGABYTES
  local free
  free=$(df -Pk . | awk 'NR == 2 { print int($4 / 1024) }')
  [ "$free" -ge "$1" ] || die "only ${free} MB are free on this disk and $1 MB are needed: make room and run it again."
}

fingerprint() { cat pyproject.toml constraints.txt | cksum; "$VENV/bin/python" --version; }

set_up_python() {
  if [ -f "$VENV/ready" ] && [ "$(cat "$VENV/ready")" = "$(fingerprint 2>/dev/null)" ]; then return; fi
  local python
  python=$(find_python)
  need_disk 4000
  mkdir -p "$LOGS"
  echo "Setting up $VENV (a few minutes, once; the log is $LOGS/setup.log)"
  rm -f "$VENV/ready"
  supported "$VENV/bin/python" || rm -rf "$VENV"
  [ -x "$VENV/bin/pip" ] || "$python" -m venv --clear "$VENV" > "$LOGS/setup.log" 2>&1 \
    || die "$python cannot make a virtual environment: install its venv module (Debian, Ubuntu: apt-get install python3-venv)."
  "$VENV/bin/pip" install --disable-pip-version-check -c constraints.txt -e '.[book,dev,data,train]' \
    >> "$LOGS/setup.log" 2>&1 || explain_pip
  fingerprint > "$VENV/ready"
}

explain_pip() {
  if grep -qiE 'no space left' "$LOGS/setup.log"; then
    die "the disk is full: make room and run it again."
  elif grep -qiE 'name resolution|unreachable|connection|timed out|Max retries' "$LOGS/setup.log"; then
    die "the Python packages could not be downloaded (is the network up?): run it again; the log is $LOGS/setup.log."
  fi
  tail -n 5 "$LOGS/setup.log" >&2
  die "the Python packages could not be installed: the log is $LOGS/setup.log."
}

tex_ready() {
  local tool
  for tool in xelatex latexmk make pdftoppm; do command -v "$tool" >/dev/null || return 1; done
  kpsewhich titlesec.sty unicode-math.sty >/dev/null
}

set_up_tex() {
  tex_ready && return
  local sudo=
  [ "$(uname)" = Darwin ] && die "the PDF needs TeX. Run: $TEX_MAC"
  command -v apt-get >/dev/null || die "the PDF needs TeX: install TeX Live with XeLaTeX, latexmk and make."
  if [ "$(id -u)" != 0 ]; then
    sudo -n true 2>/dev/null || die "the PDF needs TeX. Run: sudo apt-get install --no-install-recommends $TEX_PACKAGES"
    sudo=sudo
  fi
  need_disk 1000
  mkdir -p "$LOGS"
  echo "Installing TeX with apt-get (two minutes, once; the log is $LOGS/tex.log)"
  # shellcheck disable=SC2086  # the list is meant to split
  { $sudo apt-get update && $sudo env DEBIAN_FRONTEND=noninteractive \
      apt-get install -y --no-install-recommends $TEX_PACKAGES; } > "$LOGS/tex.log" 2>&1 \
    || die "TeX could not be installed: the log is $LOGS/tex.log."
}

# --- steps -----------------------------------------------------------------

TIMES=
# The date that the editions carry: the commit's, so that two builds are equal.
SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct 2>/dev/null || echo 1767225600)}
export SOURCE_DATE_EPOCH NO_COLOR=1

date_pages() { mkdir -p _build; echo "$SOURCE_DATE_EPOCH" > _build/date; }

step() {  # step NAME COMMAND...: run it, say so, remember how long it took
  local name=$1 start=$SECONDS; shift
  printf '\n== %s\n' "$name"
  "$@"
  TIMES="$TIMES$(printf '  %-10s %4d s' "$name" $((SECONDS - start)))"$'\n'
}

literate() { "$VENV/bin/python" -m literate "$@"; }

WORKED=
once() {  # once NAME OUTPUT COMMAND... -- PATH...: only if a path has changed, or no output
  local name=$1 output=$2 action=(); shift 2
  while [ "$1" != -- ]; do action+=("$1"); shift; done; shift
  if [ -e "$output" ] && literate fresh "$name" "$@"; then echo "unchanged"; return; fi
  WORKED=yes
  "${action[@]}"
  literate mark "$name" "$@"
}

edition() {  # edition NAME BUILDER: render with Jupyter Book; a warning is an error
  local name=$1 builder=$2 log=$LOGS/$1.log
  mkdir -p "$LOGS"
  echo "rendering with Jupyter Book (the log is $log)"
  "$VENV/bin/jupyter-book" build . --builder "$builder" -W --keep-going > "$log" 2>&1 && return
  grep -E 'WARNING|ERROR|Error|error:|^! |No space left' "$log" >&2 || tail -n 20 "$log" >&2
  die "the $name edition was not rendered: the log is $log."
}

# What the steps depend on; the lists are meant to split.
readonly CODE="llm book/texts conftest.py constraints.txt"
readonly PAGES="book notebooks llm literate _config.yml _toc.yml pyproject.toml constraints.txt _build/date"

tangle() { step tangle literate tangle; }

figures() { step figures literate figures; }

notebooks() { step execute literate execute ${JOBS:+--jobs "$JOBS"}; }

# shellcheck disable=SC2086
verify() {
  step verify once verify notebooks literate verify ${JOBS:+--jobs "$JOBS"} -- notebooks $CODE
}

# shellcheck disable=SC2086
pdf() { date_pages; step pdf once pdf "$PDF" edition_pdf -- $PAGES; }

edition_pdf() {  # from nothing, since a TeX run that was killed leaves traps for the next
  rm -rf _build/latex
  edition PDF pdflatex
  "$VENV/bin/python" -m literate.pdfcheck "$PDF"
}

# shellcheck disable=SC2086
html() { date_pages; step html once html "$HTML" edition_html -- $PAGES; }

edition_html() {  # from nothing, since a change elsewhere leaves the bibliography as it was
  rm -rf _build/html
  edition HTML html
}

# shellcheck disable=SC2086
epub() { html; step epub once epub "$EPUB" literate epub -- $PAGES; }

report() {  # report FILE...: what was made, and how long it took
  local file
  printf '\n%s' "$TIMES"
  [ -n "$WORKED" ] || echo "Nothing has changed since the last time."
  for file in "$@"; do
    printf '%s  (%s KB)\n' "$file" "$(($(wc -c < "$file") / 1024))"
  done
}

run_tests() {
  WORKED=yes
  step check literate check
  step snapshots literate check --snapshots
  step ruff lint
  step mypy "$VENV/bin/mypy"
  step tests "$VENV/bin/pytest" -m "not slow"
  step slow "$VENV/bin/pytest" -m slow
  step verify literate verify ${JOBS:+--jobs "$JOBS"}
}

lint() {
  "$VENV/bin/ruff" check . && "$VENV/bin/ruff" format --check .
}

release() {
  local version
  version=$("$VENV/bin/python" -c 'import llm; print(llm.__version__)')
  [ -z "$(git status --porcelain -- book llm notebooks literate _config.yml _toc.yml)" ] \
    || die "there are changes that are not committed: a release is made of a commit."
  pdf; epub
  step wheel "$VENV/bin/python" -m build --wheel --sdist --no-isolation --outdir dist
  cp "$PDF" the-literate-llm.pdf
  "$VENV/bin/python" -m literate.pictures "$PDF"
  cp "$PDF" "dist/the-literate-llm-$version.pdf"
  cp "$EPUB" "dist/the-literate-llm-$version.epub"
  (cd "$(dirname "$HTML")" && "$OLDPWD/$VENV/bin/python" -m zipfile -c \
    "$OLDPWD/dist/the-literate-llm-$version-html.zip" .)
  echo "Version $version is in dist/, and its PDF at the root, its pictures in pictures/: commit them, and tag v$version."
}

clean() {
  case "${1:-}" in
    "") rm -rf _build dist ;;
    --all) rm -rf _build dist .venv ;;
    *) die "clean knows no $1: it takes --all or nothing." ;;
  esac
}

# --- the command line ------------------------------------------------------

main() {
  local command=${1:-all}
  [ $# -eq 0 ] || shift
  case "$command" in
  help | -h | --help) usage; return ;;
  clean) clean "$@"; return ;;
  all | test | pdf | html | epub | notebooks | tangle | check | stitch | watch | serve | \
  handout | release) ;;
  *) die "there is no command '$command': ./build.sh help lists them." ;;
  esac
  set_up_python
  case "$command" in all | test | pdf | handout | release) set_up_tex ;; esac
  case "$command" in
  all) tangle; figures; notebooks; verify; pdf; report "$PDF" ;;
  test) run_tests; report ;;
  pdf) pdf; report "$PDF" ;;
  html) html; report "$HTML" ;;
  epub) epub; report "$EPUB" ;;
  notebooks) tangle; figures; notebooks; report ;;
  tangle | check | stitch | watch | handout) literate "$command" "$@" ;;
  serve) html; exec "$VENV/bin/python" -m http.server "${PORT:-8000}" --bind 127.0.0.1 --directory "$(dirname "$HTML")" ;;
  release) release ;;
  esac
}

main "$@"
