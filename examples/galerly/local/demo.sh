#!/usr/bin/env bash
# `make demo`: what a client of Galerly does, by curl.  demo.py has started everything and says where it is:
# $API, and $PICTURES with three files.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/../../showing.sh"

answer=$(mktemp)
trap 'rm -f "$answer"' EXIT

# A value out of the last answer: `of token`, `of upload.url`
of() { python -c 'import functools, json, sys; print(functools.reduce(lambda tree, name: tree[int(name) if name.isdigit() else name], sys.argv[2].split("."), json.load(open(sys.argv[1]))))' "$answer" "$1"; }
# The last answer, long lines cut short
show() { python -c 'import json, sys; print("\n".join(line[:110] for line in json.dumps(json.load(open(sys.argv[1])), indent=2).splitlines()))' "$answer"; }
photos() { python -c 'import json, sys; [print("{:14}{:10}{}".format(photo["name"], photo["state"], photo.get("reason", "")[:80])) for photo in json.load(open(sys.argv[1]))["photos"]]' "$answer"; }
curl() { command curl --silent --show-error --max-time 60 "$@"; }
api() { curl --header "Authorization: Bearer ${token:-}" "$@" | tee "$answer" > /dev/null; }
# The form that S3 takes a photo by has fields of its own in front of the file
upload() {
    local fields=()
    mapfile -t fields < <(python -c 'import json, sys; [print(f"--form-string\n{n}={v}") for n, v in json.load(open(sys.argv[1]))["upload"]["fields"].items()]' "$answer")
    curl "${fields[@]}" --form "file=@$1" --output /dev/null --write-out 'S3 says %{http_code}\n' "$(of upload.url)"
}
# Ask until no photo waits any more, for at most a minute
developed() {
    local end=$((SECONDS + 60))
    until api "$API/v1/galleries/$gallery/photos"; ! grep -q '"state": "waiting"' "$answer"; do
        [ "$SECONDS" -lt "$end" ] || { echo 'the photos still wait' >&2; return 1; }
    done
}

say "The zips run behind lamella start-api at $API, and lamella start-lambda; moto stands for AWS"
run 'curl "$API/health"; echo'

say 'An account.  The table keeps a digest of the token, the password went through scrypt'
run "api \"\$API/v1/sign-up\" --json '{\"email\": \"ann@mail.example\", \"password\": \"correct horse battery\"}'; show"
token=$(of token)

say 'A gallery'
run "api \"\$API/v1/galleries\" --json '{\"title\": \"Evenings\"}'; show"
gallery=$(of gallery)

for picture in raw.dng evening.heic hills.jpg; do
    say "$picture: a form for this one file, and the file to S3, past the API"
    run "api \"\$API/v1/galleries/\$gallery/photos\" --json '{\"name\": \"$picture\"}'; upload \"\$PICTURES/$picture\""
done

say 'Something that says it is a photo'
run "api \"\$API/v1/galleries/\$gallery/photos\" --json '{\"name\": \"notes.jpg\"}'; upload local/demo.sh"

say "S3's events reach image-processor, and the photos are there"
run 'developed; photos'

say 'The RAW, developed: any viewer shows it'
medium=$(python -c 'import json, sys; print(next(photo["medium"] for photo in json.load(open(sys.argv[1]))["photos"] if photo["name"] == "raw.dng"))' "$answer")
run 'curl --output "$PICTURES/medium.jpg" "$medium"; file --brief "$PICTURES/medium.jpg" 2>/dev/null || wc -c < "$PICTURES/medium.jpg"'

say 'A link for friends, for a week; it shows renditions, and no originals'
run "api \"\$API/v1/galleries/\$gallery/shares\" --json '{\"days\": 7}'; show"
shared=$(of token)
run 'curl "$API/v1/shared/$shared" | tee "$answer" > /dev/null; photos'

say 'Without the token there is nothing'
run 'curl --include "$API/v1/galleries" | tr -d "\r" | head -n 1'
