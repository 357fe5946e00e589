"""Networks of one shape that train as one: their tensors joined along a leading axis, and Adam on these.

One network is a stack of one and runs without ``vmap``; so a fold alone and fifty folds at once share all the code.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping, Sequence
from typing import Any, cast

import torch
from torch import nn
from torch.func import functional_call

from busline.base.errors import TrainingError
from busline.models.dropout import GivenDropout

Tensors = dict[str, torch.Tensor]
Outputs = Any
"""What a network says: a tensor, or a named tuple of tensors; its task knows which."""
BETAS = (0.9, 0.999)
EPSILON = 1e-8


class Stack:
    """K networks of one architecture; those still learning are a subset that only shrinks within a phase.

    Attributes:
        learning: positions in the stack of the networks that still learn, ascending.
        tensors: parameters and buffers of these, (len(learning), ...) each.
        dropouts: width of every :class:`GivenDropout`, by module name.
    """

    def __init__(self, networks: Sequence[nn.Module], device: torch.device) -> None:
        self.skeleton = copy.deepcopy(networks[0]).to(device)
        _choose_arithmetic(self.skeleton, stacked=len(networks) > 1)
        self.device, self.size = device, len(networks)
        modules = dict(self.skeleton.named_modules())
        self.dropouts = {name: part.width for name, part in modules.items() if isinstance(part, GivenDropout)}
        given = {f"{name}.noise" for name in self.dropouts}
        each = [{**dict(network.named_parameters()), **dict(network.named_buffers())} for network in networks]
        self.kept: Tensors = {
            name: _joined([tensors[name].detach().to(device) for tensors in each])
            for name in each[0]
            if name not in given
        }
        """Tensors of all networks as they stand in the end: those of each one's best epoch."""
        self.learning, self.tensors = list(range(self.size)), self.kept

    def begin(self, trainable: tuple[str, ...] | None) -> None:
        """Start a phase: every network goes on from what was kept, and only the named modules learn (None: all).

        Raises:
            TrainingError: if the networks have no such module.
        """
        set_trainable(self.skeleton, trainable)
        self.learning = list(range(self.size))
        self.tensors = {name: value.clone() for name, value in self.kept.items()}
        for name, parameter in self.skeleton.named_parameters():
            self.tensors[name].requires_grad_(parameter.requires_grad)

    @property
    def parameters(self) -> Tensors:
        """The tensors that learn."""
        return {name: value for name, value in self.tensors.items() if value.requires_grad}

    def train_mode(self) -> None:
        """Set training mode, but leave what is frozen in evaluation mode: its statistics stay, and it drops no blocks.

        A dropout that is given its noise is no part of what is frozen.
        """
        self.skeleton.train()
        for module in self.skeleton.modules():
            learning = [parameter.requires_grad for parameter in module.parameters()]
            if learning and not any(learning):
                module.eval()
            elif isinstance(module, GivenDropout):
                module.train()

    def eval_mode(self) -> None:
        """Set evaluation mode by way of training mode.

        Networks of timm (LeViT, TinyViT, EfficientViT …) keep in evaluation what they made of their weights, and forget
        it when they train: they would judge with weights that are no longer there.
        """
        self.skeleton.train()
        self.skeleton.eval()

    def forward(self, inputs: Sequence[torch.Tensor], noise: Mapping[str, torch.Tensor]) -> Outputs:
        """Return the logits (k, b, ...) for inputs (k, b, ...) and the dropouts' noise (k, b, width).

        They are what the networks return, a tensor or a named tuple of tensors, with the leading axis k.
        """
        tensors = {**self.tensors, **{f"{name}.noise": value for name, value in noise.items()}}
        if len(self.learning) == 1:
            alone = {name: value.squeeze(0) for name, value in tensors.items()}
            outputs = functional_call(self.skeleton, alone, tuple(part.squeeze(0) for part in inputs))
            return each_tensor(lambda tensor: tensor.unsqueeze(0), outputs)

        def one(tensors: Tensors, *inputs: torch.Tensor) -> Outputs:
            return functional_call(self.skeleton, tensors, inputs)

        return torch.vmap(one, randomness="different")(tensors, *inputs)

    def keep(self, places: Sequence[int]) -> None:
        """Keep the tensors of the networks at these places of :attr:`learning` as they are now."""
        for name, value in self.tensors.items():
            if len(places) == self.size:
                self.kept[name].copy_(value.detach())
            else:
                rows = torch.tensor([self.learning[place] for place in places], device=self.device)
                self.kept[name][rows] = value.detach()[torch.tensor(places, device=self.device)]

    def shrink(self, places: Sequence[int]) -> None:
        """Go on with the networks at these places alone."""
        chosen = torch.tensor(places, dtype=torch.int64, device=self.device)
        for name, value in self.tensors.items():
            self.tensors[name] = value.detach()[chosen].requires_grad_(value.requires_grad)
        self.learning = [self.learning[place] for place in places]

    def finish(self) -> None:
        """Put every network into evaluation mode with the tensors that were kept."""
        self.begin(None)
        self.eval_mode()

    def states(self) -> list[Tensors]:
        """Return each network's kept tensors as its ``state_dict`` would, on the CPU."""
        saved = [name for name in self.skeleton.state_dict() if name in self.kept]
        return [{name: self.kept[name][k].cpu().clone() for name in saved} for k in range(self.size)]


