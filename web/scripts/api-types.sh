#!/bin/sh
# The types of what the server takes and answers, from its own description.
set -eu
cd "$(dirname "$0")/.."
description=$(mktemp --suffix=.json)
trap 'rm -f "$description"' EXIT
PYTHONPATH=.. "${PYTHON:-python}" -c '
import json
from nodegraph.server.routes import Description, operations
print(json.dumps(Description(operations()).document))
' > "$description"
npx openapi-typescript "$description" --output src/api/types.ts --immutable --alphabetize
npx prettier --write src/api/types.ts
