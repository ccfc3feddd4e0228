"""The two certificate authorities and everything they sign, kept in `<data-dir>/pki/`.

`issue` makes keys and certificates in memory, `files` reads and writes them safely, `layout` knows which
ones a control plane needs and keeps them valid. Mirrors `cmd/kubeadm/app/phases/certs`.
"""
