"""A stand-in for Hugging Face's library: what the agent's scripts use of it, with its layout of the cache."""

import fnmatch
import hashlib
import json
import os
import urllib.error
import urllib.request

ENDPOINT = os.environ["HF_ENDPOINT"]


class RepositoryNotFoundError(Exception):
    pass


class GatedRepoError(Exception):
    pass


class Sibling:
    def __init__(self, rfilename, size):
        self.rfilename, self.size = rfilename, size


class ModelInfo:
    def __init__(self, told):
        self.sha = told["sha"]
        self.siblings = [Sibling(each["rfilename"], each["size"]) for each in told["siblings"]]


def ask(path):
    try:
        return urllib.request.urlopen(ENDPOINT + path, timeout=30)
    except urllib.error.HTTPError as error:
        known = {401: GatedRepoError, 404: RepositoryNotFoundError}.get(error.code)
        raise (known or Exception)(f"{error.code} Client Error for {path}") from None


class HfApi:
    def model_info(self, model, revision=None, files_metadata=False, timeout=None):
        with ask(f"/api/models/{model}/revision/{revision or 'main'}") as answer:
            return ModelInfo(json.load(answer))


def snapshot_download(model, revision=None, allow_patterns=None):
    info = HfApi().model_info(model, revision=revision)
    folder = os.path.join(os.environ["HF_HOME"], "hub", "models--" + model.replace("/", "--"))
    snapshot = os.path.join(folder, "snapshots", info.sha)
    for part in ("blobs", "refs"):
        os.makedirs(os.path.join(folder, part), exist_ok=True)
    for name in [each.rfilename for each in info.siblings]:
        if not any(fnmatch.fnmatch(name, pattern) for pattern in allow_patterns):
            continue
        blob = os.path.join(folder, "blobs", hashlib.sha256(name.encode()).hexdigest())
        if not os.path.exists(blob):
            with ask(f"/{model}/resolve/{info.sha}/{name}") as answer, open(blob + ".incomplete", "wb") as file:
                while part := answer.read1(65536):
                    file.write(part)
                    file.flush()
            os.rename(blob + ".incomplete", blob)
        link = os.path.join(snapshot, name)
        os.makedirs(os.path.dirname(link), exist_ok=True)
        if not os.path.lexists(link):
            os.symlink(os.path.relpath(blob, os.path.dirname(link)), link)
    with open(os.path.join(folder, "refs", revision or "main"), "w") as file:
        file.write(info.sha)
    return snapshot
