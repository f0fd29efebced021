import hashlib
import os
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from tests.hub import Hub, noise

from unbraid.errors import InputError, ModelError
from unbraid.weights import ModelEntry, ModelStore, Transfer, find_model, models
from unbraid.weights.digests import LARGE

HUB = {name: f"adefossez/{repository}/resolve/main" for name, repository in {
    "htdemucs": "HTDemucs",
    "htdemucs_ft": "HTDemucs-ft",
}.items()}  # fmt: skip
LEGACY = "demucs/hybrid_transformer"


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


@pytest.fixture
def weights(hub: Hub) -> dict[str, bytes]:
    """The files of htdemucs and htdemucs_ft on the hub, by signature."""
    return {
        member.name: hub.put(f"{HUB[name]}/{member.name}.safetensors", noise(5000, seed))
        for seed, name in enumerate(HUB)
        for member in find_model(name).members
    }


@pytest.fixture
def store(hub: Hub, tmp_path: Path) -> ModelStore:
    return ModelStore(tmp_path / "models", mirror=hub.url)


def offline(store: ModelStore) -> ModelStore:
    return ModelStore(store.folder, offline=True)


def with_checksum(entry: ModelEntry, content: bytes) -> ModelEntry:
    """The model as if its only file were published with this content."""
    member = entry.members[0]
    file = replace(member.files[-1], sha256=sha256(content)[:8])
    return replace(entry, members=(replace(member, files=(*member.files[:-1], file)),))


def test_every_model_is_described_in_full() -> None:
    for entry in models().values():
        shares = [sum(column) for column in zip(*(m.weights for m in entry.members), strict=True)]
        assert len(shares) == len(entry.stems)
        assert min(shares) > 0, f"{entry.name} leaves a stem without a network"
        for member in entry.members:
            assert len({file.name for file in member.files}) == len(member.files)
            assert all(file.url or entry.folder for file in member.files)
            assert member.files[-1].sha256, "the last resort has a published checksum"


def test_demucs_models_are_those_of_its_package() -> None:
    import demucs.hf
    import demucs.pretrained
    import yaml  # type: ignore[import-untyped]  # its types are another package

    published = demucs.pretrained._parse_remote_files(demucs.pretrained.REMOTE_ROOT / "files.txt")
    bags = [entry for entry in models().values() if entry.engine == "demucs"]
    assert len(bags) == 8
    for entry in bags:
        text = (demucs.pretrained.REMOTE_ROOT / f"{entry.name}.yaml").read_text()
        bag = yaml.safe_load(text)
        assert [member.name for member in entry.members] == bag["models"]
        assert entry.segment_s == bag.get("segment")
        rows = bag.get("weights", [[1.0] * len(entry.stems)] * len(bag["models"]))
        assert [list(member.weights) for member in entry.members] == rows
        hub = f"https://huggingface.co/adefossez/{demucs.hf.hf_repo_name(entry.name)}"
        for member in entry.members:
            preferred, legacy = member.files
            assert preferred.url == f"{hub}/resolve/main/{member.name}.safetensors"
            assert legacy.url == published[member.name]


def test_a_model_is_pulled_once_and_then_used_without_network(
    hub: Hub, store: ModelStore, weights: dict[str, bytes]
) -> None:
    local = store.fetch(find_model("htdemucs"))
    assert local.files["955717e8"] == store.folder / "htdemucs" / "955717e8.safetensors"
    assert local.sha256 == {"955717e8": sha256(weights["955717e8"])}
    assert offline(store).fetch(find_model("htdemucs")) == local
    assert len(hub.requests) == 1


def test_only_the_networks_of_wanted_stems_are_pulled(
    hub: Hub, store: ModelStore, weights: dict[str, bytes]
) -> None:
    local = store.fetch(find_model("htdemucs_ft"), ["vocals"])
    assert list(local.files) == ["04573f0d"]
    assert len(hub.requests) == 1
    local = store.fetch(find_model("htdemucs_ft"))
    assert list(local.files) == ["f7e0c4bc", "d12395a8", "92cfc3b6", "04573f0d"]
    assert len(hub.requests) == 4


