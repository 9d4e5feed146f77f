#!/bin/sh
# fetch.sh REPOSITORY COMMIT DIRECTORY: put label-studio-ml, without its examples, into
# a new directory. The repository is an address, or a git directory on this machine.
set -eu
repository=$1 commit=$2
rm -rf "$3"
mkdir -p "$3"
into=$(cd "$3" && pwd)
if [ ! -d "$repository" ]; then
    git init -q --bare "$into/git"
    GIT_TERMINAL_PROMPT=0 timeout 60 \
        git -C "$into/git" fetch -q --depth 1 "$repository" "$commit" 2>/dev/null
    repository=$into/git
fi
git -C "$repository" archive -o "$into/source.tar" "$commit" -- \
    setup.py requirements.txt README.md MANIFEST.in \
    ':(glob)label_studio_ml/*.py' label_studio_ml/default_configs
tar -x -f "$into/source.tar" -C "$into"
