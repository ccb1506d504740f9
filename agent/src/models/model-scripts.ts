/**
 * What runs in a container of the engine's image, beside the caches. Each takes what it works on as arguments, never as
 * part of its text, and prints one JSON object a line. The layout of the cache is `huggingface_hub`'s:
 * `hub/models--ORGANISATION--NAME/{blobs,refs,snapshots}`.
 */
const COMMON = `
import json, os, re, shutil, sys
HOME = os.environ.get("HF_HOME", os.path.expanduser("~/.cache/huggingface"))
HUB = os.path.join(HOME, "hub")
def say(**what):
    print(json.dumps(what), flush=True)
def folder(model):
    return os.path.join(HUB, "models--" + model.replace("/", "--"))
def size(path):
    total = 0
    for root, _, files in os.walk(path):
        for name in files:
            file = os.path.join(root, name)
            if not os.path.islink(file):
                total += os.lstat(file).st_size
    return total
# Files of one revision that are really there: a link to a blob that is not whole leads nowhere.
def files_of(path, revision):
    ref = os.path.join(path, "refs", revision)
    if os.path.isfile(ref):
        with open(ref) as file:
            revision = file.read(100).strip()
    snapshot = os.path.join(path, "snapshots", revision)
    found = {}
    for root, _, names in os.walk(snapshot):
        for name in names:
            file = os.path.join(root, name)
            if os.path.isfile(file):
                found[os.path.relpath(file, snapshot).replace(os.sep, "/")] = os.path.getsize(file)
    return snapshot, found
def partial_bytes(path):
    blobs = os.path.join(path, "blobs")
    names = os.listdir(blobs) if os.path.isdir(blobs) else []
    parts = [os.path.join(blobs, name) for name in names if name.endswith(".incomplete")]
    return sum(os.path.getsize(part) for part in parts) if parts else None
# Names of the weights that a revision must have, by its index or by their numbers; empty where it has none.
def weights_of(snapshot, found):
    for ending, index in ((".safetensors", "model.safetensors.index.json"), (".bin", "pytorch_model.bin.index.json")):
        if index in found and found[index] < 64000000:
            try:
                with open(os.path.join(snapshot, index)) as file:
                    return set(json.load(file)["weight_map"].values())
            except (ValueError, KeyError, AttributeError, TypeError):
                return set()
        names = {name for name in found if name.endswith(ending) and "/" not in name}
        for name in list(names):
            numbered = re.fullmatch(r"(.*)-\\d{5}-of-(\\d{5})(\\.[a-z]+)", name)
            if numbered:
                first, count, last = numbered.groups()
                names |= {f"{first}-{each:05d}-of-{count}{last}" for each in range(1, min(int(count), 999) + 1)}
        if names:
            return names
    return set()
TOKENIZERS = ("tokenizer.json", "tokenizer_config.json", "tokenizer.model", "tekken.json", "vocab.json", "vocab.txt")
# The size of the weights of a revision that loads without the hub, or None.
def whole(path, revision):
    snapshot, found = files_of(path, revision)
    weights = weights_of(snapshot, found)
    is_whole = (partial_bytes(path) is None and len(weights) > 0 and all(name in found for name in weights)
        and ("config.json" in found or "params.json" in found) and any(name in found for name in TOKENIZERS))
    return sum(found[name] for name in weights) if is_whole else None
# Of all files of a repository those that vLLM loads: other formats of the same weights stay where they are.
OTHER_FORMATS = (".bin", ".pt", ".pth", ".ckpt", ".gguf", ".onnx", ".h5", ".msgpack", ".ot", ".tflite", ".mlmodel")
def loaded(sizes):
    own = {name: size for name, size in sizes.items() if not name.startswith(("original/", "onnx/", "openvino/"))}
    if not any(name.endswith(".safetensors") for name in own):
        return own
    return {name: size for name, size in own.items() if not name.endswith(OTHER_FORMATS)}
def ask_hub(model, revision):
    from huggingface_hub import HfApi
    info = HfApi().model_info(model, revision=revision, files_metadata=True, timeout=15)
    return loaded({each.rfilename: each.size or 0 for each in info.siblings})
`;

export const LIST_SCRIPT = `${COMMON}
for entry in sorted(os.listdir(HUB)) if os.path.isdir(HUB) else []:
    path = os.path.join(HUB, entry)
    if not entry.startswith("models--") or os.path.islink(path) or not os.path.isdir(path):
        continue
    snapshots = os.path.join(path, "snapshots")
    revisions = sorted(os.listdir(snapshots)) if os.path.isdir(snapshots) else []
    say(model=entry[len("models--"):].replace("--", "/", 1), sizeBytes=size(path), revisions=revisions,
        complete=any(whole(path, revision) is not None for revision in revisions),
        changedAtMs=int(os.stat(path).st_mtime * 1000))
say(done=True)
`;

export const REMOVE_SCRIPT = `${COMMON}
path = folder(sys.argv[1])
if not os.path.isdir(path) or os.path.islink(path):
    say(done=True, freedBytes=0)
else:
    freed = size(path)
    shutil.rmtree(path)
    say(done=True, freedBytes=freed)
`;

export const PREFETCH_SCRIPT = `${COMMON}
import glob, threading
model, revision = sys.argv[1], sys.argv[2] or None
total = None
ended = threading.Event()
def tell():
    while not ended.wait(1):
        say(doneBytes=size(os.path.join(folder(model), "blobs")), totalBytes=total)
try:
    from huggingface_hub import snapshot_download
    sizes = ask_hub(model, revision)
    total = sum(sizes.values()) or None
    threading.Thread(target=tell, daemon=True).start()
    snapshot_download(model, revision=revision, allow_patterns=[glob.escape(name) for name in sizes])
    say(done=True, sizeBytes=size(folder(model)))
except Exception as error:
    say(failed=type(error).__name__, detail=str(error)[:400])
    sys.exit(1)
finally:
    ended.set()
`;

/** What of a model's revision is here, what is missing, and how much room there is. The hub is asked only for what is not whole. */
export const LOOK_SCRIPT = `${COMMON}
model, revision = sys.argv[1], sys.argv[2] or "main"
path = folder(model)
weights = whole(path, revision)
missing = 0 if weights is not None else None
complete = weights is not None
if not complete:
    try:
        sizes = ask_hub(model, revision)
        found = files_of(path, revision)[1]
        missing = sum(size for name, size in sizes.items() if found.get(name) != size)
        missing = max(0, missing - (partial_bytes(path) or 0))
        weights = sum(size for name, size in sizes.items() if name.endswith((".safetensors", ".bin"))) or None
    except Exception:
        pass
say(complete=complete, weightBytes=weights, missingBytes=missing,
    freeBytes=shutil.disk_usage(HOME if os.path.isdir(HOME) else "/").free)
`;
