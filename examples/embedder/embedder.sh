#!/usr/bin/env bash
# How the model of sentence embeddings in the package was made: all-MiniLM-L6-v2, squeezed on
# sentences without labels, with tables of 4 bits.
#
#     examples/embedder/embedder.sh DATA WORK
#
# It runs on Debian, whose packages the sentences come from. DATA is a folder with texts of WikiText-2
# and SQuAD (train_1mb.txt, dev_v2.json), which are not ours to ship; WORK gets the sentences and the
# models. Run it from the repository, after `make test` or with the extras `train`, `demo` and
# `languages`; an interrupted squeeze goes on with --resume. The model card says what came of it, after
# how long.
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
  for package in *.deb; do
    dpkg -x "$package" "${package%%_*}" && rm "$package"
  done
)
"$bin/python" "$here/texts.py" "$work/packages" "$data/train_1mb.txt" "$data/dev_v2.json" \
  >"$work/sentences.txt"

words=(--texts "$work/sentences.txt" --languages en)
"$bin/tf-squeezebert" trim-vocab "$minilm" "$work/teacher" "${words[@]}" --max-vocab 20000
"$bin/tf-squeezebert" squeeze "$work/teacher" "$work/squeezed" --texts "$work/sentences.txt" \
  --pooling mean --groups 4 --epochs 1 --max-length 64 --eval-steps 500
"$bin/tf-squeezebert" trim-vocab "$work/squeezed" "$work/trimmed" "${words[@]}" --max-vocab 18700
"$bin/python" "$here/shorten.py" "$work/trimmed" "$work/embedder" 256
"$bin/tf-squeezebert" export "$work/embedder" "$work/embedder.tflite" --pooling mean \
  --quantize int4-tables --target mediapipe
