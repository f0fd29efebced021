"""How close a result comes to a known truth.

Stems are scored by their signal-to-distortion ratio as in the Music Demixing Challenge (Mitsufuji
et al., 2022), and by what of the distortion is interference and what artifacts (Vincent, Gribonval
and Févotte, 2006, with gains that do not change in time). Notes are scored as by
`mir_eval.transcription` without offsets (Raffel et al., 2014).
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import scipy  # its parts load at first use

from unbraid.types import AudioSignal, NoteEvent, Read, StemName

BLOCK = 1 << 16  # samples read at once
MOST_DB = 100.0


@dataclass(frozen=True)
class NoteScore:
    """Agreement of two sets of notes.

    Attributes:
        precision: part of the estimated notes that are right, 0 to 1.
        recall: part of the true notes that were found, 0 to 1.
        f1: harmonic mean of both.
    """

    precision: float
    recall: float
    f1: float


def sdr(reference: AudioSignal, estimate: AudioSignal) -> float:
    """Signal-to-distortion ratio over the whole excerpt and all channels.

    10 log10(sum s^2 / sum (s - e)^2) for the reference s and the estimate e. A perfect estimate
    scores inf, silent or not; anything but silence scores -inf against a silent reference; silence
    scores 0 against any other.

    Args:
        reference: the true stem.
        estimate: what was found, of the same shape and rate.

    Returns:
        dB.

    Raises:
        ValueError: the two differ in shape or sample rate.

    Example:
        >>> tone = AudioSignal(np.ones((1, 100), np.float32), 44100)
        >>> half = AudioSignal(tone.samples / 2, 44100)
        >>> round(sdr(tone, half), 2)
        6.02
    """
    if reference.samples.shape != estimate.samples.shape:
        raise ValueError(
            f"reference is {reference.samples.shape} and estimate {estimate.samples.shape} "
            "[channel, time]; cut or pad one of them to the other's shape"
        )
    if reference.sample_rate != estimate.sample_rate:
        raise ValueError(
            f"reference has {reference.sample_rate} Hz and estimate {estimate.sample_rate} Hz; "
            "resample one of them"
        )
    truth = reference.samples.astype(np.float64)
    signal = float(np.sum(truth**2))
    distortion = float(np.sum((truth - estimate.samples) ** 2))
    if distortion == 0:
        return math.inf
    return 10 * math.log10(signal / distortion) if signal > 0 else -math.inf


@dataclass(frozen=True)
class StemScore:
    """How close a stem comes to the true one, in dB, 100 at most; None where that has no meaning.

    Attributes:
        sdr_db: signal to all distortion, as `sdr`.
        sir_db: to interference, what is there of the other true stems; None without others.
        sar_db: to artifacts, what is there of none of the true stems.
    """

    sdr_db: float | None
    sir_db: float | None
    sar_db: float | None


def score_stems(
    references: Mapping[StemName, Read], estimates: Mapping[StemName, Read], length: int
) -> dict[StemName, StemScore]:
    """Score stems against true ones, in one pass and without holding a song.

    All follows from the inner products of the signals: the estimate is projected onto its true
    stem, and onto all true ones.

    Args:
        references: the true stems.
        estimates: what was found, of the same rate; those without a true stem do not count.
        length: in samples.

    Example:
        >>> tone = np.sin(np.arange(1000, dtype=np.float32))
        >>> true = lambda start, stop: np.stack([tone, tone])[:, start:stop]
        >>> half = lambda start, stop: true(start, stop) / 2
        >>> round(score_stems({"bass": true}, {"bass": half}, 1000)["bass"].sdr_db, 2)
        6.02
    """
    names = list(references)
    scored = [name for name in estimates if name in references]
    gram, cross = np.zeros((len(names), len(names))), np.zeros((len(names), len(scored)))
    energy = np.zeros(len(scored))
    for start in range(0, length, BLOCK):
        stop = min(start + BLOCK, length)
        true = np.stack([references[name](start, stop).ravel() for name in names]).astype(float)
        found = np.stack([estimates[name](start, stop).ravel() for name in scored]).astype(float)
        gram += true @ true.T
        cross += true @ found.T
        energy += np.square(found).sum(axis=1)
    projected = np.einsum("ij,ij->j", cross, np.linalg.pinv(gram, hermitian=True) @ cross)
    return {
        name: _score(
            signal=gram[k, k],
            shared=cross[k, j],
            energy=energy[j],
            projected=projected[j],
            alone=len(names) == 1,
        )
        for j, name in enumerate(scored)
        for k in (names.index(name),)
    }


def _score(
    *, signal: float, shared: float, energy: float, projected: float, alone: bool
) -> StemScore:
    """From the energies of true stem and estimate, their product, and that of the projection."""
    target = shared**2 / signal if signal else 0.0
    return StemScore(
        sdr_db=_ratio_db(signal, signal - 2 * shared + energy),
        sir_db=None if alone else _ratio_db(target, projected - target),
        sar_db=_ratio_db(projected, energy - projected),
    )


def _ratio_db(wanted: float, unwanted: float) -> float | None:
    if wanted <= 0:
        return None
    return round(10 * math.log10(wanted / max(unwanted, wanted * 10 ** (-MOST_DB / 10))), 2)


def note_f1(
    reference: Sequence[NoteEvent],
    estimate: Sequence[NoteEvent],
    onset_tolerance_s: float = 0.05,
) -> NoteScore:
    """Score notes by onset and pitch.

    An estimated note is right when its pitch is that of a true note and its onset lies within the
    tolerance, rounded to a tenth of a millisecond as `mir_eval` does. Every note matches one
    other at most, and as many as possible do (maximum bipartite matching). Offsets and loudness do
    not count. Where there is nothing to match on either side, all is right; on one side, all wrong.

    Args:
        reference: the true notes.
        estimate: the notes that were found.
        onset_tolerance_s: greatest distance of two onsets in seconds.

    Returns:
        Precision, recall and F1.
    """
    if not reference and not estimate:
        return NoteScore(1.0, 1.0, 1.0)
    if not reference or not estimate:
        return NoteScore(0.0, 0.0, 0.0)
    matched = _matches(reference, estimate, onset_tolerance_s)
    return NoteScore(
        precision=matched / len(estimate),
        recall=matched / len(reference),
        f1=2 * matched / (len(estimate) + len(reference)),
    )


def _matches(
    reference: Sequence[NoteEvent], estimate: Sequence[NoteEvent], onset_tolerance_s: float
) -> int:
    onsets = [np.array([note.start_s for note in notes]) for notes in (reference, estimate)]
    pitches = [np.array([note.pitch for note in notes]) for notes in (reference, estimate)]
    near = np.round(np.abs(np.subtract.outer(*onsets)), 4) <= onset_tolerance_s
    same = np.equal.outer(*pitches)
    sparse = scipy.sparse
    partners = sparse.csgraph.maximum_bipartite_matching(
        sparse.csr_array(near & same), perm_type="column"
    )
    return int(np.count_nonzero(partners >= 0))
