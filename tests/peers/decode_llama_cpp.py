"""Time llama.cpp on a GGUF file, on the processor, beside `veneer bench decode --device cpu`.

    python tests/peers/decode_llama_cpp.py FILE.gguf [--threads 1 2]

Needs llama-cpp-python 0.3.36. Median of five runs after one that is not timed; the prompt is read
anew in every run. Prints one JSON object a thread count.
"""

import argparse
import json
import random
import statistics
import time

from llama_cpp import Llama

parser = argparse.ArgumentParser()
parser.add_argument("file")
parser.add_argument("--threads", type=int, nargs="+", default=[1, 2])
parser.add_argument("--prompt-tokens", type=int, default=128)
parser.add_argument("--tokens", type=int, default=64)
parser.add_argument("--runs", type=int, default=5)
arguments = parser.parse_args()


def run(model, prompt):
    model.reset()
    started = time.perf_counter()
    model.eval(prompt)
    token = model.sample(temp=0.0)
    first = time.perf_counter()
    for _ in range(arguments.tokens - 1):
        model.eval([token])
        token = model.sample(temp=0.0)
    ended = time.perf_counter()
    return first - started, (arguments.tokens - 1) / (ended - first)


for n_threads in arguments.threads:
    model = Llama(
        arguments.file,
        n_ctx=arguments.prompt_tokens + arguments.tokens,
        n_threads=n_threads,
        n_threads_batch=n_threads,
        verbose=False,
    )
    draw = random.Random(0)
    prompt = [draw.randrange(3, model.n_vocab()) for _ in range(arguments.prompt_tokens)]
    run(model, prompt)
    runs = [run(model, prompt) for _ in range(arguments.runs)]
    first, rate = (statistics.median(values) for values in zip(*runs))
    print(
        json.dumps(
            {
                "program": "llama.cpp",
                "threads": n_threads,
                "time_to_first_token_ms": round(1000 * first, 1),
                "prefill_tokens_per_second": round(arguments.prompt_tokens / first, 1),
                "decode_tokens_per_second": round(rate, 2),
            }
        )
    )
