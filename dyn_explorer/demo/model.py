"""A network small enough to train in seconds and deep enough to have dynamics."""

from __future__ import annotations

import torch
from torch import Tensor, nn


class SmallCNN(nn.Module):
    """Three convolutions and a linear head for 8 x 8 digits; `small_cnn` makes one.

    Images are enlarged to 24 x 24 first, so that an activation map has enough pixels to look at and to decompose.
    """

    def __init__(self) -> None:
        super().__init__()
        self.enlarge = nn.Upsample(scale_factor=3, mode="bilinear", align_corners=False)
        self.conv1 = nn.Conv2d(1, 16, kernel_size=3, padding=1)
        self.relu1 = nn.ReLU()
        self.conv2 = nn.Conv2d(16, 32, kernel_size=3, padding=1)
        self.relu2 = nn.ReLU()
        self.pool2 = nn.MaxPool2d(2)
        self.conv3 = nn.Conv2d(32, 32, kernel_size=3, padding=1)
        self.relu3 = nn.ReLU()
        self.pool3 = nn.MaxPool2d(2)
        self.flatten = nn.Flatten()
        self.head = nn.Linear(32 * 6 * 6, 10)
        for convolution in (self.conv1, self.conv2, self.conv3):
            # With PyTorch's own, smaller weights the network never gets the shuffled labels by heart.
            nn.init.kaiming_normal_(convolution.weight)
            nn.init.zeros_(convolution.bias)

    def forward(self, images: Tensor) -> Tensor:
        maps = self.relu1(self.conv1(self.enlarge(images)))
        maps = self.pool2(self.relu2(self.conv2(maps)))
        maps = self.pool3(self.relu3(self.conv3(maps)))
        return self.head(self.flatten(maps))


def small_cnn(seed: int = 0) -> SmallCNN:
    """An untrained network for the digits; the caller's random numbers are not touched.

    Parameters
    ----------
    seed : int
        Decides the initial weights.

    Returns
    -------
    SmallCNN
        25,578 parameters in float32 on the CPU. It maps images (n, 1, 8, 8) to scores (n, 10); the maps of `conv1` are
        (16, 24, 24), of `conv2` (32, 24, 24), of `conv3` (32, 12, 12).

    Example
    -------
    >>> from dyn_explorer import demo
    >>> images, labels = demo.digits("test")
    >>> demo.small_cnn()(images[:4]).shape
    torch.Size([4, 10])
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return SmallCNN()
