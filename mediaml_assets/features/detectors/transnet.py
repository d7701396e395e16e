"""A TransNetV2-style network: dilated 3-D convolutions over tiny pictures, and how alike near frames are.

After Soucek and Lokoc, "TransNet V2: An effective deep network architecture for fast shot transition detection"
(arXiv 2008.04838, section 3): three blocks of two cells, each of four separable convolutions whose dilation in time is
1, 2, 4 and 8; similarities of learned features and of colour histograms within 50 frames either side; two heads, one
for the middle frame of a transition and one for all its frames. Written from the paper.

Names in the state dict, `i` in 0..2 (blocks), `j` in 0..1 (cells), `d` in 1, 2, 4, 8 (dilations):

    SDDCNN.i.DDCNN.j.Conv3D_d.layers.0.weight     [2 f, c, 1, 3, 3], f = 16 x 2^i filters, c channels come in
    SDDCNN.i.DDCNN.j.Conv3D_d.layers.1.weight     [f, 2 f, 3, 1, 1]
    SDDCNN.i.DDCNN.j.bn.{weight,bias,running_mean,running_var,num_batches_tracked}
    frame_sim_layer.{projection,fc}.{weight,bias}
    color_hist_layer.fc.{weight,bias}
    fc1.{weight,bias}, cls_layer1.{weight,bias}, cls_layer2.{weight,bias}
"""

import torch
from torch import nn
from torch.nn import functional

HEIGHT, WIDTH = 27, 48
DILATIONS = (1, 2, 4, 8)
FILTERS, BLOCKS, CELLS = 16, 3, 2
REACH = 50  # frames either side within which similarities are taken
LOOKUP = 2 * REACH + 1
SIMILAR, DENSE = 128, 1024  # widths
CONVOLVED = max(DILATIONS) * BLOCKS * CELLS  # frames either side that the convolutions see
RECEPTIVE = CONVOLVED + REACH
"""Frames either side of one that its answer depends on."""


class Separable(nn.Module):
    """A 3x3 convolution in space, then one of 3 frames in time with a dilation."""

    def __init__(self, channels: int, filters: int, dilation: int) -> None:
        """Args: channels that come in, filters, and frames between those that are joined."""
        super().__init__()
        space = nn.Conv3d(channels, 2 * filters, (1, 3, 3), padding=(0, 1, 1), bias=False)
        time = nn.Conv3d(
            2 * filters, filters, (3, 1, 1), dilation=(dilation, 1, 1), padding=(dilation, 0, 0), bias=False
        )
        self.layers = nn.ModuleList([space, time])

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """[n, c, t, h, w] to [n, filters, t, h, w]."""
        for layer in self.layers:
            x = layer(x)
        return x


class Cell(nn.Module):
    """Four dilations side by side, normalised."""

    def __init__(self, channels: int, filters: int) -> None:
        """Args: channels that come in, and filters of each dilation."""
        super().__init__()
        for dilation in DILATIONS:
            setattr(self, f"Conv3D_{dilation}", Separable(channels, filters, dilation))
        self.bn = nn.BatchNorm3d(len(DILATIONS) * filters, eps=1e-3)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """[n, c, t, h, w] to [n, 4 x filters, t, h, w]."""
        answer: torch.Tensor = self.bn(torch.cat([getattr(self, f"Conv3D_{d}")(x) for d in DILATIONS], dim=1))
        return answer


class Block(nn.Module):
    """Two cells, the first one's answer added to the second's, and a quarter of the places left."""

    def __init__(self, channels: int, filters: int) -> None:
        """Args: channels that come in, and filters of each dilation."""
        super().__init__()
        wide = len(DILATIONS) * filters
        self.DDCNN = nn.ModuleList([Cell(channels if j == 0 else wide, filters) for j in range(CELLS)])

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """[n, c, t, h, w] to [n, 4 x filters, t, h / 2, w / 2]."""
        first = functional.relu(self.DDCNN[0](x))
        second = functional.relu(self.DDCNN[1](first))
        return functional.avg_pool3d(second + first, (1, 2, 2))


class FrameSimilarity(nn.Module):
    """How alike the learned features of near frames are."""

    def __init__(self, channels: int) -> None:
        """Args: channels of all blocks together."""
        super().__init__()
        self.projection = nn.Linear(channels, SIMILAR)
        self.fc = nn.Linear(LOOKUP, SIMILAR)

    def forward(self, blocks: list[torch.Tensor]) -> torch.Tensor:
        """The blocks' answers to [n, t, 128]."""
        x = torch.cat([block.mean(dim=(3, 4)) for block in blocks], dim=1).transpose(1, 2)
        return functional.relu(self.fc(_near(functional.normalize(self.projection(x), dim=2))))


class ColourSimilarity(nn.Module):
    """How alike the colour histograms of near frames are: 8 levels of each of red, green and blue."""

    def __init__(self) -> None:
        """Nothing to choose."""
        super().__init__()
        self.fc = nn.Linear(LOOKUP, SIMILAR)

    def forward(self, frames: torch.Tensor) -> torch.Tensor:
        """Frames, uint8 [n, t, h, w, 3], to [n, t, 128]."""
        levels = frames.long() >> 5
        bins = ((levels[..., 0] << 6) + (levels[..., 1] << 3) + levels[..., 2]).flatten(2)
        counts = torch.zeros(*bins.shape[:2], 512, device=frames.device)
        counts.scatter_add_(2, bins, torch.ones_like(bins, dtype=counts.dtype))
        return functional.relu(self.fc(_near(functional.normalize(counts, dim=2))))


class TransNet(nn.Module):
    """The network: uint8 RGB frames [n, t, 27, 48, 3] to two logits a frame, [n, t] each: its middle, and all of it."""

    def __init__(self) -> None:
        """The paper's sizes; weights are random until they are loaded."""
        super().__init__()
        filters = [FILTERS * 2**i for i in range(BLOCKS)]
        wide = [len(DILATIONS) * f for f in filters]
        comes = [3, *wide[:-1]]
        self.SDDCNN = nn.ModuleList([Block(c, f) for c, f in zip(comes, filters, strict=True)])
        self.frame_sim_layer = FrameSimilarity(sum(wide))
        self.color_hist_layer = ColourSimilarity()
        places = (HEIGHT >> BLOCKS) * (WIDTH >> BLOCKS)
        self.fc1 = nn.Linear(wide[-1] * places + 2 * SIMILAR, DENSE)
        self.cls_layer1, self.cls_layer2 = nn.Linear(DENSE, 1), nn.Linear(DENSE, 1)

    def forward(self, frames: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Frames to logits, see the class."""
        x = frames.permute(0, 4, 1, 2, 3).float() / 255
        blocks = []
        for block in self.SDDCNN:
            x = block(x)
            blocks.append(x)
        seen = x.permute(0, 2, 3, 4, 1).flatten(2)
        joined = torch.cat([self.color_hist_layer(frames), self.frame_sim_layer(blocks), seen], dim=2)
        dense = functional.relu(self.fc1(joined))
        return self.cls_layer1(dense)[..., 0], self.cls_layer2(dense)[..., 0]


def _near(x: torch.Tensor) -> torch.Tensor:
    """Products of unit vectors [n, t, c] with those up to `REACH` frames before and after: [n, t, 101], 0 outside."""
    padded = functional.pad(x, (0, 0, REACH, REACH))
    return torch.einsum("ntc,ntcw->ntw", x, padded.unfold(1, LOOKUP, 1))
