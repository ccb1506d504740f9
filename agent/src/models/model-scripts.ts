/**
 * What runs in a container of the engine's image, beside the caches. Each takes what it works on as arguments, never as
 * part of its text, and prints one JSON object a line. The layout of the cache is `huggingface_hub`'s:
 * `hub/models--ORGANISATION--NAME/{blobs,refs,snapshots}`.
 */
const COMMON = `
import json, os, shutil, sys
HUB = os.path.join(os.environ.get("HF_HOME", os.path.expanduser("~/.cache/huggingface")), "hub")
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
`;

export const LIST_SCRIPT = `${COMMON}
for entry in sorted(os.listdir(HUB)) if os.path.isdir(HUB) else []:
    path = os.path.join(HUB, entry)
    if not entry.startswith("models--") or os.path.islink(path) or not os.path.isdir(path):
        continue
    blobs = os.path.join(path, "blobs")
    names = os.listdir(blobs) if os.path.isdir(blobs) else []
    snapshots = os.path.join(path, "snapshots")
    say(model=entry[len("models--"):].replace("--", "/", 1), sizeBytes=size(path),
        revisions=sorted(os.listdir(snapshots)) if os.path.isdir(snapshots) else [],
        complete=len(names) > 0 and not any(name.endswith(".incomplete") for name in names),
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
import threading
model, revision = sys.argv[1], sys.argv[2] or None
total = None
ended = threading.Event()
def tell():
    while not ended.wait(1):
        say(doneBytes=size(os.path.join(folder(model), "blobs")), totalBytes=total)
try:
    from huggingface_hub import HfApi, snapshot_download
    info = HfApi().model_info(model, revision=revision, files_metadata=True)
    total = sum(each.size or 0 for each in info.siblings) or None
    threading.Thread(target=tell, daemon=True).start()
    snapshot_download(model, revision=revision)
    say(done=True, sizeBytes=size(folder(model)))
except Exception as error:
    say(failed=type(error).__name__, detail=str(error)[:400])
    sys.exit(1)
finally:
    ended.set()
`;
