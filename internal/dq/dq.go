// Package dq evaluates DQDL rulesets on files of this machine. A Python process of its own does
// it, on Spark, as the local cloud's gates and jobs do; no local cloud is needed.
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

// Request is what to evaluate. Paths are absolute.
type Request struct {
	Rules, Data string
	// Sources are further datasets by the alias that rules know them by, as ALIAS=FILE.
	Sources []string
	// Rows is where failing rows go; empty for nowhere.
	Rows string
	// History is the file of earlier results that dynamic rules look back at; empty for none.
	History string
	// Text leaves the columns of CSV files text.
	Text bool
	// ByRow joins composite rules row by row.
	ByRow bool
	// Large is for data of millions of rows: more memory, and a compiler that earns its keep.
	Large bool
}

// Rule is a rule with its outcome.
type Rule struct {
	Rule    string             `json:"rule"`
	Outcome string             `json:"outcome"`
	Reason  *string            `json:"reason"`
	Metrics map[string]float64 `json:"metrics"`
	Labels  map[string]string  `json:"labels,omitempty"`
	// BrokenBy is how many rows break the rule; nil for a rule about no row.
	BrokenBy *int64 `json:"broken_by"`
	// Evaluated is false for a rule that the data or the local evaluation cannot answer.
	Evaluated bool `json:"evaluated"`
}

// Analyzer is a metric that a ruleset asks for without judging it.
type Analyzer struct {
	Analyzer string             `json:"analyzer"`
	Reason   *string            `json:"reason"`
	Metrics  map[string]float64 `json:"metrics"`
}

// FailingRow is a row as texts, in the order of its columns, with the rules that it breaks.
type FailingRow struct {
	Values [][2]*string `json:"values"`
	Rules  []string     `json:"rules"`
}

// Result is what an evaluation gave.
type Result struct {
	Passed    int        `json:"passed"`
	Failed    int        `json:"failed"`
	Rules     []Rule     `json:"rules"`
	Analyzers []Analyzer `json:"analyzers"`
	Rows      struct {
		Total  int64 `json:"total"`
		Failed int64 `json:"failed"`
	} `json:"rows"`
	// Glance has the first failing rows.
	Glance []FailingRow `json:"glance"`
}

// Progress hears what is being done. Its methods are called one after the other.
type Progress interface {
	Step(name, detail string)
	Note(text string)
}

type event struct {
	Step, Detail, Note, Error string
	Result                    *Result
}

// patience is how long a process that was told to end may take.
const patience = 10 * time.Second

// endOfLog is how much of the process's log is told when it ended without an answer.
const endOfLog = 2000

// Evaluate runs the evaluation. A ruleset or data that cannot be used are an error of wrong usage.
func Evaluate(ctx context.Context, checkout project.Project, request Request, progress Progress) (*Result, error) {
	command := exec.CommandContext(ctx, checkout.Python(), arguments(request)...)
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
	result, failure := listen(out, progress)
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

func arguments(request Request) []string {
	found := []string{"-m", "local.dq.command", "--rules", request.Rules, "--data", request.Data}
	for _, source := range request.Sources {
		found = append(found, "--source", source)
	}
	for flag, value := range map[string]string{"--rows": request.Rows, "--history": request.History} {
		if value != "" {
			found = append(found, flag, value)
		}
	}
	for flag, given := range map[string]bool{"--text": request.Text, "--by-row": request.ByRow, "--large": request.Large} {
		if given {
			found = append(found, flag)
		}
	}
	return found
}

// listen tells of events until the last one.
func listen(out io.Reader, progress Progress) (*Result, error) {
	reader := bufio.NewReader(out)
	var result *Result
	for {
		line, err := reader.ReadBytes('\n')
		if errors.Is(err, io.EOF) {
			return result, nil
		}
		if err != nil {
			return nil, err
		}
		var told event
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
