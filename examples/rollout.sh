#!/usr/bin/env bash
# `make demo-rollout`: a good release and a bad one of examples/spectra, against a stand-in of AWS on this machine that
# examples/rollout.py starts.  The functions are really run: by AWS's runtime client, in a sandbox.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/showing.sh"

copy=$(mktemp -d)
trap 'rm -rf "$copy"' EXIT
cp -R "$root/examples/spectra" "$copy/spectra"
cd "$copy/spectra"
rm -rf dist
lamella build --quiet

say 'AWS has three functions with old code, and no layer.  What would a deploy change?'
run 'lamella plan'

say 'Do it: layer, code, versions; invoke them; then move the aliases'
run 'lamella deploy --auto-approve | tail -n 1'

say 'A release that answers, but not what it should: its smoke event says so before users do'
run "sed -i 's/\"status\": \"ok\"/\"status\": \"no\"/' src/spectra/handlers/api.py"
run 'lamella build --quiet; lamella deploy --auto-approve > /dev/null || true'

say 'Nothing of it stayed'
run 'lamella status'
