"""Load a model, and an adapter by PEFT, and print logits or the loss as JSON.

    python tests/peers/load_adapter.py --model DIR --adapter DIR --ids 5,6,7
    python tests/peers/load_adapter.py --model DIR --adapter DIR --data data.jsonl

With `--ids`: `logits`, one row per position (`--last`: the last only). With `--data` (tokenized
records with `input_ids` and `labels`): `n_examples`, `n_tokens`, `loss`, `perplexity`.
Exits 1 when PEFT would leave a tensor of the adapter aside or miss one.
"""

import argparse
import json
import math
import sys
from pathlib import Path

try:
    import torch
    import transformers
    from peft import PeftModel, get_peft_model_state_dict
    from safetensors import safe_open
except ImportError as error:
    sys.exit(f"{error.name} is not installed: pip install -r tests/fixtures/gen/requirements.txt")


def add_arguments(parser):
    parser.add_argument("--model", required=True, help="model directory")
    parser.add_argument("--adapter", help="PEFT adapter directory")
    parser.add_argument("--merge", action="store_true", help="merge the adapter first (PEFT's merge_and_unload)")
    parser.add_argument("--attn", choices=["sdpa", "eager"], default="eager")


def load(args):
    """The model in float32, and what PEFT says about the adapter's tensors."""
    transformers.logging.set_verbosity_error()
    model, info = transformers.AutoModelForCausalLM.from_pretrained(
        args.model, attn_implementation=args.attn, output_loading_info=True)
    # Tied heads are not in the file and not reported; the rest must match.
    report = {"model_missing": sorted(info["missing_keys"])}
    model = model.to(torch.float32)
    if args.adapter:
        model = PeftModel.from_pretrained(model, args.adapter)
        expected = set(get_peft_model_state_dict(model))
        with safe_open(Path(args.adapter) / "adapter_model.safetensors", "pt") as file:
            found = set(file.keys())
        report["adapter_missing"] = sorted(expected - found)
        report["adapter_unexpected"] = sorted(found - expected)
        report["adapter_tensors"] = len(found & expected)
        if args.merge:
            model = model.merge_and_unload()
    wrong = {k: v for k, v in report.items() if v and k != "adapter_tensors"}
    if wrong:
        sys.exit(f"tensors do not match: {json.dumps(wrong)}")
    return model.eval(), report


def parse_ids(text):
    return [int(part) for part in text.split(",")]


@torch.no_grad()
def evaluate(model, path):
    total, n_tokens, n_examples = 0.0, 0, 0
    for line in Path(path).read_text().splitlines():
        if not line.strip():
            continue
        row = json.loads(line)
        labels = torch.tensor(row["labels"][1:])
        logits = model(input_ids=torch.tensor([row["input_ids"]])).logits[0, :-1]
        total += torch.nn.functional.cross_entropy(
            logits.double(), labels, ignore_index=-100, reduction="sum").item()
        n_tokens += int((labels != -100).sum())
        n_examples += 1
    loss = total / n_tokens
    return {"n_examples": n_examples, "n_tokens": n_tokens, "loss": loss, "perplexity": math.exp(loss)}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    add_arguments(parser)
    parser.add_argument("--ids", help="token ids, as 1,2,3")
    parser.add_argument("--last", action="store_true", help="logits of the last position only")
    parser.add_argument("--data", help="tokenized JSONL to compute the loss of")
    args = parser.parse_args()
    if not args.ids and not args.data:
        parser.error("give --ids or --data")
    model, report = load(args)
    if args.ids:
        with torch.no_grad():
            logits = model(input_ids=torch.tensor([parse_ids(args.ids)])).logits[0]
        report["logits"] = logits[-1:].tolist() if args.last else logits.tolist()
    if args.data:
        report.update(evaluate(model, args.data))
    print(json.dumps(report))


if __name__ == "__main__":
    main()
