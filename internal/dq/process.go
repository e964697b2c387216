package dq

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"time"

	"moviepipeline/internal/project"
	"moviepipeline/internal/usage"
)

// Progress hears what is being done. Its methods are called one after the other.
type Progress interface {
	Step(name, detail string)
	Note(text string)
}

// event is a line that the process writes; the last one has a result or an error.
type event[R any] struct {
	Step, Detail, Note, Error string
	Result                    *R
}

// patience is how long a process that was told to end may take.
const patience = 10 * time.Second

// endOfLog is how much of the process's log is told when it ended without an answer.
const endOfLog = 2000

// ask runs a Python module on Spark and tells progress of what it does, until it gives its result.
// What it cannot use is an error of wrong usage.
func ask[R any](ctx context.Context, checkout project.Project, arguments []string, progress Progress) (*R, error) {
	command := exec.CommandContext(ctx, checkout.Python(), arguments...)
	command.Dir = checkout.Root
	command.Env = append(os.Environ(), "SPARK_LOCAL_IP=127.0.0.1", "SPARK_VERSION=3.5", "TZ=UTC", "PYSPARK_PYTHON="+checkout.Python())
	// The JVM outlives a killed Python by a moment; its open pipe must not keep the command waiting.
	command.WaitDelay = patience
	// The process ends with its input, should this one be killed.
	input, err := command.StdinPipe()
	if err != nil {
		return nil, err
	}
	defer input.Close()
	var log bytes.Buffer
	command.Stderr = &log
	out, err := command.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := command.Start(); err != nil {
		return nil, fmt.Errorf("start the evaluation: %w", err)
	}
	result, failure := listen[R](out, progress)
	ended := command.Wait()
	switch {
	case ctx.Err() != nil:
		return nil, ctx.Err()
	case failure != nil || result != nil:
		return result, failure
	default:
		return nil, fmt.Errorf("the evaluation ended without a result (%w); the end of its log:\n%s", orNone(ended), tail(log.String()))
	}
}

// listen tells of events until the last one.
func listen[R any](out io.Reader, progress Progress) (*R, error) {
	reader := bufio.NewReader(out)
	var result *R
	for {
		line, err := reader.ReadBytes('\n')
		if errors.Is(err, io.EOF) {
			return result, nil
		}
		if err != nil {
			return nil, err
		}
		var told event[R]
		if err := json.Unmarshal(line, &told); err != nil {
			return nil, fmt.Errorf("the evaluation said %.200q: %w", line, err)
		}
		switch {
		case told.Error != "":
			return nil, usage.Errorf("%s", told.Error)
		case told.Result != nil:
			result = told.Result
		case told.Note != "":
			progress.Note(told.Note)
		default:
			progress.Step(told.Step, told.Detail)
		}
	}
}

func orNone(err error) error {
	if err == nil {
		return errors.New("exit code 0")
	}
	return err
}

func tail(log string) string {
	log = strings.TrimSpace(log)
	if len(log) > endOfLog {
		log = "…" + log[len(log)-endOfLog:]
	}
	return log
}
