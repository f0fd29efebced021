"""The multichannel Wiener filter: estimates of sources made consistent with the mixture.

Each source is a Gaussian with a power per frame and bin and a spatial covariance per bin. Both are
read off the estimates; the filter they imply takes the sources out of the mixture anew (Nugraha,
Liutkus and Vincent 2016; as `openunmix.filtering` does it, but in double precision: the covariance
of a mixture that is nearly mono is nearly singular).
"""

import numpy as np
import numpy.typing as npt

from unbraid.separation.stft import Spectrum

ExactSpectrum = npt.NDArray[np.complex128]

EPSILON = 1e-10  # power of the noise that keeps a silent source, or mixture, from dividing by zero
LOUDEST = 10.0  # the mixture's largest magnitude is brought down to this
BAND = 64  # bins at a time; the filter of a bin knows no other, and these fit into the CPU's cache


def wiener(mixture: Spectrum, estimates: Spectrum, iterations: int = 1) -> Spectrum:
    """Refine estimates of all the sources of a stereo mixture.

    Args:
        mixture: complex64 [2, frame, bin], short enough for the sources to keep their places.
        estimates: complex64 [source, 2, frame, bin].
        iterations: rounds of expectation maximisation; 0 leaves the estimates as they are.

    Returns:
        complex64 [source, 2, frame, bin]; the sources sum to the mixture, but for a noise of power
        sqrt(EPSILON) that belongs to none.
    """
    if not iterations:
        return estimates
    scale = max(1.0, float(np.abs(mixture).max()) / LOUDEST)
    refined = np.empty_like(estimates)
    for start in range(0, mixture.shape[-1], BAND):
        band = slice(start, start + BAND)
        heard = mixture[..., band].astype(np.complex128) / scale
        sources = estimates[..., band].astype(np.complex128) / scale
        for _ in range(iterations):
            sources = _filtered(heard, sources)
        refined[..., band] = sources * scale
    return refined


def _filtered(mixture: ExactSpectrum, sources: ExactSpectrum) -> ExactSpectrum:
    """The sources s that the filters v_s R_s (sum of all v_s R_s + noise)^-1 take out.

    v_s [frame, bin] is the power of a source and R_s [2, 2, bin] its covariance for unit power.
    """
    power = np.mean(sources.real**2 + sources.imag**2, axis=1)
    spatial = np.einsum("sitf,sjtf->sijf", sources, sources.conj())
    spatial /= (power.sum(axis=1) + EPSILON)[:, None, None]

    left = np.einsum("stf,sf->tf", power, spatial[:, 0, 0].real) + np.sqrt(EPSILON)
    right = np.einsum("stf,sf->tf", power, spatial[:, 1, 1].real) + np.sqrt(EPSILON)
    cross = np.einsum("stf,sf->tf", power, spatial[:, 0, 1])
    determinant = left * right - cross.real**2 - cross.imag**2
    whitened = np.stack(
        [right * mixture[0] - cross * mixture[1], left * mixture[1] - cross.conj() * mixture[0]]
    )
    whitened /= determinant
    filtered: ExactSpectrum = power[:, None] * np.einsum("sijf,jtf->sitf", spatial, whitened)
    return filtered
