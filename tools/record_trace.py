#!/usr/bin/env python3
"""Records what decoder layers of a Hugging Face Llama do with some prompts: shapes, durations, activations, weights.

Every chosen layer becomes a folder that `dcom replay` and `dcom calibrate` read (docs/traces.md). The model runs one prompt at a
time, so prompts may differ in length. Durations come from runs without any copying (CUDA events, or perf_counter elsewhere),
after warm-up, the median of `--repeats` runs; activations from one more run, written to disk tensor by tensor.
"""

import argparse
import json
import pathlib
import statistics
import struct
import sys
import time

import torch

# Linear layers of transformers' LlamaDecoderLayer, as (name in the trace, path in the layer).
LINEARS = [
    ("q", "self_attn.q_proj"),
    ("k", "self_attn.k_proj"),
    ("v", "self_attn.v_proj"),
    ("o", "self_attn.o_proj"),
    ("gate", "mlp.gate_proj"),
    ("up", "mlp.up_proj"),
    ("down", "mlp.down_proj"),
]

# Recorded activations: the op whose result it is, and the linear layer that reads it.
ACTIVATIONS = [("input_norm", "q"), ("attention", "o"), ("ffn_norm", "gate"), ("act", "down")]

# Modules and the points in time around them; `None` is the layer itself.
TIMED = [(None, None), ("input_norm", "input_layernorm"), ("ffn_norm", "post_attention_layernorm"), *LINEARS]


class SafetensorsFile:
    """A safetensors file of known tensors, whose data is written as it comes and never held."""

    def __init__(self, path, shapes):
        """`shapes` are names with dimensions, in the order in which data will come; all fp16."""
        self.path = path
        self.names = list(shapes)
        header, offset = {}, 0
        for name, shape in shapes.items():
            size = 2
            for dim in shape:
                size *= dim
            header[name] = {"dtype": "F16", "shape": list(shape), "data_offsets": [offset, offset + size]}
            offset += size
        text = json.dumps(header, separators=(",", ":")).encode()
        text += b" " * (-len(text) % 8)
        self.file = open(path, "wb")
        self.file.write(struct.pack("<Q", len(text)) + text)
        self.shapes = shapes

    def write(self, name, tensor):
        """Writes the next tensor; what fp16 cannot hold is an error, not an infinity."""
        expected = self.names.pop(0)
        if name != expected:
            sys.exit(f"{self.path}: tensor {name} comes where {expected} was announced")
        if tuple(tensor.shape) != tuple(self.shapes[name]):
            sys.exit(f"{self.path}: {name} has shape {tuple(tensor.shape)}, expected {tuple(self.shapes[name])}")
        half = tensor.detach().to("cpu", torch.float16).contiguous()
        if not torch.isfinite(half).all():
            sys.exit(f"{self.path}: {name} has values that fp16 cannot hold (NaN, or beyond 65504)")
        self.file.write(half.numpy().tobytes())

    def close(self):
        if self.names:
            sys.exit(f"{self.path}: no data came for {', '.join(self.names)}")
        self.file.close()


class Clock:
    """Instants on a device, and the time between two of them in microseconds."""

    def __init__(self, device):
        self.cuda = device.type == "cuda"

    def now(self):
        if not self.cuda:
            return time.perf_counter_ns()
        event = torch.cuda.Event(enable_timing=True)
        event.record()
        return event

    def wait(self):
        if self.cuda:
            torch.cuda.synchronize()

    def between(self, start, end):
        return start.elapsed_time(end) * 1e3 if self.cuda else (end - start) / 1e3


def resolve(layer, path):
    for part in path.split(".") if path else []:
        layer = getattr(layer, part)
    return layer


def run_timed(model, tokens, layers, clock):
    """One run with an instant before and after every timed module: {layer: {op: (start, end)}}."""
    instants, hooks = {index: {} for index in layers}, []
    for index in layers:
        for name, path in TIMED:
            module = resolve(model.model.layers[index], path)

            def before(_module, _args, name=name, index=index):
                instants[index][name] = [clock.now()]

            def after(_module, _args, _result, name=name, index=index):
                instants[index][name].append(clock.now())

            hooks += [module.register_forward_pre_hook(before), module.register_forward_hook(after)]
    try:
        model(tokens, use_cache=False)
        clock.wait()
    finally:
        for hook in hooks:
            hook.remove()
    return instants


def durations(instants, clock):
    """Times of the ops of one layer. Ops that are no modules are what lies between the modules around them."""
    at = lambda name: instants[name]
    took = lambda name: clock.between(*at(name))
    gap = lambda end, start: clock.between(at(end)[1], at(start)[0])
    times = {name: took(name) for name, _ in TIMED if name}
    times["attention"] = gap("v", "o")
    # The activation function runs between gate and up, its product with up before down.
    times["act"] = gap("gate", "up") + gap("up", "down")
    times["attention_residual"] = gap("o", "ffn_norm")
    times["out"] = clock.between(at("down")[1], at(None)[1])
    return times


