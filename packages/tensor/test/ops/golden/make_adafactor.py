"""Six steps of Adafactor of `transformers` on two matrices and a vector with given gradients: parameters and second moments at the end.

    python make_adafactor.py    # writes adafactor.json beside it; transformers 5.24, torch 2.13

Its settings are those of adafactorStep: scale_parameter=False, relative_step=False, no first moment. Float64. Two gradients are larger than those
before by a factor of 20, so that the update is clipped.
"""

import json
from pathlib import Path

import torch
import transformers

torch.manual_seed(20261127)
SETTINGS = {"learningRate": 0.03, "weightDecay": 0.1}
SHAPES = {"tall": (7, 3), "wide": (2, 8), "vector": (5,)}
FACTORS = [1.0, 0.5, 20.0, 1.0, 0.01, 20.0]


def main():
    initial = {name: torch.randn(shape) for name, shape in SHAPES.items()}
    gradients = [{name: factor * torch.randn(shape) for name, shape in SHAPES.items()} for factor in FACTORS]
    parameters = {name: torch.nn.Parameter(value.double()) for name, value in initial.items()}
    optimiser = transformers.Adafactor(
        parameters.values(),
        lr=SETTINGS["learningRate"],
        weight_decay=SETTINGS["weightDecay"],
        scale_parameter=False,
        relative_step=False,
    )
    for step in gradients:
        for name, parameter in parameters.items():
            parameter.grad = step[name].double()
        optimiser.step()
    moments = {}
    for name, parameter in parameters.items():
        state = optimiser.state[parameter]
        keys = ("exp_avg_sq_row", "exp_avg_sq_col") if len(SHAPES[name]) == 2 else ("exp_avg_sq",)
        moments[name] = [state[key].tolist() for key in keys]
    golden = {
        "transformers": transformers.__version__,
        "torch": torch.__version__,
        "settings": SETTINGS,
        "shapes": SHAPES,
        "initial": {name: value.flatten().tolist() for name, value in initial.items()},
        "gradients": [{name: value.flatten().tolist() for name, value in step.items()} for step in gradients],
        "final": {name: value.detach().flatten().tolist() for name, value in parameters.items()},
        "moments": moments,
    }
    Path(__file__).with_name("adafactor.json").write_text(json.dumps(golden) + "\n")


if __name__ == "__main__":
    main()
