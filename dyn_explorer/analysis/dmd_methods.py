"""The methods of decomposition that a person can choose from."""

from __future__ import annotations

from dyn_explorer.analysis.dmd_core import fit_exact, fit_projected, hankel_delays
from dyn_explorer.analysis.dmd_fit import MethodInfo
from dyn_explorer.analysis.forward_backward import fit_forward_backward
from dyn_explorer.analysis.pydmd_methods import (
    fit_optimised,
    fit_sparsity_promoting,
    fit_total_least_squares,
)

#: The methods that `dmd` takes, by key, each with a label and a sentence on what it is for.
DMD_METHODS: dict[str, MethodInfo] = {
    "exact": MethodInfo(
        label="Exact",
        helps="The default: the best linear map from each snapshot to the next, its modes free to leave the subspace.",
        fit=fit_exact,
    ),
    "projected": MethodInfo(
        label="Projected",
        helps="Helps when modes should be combinations of the leading singular vectors, which smooths noisy ones.",
        fit=fit_projected,
    ),
    "forward_backward": MethodInfo(
        label="Forward-backward",
        helps="Helps when noise pulls the eigenvalues inside the unit circle: it averages the maps forward and back.",
        fit=fit_forward_backward,
    ),
    "total_least_squares": MethodInfo(
        label="Total least squares",
        helps="Helps when every snapshot is noisy and the rank is well below the number of snapshots.",
        fit=fit_total_least_squares,
    ),
    "hankel": MethodInfo(
        label="Higher-order (Hankel)",
        helps="Helps when one snapshot does not hold the state, as in a standing wave: it looks at several in a row.",
        fit=fit_exact,
        delays=hankel_delays,
    ),
    "optimised": MethodInfo(
        label="Optimised (BOP-DMD without bagging)",
        helps="Helps when noise is strong and the rank is small: it fits all snapshots at once; slow at high rank.",
        fit=fit_optimised,
    ),
    "sparsity_promoting": MethodInfo(
        label="Sparsity-promoting",
        helps="Helps to see which few modes the window needs: the others get amplitude zero.",
        fit=fit_sparsity_promoting,
    ),
}