def measure(model, tokens, layers, clock, warmup, repeats):
    """Median durations over some runs: {layer: {op: us}}."""
    for _ in range(warmup):
        model(tokens, use_cache=False)
    runs = []
    for _ in range(repeats):
        instants = run_timed(model, tokens, layers, clock)
        runs.append({index: durations(instants[index], clock) for index in layers})
    return {
        index: {op: statistics.median(run[index][op] for run in runs) for op in runs[0][index]} for index in layers
    }


def record(model, tokens, layers, files):
    """One more run in which the inputs of linear layers go to disk as they are computed."""
    hooks = []
    for index in layers:
        for op, linear in ACTIVATIONS:
            module = resolve(model.model.layers[index], dict(LINEARS)[linear])

            def before(_module, args, op=op, index=index):
                files[index].write(op, args[0][0])

            hooks.append(module.register_forward_pre_hook(before))
    try:
        model(tokens, use_cache=False)
    finally:
        for hook in hooks:
            hook.remove()


def quoted(text):
    return json.dumps(text, ensure_ascii=True)


def ops(config, head_size):
    """The ops of a decoder layer: name, kind, inputs, channels."""
    hidden, ffn = config.hidden_size, config.intermediate_size
    queries, keys = config.num_attention_heads * head_size, config.num_key_value_heads * head_size
    return [
        ("x", "input", [], hidden),
        ("input_norm", "rms_norm", ["x"], hidden),
        ("q", "linear", ["input_norm"], queries),
        ("k", "linear", ["input_norm"], keys),
        ("v", "linear", ["input_norm"], keys),
        ("attention", "rope_attention", ["q", "k", "v"], queries),
        ("o", "linear", ["attention"], hidden),
        ("attention_residual", "add", ["x", "o"], hidden),
        ("ffn_norm", "rms_norm", ["attention_residual"], hidden),
        ("gate", "linear", ["ffn_norm"], ffn),
        ("up", "linear", ["ffn_norm"], ffn),
        ("act", "silu_multiply", ["gate", "up"], ffn),
        ("down", "linear", ["act"], hidden),
        ("out", "add", ["attention_residual", "down"], hidden),
    ]


def manifest(args, config, head_size, layer, prompts, times, device):
    """The text of manifest.toml."""
    text = ["[trace]", "format = 1", f"layer = {layer}"]
    text.append(f"source = {quoted(f'tools/record_trace.py, torch {torch.__version__}, activations rounded to fp16')}")
    text += ["", "[model]", f"name = {quoted(args.name)}"]
    text += [f"hidden = {config.hidden_size}", f"heads = {config.num_attention_heads}"]
    text += [f"kv_heads = {config.num_key_value_heads}", f"head_size = {head_size}", f"ffn = {config.intermediate_size}"]
    if times:
        text += ["", "[recording]", f"device = {quoted(device)}", 'prompts = "one_by_one"']
    for prompt in prompts:
        text += ["", "[[prompt]]", f"id = {quoted(prompt['id'])}", f"length = {prompt['length']}"]
        if prompt["text"]:
            text.append(f"text = {quoted(prompt['text'])}")
    for name, kind, inputs, channels in ops(config, head_size):
        text += ["", "[[op]]", f"name = {quoted(name)}", f"kind = {quoted(kind)}"]
        if inputs:
            text.append(f"inputs = [{', '.join(map(quoted, inputs))}]")
        text += [f'shape = ["S", {channels}]', 'dtype = "f16"']
        if times and kind != "input":
            text.append(f"microseconds = [{', '.join(f'{run[layer][name]:.3f}' for run in times)}]")
    for number, prompt in enumerate(prompts if not args.no_activations else []):
        for op, _ in ACTIVATIONS:
            text += ["", "[[tensor]]", f"op = {quoted(op)}", f"prompt = {quoted(prompt['id'])}"]
            text.append(f"file = {quoted(f'prompt-{number}.safetensors')}")
    if args.weights:
        for name, _ in LINEARS:
            text += ["", "[[tensor]]", f"weight = {quoted(name)}", 'file = "weights.safetensors"']
    return "\n".join(text) + "\n"


