import hashlib
import json
import struct
import sys
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save_file
from tests.hub import network_file, noise
from tests.networks import save_legacy, seeded

from unbraid.errors import MissingExtraError, ModelError
from unbraid.weights import ModelStore
from unbraid.weights.custom import read_onnx_model
from unbraid.weights.header import MAX_BYTES, NetworkHeader, read_header

MODEL_TOML = """
file = "net.onnx"
stems = ["vocals", "rest"]
sample_rate = 32000
segment_s = 8.0
overlap_s = 2.0

[stft]
n_fft = 2048
hop_length = 512
bins = 700
"""


@pytest.fixture
def store(tmp_path: Path) -> ModelStore:
    return ModelStore(tmp_path / "models", offline=True)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    path = tmp_path / "mine"
    path.mkdir()
    return path


def demucs_folder(folder: Path, bag: str) -> str:
    (folder / "mine.yaml").write_text(bag)
    for signature in ("aaaa1111", "bbbb2222"):
        network = network_file(["vocals", "rest"], "demucs.hdemucs.HDemucs", 22050)
        (folder / f"{signature}.safetensors").write_bytes(network)
    return str(folder)


def test_of_two_forms_of_a_network_the_safe_one_is_taken(store: ModelStore, folder: Path) -> None:
    name = demucs_folder(folder, "models: ['aaaa1111']\n")
    (folder / "aaaa1111-00000000.th").write_bytes(b"")
    (member,) = store.find(name).members
    assert [file.name for file in member.files] == ["aaaa1111.safetensors"]


def test_a_legacy_network_may_come_without_a_checksum(store: ModelStore, folder: Path) -> None:
    (folder / "mine.yaml").write_text("models: ['aaaa1111']\n")
    save_legacy(seeded("demucs", sources=("vocals", "rest")), folder / "aaaa1111.th")
    entry = store.find(str(folder))
    assert (entry.stems, entry.sample_rate) == (("vocals", "rest"), 44100)
    assert store.fetch(entry).files == {"aaaa1111": folder / "aaaa1111.th"}


def test_a_demucs_folder_is_a_bag_of_networks(store: ModelStore, folder: Path) -> None:
    bag = "models: ['aaaa1111', 'bbbb2222']\nweights: [[1., 0.], [0.5, 1.]]\nsegment: 12\n"
    entry = store.find(demucs_folder(folder, bag))
    assert (entry.name, entry.engine, entry.segment_s) == ("mine", "demucs", 12)
    assert (entry.stems, entry.sample_rate) == (("vocals", "rest"), 22050)
    assert [member.weights for member in entry.members] == [(1, 0), (0.5, 1)]
    local = store.fetch(entry, ["rest"])
    assert local.files == {"bbbb2222": folder / "bbbb2222.safetensors"}
    content = (folder / "bbbb2222.safetensors").read_bytes()
    assert local.sha256 == {"bbbb2222": hashlib.sha256(content).hexdigest()}


def test_a_folder_of_the_users_is_not_written_to(store: ModelStore, folder: Path) -> None:
    name = demucs_folder(folder, "models: ['aaaa1111']\n")
    before = sorted(folder.iterdir())
    store.fetch(store.find(name))
    assert sorted(folder.iterdir()) == before
    assert not store.folder.exists()


def test_a_network_that_is_missing_is_named(store: ModelStore, folder: Path) -> None:
    entry = store.find(demucs_folder(folder, "models: ['aaaa1111', 'cccc3333']\n"))
    with pytest.raises(ModelError, match=r"not complete: cccc3333\.safetensors is not in"):
        store.fetch(entry)


@pytest.mark.parametrize(
    ("bag", "message"),
    [
        ("models: ['aaaa1111']\nweights: [[1.]]\n", "1 rows of 2 weights"),
        ("models: ['../aaaa1111']\n", r"models\.0: string should match"),
        ("models: [11112222]\n", r"models\.0: input should be a valid string"),
        ("models: []\n", "at least 1 item"),
        ("segment: 3\n", "models: field required"),
        ("models: [", "cannot be read"),
        ("!!python/object/apply:os.getcwd []\n", "cannot be read"),
    ],
)
def test_a_bag_that_does_not_hold_is_explained(
    store: ModelStore, folder: Path, bag: str, message: str
) -> None:
    with pytest.raises(ModelError, match=message):
        store.find(demucs_folder(folder, bag))


def test_without_yaml_the_extra_is_named(
    store: ModelStore, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "yaml", None)
    with pytest.raises(MissingExtraError, match=r"unbraid\[demucs\]"):
        store.find(demucs_folder(folder, "models: ['aaaa1111']\n"))


