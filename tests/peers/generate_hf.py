"""Greedy tokens of a model (merged, or with an adapter by PEFT) by transformers, as JSON.

    python tests/peers/generate_hf.py --model DIR [--adapter DIR] --ids 5,6,7 --max-new-tokens 24

The peer of `veneer generate --temperature 0 --ignore-eos --json`: `ids` (new tokens) and their
`logprobs`; `logits` of the last prompt position with `--logits`; `margins`, the distance
between the best two logits, says which tokens rounding could change.
"""

import argparse
import json

from load_adapter import add_arguments, load, parse_ids, torch


@torch.no_grad()
def greedy(model, prompt, n_new):
    """Every step from the start: no cache that could hide a mistake."""
    ids, logprobs, margins, first = list(prompt), [], [], None
    for _ in range(n_new):
        logits = model(input_ids=torch.tensor([ids]), use_cache=False).logits[0, -1]
        first = logits if first is None else first
        best = logits.topk(2).values
        margins.append((best[0] - best[1]).item())
        ids.append(logits.argmax().item())
        logprobs.append(logits.log_softmax(-1)[ids[-1]].item())
    return ids[len(prompt):], logprobs, margins, first


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    add_arguments(parser)
    parser.add_argument("--ids", required=True, help="prompt, as 1,2,3")
    parser.add_argument("--max-new-tokens", type=int, default=24)
    parser.add_argument("--logits", action="store_true", help="logits of the last prompt position")
    args = parser.parse_args()
    if args.max_new_tokens < 1:
        parser.error("--max-new-tokens must be at least 1")
    model, report = load(args)
    ids, logprobs, margins, first = greedy(model, parse_ids(args.ids), args.max_new_tokens)
    report.update({"ids": ids, "logprobs": logprobs, "margins": margins})
    if args.logits:
        report["logits"] = first.tolist()
    print(json.dumps(report))


if __name__ == "__main__":
    main()
