package project

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"time"
)

// LockFile is the name, in the state folder, of the lock between commands of one checkout.
const LockFile = "command.lock"

// Lock lets one command at a time start, stop or deploy to the local cloud of this checkout. It
// waits for another holder until ctx ends, calling waiting once when it has to. The lock goes with
// the process that holds it, so a killed command leaves none behind.
func (p Project) Lock(ctx context.Context, waiting func()) (release func(), err error) {
	if err := os.MkdirAll(p.StateDir(), 0o755); err != nil {
		return nil, fmt.Errorf("state folder: %w", err)
	}
	file, err := os.OpenFile(filepath.Join(p.StateDir(), LockFile), os.O_CREATE|os.O_RDWR, 0o644)
	if err != nil {
		return nil, fmt.Errorf("lock of the checkout: %w", err)
	}
	if err := acquire(ctx, file, waiting); err != nil {
		return nil, errors.Join(err, file.Close())
	}
	return func() { _ = file.Close() }, nil
}

func acquire(ctx context.Context, file *os.File, waiting func()) error {
	const pause = 100 * time.Millisecond
	for told := false; ; told = true {
		err := syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
		if err == nil {
			return nil
		}
		if !errors.Is(err, syscall.EWOULDBLOCK) {
			return fmt.Errorf("lock %s: %w", file.Name(), err)
		}
		if !told {
			waiting()
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(pause):
		}
	}
}
