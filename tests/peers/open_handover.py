"""Open a folder that `veneer data export --to llama-factory|axolotl` wrote with the tool it is for.

    python tests/peers/open_handover.py FOLDER --model MODEL [--show N]

Goes the tool's own way from its configuration to token ids: LLaMA-Factory parses the YAML, finds the
sets in `dataset_info.json`, and makes ids and labels; axolotl validates the YAML and does the same by
its chat template strategy. Of every record, all answers must be in the trained text, and nothing that
the user, the system or a tool said. MODEL is a folder with a tokenizer and a chat template; nothing is
trained. Exits 1 where something differs.

    pip install llamafactory         # or: pip install axolotl
"""

import argparse
import json
import os
import pathlib
import sys

os.environ["HF_HUB_OFFLINE"] = "1"

import yaml

ANSWERS = {"assistant", "gpt", "function_call", "model"}


def said(record):
    """What was said, as pairs of "is it an answer" and text; calls are left to the template."""
    turns = record.get("messages") or record.get("conversations") or []
    for turn in turns:
        role = turn.get("role") or turn.get("from")
        text = turn.get("content") or turn.get("value")
        if text and role != "function_call":
            yield role in ANSWERS, text


def compare(name, records, texts):
    """Texts are the trained ones, in the order of the records."""
    n_wrong = 0
    for number, (record, trained) in enumerate(zip(records, texts), 1):
        turns = [(is_answer, text.strip()) for is_answer, text in said(record) if text.strip()]
        answers = " ".join(text for is_answer, text in turns if is_answer)
        for is_answer, text in turns:
            # A question may be a part of an answer.
            if is_answer != (text in trained) and not (not is_answer and text in answers):
                n_wrong += 1
                print(f"{name}, record {number}: {text!r} trained: {not is_answer}", file=sys.stderr)
    if len(records) != len(texts):
        n_wrong += 1
        print(f"{name}: {len(texts)} of {len(records)} records arrived", file=sys.stderr)
    print(json.dumps({"set": name, "n_records": len(records), "n_wrong": n_wrong}))
    return n_wrong


def lines(path):
    return [json.loads(line) for line in open(path, encoding="utf-8") if line.strip()]


def llama_factory(folder, model, show):
    os.environ["DISABLE_VERSION_CHECK"] = "1"
    from llamafactory.data import get_dataset, get_template_and_fix_tokenizer
    from llamafactory.hparams import get_train_args
    from llamafactory.model import load_tokenizer

    settings = yaml.safe_load(open("llama_factory.yaml", encoding="utf-8"))
    settings |= {"model_name_or_path": model, "bf16": False, "use_cpu": True}
    infos = json.load(open("dataset_info.json", encoding="utf-8"))
    files = {key: infos[settings[key]]["file_name"] for key in ("dataset", "eval_dataset") if key in settings}
    model_args, data_args, training_args, _, _ = get_train_args(settings)
    loaded = load_tokenizer(model_args)
    tokenizer = loaded["tokenizer"]
    template = get_template_and_fix_tokenizer(tokenizer, data_args)
    sets = get_dataset(template, model_args, data_args, training_args, "sft", **loaded)
    n_wrong = 0
    for key, part in (("dataset", "train_dataset"), ("eval_dataset", "eval_dataset")):
        if key not in files:
            continue
        rows = sets[part]
        rows = next(iter(rows.values())) if isinstance(rows, dict) else rows
        n_wrong += check(tokenizer, files[key], rows, show)
    return n_wrong


def axolotl(folder, model, show):
    from axolotl.prompt_strategies.chat_template import load
    from axolotl.utils.dict import DictDefault
    from axolotl.utils.schemas.config import AxolotlInputConfig
    from transformers import AutoTokenizer

    settings = yaml.safe_load(open("axolotl.yaml", encoding="utf-8"))
    settings["base_model"] = model
    AxolotlInputConfig.model_validate(settings)
    tokenizer = AutoTokenizer.from_pretrained(model)
    n_wrong = 0
    for part in settings["datasets"] + settings.get("test_datasets", []):
        strategy = load(tokenizer, DictDefault(settings), ds_cfg=DictDefault(part))
        rows = [strategy.tokenize_prompt(record) for record in lines(part["path"])]
        n_wrong += check(tokenizer, part["path"], rows, show)
    return n_wrong


def check(tokenizer, path, rows, show):
    texts = []
    for row in rows:
        trained = [token for token in row["labels"] if token != -100]
        texts.append(tokenizer.decode(trained))
        if len(texts) <= show:
            print(tokenizer.decode(row["input_ids"]), "\ntrained:", texts[-1])
    return compare(path, lines(path), texts)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("--model", required=True)
    parser.add_argument("--show", type=int, default=0)
    arguments = parser.parse_args()
    model = os.path.abspath(arguments.model)
    os.chdir(arguments.folder)
    opened = llama_factory if os.path.exists("llama_factory.yaml") else axolotl
    sys.exit(1 if opened(arguments.folder, model, arguments.show) else 0)


if __name__ == "__main__":
    main()
