"""Makes norms.json: matrices, with their norms by numpy's SVD in float64.

pip install numpy==2.4.6
"""

import json
import pathlib

import numpy as np

random = np.random.default_rng(0)


def rounded(matrix):
    """To few digits, which f32 and JSON both hold closely."""
    return np.float32(np.round(matrix, 4)).astype(np.float64)


def crowded(rows, columns):
    """Ten singular values within a thousandth of each other."""
    side = min(rows, columns)
    u, _ = np.linalg.qr(random.normal(size=(rows, side)))
    v, _ = np.linalg.qr(random.normal(size=(columns, side)))
    values = np.concatenate([3 - 0.0003 * np.arange(10), np.linspace(2.9, 0.1, side - 10)])
    return (u * values) @ v.T


CASES = {
    "tall": random.normal(size=(61, 23)),
    "wide": random.normal(size=(19, 47)),
    "square": random.normal(size=(40, 40)) / 40,
    "rank three": random.normal(size=(33, 3)) @ random.normal(size=(3, 29)),
    "crowded": crowded(36, 31),
    "one column": random.normal(size=(17, 1)),
}

golden = {"numpy": np.__version__, "cases": []}
for name, matrix in CASES.items():
    matrix = rounded(matrix)
    singular = np.linalg.svd(matrix, compute_uv=False)
    golden["cases"].append(
        {
            "name": name,
            "shape": matrix.shape,
            "values": [float(f"{value:.4f}") for value in matrix.ravel()],
            "squares": float((matrix**2).sum()),
            "spectral": float(singular[0]),
            "stableRank": float((singular**2).sum() / singular[0] ** 2),
        }
    )
path = pathlib.Path(__file__).with_name("norms.json")
path.write_text(json.dumps(golden) + "\n")
