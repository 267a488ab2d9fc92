"""Makes examples/reference.npy: transformers' sentence embeddings, which the demo compares with.

    python examples/make_reference.py      (needs the extras `test` and the demo's model package)

The mean of all-MiniLM-L6-v2's last hidden states for each line of sentences.txt, of length 1.
"""

import numpy as np
import torch
import transformers
from demo import HERE, model_folder

folder = model_folder()
tokenizer = transformers.BertTokenizer.from_pretrained(folder)
model = transformers.BertModel.from_pretrained(folder).eval()
rows = []
for sentence in (HERE / "sentences.txt").read_text(encoding="utf-8").splitlines():
    with torch.no_grad():
        hidden = model(**tokenizer(sentence, return_tensors="pt")).last_hidden_state[0]
    rows.append(torch.nn.functional.normalize(hidden.mean(0), dim=0).numpy())
np.save(HERE / "reference.npy", np.stack(rows).astype("float32"))
print(f"reference.npy: {len(rows)} sentences, {rows[0].size} numbers each")
