"""LoRA training of PEFT on PyTorch: the peer of `veneer bench train --json`.

The shape of Qwen2.5-0.5B with random weights, float32 on the CPU, r 16 on the four attention
projections, one row of 512 tokens, every token a target. Prints one JSON object.

    python tests/peers/train_peft.py
    python tests/peers/train_peft.py --steps 10 --attn eager --threads 2
"""

import argparse
import json
import resource
import sys
import time

try:
    import peft
    import torch
    import transformers
except ImportError as error:
    sys.exit(f"{error.name} is not installed: pip install -r tests/fixtures/gen/requirements.txt")

SHAPE = {
    "hidden_size": 896,
    "num_hidden_layers": 24,
    "num_attention_heads": 14,
    "num_key_value_heads": 2,
    "intermediate_size": 4864,
    "vocab_size": 151936,
    "rope_theta": 1000000.0,
    "rms_norm_eps": 1e-6,
    "max_position_embeddings": 32768,
    "tie_word_embeddings": True,
}


def parse():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--steps", type=int, default=3, help="timed optimizer steps (default 3)")
    parser.add_argument("--warmup-steps", type=int, default=1, help="steps before the clock starts (default 1)")
    parser.add_argument("--seq", type=int, default=512, help="tokens in a row (default 512)")
    parser.add_argument("--batch", type=int, default=1, help="rows in a batch (default 1)")
    parser.add_argument("--r", type=int, default=16, help="rank (default 16)")
    parser.add_argument("--attn", choices=["sdpa", "eager"], default="sdpa")
    parser.add_argument("--layers", type=int, default=24, help="fewer layers for a quick look (default 24)")
    parser.add_argument("--gradient-checkpointing", action="store_true")
    parser.add_argument("--threads", type=int, help="threads of PyTorch (default: its own choice)")
    return parser.parse_args()


def build(args):
    torch.manual_seed(0)
    config = transformers.Qwen2Config(**{**SHAPE, "num_hidden_layers": args.layers, "use_cache": False})
    model = transformers.AutoModelForCausalLM.from_config(
        config, attn_implementation=args.attn).to(torch.float32)
    if args.gradient_checkpointing:
        model.gradient_checkpointing_enable({"use_reentrant": False})
        model.enable_input_require_grads()
    lora = peft.LoraConfig(
        task_type="CAUSAL_LM", r=args.r, lora_alpha=2 * args.r, lora_dropout=0.0,
        target_modules=["q_proj", "k_proj", "v_proj", "o_proj"])
    return peft.get_peft_model(model, lora).train()


def main():
    args = parse()
    if args.threads:
        torch.set_num_threads(args.threads)
    reset_peak()
    rss_imports = peak_rss_bytes()
    model = build(args)
    parameters = [p for p in model.parameters() if p.requires_grad]
    optimizer = torch.optim.AdamW(parameters, lr=2e-4, weight_decay=0.0)
    reset_peak()
    rss_before = peak_rss_bytes()
    seconds, loss, grad_norm = [], None, None
    for step in range(args.warmup_steps + args.steps):
        ids = torch.randint(0, SHAPE["vocab_size"], (args.batch, args.seq))
        start = time.perf_counter()
        output = model(input_ids=ids, labels=ids)
        output.loss.backward()
        loss = output.loss.item()
        del output
        grad_norm = torch.nn.utils.clip_grad_norm_(parameters, 1.0).item()
        optimizer.step()
        optimizer.zero_grad()
        elapsed = time.perf_counter() - start
        print(f"step {step + 1}: {elapsed:.2f} s, loss {loss:.4f}", file=sys.stderr)
        if step >= args.warmup_steps:
            seconds.append(elapsed)
    total = sum(p.numel() for p in model.parameters())
    print(json.dumps({
        "tokens_per_second": args.steps * args.batch * args.seq / sum(seconds),
        "seconds_per_step": sum(seconds) / args.steps,
        "step_seconds": seconds,
        "peak_rss_bytes": peak_rss_bytes(),
        "peak_rss_bytes_before_training": rss_before,
        "rss_bytes_after_imports": rss_imports,
        "loss": loss,
        "grad_norm": grad_norm,
        "trainable_parameters": sum(p.numel() for p in parameters),
        "total_parameters": total,
        "layers": args.layers,
        "batch": args.batch,
        "seq": args.seq,
        "r": args.r,
        "attn": args.attn,
        "gradient_checkpointing": args.gradient_checkpointing,
        "n_threads": torch.get_num_threads(),
        "torch": torch.__version__,
        "transformers": transformers.__version__,
        "peft": peft.__version__,
    }))


def reset_peak():
    """Forget the peak of building the model (Linux; elsewhere the peak includes it)."""
    try:
        with open("/proc/self/clear_refs", "w") as file:
            file.write("5")
    except OSError:
        pass


def peak_rss_bytes():
    """The most memory the process held since `reset_peak`."""
    try:
        with open("/proc/self/status") as file:
            line = next(line for line in file if line.startswith("VmHWM:"))
        return int(line.split()[1]) * 1024
    except OSError:
        # macOS counts in bytes.
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


if __name__ == "__main__":
    main()
