"""Open a GGUF file with llama.cpp and compare it with the checkpoint it was made from.

    python tests/peers/check_gguf.py --gguf model-f16.gguf --model DIR [--adapter DIR]

Compares the logits of every position of a few sequences with transformers in float32, greedy
tokens, and (where the folder has a tokenizer) the token ids of awkward texts. Needs
`llama-cpp-python`, and what `tests/fixtures/gen/requirements.txt` lists. The two may live in
different environments: `--dump FILE` writes transformers' side, `--expected FILE` reads it.
Exits 1 where the relative error of the logits is over `--limit` or token ids differ.
"""

import argparse
import json
import sys

TEXTS = [
    "Hello world",
    "  two  spaces, a tab\tand\n\n\nnew lines  ",
    "It's 12345.67 euros; they'LL pay 3% of 1,000,000.",
    "¿Cuánto ganó el banco en 2023? Año fiscal, señor.",
    "日本の保険契約と個人情報。東京都新宿区1丁目",
    "snake_case camelCase <tag attr='x'> {\"json\": [1, 2]}",
    "emoji 🙂👩‍👩‍👧 and e\u0301 combining",
]
GREEDY = 16


def sequences(vocab_size, context):
    length = min(24, context)
    return [[(7 * i * i + 3 * i + s) % vocab_size for i in range(1, length + 1)] for s in (0, 5)]


def expected(args):
    import torch
    import transformers

    transformers.logging.set_verbosity_error()
    model = transformers.AutoModelForCausalLM.from_pretrained(args.model, dtype=torch.float32)
    if args.adapter:
        from peft import PeftModel

        model = PeftModel.from_pretrained(model, args.adapter)
    model.eval()
    window = getattr(model.config, "sliding_window", None)
    context = window or model.config.max_position_embeddings
    out = {"sequences": [], "tokens": []}
    for ids in sequences(model.config.vocab_size, context):
        with torch.no_grad():
            logits = model(torch.tensor([ids])).logits[0].tolist()
            greedy = []
            for _ in range(min(GREEDY, context - len(ids))):
                row = model(torch.tensor([ids + greedy])).logits[0, -1]
                greedy.append(int(row.argmax()))
        out["sequences"].append({"ids": ids, "logits": logits, "greedy": greedy})
    try:
        tokenizer = transformers.AutoTokenizer.from_pretrained(args.model)
    except (OSError, ValueError):
        return out
    for text in TEXTS:
        out["tokens"].append({"text": text, "ids": tokenizer.encode(text)})
    return out


def compare(args, want):
    import llama_cpp
    import numpy as np

    model = llama_cpp.Llama(
        args.gguf, n_ctx=256, n_batch=256, logits_all=True, verbose=False, type_k=0, type_v=0
    )
    report = {"relative_error": 0.0, "max_abs_diff": 0.0, "same_greedy": 0, "greedy": 0}
    for sequence in want["sequences"]:
        ids, logits = sequence["ids"], np.array(sequence["logits"])
        model.reset()
        model.eval(ids)
        diff = np.array(model.scores[: len(ids)]) - logits
        spread = logits - logits.mean(axis=1, keepdims=True)
        error = float(np.sqrt((diff**2).sum() / (spread**2).sum()))
        report["relative_error"] = max(report["relative_error"], error)
        report["max_abs_diff"] = max(report["max_abs_diff"], float(abs(diff).max()))
        for token in sequence["greedy"]:
            report["greedy"] += 1
            report["same_greedy"] += int(np.argmax(model.scores[model.n_tokens - 1])) == token
            model.eval([token])
    report["token_ids_differ"] = []
    for case in want["tokens"]:
        ids = model.tokenize(case["text"].encode(), add_bos=True, special=True)
        if ids != case["ids"]:
            report["token_ids_differ"].append({**case, "llama_cpp": ids})
    report["n_texts"] = len(want["tokens"])
    report["chat_template"] = "tokenizer.chat_template" in model.metadata
    return report


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--gguf")
    parser.add_argument("--model")
    parser.add_argument("--adapter")
    parser.add_argument("--dump")
    parser.add_argument("--expected")
    parser.add_argument("--limit", type=float, default=0.02)
    args = parser.parse_args()
    if args.expected:
        with open(args.expected, encoding="utf-8") as file:
            want = json.load(file)
    else:
        want = expected(args)
    if args.dump:
        with open(args.dump, "w", encoding="utf-8") as file:
            json.dump(want, file)
        return
    report = compare(args, want)
    print(json.dumps(report, ensure_ascii=False, indent=2))
    if report["relative_error"] > args.limit or report["token_ids_differ"]:
        sys.exit(1)


if __name__ == "__main__":
    main()
