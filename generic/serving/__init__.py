"""The TLS listener, on hypercorn: HTTP/2, HTTP/1.1 and WebSocket, client certificates, graceful shutdown.

`server` owns the sockets and the order of shutdown, `connection` one client, `http1` and `http2` the two
protocols on it, `stream` one request, `websocket` one WebSocket, `raw` what has switched to a protocol of
others, `inbox` what its client sent and nobody has read yet, `link` the bytes on their way out, `tls`
certificates and their reload. Mirrors `apiserver/pkg/server/secure_serving.go` and the guarantees Go's
`net/http` gives below it. Nothing else in trikube names hypercorn, and only the aggregator's transport h11 and h2.

Two extensions of an app's scope are ours: `trikube.upgrade` (`raw`) takes the connection over, and messages of the type
`trikube.informational` are 1xx responses (`stream`). Response trailers are ASGI's `http.response.trailers`; those of a
request are in its last `http.request`, as `trikube.trailers`.
"""
