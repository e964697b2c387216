// Package localcloud starts and stops the local cloud: the Python process that stands in for AWS.
package localcloud

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"moviepipeline/internal/project"
)

// How long the process may take to answer after its start and to save its state at the end, and
// how often that is looked at.
const (
	startLimit = 60 * time.Second
	stopLimit  = 60 * time.Second
	glance     = 50 * time.Millisecond
)

// Endpoint is where a running local cloud listens.
type Endpoint struct {
	URL string `json:"url"`
	PID int    `json:"pid"`
}

// Running gives the endpoint of the local cloud whose state is in stateDir, if one answers. The
// process is looked for too: after it died, its port may be another server's.
func Running(ctx context.Context, stateDir string) (Endpoint, bool) {
	endpoint, err := readEndpoint(stateDir)
	if err != nil || !alive(endpoint.PID) || !answers(ctx, endpoint.URL) {
		return Endpoint{}, false
	}
	return endpoint, true
}

// HasState tells whether a local cloud ever ran with the state in stateDir.
func HasState(stateDir string) bool {
	_, err := os.Stat(logFile(stateDir))
	return err == nil
}

// Start starts the local cloud of the checkout unless it runs, and gives its endpoint. The process
// outlives the command that started it.
func Start(ctx context.Context, checkout project.Project) (Endpoint, error) {
	stateDir := checkout.StateDir()
	if endpoint, running := Running(ctx, stateDir); running {
		return endpoint, nil
	}
	if err := checkout.CheckLocalCloud(ctx); err != nil {
		return Endpoint{}, err
	}
	if err := os.MkdirAll(stateDir, 0o755); err != nil {
		return Endpoint{}, fmt.Errorf("state of the local cloud: %w", err)
	}
	if err := os.Remove(endpointFile(stateDir)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return Endpoint{}, fmt.Errorf("endpoint of an earlier local cloud: %w", err)
	}
	ended, err := launch(checkout)
	if err != nil {
		return Endpoint{}, err
	}
	return awaitReady(ctx, stateDir, ended)
}

// launch starts the process in a session of its own, so that no Ctrl-C of a terminal reaches it.
// The channel is closed when it ends.
func launch(checkout project.Project) (<-chan struct{}, error) {
	output, err := os.Create(startLog(checkout.StateDir()))
	if err != nil {
		return nil, fmt.Errorf("log of the local cloud: %w", err)
	}
	defer output.Close()
	command := exec.Command(checkout.Python(), "-m", "local", "--state", checkout.StateDir())
	command.Dir = checkout.Root
	command.Stdout, command.Stderr = output, output
	command.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if err := command.Start(); err != nil {
		return nil, fmt.Errorf("local cloud: %w", err)
	}
	ended := make(chan struct{})
	go func() {
		_ = command.Wait()
		close(ended)
	}()
	return ended, nil
}

func awaitReady(ctx context.Context, stateDir string, ended <-chan struct{}) (Endpoint, error) {
	limit := time.After(startLimit)
	for {
		if endpoint, running := Running(ctx, stateDir); running {
			return endpoint, nil
		}
		select {
		case <-ctx.Done():
			return Endpoint{}, ctx.Err()
		case <-ended:
			return Endpoint{}, fmt.Errorf("the local cloud ended at its start: %s (more in %s)", lastLine(startLog(stateDir)), startLog(stateDir))
		case <-limit:
			return Endpoint{}, fmt.Errorf("the local cloud did not answer within %s; see %s", startLimit, logFile(stateDir))
		case <-time.After(glance):
		}
	}
}

// Stop ends the local cloud, which saves its state; false when none runs.
func Stop(ctx context.Context, stateDir string) (bool, error) {
	endpoint, err := readEndpoint(stateDir)
	if err != nil || !isLocalCloud(ctx, endpoint.PID) {
		return false, nil
	}
	process, err := os.FindProcess(endpoint.PID)
	if err != nil {
		return false, fmt.Errorf("local cloud, process %d: %w", endpoint.PID, err)
	}
	if err := process.Signal(syscall.SIGTERM); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return false, fmt.Errorf("stop the local cloud, process %d: %w", endpoint.PID, err)
	}
	limit := time.After(stopLimit)
	for alive(endpoint.PID) {
		select {
		case <-ctx.Done():
			return false, ctx.Err()
		case <-limit:
			return false, fmt.Errorf("the local cloud (process %d) did not end within %s; see %s", endpoint.PID, stopLimit, logFile(stateDir))
		case <-time.After(glance):
		}
	}
	return true, nil
}

// Reset deletes everything in the state folder of a stopped local cloud, save the lock that the
// caller holds.
func Reset(stateDir string) error {
	entries, err := os.ReadDir(stateDir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("state of the local cloud: %w", err)
	}
	for _, entry := range entries {
		if entry.Name() == project.LockFile {
			continue
		}
		if err := os.RemoveAll(filepath.Join(stateDir, entry.Name())); err != nil {
			return fmt.Errorf("delete the state of the local cloud: %w", err)
		}
	}
	return nil
}

// LogFile is where the local cloud of stateDir writes what it does.
func LogFile(stateDir string) string { return logFile(stateDir) }

func logFile(stateDir string) string      { return filepath.Join(stateDir, "local.log") }
func startLog(stateDir string) string     { return filepath.Join(stateDir, "start.log") }
func endpointFile(stateDir string) string { return filepath.Join(stateDir, "endpoint.json") }

func readEndpoint(stateDir string) (Endpoint, error) {
	content, err := os.ReadFile(endpointFile(stateDir))
	if err != nil {
		return Endpoint{}, err
	}
	var endpoint Endpoint
	if err := json.Unmarshal(content, &endpoint); err != nil {
		return Endpoint{}, fmt.Errorf("%s: %w", endpointFile(stateDir), err)
	}
	return endpoint, nil
}

// alive tells whether there is a process of that number.
func alive(pid int) bool {
	return pid > 0 && !errors.Is(syscall.Kill(pid, 0), syscall.ESRCH)
}

// answers asks the address for anything: a status of any kind is an answer.
func answers(ctx context.Context, url string) bool {
	limited, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	request, err := http.NewRequestWithContext(limited, http.MethodGet, url+"/_ministack/health", nil)
	if err != nil {
		return false
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return false
	}
	return response.Body.Close() == nil
}

// isLocalCloud keeps a number that now belongs to another process from being stopped.
func isLocalCloud(ctx context.Context, pid int) bool {
	if pid <= 0 {
		return false
	}
	command, err := exec.CommandContext(ctx, "ps", "-ww", "-o", "command=", "-p", strconv.Itoa(pid)).Output()
	return err == nil && strings.Contains(string(command), "-m local ")
}

func lastLine(path string) string {
	content, err := os.ReadFile(path)
	if err != nil {
		return err.Error()
	}
	lines := bytes.Split(bytes.TrimSpace(content), []byte("\n"))
	return string(bytes.TrimSpace(lines[len(lines)-1]))
}
