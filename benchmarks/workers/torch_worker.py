"""PyTorch, eager: the training loop its tutorials write, over tensors that are already in memory."""

from protocol import Peer, serve


class Torch(Peer):
    packages = ("torch",)

    def __init__(self, workload, threads):
        import torch

        torch.set_num_threads(threads)
        self.torch, self.workload = torch, workload

    def candidates(self):
        tried = {
            "Adam": lambda: self.prepare(),
            "Adam(fused=True)": lambda: self.prepare(fused=True),
            "Adam(foreach=True)": lambda: self.prepare(foreach=True),
        }
        if not self.workload.flat:
            tried["Adam(fused=True), channels_last"] = lambda: self.prepare(True, fused=True)
        return tried

    def prepare(self, last=False, **options):
        torch = self.torch
        self.format = torch.channels_last if last else torch.contiguous_format
        self.model = network(torch.nn, self.workload)
        if not self.workload.flat:
            self.model = self.model.to(memory_format=self.format)
            self.x = self.x.contiguous(memory_format=self.format)
        self.optimizer = torch.optim.Adam(self.model.parameters(), lr=1e-3, eps=1e-7, **options)

    def load(self, x, y):
        self.x, self.y = self.tensor(x), self.torch.from_numpy(y).long()
        self.sample = x[:1].copy()

    def tensor(self, x):
        """Pictures as PyTorch has them: channels first."""
        made = self.torch.from_numpy(x)
        return made if self.workload.flat else made.permute(0, 3, 1, 2).contiguous()

    def epoch(self):
        torch, batch = self.torch, self.workload.batch
        self.model.train()
        order = torch.randperm(len(self.x))
        for start in range(0, len(order), batch):
            rows = order[start : start + batch]
            self.optimizer.zero_grad(set_to_none=True)
            logits = self.model(torch.index_select(self.x, 0, rows))
            torch.nn.functional.cross_entropy(logits, torch.index_select(self.y, 0, rows)).backward()
            self.optimizer.step()

    def probabilities(self, x):
        self.model.eval()
        with self.torch.inference_mode():
            return self.torch.softmax(self.model(self.tensor(x)), -1).numpy()

    def predictors(self):
        return {"model(x) in inference mode": lambda: self.probabilities(self.sample)}


def network(nn, workload):
    """The workload's layers, one module each."""
    made, width = [], workload.shape[-1]
    size = list(workload.shape)
    for kind, *rest in workload.layers:
        if kind == "flatten":
            width = 1
            for length in size:
                width *= length
            made += [] if workload.flat else [nn.Flatten()]
        elif kind == "dense":
            made.append(nn.Linear(width, rest[0]))
            width = rest[0]
        elif kind == "conv":
            made.append(nn.Conv2d(width, rest[0], 3, padding=1 if rest[1] == "same" else 0))
            less = 0 if rest[1] == "same" else 2
            size, width = [size[0] - less, size[1] - less, rest[0]], rest[0]
        elif kind == "pool":
            made.append(nn.MaxPool2d(2))
            size = [size[0] // 2, size[1] // 2, size[2]]
        elif kind == "conv_bn_relu":
            made += [*normalised(nn, width, rest[0]), nn.ReLU()]
            width = rest[0]
        elif kind == "residual":
            made.append(residual(nn, width, *rest))
            width = rest[0]
        elif kind == "mean":
            made += [nn.AdaptiveAvgPool2d(1), nn.Flatten()]
        else:
            made.append(nn.ReLU() if kind == "relu" else nn.Dropout(rest[0]))
    return nn.Sequential(*made)


def normalised(nn, width, filters, stride=1):
    convolution = nn.Conv2d(width, filters, 3, stride, padding=1, bias=False)
    return [convolution, nn.BatchNorm2d(filters, eps=1e-3, momentum=0.01)]


def residual(nn, width, filters, stride):
    class Residual(nn.Module):
        def __init__(self):
            super().__init__()
            first = normalised(nn, width, filters, stride)
            self.main = nn.Sequential(*first, nn.ReLU(), *normalised(nn, filters, filters))

        def forward(self, x):
            skip = x if stride == 1 else x[:, :, ::stride, ::stride]
            if width != filters:
                missing = filters - width
                skip = nn.functional.pad(skip, (0, 0, 0, 0, missing // 2, missing - missing // 2))
            return nn.functional.relu(self.main(x) + skip)

    return Residual()


if __name__ == "__main__":
    serve(lambda workload, given: Torch(workload, given.threads))
