"""Runs the tasks with PyTorch on the CPU. Takes one JSON object a line, answers with one a line."""
import json, os, sys, time

import numpy as np
import torch
import torch.nn.functional as F

torch.set_num_threads(os.cpu_count())
torch.set_grad_enabled(False)


def load(operand):
    return torch.from_numpy(np.fromfile(operand["file"], dtype=np.float32).reshape(operand["shape"]))


def mlp_step(given, adam):
    weights = [given[name].clone().requires_grad_() for name in ("w1", "w2")]
    optimizer = torch.optim.Adam(
        weights, lr=adam["learningRate"], betas=(adam["beta1"], adam["beta2"]), eps=adam["epsilon"]
    )

    def step():
        with torch.enable_grad():
            out = torch.relu(given["x"] @ weights[0]) @ weights[1]
            loss = F.mse_loss(out, given["y"])
            optimizer.zero_grad()
            loss.backward()
        optimizer.step()
        return loss

    def output():
        loss = step().detach().reshape(1)
        return torch.cat([loss, weights[1].detach().flatten()])

    return step, output


def work_of(task):
    given = {name: load(operand) for name, operand in task["operands"].items()}
    kind, eps = task["kind"], task["eps"]
    if kind == "mlp_step":
        return mlp_step(given, task["adam"])
    if kind == "matmul":
        run = lambda: given["a"] @ given["b"]
    elif kind == "rms_norm":
        run = lambda: F.rms_norm(given["x"], given["x"].shape[-1:], given["weight"], eps)
    elif kind == "swiglu":
        run = lambda: F.silu(given["gate"]) * given["up"]
    elif kind == "softmax":
        run = lambda: torch.softmax(given["x"], -1)
    else:
        q, k, v = (given[name].transpose(0, 1).unsqueeze(0).contiguous() for name in "qkv")
        run = lambda: F.scaled_dot_product_attention(q, k, v, is_causal=True)
        return run, lambda: run()[0].transpose(0, 1)
    return run, run


print(json.dumps({"version": torch.__version__}), flush=True)
for line in sys.stdin:
    task = json.loads(line)
    if "operands" in task:
        run, output = work_of(task)
        output().contiguous().numpy().tofile(task["output"])
        answer = {}
    else:
        start = time.perf_counter()
        for _ in range(task["repeats"]):
            run()
        answer = {"seconds": (time.perf_counter() - start) / task["repeats"]}
    print(json.dumps(answer), flush=True)
