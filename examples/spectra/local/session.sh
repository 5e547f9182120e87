#!/usr/bin/env bash
# What a client does.  API is Spectra's address, KEY and OTHER_KEY the API keys of two tenants, PYTHON any Python 3.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"

say() { printf '\n# %s\n' "$*"; }

# Show a command as one types it, and then what it answers
run() {
    printf '$ %s\n' "$1"
    eval "$1"
    echo
}

ask() { curl --silent --show-error --max-time 60 -H "x-api-key: $KEY" -H 'content-type: application/json' "$@"; }

say "Spectra is at $API; \`ask\` is curl with an API key.  A query answers at once"
run "ask \$API/v1/queries -d '{\"sql\": \"SELECT country, COUNT(*) AS orders, SUM(amount)::decimal(12, 2) AS total FROM orders JOIN customers USING (customer_id) WHERE amount > :least GROUP BY 1 ORDER BY 1\", \"parameters\": {\"least\": 400}}'"

say 'Whatever is no SELECT is refused, by a real parser'
run "ask \$API/v1/queries -d '{\"sql\": \"WITH gone AS (DELETE FROM orders RETURNING *) SELECT * FROM gone\"}'"

say 'Too many rows for an answer'
run "ask \$API/v1/queries -d '{\"sql\": \"SELECT * FROM orders\"}'"

say 'So it becomes a job; the same Idempotency-Key gives the same job again'
body='{"sql": "SELECT * FROM orders ORDER BY order_id", "formats": ["parquet", "csv"]}'
run "ask \$API/v1/jobs -H 'idempotency-key: demo-1' -d '$body' | tee job"
job=$("$PYTHON" -c 'import json; print(json.load(open("job"))["id"])')
again=$(ask "$API/v1/jobs" -H 'idempotency-key: demo-1' -d "$body")
[[ $again == *"$job"* ]] || { echo "another job: $again" >&2; exit 1; }

say 'The message goes through the queue to the worker, which writes the files'
state=queued
deadline=$((SECONDS + 60))
while [[ $state == queued || $state == running ]]; do
    ((SECONDS < deadline)) || { echo "the job is still $state" >&2; exit 1; }
    state=$(ask "$API/v1/jobs/$job" | "$PYTHON" -c 'import json, sys; print(json.load(sys.stdin)["state"])')
done
run "ask \$API/v1/jobs/$job"

say 'A page of it'
run "ask \"\$API/v1/jobs/$job/results?limit=2&cursor=10000\""

say 'Or all of it, by a link to the file'
run "ask \"\$API/v1/jobs/$job/results?format=csv\" | tee link | cut -c1-120"
url=$("$PYTHON" -c 'import json; print(json.load(open("link"))["url"])')
printf '$ curl "$url" | head -3\n'
curl --silent --show-error --max-time 60 --output orders.csv "$url"
head -3 orders.csv

say 'Another tenant does not see it, and a stranger sees nothing'
run "curl -s -H \"x-api-key: \$OTHER_KEY\" \$API/v1/jobs/$job"
run "curl -s -H 'x-api-key: guessed' \$API/v1/jobs/$job"

say 'Gone'
run "ask -X DELETE -o /dev/null -w '%{http_code}' \$API/v1/jobs/$job"
run "ask \"\$API/v1/jobs/$job/results\""