def test_progress_names_the_file(store: ModelStore, weights: dict[str, bytes]) -> None:
    seen: list[Transfer] = []
    store.fetch(find_model("htdemucs"), on_progress=seen.append)
    assert seen[-1] == Transfer("955717e8.safetensors", 5000, 5000)


def test_the_digest_stated_at_the_pull_is_pinned(
    store: ModelStore, weights: dict[str, bytes]
) -> None:
    local = store.fetch(find_model("htdemucs"))
    folder = store.folder / "htdemucs"
    assert (folder / "SHA256SUMS").read_text() == (
        f"{sha256(weights['955717e8'])}  955717e8.safetensors\n"
    )
    if shutil.which("sha256sum"):
        subprocess.run(["sha256sum", "--quiet", "-c", "SHA256SUMS"], cwd=folder, check=True)
    local.files["955717e8"].write_bytes(noise(5000, seed=9))
    for check in (store.fetch, store.verify):
        with pytest.raises(ModelError, match=r"is damaged: .* unbraid models remove htdemucs"):
            check(find_model("htdemucs"))


def test_large_files_are_read_again_only_to_verify_them(store: ModelStore) -> None:
    entry, folder = find_model("htdemucs"), store.folder / "htdemucs"
    folder.mkdir(parents=True)
    file = folder / "955717e8.safetensors"
    file.write_bytes(b"a" * LARGE)
    os.utime(file, ns=(0, 0))
    local = offline(store).fetch(entry)
    (record,) = (store.folder / ".digests").iterdir()
    record.write_text("0" * 64 + record.read_text()[64:])
    with pytest.raises(ModelError, match="SHA-256 0000000000000000…"):
        offline(store).fetch(entry)
    assert store.verify(entry) == offline(store).fetch(entry) == local


def test_without_the_hub_the_legacy_file_is_taken_if_its_checksum_holds(
    hub: Hub, store: ModelStore
) -> None:
    content = hub.put(f"{LEGACY}/955717e8-8726e21a.th", noise(5000))
    local = store.fetch(with_checksum(find_model("htdemucs"), content))
    assert local.files["955717e8"].name == "955717e8-8726e21a.th"
    store.remove(find_model("htdemucs"))
    with pytest.raises(ModelError, match=r"955717e8\.safetensors answers 404.* expected 8726e21a"):
        store.fetch(find_model("htdemucs"))
    assert store.present(find_model("htdemucs")) == ()


def test_offline_says_which_file_from_where_and_whereto(store: ModelStore) -> None:
    with pytest.raises(ModelError) as error:
        ModelStore(store.folder, offline=True).fetch(find_model("htdemucs_ft"), ["vocals"])
    text = str(error.value)
    assert str(store.folder / "htdemucs_ft") in text
    assert f"https://huggingface.co/{HUB['htdemucs_ft']}/04573f0d.safetensors" in text
    assert "d12395a8" not in text


@pytest.mark.parametrize("file", ["955717e8.safetensors", "955717e8-8726e21a.th"])
def test_files_laid_out_by_hand_are_used_and_pinned(store: ModelStore, file: str) -> None:
    content = noise(5000)
    folder = store.folder / "htdemucs"
    folder.mkdir(parents=True)
    (folder / file).write_bytes(content)
    entry = with_checksum(find_model("htdemucs"), content)
    local = offline(store).fetch(entry)
    assert local.files == {"955717e8": folder / file}
    assert (folder / "SHA256SUMS").read_text() == f"{sha256(content)}  {file}\n"


