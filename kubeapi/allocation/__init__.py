"""What Services are given of which there is only so much: cluster IPs and node ports."""
