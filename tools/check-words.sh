#!/usr/bin/env bash
# Fails when a file of the repository holds something of the machine it was made on: a home folder, this very folder, or
# the host of a package registry.
set -euo pipefail
cd "$(dirname "$0")/.."

registry=$(npm config get registry 2>/dev/null | sed -E 's#^[a-z]+://([^/:]+).*#\1#')
here=$(pwd)
# The brackets keep these patterns from finding themselves.
patterns=(-e '(^|[^A-Za-z0-9_.-])/(roo[t]|hom[e]|User[s]|wor[k])/' -e '"resolve[d]": ')
[ -z "$registry" ] || patterns+=(-e "${registry//./[.]}")
[ "$here" = / ] || patterns+=(-e "${here//./[.]}/")

hits=$(git ls-files -z --cached --others --exclude-standard | xargs -0 grep -nIHE "${patterns[@]}" -- || true)
if [ -n "$hits" ]; then
  printf '%s\n' "$hits" 'words: the lines above belong to one machine, not to the repository' >&2
  exit 1
fi
echo 'words: no file holds a path or a registry of this machine'