def test_a_legacy_file_must_match_its_published_checksum(store: ModelStore) -> None:
    folder = store.folder / "htdemucs"
    folder.mkdir(parents=True)
    (folder / "955717e8-8726e21a.th").write_bytes(noise(5000))
    with pytest.raises(ModelError, match="expected 8726e21a"):
        offline(store).fetch(find_model("htdemucs"))


def test_a_store_that_was_copied_keeps_its_digests(
    store: ModelStore, weights: dict[str, bytes], tmp_path: Path
) -> None:
    local = store.fetch(find_model("htdemucs_ft"))
    copy = ModelStore(tmp_path / "copy", offline=True)
    shutil.copytree(store.folder, copy.folder)
    assert copy.fetch(find_model("htdemucs_ft")).sha256 == local.sha256
    (copy.folder / "htdemucs_ft" / "SHA256SUMS").write_text("nonsense\n")
    with pytest.raises(ModelError, match="has a line that is not"):
        copy.fetch(find_model("htdemucs_ft"))


def test_two_processes_pull_a_model_once(
    hub: Hub, store: ModelStore, weights: dict[str, bytes]
) -> None:
    hub.put(f"{HUB['htdemucs']}/955717e8.safetensors", noise(2**23))
    command = [sys.executable, "-c", "from unbraid.cli import main; main()", "models", "pull"]
    options = ["htdemucs", "--models-dir", str(store.folder), "--mirror", hub.url]
    children = [
        subprocess.Popen([*command, *options], stdout=subprocess.PIPE, env=dict(os.environ))
        for _ in range(2)
    ]
    outputs = [child.communicate(timeout=60)[0] for child in children]
    assert [child.returncode for child in children] == [0, 0]
    assert outputs[0] == outputs[1]
    assert len(hub.requests) == 1


def test_a_licence_is_confirmed_once(hub: Hub, store: ModelStore) -> None:
    content = hub.put("records/5069601/files/vocals-bccbd9aa.pth", noise(5000))
    entry = with_checksum(find_model("umxl"), content)
    with pytest.raises(ModelError, match=r"not for commercial use \(CC BY-NC-SA 4\.0"):
        store.fetch(entry, ["vocals"])
    assert not hub.requests
    store.accept(entry)
    local = store.fetch(entry, ["vocals"])
    store.remove(entry)
    assert ModelStore(store.folder, mirror=hub.url).fetch(entry, ["vocals"]) == local


def test_removed_models_are_gone(store: ModelStore, weights: dict[str, bytes]) -> None:
    entry = find_model("htdemucs")
    store.fetch(entry)
    core = store.cores(entry) / "0123-2" / "core.onnx"
    core.parent.mkdir(parents=True)
    core.write_bytes(b"made of it")
    store.remove(entry)
    assert not store.path(entry).exists()
    assert not core.exists()
    for action in (store.remove, store.verify):
        with pytest.raises((InputError, ModelError), match="htdemucs is not in"):
            action(entry)


def test_a_store_that_is_read_only_gets_no_more_files(
    store: ModelStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    entry = find_model("htdemucs")
    assert store.cores(entry).is_relative_to(store.folder)
    store.folder.mkdir(exist_ok=True)
    monkeypatch.setattr("os.access", lambda path, mode: False)
    assert not store.cores(entry).is_relative_to(store.folder)


def test_the_built_in_model_needs_no_store(tmp_path: Path) -> None:
    store = ModelStore(tmp_path / "models", offline=True)
    entry = store.find("lite")
    assert store.fetch(entry).sha256["lite"] == entry.members[0].files[0].sha256
    assert not store.folder.exists()
    with pytest.raises(InputError, match="lite is not in"):
        store.remove(entry)


def test_an_unknown_name_is_answered_with_those_that_are_known(store: ModelStore) -> None:
    with pytest.raises(ModelError, match=r"no model 'htdemux'; choose one of: lite, htdemucs"):
        store.find("htdemux")


def test_a_mirror_is_a_web_address(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="http or https"):
        ModelStore(tmp_path, mirror="file:///etc")