class StackAdam:
    """Adam (Kingma & Ba 2015, arXiv:1412.6980) with decoupled weight decay and a learning rate for each network."""

    def __init__(self, parameters: Tensors, weight_decay: float) -> None:
        self.weight_decay = weight_decay
        self.mean = {name: torch.zeros_like(value) for name, value in parameters.items()}
        self.square = {name: torch.zeros_like(value) for name, value in parameters.items()}
        self.steps = torch.zeros(len(next(iter(parameters.values()))), dtype=torch.float64)

    @torch.no_grad()
    def step(self, parameters: Tensors, rates: Sequence[float]) -> None:
        """Take one step from the parameters' gradients; ``rates`` (k,)."""
        self.steps += 1
        rate = torch.tensor(rates, dtype=torch.float64)
        device = next(iter(parameters.values())).device
        size = (rate / (1.0 - BETAS[0] ** self.steps)).float().to(device)
        scale = (1.0 - BETAS[1] ** self.steps).sqrt().float().to(device)
        decay = (1.0 - rate * self.weight_decay).float().to(device)
        for name, value in parameters.items():
            gradient, mean, square = value.grad, self.mean[name], self.square[name]
            if gradient is None:
                continue
            shape = (-1, *[1] * (value.dim() - 1))
            mean.lerp_(gradient, 1.0 - BETAS[0])
            square.mul_(BETAS[1]).addcmul_(gradient, gradient, value=1.0 - BETAS[1])
            if self.weight_decay:
                value.mul_(decay.view(shape))
            root = square.sqrt().div_(scale.view(shape)).add_(EPSILON)
            value.sub_(root.reciprocal_().mul_(mean).mul_(size.view(shape)))

    def shrink(self, places: Sequence[int]) -> None:
        """Go on with the networks at these places alone."""
        chosen = torch.tensor(places, dtype=torch.int64)
        for moments in (self.mean, self.square):
            for name, value in moments.items():
                moments[name] = value[chosen.to(value.device)]
        self.steps = self.steps[chosen]


@torch.no_grad()
def clip_gradients(parameters: Tensors, norm: float) -> None:
    """Scale each network's gradient down to ``norm`` (Euclidean, over all its parameters) where it is larger.

    Args:
        parameters: (k, ...) each, with gradients.
        norm: above 0.
    """
    gradients = [value.grad for value in parameters.values() if value.grad is not None]
    squares = torch.stack([gradient.flatten(1).square().sum(dim=1) for gradient in gradients])
    scale = (norm / (squares.sum(dim=0).sqrt() + 1e-6)).clamp_max(1.0)
    for gradient in gradients:
        gradient.mul_(scale.view(-1, *[1] * (gradient.dim() - 1)))


def each_tensor(change: Callable[[torch.Tensor], torch.Tensor], outputs: Outputs) -> Outputs:
    """Return what a network says with ``change`` applied to each tensor of it."""
    return change(outputs) if isinstance(outputs, torch.Tensor) else type(outputs)(*map(change, outputs))


class Rewind:
    """Undo a step for the networks that had no batch left in it."""

    def __init__(self, stack: Stack, adam: StackAdam) -> None:
        self.stack, self.adam = stack, adam
        self.before = [[value.detach().clone() for value in group.values()] for group in self._groups()]
        self.steps = adam.steps.clone()

    @torch.no_grad()
    def apply(self, idle: torch.Tensor) -> None:
        """Put the tensors of the ``idle`` (k,) bool networks back to what they were."""
        for group, before in zip(self._groups(), self.before, strict=True):
            for value, old in zip(group.values(), before, strict=True):
                value[idle.to(value.device)] = old[idle.to(value.device)]
        self.adam.steps = torch.where(idle, self.steps, self.adam.steps)

    def _groups(self) -> list[Tensors]:
        return [self.stack.tensors, self.adam.mean, self.adam.square]


def set_trainable(network: nn.Module, modules: tuple[str, ...] | None) -> None:
    """Let only the named modules learn, or all for None.

    Raises:
        TrainingError: if the network has no such module.
    """
    known = dict(network.named_modules())
    for parameter in network.parameters():
        parameter.requires_grad_(modules is None)
    for name in modules or ():
        if name not in known:
            raise TrainingError(f"layer {name!r}", "the network has no such module", mend="name one of its modules")
        known[name].requires_grad_(True)


class _Conv(nn.Conv2d):
    """A convolution that chooses its arithmetic under autocast itself.

    A depthwise one computes in fp32 on a CPU, whose bf16 kernels for it are slow; and under ``vmap`` autocast would
    overlook the others (torch 2.15 has no rule for ``convolution`` on the CPU), while batch norm there wants fp32.
    """

    stacked = False

    def _conv_forward(self, images: torch.Tensor, weight: torch.Tensor, bias: torch.Tensor | None) -> torch.Tensor:
        kind = images.device.type
        if not torch.is_autocast_enabled(kind):
            return cast(torch.Tensor, super()._conv_forward(images, weight, bias))
        low = torch.get_autocast_dtype(kind)
        depthwise = self.groups == self.in_channels > 1
        dtype = torch.float32 if kind == "cpu" and depthwise else low
        with torch.autocast(kind, enabled=False):
            shift = None if bias is None else bias.to(dtype)
            found: torch.Tensor = super()._conv_forward(images.to(dtype), weight.to(dtype), shift)
        return found.to(torch.float32 if kind == "cpu" and self.stacked else low)


def _choose_arithmetic(network: nn.Module, *, stacked: bool) -> None:
    for module in network.modules():
        if type(module) is nn.Conv2d:
            module.__class__ = _Conv
            module.stacked = stacked  # type: ignore[assignment]


def _joined(values: Sequence[torch.Tensor]) -> torch.Tensor:
    """Return values with a leading axis; one alone keeps its memory format."""
    return values[0].clone().unsqueeze(0) if len(values) == 1 else torch.stack(list(values))
