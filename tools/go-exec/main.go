// Speaks to the exec subresource of an aggregated API server as kubectl exec does: over a WebSocket, else over SPDY.
//
// go run . KUBECONFIG PATH [COMMAND ...]   with `-spdy` first: over SPDY alone, as kubectl before 1.31.
// Standard input is sent, exit code and output are those of the command. Used by tools/real/try-aa.sh.
package main

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"strings"

	"k8s.io/apimachinery/pkg/util/httpstream"
	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/client-go/tools/remotecommand"
	"k8s.io/client-go/util/exec"
)

func main() {
	arguments := os.Args[1:]
	spdyAlone := arguments[0] == "-spdy"
	if spdyAlone {
		arguments = arguments[1:]
	}
	if err := run(arguments[0], arguments[1], arguments[2:], spdyAlone); err != nil {
		var ended exec.CodeExitError
		if errors.As(err, &ended) {
			os.Exit(ended.Code)
		}
		fmt.Fprintln(os.Stderr, "error:", err)
		os.Exit(1)
	}
}

func run(kubeconfig, path string, command []string, spdyAlone bool) error {
	config, err := clientcmd.BuildConfigFromFlags("", kubeconfig)
	if err != nil {
		return err
	}
	query := url.Values{"command": command, "stdin": {"true"}, "stdout": {"true"}, "stderr": {"true"}}
	target, err := url.Parse(strings.TrimSuffix(config.Host, "/") + path + "?" + query.Encode())
	if err != nil {
		return err
	}
	executor, err := remotecommand.NewSPDYExecutor(config, "POST", target)
	if err != nil {
		return err
	}
	if !spdyAlone {
		socket, err := remotecommand.NewWebSocketExecutor(config, "GET", target.String())
		if err != nil {
			return err
		}
		executor, err = remotecommand.NewFallbackExecutor(socket, executor, httpstream.IsUpgradeFailure)
		if err != nil {
			return err
		}
	}
	streams := remotecommand.StreamOptions{Stdin: os.Stdin, Stdout: os.Stdout, Stderr: os.Stderr}
	return executor.StreamWithContext(context.Background(), streams)
}
