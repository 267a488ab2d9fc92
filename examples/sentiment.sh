#!/usr/bin/env bash
# How the sentiment model in the package was made: all-MiniLM-L6-v2, fine-tuned, squeezed, int8.
#
#     examples/sentiment.sh DATA WORK
#
# DATA is a folder with GLUE's SST-2 (train.tsv, dev.tsv), which is not ours to ship; WORK gets the
# models. Run from the repository, after `make test` or with the extras `train` and `demo`; an
# interrupted step goes on with --resume. The model card says what came of it, after how long.
set -euo pipefail
data=$1 work=$2
bin=${BIN:-.venv/bin}
minilm=$("$bin/python" -c "import examples.demo as demo; print(demo.model_folder())")
files=(--task sst2 --train "$data/train.tsv" --dev "$data/dev.tsv")

"$bin/tf-squeezebert" finetune "$minilm" "${files[@]}" --out "$work/teacher" \
    --epochs 2 --batch-size 64 --learning-rate 1e-4
"$bin/tf-squeezebert" squeeze "$work/teacher" "$work/sentiment" "${files[@]}" \
    --groups 4 --layers 3 --vocab-size 7000 --epochs 3 --eval-steps 350
"$bin/tf-squeezebert" export "$work/sentiment" "$work/sentiment.tflite" --quantize int8 \
    --target mediapipe --labels <(printf "negative\npositive\n")
"$bin/tf-squeezebert" evaluate "$work/sentiment" "$work/sentiment.tflite" --data "$data/dev.tsv" --task sst2
