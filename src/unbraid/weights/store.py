"""The folder with the files of models, which are pulled into it and checked whenever they are used.

FOLDER/NAME/<files as they are published>
FOLDER/NAME/SHA256SUMS   their digests, kept since they came
FOLDER/.accepted/NAME    licences that were confirmed
FOLDER/.digests/         what need not be hashed again
FOLDER/.cores/NAME/      networks made of them to compute with
"""

import os
import shutil
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import platformdirs
from filelock import FileLock

from unbraid.errors import InputError, ModelError, ResourceError
from unbraid.types import StemName
from unbraid.weights.custom import read_folder
from unbraid.weights.digests import Digests
from unbraid.weights.download import OnTransfer, download
from unbraid.weights.entries import Member, ModelEntry, WeightsFile, find_model, models
from unbraid.weights.pins import pin, read_pins


def usual_folder() -> Path:
    """Where models lie if no other folder is named."""
    return platformdirs.user_cache_path("unbraid") / "models"


@dataclass(frozen=True)
class LocalModel:
    """Files of a model that are here and right.

    Attributes:
        entry: the model.
        files: the file of each member that was asked for, by the member's name.
        sha256: the digests of these files in hex, by the member's name.
    """

    entry: ModelEntry
    files: Mapping[str, Path]
    sha256: Mapping[str, str]


