#!/bin/bash
# Looks at the HTML report in a real browser: browser.sh FOLDER. Takes $PAGES (html_pages) and $TCPASSAY; skipped (77) without chromium, node and npm.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
work=$1
: "${PAGES:?}" "${TCPASSAY:?}"
for program in "${CHROMIUM:=$(command -v chromium || command -v chromium-browser || true)}" "$(command -v node || true)" "$(command -v npm || true)"; do
    [ -n "$program" ] || { echo "skipped: chromium, node or npm is missing"; exit 77; }
done

# The modules are fetched once, and again when the lock says so.
mkdir -p "$work"
if ! cmp -s "$here/package-lock.json" "$work/fetched.json"; then
    cp "$here/package.json" "$here/package-lock.json" "$work"
    if ! (cd "$work" && npm ci --ignore-scripts --no-audit --no-fund >npm.log 2>&1); then
        tail -n 5 "$work/npm.log"
        echo "skipped: npm could not fetch the modules"
        exit 77
    fi
    cp "$here/package-lock.json" "$work/fetched.json"
fi

rm -rf "$work/pages"
mkdir -p "$work/pages"
"$PAGES" "$work/pages"
# All there is: the suite and the matrix, on the reference stack with a fault, so that there are failures, too.
"$TCPASSAY" run '*' matrix --target saboteur:rst-with-ack,reference --out "$work/run" --report html --seed 1 --quiet >"$work/run.log" 2>&1 || [ $? -eq 1 ]
CHROMIUM=$CHROMIUM WORK=$work exec node --test --test-reporter=spec "$here/browser.test.mjs"
