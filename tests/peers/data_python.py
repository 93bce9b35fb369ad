"""Time Python's libraries on a dataset of messages, beside `veneer bench data --json`.

    python tests/peers/data_python.py FILE.jsonl --model FOLDER

Reads with datasets, checks every record as `veneer data check` does (roles, their order, empty
texts, control tokens, language left out), groups exact duplicates by a hash of the normalised
texts, puts each record into the model's template with transformers, tokenizes in batches with
tokenizers (all threads). FOLDER needs tokenizer.json and tokenizer_config.json; `veneer bench data`
prints where its own lies. Prints one JSON object.
"""

import argparse
import hashlib
import json
import re
import resource
import tempfile
import time
import unicodedata

import datasets
import transformers

parser = argparse.ArgumentParser()
parser.add_argument("file")
parser.add_argument("--model", required=True)
parser.add_argument("--batch", type=int, default=1000)
arguments = parser.parse_args()

ROLES = {"system", "developer", "user", "assistant", "tool"}
CONTROL = re.compile(
    r"<\|(?:im_start|im_end|endoftext|eot_id|start_header_id|end_header_id|begin_of_text"
    r"|end_of_text|user|assistant|system|end|eom_id)\|>|</?s>|<(?:bos|eos|pad|unk)>"
    r"|<(?:start|end)_of_turn>|\[/?INST\]|<</?SYS>>|\[TOOL_CALLS\]"
)

seconds = {}


def stage(name, work):
    started = time.perf_counter()
    value = work()
    seconds[name] = time.perf_counter() - started
    return value


def read():
    # A cache from an earlier run would time nothing.
    return datasets.load_dataset(
        "json", data_files=arguments.file, split="train", cache_dir=tempfile.mkdtemp()
    )


def has_errors(record):
    messages = record["messages"]
    if not messages:
        return True
    previous = None
    for i, message in enumerate(messages):
        role, content = message["role"], message["content"]
        if role not in ROLES or not isinstance(content, str) or not content.strip():
            return True
        if CONTROL.search(content) or role == previous or (role == "system" and i > 0):
            return True
        if any(ord(c) < 32 and c not in "\n\r\t" for c in content):
            return True
        previous = role
    return previous != "assistant"


def check():
    return sum(has_errors(record) for record in data)


def duplicates():
    groups = {}
    for record in data:
        digest = hashlib.blake2b(digest_size=16)
        for message in record["messages"]:
            text = " ".join(unicodedata.normalize("NFC", message["content"]).split())
            digest.update(f"{message['role']}\0{text}\0".encode())
        key = digest.digest()
        groups[key] = groups.get(key, 0) + 1
    return sum(n > 1 for n in groups.values())


def template():
    return [
        tokenizer.apply_chat_template(record["messages"], tokenize=False) for record in data
    ]


def tokenize():
    engine = tokenizer.backend_tokenizer
    n_tokens = 0
    for start in range(0, len(texts), arguments.batch):
        batch = texts[start : start + arguments.batch]
        encoded = engine.encode_batch(batch, add_special_tokens=False)
        n_tokens += sum(len(one.ids) for one in encoded)
    return n_tokens


tokenizer = transformers.AutoTokenizer.from_pretrained(arguments.model)
data = stage("import", read)
n_errors = stage("check", check)
n_groups = stage("exact_duplicates", duplicates)
texts = stage("template", template)
n_tokens = stage("tokenize", tokenize)

n = len(data)
total = sum(seconds.values())
print(
    json.dumps(
        {
            "program": "python",
            "datasets": datasets.__version__,
            "transformers": transformers.__version__,
            "n_records": n,
            "n_records_with_errors": n_errors,
            "n_duplicate_groups": n_groups,
            "n_tokens": n_tokens,
            "seconds": seconds,
            "records_per_second": {name: round(n / s) for name, s in seconds.items()},
            "chain_seconds": total,
            "chain_records_per_second": round(n / total),
            "peak_rss_bytes": 1024 * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss,
        }
    )
)
