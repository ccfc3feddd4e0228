"""The differ: asks the real kube-apiserver and trikube the same, and prints where their answers differ."""
