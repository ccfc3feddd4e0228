package main

import (
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"time"

	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
)

// Plane is a control plane in a process of its own, which keeps its port and data over restarts.
type Plane struct {
	Program, Data string
	port          int
	process       *exec.Cmd
}

func (p *Plane) Kubeconfig() string { return filepath.Join(p.Data, "admin.kubeconfig") }

// Start returns once the control plane is ready.
func (p *Plane) Start() error {
	if p.port == 0 {
		listener, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return err
		}
		p.port = listener.Addr().(*net.TCPAddr).Port
		listener.Close()
	}
	p.process = exec.Command(p.Program, "up", "--data-dir", p.Data, "--secure-port", strconv.Itoa(p.port))
	p.process.Stderr = os.Stderr
	if err := p.process.Start(); err != nil {
		return err
	}
	deadline := time.Now().Add(20 * time.Second)
	for time.Now().Before(deadline) {
		if p.ready() {
			return nil
		}
		time.Sleep(50 * time.Millisecond)
	}
	return fmt.Errorf("the control plane is not ready")
}

func (p *Plane) ready() bool {
	config, err := clientcmd.BuildConfigFromFlags("", p.Kubeconfig())
	if err != nil {
		return false
	}
	client, err := rest.HTTPClientFor(config)
	if err != nil {
		return false
	}
	answer, err := client.Get(config.Host + "/readyz")
	if err != nil {
		return false
	}
	answer.Body.Close()
	return answer.StatusCode == http.StatusOK
}

// Kill is kill -9.
func (p *Plane) Kill() {
	p.process.Process.Kill()
	p.process.Wait()
}

// Restart kills the control plane and starts it anew on the same data.
func (p *Plane) Restart() error {
	p.Kill()
	return p.Start()
}
