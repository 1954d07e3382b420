#!/bin/sh
# The checks of the editor: formatting, lint, types, unit tests, and that web/dist is what its sources build to.
set -eu
cd "$(dirname "$0")/.."
command -v npm >/dev/null || { echo "there is no npm: the editor is not checked"; exit 0; }
[ node_modules/.package-lock.json -nt package-lock.json ] || npm ci --no-audit --no-fund --silent
npm run --silent check
npm test --silent
built=$(mktemp -d)
trap 'rm -rf "$built"' EXIT
npx vite build --logLevel error --outDir "$built" --emptyOutDir
diff -r dist "$built" || { echo "web/dist is not what its sources build to: make web" >&2; exit 1; }
