"""The TLS listener, on hypercorn: HTTP/2, HTTP/1.1 and WebSocket, client certificates, graceful shutdown.

`server` owns the sockets and the order of shutdown, `connection` one client, `http1` and `http2` the two
protocols on it, `stream` one request, `websocket` one WebSocket, `raw` what has switched to a protocol of
others, `inbox` what its client sent and nobody has read yet, `link` the bytes on their way out, `tls`
certificates and their reload. Mirrors `apiserver/pkg/server/secure_serving.go` and the guarantees Go's
`net/http` gives below it. Nothing else in trikube names hypercorn or h2.
"""
