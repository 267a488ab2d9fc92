#!/usr/bin/env bash
# How the model of sentence embeddings in the package was made: all-MiniLM-L6-v2, squeezed on
# sentences without labels, with tables of 4 bits.
#
#     examples/embedder/embedder.sh DATA WORK
#
# Runs on Debian, where the sentences come from packages. DATA is a folder with WikiText-2's and
# SQuAD's texts (train_1mb.txt, dev_v2.json), which are not ours to ship; WORK gets the sentences and
# the models. Run from the repository, after `make test` or with the extras `train`, `demo` and
# `languages`; an interrupted squeeze goes on with --resume. The model card says what came of it,
# after how long.
set -euo pipefail
data=$1 work=$2
bin=${BIN:-.venv/bin}
here=$(dirname "$0")
minilm=$("$bin/python" -c "import examples.demo as demo; print(demo.model_folder())")

mkdir -p "$work/packages"
(
  cd "$work/packages"
  apt-get download wordnet-base fortunes fortunes-min debian-handbook gimp-help-en \
    libreoffice-help-en-us libreoffice-help-common postgresql-doc-15 python3.11-doc
  for package in *.deb; do dpkg -x "$package" . && rm "$package"; done
)
"$bin/python" "$here/texts.py" "$work/packages" "$data/train_1mb.txt" "$data/dev_v2.json" \
  >"$work/sentences.txt"