def read_prompts(path, tokenizer, limit):
    """A JSON list of {"id", and "text" or "tokens", and optionally "source"}."""
    prompts = []
    for place, entry in enumerate(json.loads(pathlib.Path(path).read_text())):
        unknown = set(entry) - {"id", "text", "tokens", "source"}
        if unknown or "id" not in entry or ("text" in entry) == ("tokens" in entry):
            sys.exit(f"{path}: entry {place}: needs id and either text or tokens; source may be there; found {sorted(entry)}")
        if "tokens" in entry:
            tokens = entry["tokens"]
        elif tokenizer is None:
            sys.exit(f"{path}: entry {place}: the model has no tokenizer, give tokens instead of text")
        else:
            tokens = tokenizer(entry["text"])["input_ids"]
        tokens = tokens[:limit]
        prompts.append({"id": entry["id"], "tokens": tokens, "length": len(tokens), "text": entry.get("source", "")})
    if not prompts or len({prompt["id"] for prompt in prompts}) < len(prompts):
        sys.exit(f"{path}: needs at least one prompt, and ids that differ")
    return prompts


def load(args):
    """The model, its tokenizer if there is one, and the device."""
    from transformers import AutoTokenizer, LlamaConfig, LlamaForCausalLM

    device = torch.device(args.device)
    dtype = getattr(torch, args.dtype)
    folder = pathlib.Path(args.model)
    if args.random_weights:
        torch.manual_seed(args.seed)
        model = LlamaForCausalLM(LlamaConfig.from_json_file(folder)).to(dtype)
        return model.to(device).eval(), None, device
    model = LlamaForCausalLM.from_pretrained(folder, dtype=dtype).to(device).eval()
    try:
        tokenizer = AutoTokenizer.from_pretrained(folder)
    except (OSError, ValueError):
        tokenizer = None
    return model, tokenizer, device


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", help="folder or hub name of a Llama; with --random-weights a config.json")
    parser.add_argument("--name", required=True, help="name of the model in the manifest")
    parser.add_argument("--prompts", required=True, help="JSON list of {id, text or tokens, source}")
    parser.add_argument("--layers", required=True, type=int, nargs="+", help="layers to record, from 0")
    parser.add_argument("--output", required=True, type=pathlib.Path, help="folder that gets one folder per layer")
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--dtype", default="float16", choices=["float16", "bfloat16", "float32"], help="of the run; tensors are written as fp16")
    parser.add_argument("--max-tokens", type=int, default=4096, help="longer prompts are cut")
    parser.add_argument("--warmup", type=int, default=3, help="runs before measuring")
    parser.add_argument("--repeats", type=int, default=10, help="measured runs; 0 records no durations")
    parser.add_argument("--weights", action="store_true", help="also write the weights of the linear layers")
    parser.add_argument("--no-activations", action="store_true", help="durations only")
    parser.add_argument("--random-weights", action="store_true", help="initialise the model from its config, for tests")
    parser.add_argument("--seed", type=int, default=0, help="for --random-weights")
    return parser.parse_args()


@torch.no_grad()
def main():
    args = arguments()
    model, tokenizer, device = load(args)
    config = model.config
    head_size = getattr(config, "head_dim", None) or config.hidden_size // config.num_attention_heads
    prompts = read_prompts(args.prompts, tokenizer, args.max_tokens)
    for layer in args.layers:
        if not 0 <= layer < config.num_hidden_layers:
            sys.exit(f"--layers {layer}: the model has layers 0 to {config.num_hidden_layers - 1}")
    folders = {layer: args.output / f"layer{layer}" for layer in args.layers}
    for folder in folders.values():
        if folder.exists():
            sys.exit(f"{folder}: is there already; give a new --output")
    clock = Clock(device)
    name = torch.cuda.get_device_name(device) if clock.cuda else f"CPU, {torch.get_num_threads()} threads"
    channels = {op: width for op, _, _, width in ops(config, head_size)}

    times = []
    for folder in folders.values():
        folder.mkdir(parents=True)
    for number, prompt in enumerate(prompts):
        tokens = torch.tensor([prompt["tokens"]], device=device)
        if args.repeats > 0:
            times.append(measure(model, tokens, args.layers, clock, args.warmup, args.repeats))
        if not args.no_activations:
            shapes = {op: (prompt["length"], channels[op]) for op, _ in ACTIVATIONS}
            files = {
                layer: SafetensorsFile(folder / f"prompt-{number}.safetensors", shapes)
                for layer, folder in folders.items()
            }
            record(model, tokens, args.layers, files)
            for file in files.values():
                file.close()
    for layer, folder in folders.items():
        if args.weights:
            modules = {f"{name}.weight": resolve(model.model.layers[layer], path).weight for name, path in LINEARS}
            file = SafetensorsFile(folder / "weights.safetensors", {name: tuple(w.shape) for name, w in modules.items()})
            for tensor, weight in modules.items():
                file.write(tensor, weight)
            file.close()
        text = manifest(args, config, head_size, layer, prompts, times, name)
        (folder / "manifest.toml").write_text(text)
        print(folder)


if __name__ == "__main__":
    main()