class ModelStore:
    """Finds models, and brings their files here.

    Args:
        folder: where models lie; None for the user's cache folder.
        offline: never ask the network.
        mirror: address that stands in for the scheme and host of every published address, such
            as `https://mirror.example/models`.

    Attributes:
        folder: where models lie.
        offline: whether the network is never asked.

    Raises:
        InputError: the mirror is not an http or https address.
    """

    def __init__(
        self, folder: Path | None = None, *, offline: bool = False, mirror: str | None = None
    ) -> None:
        if mirror and not mirror.startswith(("https://", "http://")):
            raise InputError(f"the mirror must be an http or https address, got {mirror!r}")
        self.folder = folder or usual_folder()
        self.offline = offline
        self._mirror = mirror
        self._digests = Digests(self.folder / ".digests")

    def find(self, name: str) -> ModelEntry:
        """The model of a name, or in a folder; asks no network.

        Raises:
            ModelError: there is no such model.
            MissingExtraError: the folder cannot be read without the extra `demucs`.
        """
        if name not in models() and Path(name).is_dir():
            return read_folder(Path(name))
        return find_model(name)

    def path(self, entry: ModelEntry) -> Path:
        """The folder of a model's files, whether or not there are any."""
        return entry.folder or self.folder / entry.name

    def present(self, entry: ModelEntry) -> tuple[Member, ...]:
        """The members whose file is here, unchecked."""
        return tuple(member for member in entry.members if self._here(entry, member))

    def fetch(
        self,
        entry: ModelEntry,
        stems: Collection[StemName] | None = None,
        on_progress: OnTransfer | None = None,
    ) -> LocalModel:
        """The files that some stems need, pulled if they are not here.

        Args:
            entry: the model.
            stems: stems that are wanted; None for all.
            on_progress: called while a file comes; what it raises stops that, and a later call
                goes on from there.

        Raises:
            ModelError: a file cannot be had or is damaged, or the licence is not confirmed.
            ResourceError: the disk is full or not writable.
        """
        if entry.non_commercial and not self.accepted(entry):
            raise ModelError(
                f"{entry.name} is not for commercial use ({entry.licence}, {entry.source}); "
                f"to confirm that once: unbraid models pull {entry.name}"
            )
        members = entry.members_for(stems)
        if missing := [member for member in members if not self._here(entry, member)]:
            self._check_reach(entry, missing)
            with self._locked(entry):
                for member in missing:
                    if not self._here(entry, member):  # as another process may have pulled it
                        self._pull(entry, member, on_progress)
        return self._checked(entry, members)

    def verify(self, entry: ModelEntry) -> LocalModel:
        """Read the files that are here and check them against their digests.

        Raises:
            ModelError: there are none, or one is damaged.
        """
        members = self.present(entry)
        if not members:
            raise ModelError(f"{entry.name} is not in {self.folder}; {_pull_command(entry)}")
        return self._checked(entry, members, anew=True)

    def remove(self, entry: ModelEntry) -> None:
        """Delete a model's files, and what was made of them to compute with.

        Raises:
            InputError: the model does not lie in the store.
        """
        folder = self.path(entry)
        if entry.folder or not folder.is_dir():
            raise InputError(f"{entry.name} is not in {self.folder}")
        with self._locked(entry):
            shutil.rmtree(folder)
            shutil.rmtree(self.cores(entry), ignore_errors=True)

    def cores(self, entry: ModelEntry) -> Path:
        """The folder for what is made of a model's files, elsewhere if the store is read-only."""
        writable = not self.folder.exists() or os.access(self.folder, os.W_OK)
        return (self.folder if writable else usual_folder()) / ".cores" / entry.name

    def accept(self, entry: ModelEntry) -> None:
        """Keep that the user has confirmed the licence of a model."""
        with self._writing():
            note = self._acceptance(entry)
            note.parent.mkdir(parents=True, exist_ok=True)
            note.write_text(f"{entry.licence}\n", "utf-8")

    def accepted(self, entry: ModelEntry) -> bool:
        """Whether the licence of a model was confirmed."""
        return self._acceptance(entry).exists()

    def _acceptance(self, entry: ModelEntry) -> Path:
        return self.folder / ".accepted" / entry.name

    def _here(self, entry: ModelEntry, member: Member) -> WeightsFile | None:
        """The file of a member that is here."""
        folder = self.path(entry)
        return next((file for file in member.files if (folder / file.name).is_file()), None)

    def _check_reach(self, entry: ModelEntry, missing: list[Member]) -> None:
        """Refuse what cannot be pulled."""
        folder = self.path(entry)
        if entry.folder:
            names = ", ".join(member.files[0].name for member in missing)
            raise ModelError(f"{entry.name} is not complete: {names} is not in {folder}")
        if self.offline:
            addresses = ", ".join(self._address(member.files[0]) for member in missing)
            raise ModelError(
                f"{entry.name} is not complete and Unbraid works offline; put these files into "
                f"{folder}: {addresses}; or go online and run: unbraid models pull {entry.name}"
            )

    def _pull(self, entry: ModelEntry, member: Member, on_progress: OnTransfer | None) -> None:
        """Take a member's file from the first place that has it right."""
        folder = self.path(entry)
        problems = []
        for file in member.files:
            try:
                sha256 = download(self._address(file), folder / file.name, file.sha256, on_progress)
            except ModelError as error:
                problems.append(str(error))
            else:
                pin(folder, file.name, sha256)
                return
        raise ModelError(
            f"{entry.name} cannot be pulled: {'; '.join(problems)}; try again later, or put "
            f"{' or '.join(file.name for file in member.files)} into {folder} by hand"
        )

    def _address(self, file: WeightsFile) -> str:
        url = file.url or ""
        return self._mirror.rstrip("/") + urlsplit(url).path if self._mirror else url

    def _checked(
        self, entry: ModelEntry, members: tuple[Member, ...], *, anew: bool = False
    ) -> LocalModel:
        """Compare files with their published and their pinned digests; pin what is not yet."""
        folder = self.path(entry)
        pins = read_pins(folder)
        files, digests = {}, {}
        for member in members:
            file = self._here(entry, member)
            if not file:
                raise ModelError(f"{entry.name} has lost its member {member.name}")
            digest = self._digests.sha256(folder / file.name, anew=anew)
            expected = pins.get(file.name, file.sha256)
            if not (digest.startswith(expected) and digest.startswith(file.sha256)):
                raise ModelError(
                    f"{folder / file.name} is damaged: SHA-256 {digest[:16]}…, expected "
                    f"{expected[:16]}…; {_cure(entry)}"
                )
            files[member.name], digests[member.name] = folder / file.name, digest
            if file.name not in pins and not entry.folder and self._writable(folder):
                with self._locked(entry):
                    pin(folder, file.name, digest)
        return LocalModel(entry, files, digests)

    def _writable(self, folder: Path) -> bool:
        """Whether digests can be pinned; a store that many use may be there to read alone."""
        return os.access(folder, os.W_OK) and os.access(self.folder, os.W_OK)

    @contextmanager
    def _locked(self, entry: ModelEntry) -> Iterator[None]:
        """Keep other processes from changing a model's files."""
        lock = self.folder / ".locks" / entry.name
        with self._writing():
            lock.parent.mkdir(parents=True, exist_ok=True)
            with FileLock(lock):
                self.path(entry).mkdir(exist_ok=True)
                yield

    @contextmanager
    def _writing(self) -> Iterator[None]:
        """Say what an error of the disk means to a user."""
        try:
            yield
        except OSError as error:
            raise ResourceError(
                f"{self.folder} cannot be written ({error.strerror}); "
                "choose another folder with --models-dir"
            ) from error


def _pull_command(entry: ModelEntry) -> str:
    return f"pull it: unbraid models pull {entry.name}"


def _cure(entry: ModelEntry) -> str:
    if not entry.folder:
        return f"unbraid models remove {entry.name}, then {_pull_command(entry)}"
    return "install Unbraid again" if entry.engine == "lite" else "put the right file there"