def test_a_header_is_read_as_safetensors_writes_it(tmp_path: Path) -> None:
    file = tmp_path / "net.safetensors"
    metadata = {"klass": "demucs.demucs.Demucs", "args": '[["a", "b"]]', "kwargs": "{}"}
    save_file({"weight": np.zeros(3, np.float32)}, file, metadata)
    assert read_header(file) == NetworkHeader("demucs.demucs.Demucs", ("a", "b"), 44100)


def test_no_class_but_demucss_own_is_accepted(tmp_path: Path) -> None:
    file = tmp_path / "net.safetensors"
    file.write_bytes(network_file(["vocals"], "os.system"))
    with pytest.raises(ModelError, match=r"names 'os\.system', which is none of demucs\.htdemucs"):
        read_header(file)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\x05",
        noise(100),
        struct.pack("<Q", MAX_BYTES + 1) + b"{}",
        struct.pack("<Q", 2) + b"{}",
        struct.pack("<Q", 2) + b"[]",
        struct.pack("<Q", 10**6) + b"[" * 10**6,
        network_file([]),
    ],
)
def test_a_damaged_header_is_an_error_of_the_model(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "net.safetensors"
    file.write_bytes(content)
    with pytest.raises(ModelError, match="no header of a Demucs network"):
        read_header(file)


def open_unmix_folder(folder: Path, **transform: int) -> str:
    settings = {"sample_rate": 44100, "nfft": 4096, "nhop": 1024, "nb_channels": 2} | transform
    (folder / "separator.json").write_text(json.dumps(settings))
    for target in ("bass", "vocals", "accordion"):
        (folder / f"{target}.json").write_text("{}")
        (folder / f"{target}.pth").write_bytes(target.encode())
    return str(folder)


def test_an_open_unmix_folder_has_a_network_for_each_target(
    store: ModelStore, folder: Path
) -> None:
    digest = hashlib.sha256(b"vocals").hexdigest()
    name = open_unmix_folder(folder, sample_rate=48000)
    (folder / "vocals.pth").rename(folder / f"vocals-{digest[:8]}.pth")
    entry = store.find(name)
    assert (entry.engine, entry.sample_rate) == ("openunmix", 48000)
    assert entry.stems == ("vocals", "bass", "accordion")
    assert store.fetch(entry, ["vocals"]).sha256 == {"vocals": digest}
    (folder / f"vocals-{digest[:8]}.pth").write_bytes(b"other")
    with pytest.raises(ModelError, match=r"is damaged.*put the right file there"):
        store.fetch(entry, ["vocals"])


def test_another_transform_than_open_unmixs_is_refused(store: ModelStore, folder: Path) -> None:
    with pytest.raises(ModelError, match=r"separator\.json does not hold: nfft: .*4096"):
        store.find(open_unmix_folder(folder, nfft=2048))


def test_an_onnx_folder_describes_its_network(store: ModelStore, folder: Path) -> None:
    (folder / "model.toml").write_text(MODEL_TOML)
    (folder / "net.onnx").write_bytes(noise(100))
    entry = store.find(str(folder))
    assert (entry.name, entry.engine, entry.sample_rate) == ("mine", "onnx", 32000)
    assert (entry.stems, entry.segment_s) == (("vocals", "rest"), 8)
    assert store.fetch(entry).files == {"net.onnx": folder / "net.onnx"}
    model = read_onnx_model(folder)
    assert (model.stft.n_fft, model.stft.window, model.input) == (2048, "hann", "mag")


@pytest.mark.parametrize(
    ("before", "after", "message"),
    [
        ('"net.onnx"', '"../net.onnx"', "file: string should match"),
        ("bins = 700", "", r"stft\.bins: field required"),
        ("overlap_s = 2.0", "overlap = 2.0", "overlap_s: field required"),
        ("n_fft = 2048", 'n_fft = "many"', r"stft\.n_fft: input should be a valid integer"),
        ("overlap_s = 2.0", "overlap_s = 8.0", "overlap_s must be less than segment_s"),
        ("bins = 700", "bins = 1026", r"stft\.bins must be at most"),
        ("[stft]", "[stft", "cannot be read"),
        ("overlap_s = 2.0", 'overlap_s = 2.0\nsha256 = "00000000"', "is damaged"),
    ],
)
def test_a_description_that_does_not_hold_is_explained(
    store: ModelStore, folder: Path, before: str, after: str, message: str
) -> None:
    (folder / "model.toml").write_text(MODEL_TOML.replace(before, after))
    (folder / "net.onnx").write_bytes(noise(100))
    with pytest.raises(ModelError, match=message):
        store.fetch(store.find(str(folder)))


def test_a_folder_without_a_model_says_what_it_should_hold(store: ModelStore, folder: Path) -> None:
    with pytest.raises(ModelError, match=r"NAME\.yaml \(Demucs\), separator\.json .* model\.toml"):
        store.find(str(folder))
