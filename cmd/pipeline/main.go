// Command pipeline runs the movie data pipeline, on the local cloud or on AWS, and looks at what
// it did.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"moviepipeline/internal/usage"
)

// Exit codes. A command that is interrupted exits as shells expect it: 128 + SIGINT.
const (
	exitOK          = 0
	exitFailed      = 1
	exitUsage       = 2
	exitInterrupted = 130
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	// A second Ctrl-C ends the command at once.
	context.AfterFunc(ctx, stop)
	os.Exit(execute(ctx, os.Args[1:], os.Stdout, os.Stderr))
}

// told is an error that the user has read already: only its exit code is left.
type told struct{ code int }

func (t told) Error() string { return fmt.Sprintf("exit %d", t.code) }

// exitCode says how the command ends.
func exitCode(ctx context.Context, err error) int {
	var known told
	switch {
	case err == nil:
		return exitOK
	case errors.As(err, &known):
		return known.code
	case ctx.Err() != nil:
		return exitInterrupted
	case usage.Is(err):
		return exitUsage
	default:
		return exitFailed
	}
}
