// Package quality reads how the rules fared in past runs, which the warehouse keeps.
package quality

import (
	"context"
	_ "embed"
	"encoding/json"
	"fmt"
	"strconv"

	"moviepipeline/internal/query"
)

//go:embed history.sql
var history string

// Selection says which results are wanted.
type Selection struct {
	// Dataset is a name, empty for all.
	Dataset string
	// Rule is part of a rule's text in any case, empty for all rules.
	Rule string
	// Runs is how many of the newest runs of each ruleset.
	Runs int
}

// Evaluation is one evaluation of a ruleset by a run.
type Evaluation struct {
	Execution string `json:"execution"`
	Dataset   string `json:"dataset"`
	Date      string `json:"ingest_date"`
	// Ruleset is gate or rows.
	Ruleset string `json:"ruleset"`
	// At is when, in UTC.
	At string `json:"evaluated_at"`
	// Score is the share of the ruleset's rules that passed, 0 to 1.
	Score float64 `json:"score"`
	// Rules are those of the selection.
	Rules []Rule `json:"rules"`
}

// Rule is how a rule fared.
type Rule struct {
	Rule string `json:"rule"`
	// Result is PASS, FAIL or ERROR.
	Result string  `json:"result"`
	Reason *string `json:"reason"`
	// Metrics are the numbers that the rule measured, in the order of Glue's answer.
	Metrics []Metric `json:"metrics"`
}

// Metric is a number with Glue's name for it, such as Column.title.Completeness.
type Metric struct {
	Name  string  `json:"name"`
	Value float64 `json:"value"`
}

// History gives the evaluations of the selection, the oldest first.
func History(ctx context.Context, warehouse query.Warehouse, selection Selection) ([]Evaluation, error) {
	result, err := warehouse.Run(ctx, history,
		query.Parameter{Name: "dataset", Value: orAny(selection.Dataset)},
		query.Parameter{Name: "rule", Value: orAny(selection.Rule)},
		query.Parameter{Name: "runs", Value: strconv.Itoa(selection.Runs)})
	if err != nil {
		return nil, fmt.Errorf("results of rules: %w", err)
	}
	evaluations := []Evaluation{}
	for row, err := range result.Rows {
		if err != nil {
			return nil, fmt.Errorf("results of rules: %w", err)
		}
		if evaluations, err = add(evaluations, row); err != nil {
			return nil, fmt.Errorf("results of rules: %w", err)
		}
	}
	return evaluations, nil
}

// orAny is the statement's word for a text that excludes nothing.
func orAny(text string) string {
	if text == "" {
		return "*"
	}
	return text
}

// add takes a row of the query, which is a rule of the last evaluation or the first of another.
func add(evaluations []Evaluation, row query.Row) ([]Evaluation, error) {
	text := func(at int) string {
		value, _ := row[at].(string)
		return value
	}
	score, _ := row[5].(float64)
	next := Evaluation{Execution: text(0), Dataset: text(1), Date: text(2), Ruleset: text(3), At: text(4), Score: score}
	rule := Rule{Rule: text(6), Result: text(7)}
	if reason, told := row[8].(string); told {
		rule.Reason = &reason
	}
	if err := json.Unmarshal([]byte(text(9)), &rule.Metrics); err != nil {
		return nil, fmt.Errorf("metrics of %s: %w", rule.Rule, err)
	}
	last := len(evaluations) - 1
	if last < 0 || evaluations[last].Execution != next.Execution || evaluations[last].Dataset != next.Dataset || evaluations[last].Ruleset != next.Ruleset {
		evaluations = append(evaluations, next)
		last++
	}
	evaluations[last].Rules = append(evaluations[last].Rules, rule)
	return evaluations, nil
}
