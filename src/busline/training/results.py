"""What a trained fold leaves, as plain arrays, and how a stack of networks is turned into that."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import nn

from busline.base.progress import ReportShare
from busline.training.batches import Member
from busline.training.inference import ask
from busline.training.loop import Outcome, Row, fit
from busline.training.plan import Plan
from busline.training.stack import Stack
from busline.training.tasks import Task

State = Mapping[str, np.ndarray]
MEMORY_SHARE = 0.8


@dataclass(frozen=True)
class FoldResult:
    """What one trained fold leaves.

    Attributes:
        probabilities: of the cases of each scored role, as the task makes them of the logits.
        curve: learning curve, one row an epoch.
        state: the network's tensors by name.
        failure: where its loss stopped being a number, or None.
    """

    probabilities: Mapping[str, np.ndarray]
    curve: Sequence[Row]
    state: State
    failure: str | None = None


def train_and_score(
    networks: Sequence[nn.Module],
    task: Task,
    plan: Plan,
    members: Sequence[Member],
    score: Sequence[Mapping[str, np.ndarray]],
    *,
    device: torch.device,
    report_progress: ReportShare,
) -> list[FoldResult]:
    """Train networks of one shape as one stack and predict, for each, the cases of each scored role.

    A pure function of networks, task, plan and members; the device changes last bits alone. On a GPU the stack is cut
    into as many as memory wants.

    Args:
        networks: with their initial weights.
        task: arrays with a leading axis over all networks where these differ.
        plan: how to train.
        members: cases and seed of each network.
        score: positions of the cases to predict, by role, for each network.
        device: where to train.
        report_progress: called with the share that is done, in [0, 1], and a note.
    """
    task = replace(task, arrays=task.arrays.to(device))
    size = _largest_stack(networks, task, plan, members, device)
    results: list[FoldResult] = []
    for start in range(0, len(networks), size):
        chosen = slice(start, start + size)
        part = replace(task, arrays=task.arrays.of(chosen))
        done, share = start / len(networks), len(networks[chosen]) / len(networks)

        def report_part(within: float, note: str, done: float = done, share: float = share) -> None:
            report_progress(done + share * within, note)

        stack = Stack(networks[chosen], device)
        outcomes = fit(stack, part, plan, members[chosen], report_progress=report_part)
        results += _results(networks[chosen], stack, part, plan, outcomes, score[chosen])
    return results


def _results(
    networks: Sequence[nn.Module],
    stack: Stack,
    task: Task,
    plan: Plan,
    outcomes: Sequence[Outcome],
    score: Sequence[Mapping[str, np.ndarray]],
) -> list[FoldResult]:
    """Let each network, with its trained tensors, judge its cases alone; one that failed judges none."""
    results = []
    for k, (network, outcome, state) in enumerate(zip(networks, outcomes, stack.states(), strict=True)):
        roles = {} if outcome.failure else score[k]
        trained = copy.deepcopy(network)  # whoever gave the networks keeps them as they were
        trained.load_state_dict(state)
        found = {
            role: ask(trained, task.seen(k, cases), task.probabilities, precision=plan.precision, device=stack.device)
            for role, cases in roles.items()
        }
        arrays = {name: value.numpy() for name, value in state.items()}
        results.append(FoldResult(found, outcome.curve, arrays, outcome.failure))
    return results


def _largest_stack(
    networks: Sequence[nn.Module], task: Task, plan: Plan, members: Sequence[Member], device: torch.device
) -> int:
    """Return how many of the networks train at once: all of them, or on a GPU what one's need of memory allows."""
    if device.type != "cuda" or len(networks) == 1:
        return len(networks)
    before = torch.cuda.memory_allocated(device)
    torch.cuda.reset_peak_memory_stats(device)
    trial = replace(plan, phases=(replace(plan.phases[-1], epochs=1),))
    fit(Stack(networks[:1], device), replace(task, arrays=task.arrays.of(slice(1))), trial, members[:1])
    need = max(torch.cuda.max_memory_allocated(device) - before, 1)
    torch.cuda.empty_cache()
    return max(1, min(len(networks), int(MEMORY_SHARE * torch.cuda.mem_get_info(device)[0] / need)))
