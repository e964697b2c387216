// Package dq evaluates DQDL rulesets on files of this machine. A Python process of its own does
// it, on Spark, as the local cloud's gates and jobs do; no local cloud is needed.
package dq

import (
	"context"
	"strconv"

	"moviepipeline/internal/project"
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
	// Limit is how many failing rows the result has at most; 0 for all, less for none.
	Limit int
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
	// Failing has failing rows, as many as were asked for.
	Failing []FailingRow `json:"failing"`
}

// Evaluate runs the evaluation. A ruleset or data that cannot be used are an error of wrong usage.
func Evaluate(ctx context.Context, checkout project.Project, request Request, progress Progress) (*Result, error) {
	return ask[Result](ctx, checkout, arguments(request), progress)
}

func arguments(request Request) []string {
	found := []string{"-m", "local.dq.command", "--rules", request.Rules, "--data", request.Data, "--limit", strconv.Itoa(request.Limit)}
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
