#!/usr/bin/env bash
# `make demo`: builds examples/spectra and shows what that made.  Run from the repository's root, after `make setup`.
set -euo pipefail

source "$(dirname "${BASH_SOURCE[0]}")/showing.sh"

copy=$(mktemp -d)
trap 'rm -rf "$copy"' EXIT

digest() { python -c 'import hashlib, sys; print(hashlib.sha256(open(sys.argv[1], "rb").read()).hexdigest())' "$1"; }

cd "$root/examples/spectra"
rm -rf dist

say 'Seven dependencies and three functions: one layer, three thin zips'
run 'lamella build'

say 'What it made'
run 'wc -c dist/lambda/*'

say 'What the layer left out, and what that saved'
run 'lamella size layer --by rule'

say 'Why?  For any path'
run 'lamella why layer python/pyarrow/libarrow_flight.so.2600'

say 'Does it work?  Every module and handler is imported, with the layer at /opt'
run 'lamella check'

say "Run it: by AWS's own runtime client, with exactly its layer, without Docker"
run 'lamella invoke worker --event events/empty.json --repeat 2'

say 'Nothing changed since'
timed 'lamella build'

say 'One line of one function changes (in a copy of the example): one zip is written'
cp -R . "$copy/spectra"
cd "$copy/spectra"
lamella build --quiet
run "sed -i.before 's/RESERVE = 5/RESERVE = 6/' src/spectra/handlers/worker.py"
timed 'lamella build'

say 'The same input in another folder, under another umask and in another time zone: the same bytes'
cp src/spectra/handlers/worker.py.before src/spectra/handlers/worker.py
rm -rf dist src/spectra/handlers/worker.py.before
(umask 077 && TZ=Asia/Tokyo lamella build --quiet)
cd "$root/examples/spectra"
for zip in dist/lambda/*.zip; do
    here=$(digest "$zip") there=$(digest "$copy/spectra/$zip")
    [ "$here" = "$there" ] && verdict='=' || verdict='differs from'
    printf '%-15s  %s… %s %s…\n' "${zip##*/}" "${here:0:24}" "$verdict" "${there:0:24}"
    [ "$here" = "$there" ]
done
